"""How each setting's text is read. A ValueError says what is wrong with it."""

import ipaddress
import re
import string
from collections.abc import Callable
from urllib.parse import urlsplit

_SHORTEST_SECRET = 32


def secret(text: str) -> str:
    if len(text) < _SHORTEST_SECRET:
        raise ValueError(f"is shorter than {_SHORTEST_SECRET} characters")
    if len(set(text)) < 8:  # noqa: PLR2004 - "xxxx…" is no secret
        raise ValueError("repeats too few characters to be a secret")
    if text in (text + text)[1:-1]:
        raise ValueError("repeats a shorter text")
    return text


#: A host name or bracketed IPv6 address and a port: what a URL's authority may be.
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?", re.ASCII)


def url(text: str) -> str:
    parts = urlsplit(text)
    plain = text.isascii() and text.isprintable() and " " not in text
    if not plain or parts.scheme not in ("http", "https") or not _HOST.fullmatch(parts.netloc):
        raise ValueError("is no plain http(s) URL")  # not quoted: it may have a password in it
    return text.rstrip("/")


def base_url(text: str) -> str:
    """Read a URL that paths are put behind."""
    if set(text) & set("?#"):
        raise ValueError("has a query or fragment")
    return url(text)


def origin(text: str) -> str:
    url = base_url(text)
    if urlsplit(url).path:
        raise ValueError("has a path; an origin has none")
    return url


def urls(text: str) -> tuple[str, ...]:
    return tuple(listed_url(entry) for entry in entries(text))


def listed_url(text: str) -> str:
    if text != "*":
        base_url(text)
    return text  # API URLs are compared with their slash


def origins(text: str) -> tuple[str, ...]:
    return tuple(origin(entry) for entry in entries(text))


def networks(text: str) -> tuple[str, ...]:
    found = entries(text)
    for entry in found:
        try:
            ipaddress.ip_network(entry)
        except ValueError:
            raise ValueError(f"{entry!r} is neither an address nor a network") from None
    return found


def entries(text: str) -> tuple[str, ...]:
    return tuple(entry.strip() for entry in text.split(",") if entry.strip())


def currencies(text: str) -> tuple[str, ...]:
    found = tuple(entry.upper() for entry in entries(text))
    for entry in found:
        if len(entry) != 3 or not entry.isalpha():  # noqa: PLR2004 - ISO 4217
            raise ValueError(f"{entry!r} is no currency code")
    return found


def database(text: str) -> str:
    if text.startswith("sqlite:///") and len(text) > len("sqlite:///"):
        return text
    if text.startswith("postgresql://"):
        return text
    raise ValueError("is neither sqlite:///path nor postgresql://…")


def boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"{text!r} is neither true nor false")
    return text == "true"


def count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1000:  # noqa: PLR2004 - sane
        raise ValueError(f"{text!r} is no whole number from 1 to 1000")
    return int(text)


def days(text: str) -> int:
    if not text.isdecimal() or int(text) > 36_500:  # noqa: PLR2004 - a hundred years
        raise ValueError(f"{text!r} is no whole number of days")
    return int(text)


def rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 < rate <= 200:  # noqa: PLR2004 - Klarna's published limit
        raise ValueError(f"{text!r} is no number above 0, at most 200")
    return rate


def level(text: str) -> str:
    if text.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError(f"{text!r} is no log level")
    return text.upper()


def one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"{text!r} is none of {', '.join(words)}")
        return text.lower()

    return read


def address(text: str) -> str:
    """Read host:port; the host is an address or a name, an IPv6 address in brackets."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:  # noqa: PLR2004 - TCP's
        raise ValueError(f"{text!r} is no host:port")
    return text


def template(*names: str) -> Callable[[str], str]:
    """Return a reader of URLs with exactly these {names} in them."""

    def read(text: str) -> str:
        found = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
        if found != set(names):
            wanted = " and ".join(f"{{{name}}}" for name in names)
            raise ValueError(f"must have {wanted} in it and no other braces")
        url(text)
        return text

    return read


def printable(text: str) -> str:
    """Read what goes into a header or is compared with a metadata key."""
    if not text.isascii() or not text.isprintable():
        raise ValueError("has characters that are not printable ASCII")
    return text
