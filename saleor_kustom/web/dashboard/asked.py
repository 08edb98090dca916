"""What a request asks, read strictly: what makes no sense is nothing, never an error page."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from saleor_kustom.web.bodies import read_body

_LARGEST_BYTES = 16 * 1024
_LONGEST = 500
_DIGITS = 18  # fits a database's 64 bits


async def read_asked(request: Request) -> Mapping[str, Any]:
    """Return the request's JSON object. Raises HTTPException 400 or 413."""
    try:
        asked = json.loads(await read_body(request, _LARGEST_BYTES))
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise HTTPException(400, "The body is no JSON object.")
    return asked


def text(asked: Mapping[str, Any], name: str, longest: int = _LONGEST) -> str:
    """Return a text of a JSON object or a query, cut; what is none is empty."""
    value = asked.get(name, "")
    return value[:longest].strip() if isinstance(value, str) else ""


def whole(value: object, digits: int = _DIGITS) -> int | None:
    """Return a whole number that is not negative, else None."""
    written = str(value)
    fits = written.isascii() and written.isdecimal() and len(written) <= digits
    return int(written) if fits else None
