"""saleor-kustom captures Kustom payments when Saleor ships."""

__version__ = "0.1.0"
