"""Text for Kustom: cut by code points, never by bytes, and always valid JSON (lessons, row 16)."""

import unicodedata
from urllib.parse import quote

#: What a URL may hold as it is; anything else is percent-encoded.
_URL_SAFE = "%/:=&?~#+!$,;'@()*[]"


def cut(value: str | None, limit: int) -> str | None:
    """Return the text without control characters, at most `limit` code points; None if empty."""
    if not value:
        return None
    # What Python calls printable holds nothing that would be replaced; most texts are.
    harmless = value if value.isprintable() else "".join(map(_harmless, value))
    return harmless.strip()[:limit].strip() or None


def url(value: str | None, limit: int = 1024) -> str | None:
    """Return a URL that fits, in ASCII, else None: half a URL leads nowhere."""
    text = cut(value, limit)
    if text is None or text != (value or "").strip():
        return None
    scheme, _, rest = text.partition("://")
    host = rest.split("/")[0]
    if scheme.lower() not in ("https", "http") or not host or not host.isascii() or " " in host:
        return None
    encoded = quote(text, safe=_URL_SAFE)
    return encoded if len(encoded) <= limit else None


def _harmless(character: str) -> str:
    """Replace what a shopper can't see and a receiver may refuse; keep every real character."""
    match unicodedata.category(character):
        case "Cc":
            return " "
        case "Cs":  # half a surrogate pair is no character and can't be sent as UTF-8
            return ""
        case _:
            return character
