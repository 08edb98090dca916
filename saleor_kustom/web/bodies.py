"""Read request bodies under a limit, and answer in JSON."""

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse


async def read_body(request: Request, limit: int) -> bytes:
    """Return the body. Raises HTTPException 413 as soon as it is larger than `limit` bytes."""
    declared = request.headers.get("content-length", "0")
    if not declared.isascii() or not declared.isdigit():
        raise HTTPException(400, "Content-Length is no number.")
    if len(declared) > len(str(limit)) or int(declared) > limit:
        raise HTTPException(413, "The body is too large.")
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise HTTPException(413, "The body is too large.")
    except ClientDisconnect as error:
        raise HTTPException(400, "The connection broke.") from error
    return bytes(body)


def nesting(body: bytes) -> int:
    """Return how deep the arrays and objects of a JSON text nest at most, without parsing it."""
    deepest = depth = 0
    quoted = escaped = False
    for byte in body:
        if quoted:
            quoted = escaped or byte != _QUOTE
            escaped = byte == _BACKSLASH and not escaped
        elif byte == _QUOTE:
            quoted = True
        elif byte in _OPENS:
            depth += 1
            deepest = max(deepest, depth)
        elif byte in _CLOSES:
            depth -= 1
    return deepest


_QUOTE, _BACKSLASH, _OPENS, _CLOSES = ord('"'), ord("\\"), b"[{", b"]}"


def single(request: Request, name: str) -> str:
    """Return a header that must come exactly once, else an empty string."""
    wanted = name.encode()
    values = [value for key, value in request.scope["headers"] if key == wanted]
    return str(values[0], "latin-1") if len(values) == 1 else ""


def refusal(status: int, code: str, message: str) -> JSONResponse:
    """Return the error answer of the protocol; Saleor shows the message to its user."""
    return JSONResponse(
        {"success": False, "error": {"code": code, "message": message}}, status_code=status
    )
