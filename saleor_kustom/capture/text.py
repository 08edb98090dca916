"""Text for Kustom: cut by code points, never by bytes, and always valid JSON (lessons, row 16)."""


def cut(value: str | None, limit: int) -> str | None:
    """Return the text without control characters, at most `limit` code points; None if empty."""
    if not value:
        return None
    # Half a surrogate pair is no character and can't be sent as UTF-8.
    clean = "".join(c if c.isprintable() else " " for c in value if not "\ud800" <= c <= "\udfff")
    return " ".join(clean.split())[:limit].strip() or None


def url(value: str | None, limit: int = 1024) -> str | None:
    """Return a URL that fits, else None: half a URL leads nowhere."""
    if not value or len(value) > limit or not value.startswith(("https://", "http://")):
        return None
    return value if value.isprintable() and " " not in value else None
