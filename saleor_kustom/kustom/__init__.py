"""The Kustom we call."""
