"""The Saleor we call."""
