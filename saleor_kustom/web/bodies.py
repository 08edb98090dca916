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


def single(request: Request, name: str) -> str:
    """Return a header that must come exactly once, else an empty string."""
    values = request.headers.getlist(name)
    return values[0] if len(values) == 1 else ""


def refusal(status: int, code: str, message: str) -> JSONResponse:
    """Return the error answer of the protocol; Saleor shows the message to its user."""
    return JSONResponse(
        {"success": False, "error": {"code": code, "message": message}}, status_code=status
    )
