"""What can go wrong between us and Kustom, by name: each fault strikes the next requests."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

#: Faults that strike before the operation runs: it does not take effect.
BEFORE: Mapping[str, str] = {
    "lost request": "the connection breaks, and nothing had arrived",
    "500 before": "an error without a body",
    "503": "the gateway says that nothing is behind it",
    "429": "too many requests, with Retry-After",
    "409": "another operation is in progress",
    "html 403": "the firewall's page",
    "401": "credentials are refused",
    "refused": "a definite no in JSON",
    "hang": "no answer for two minutes",
}
#: Faults that strike after it: the operation takes effect and the answer is spoilt.
AFTER: Mapping[str, str] = {
    "lost answer": "the connection breaks",
    "500 after": "the gateway gave up waiting (504)",
    "html 200": "a page instead of the answer",
    "truncated": "half of the body, and none of Kustom's headers",
    "empty 200": "success without anything",
    "no capture id": "a 201 whose headers a proxy took away",
    "location only": "the same, but `location` came through",
}
FAULTS = frozenset(BEFORE) | frozenset(AFTER)
_HANG_S = 120.0


@dataclass(slots=True)
class _Fault:
    name: str
    times: int
    on: str


class Faults:
    """Which faults are still to strike, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._waiting: list[_Fault] = []

    def add(self, name: str, times: int, on: str) -> None:
        """Let a fault strike `times` requests `on` an operation ("any": on whichever comes)."""
        if name not in FAULTS:
            raise ValueError(f"no fault is called {name!r}; there are {sorted(FAULTS)}")
        self._waiting.append(_Fault(name, times, on))

    def clear(self) -> None:
        """Let nothing strike any more."""
        self._waiting.clear()

    def take(self, operation: str) -> str | None:
        """Return the fault that strikes this request, if any."""
        for fault in self._waiting:
            if fault.on in ("any", operation):
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault.name
        return None


async def answer_before(fault: str, request: Request) -> Response:
    """Answer without the operation."""
    match fault:
        case "lost request":
            return broken()
        case "hang":
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_HANG_S):
                    await request.receive()  # returns when the other side hangs up
            return broken()
        case "html 403":
            return Response("<html>Forbidden</html>", 403, media_type="text/html")
        case "429":
            return Response(_error("TOO_MANY_REQUESTS"), 429, {"Retry-After": "7"}, _JSON)
        case "refused":
            return Response(_error("CAPTURE_NOT_ALLOWED"), 403, media_type=_JSON)
        case "409":
            return Response(_error("CONFLICT"), 409, media_type=_JSON)
        case "401":
            return Response(status_code=401)
        case _:
            return Response(status_code=503 if fault == "503" else 500)


def answer_after(fault: str, answer: Response) -> Response:
    """Spoil the answer of an operation that took effect."""
    match fault:
        case "lost answer":
            return broken()
        case "500 after":
            return Response(status_code=504)
        case "html 200":
            return Response("<html>OK</html>", 200, media_type="text/html")
        case "empty 200":
            return Response(status_code=200)
        case "no capture id":
            return Response(bytes(answer.body), answer.status_code)
        case "location only":
            location = answer.headers.get("location")
            headers = {"location": location} if location else {}
            return Response(bytes(answer.body), answer.status_code, headers)
        case _:
            return Response(bytes(answer.body)[: len(answer.body) // 2], answer.status_code)


class BrokenConnection(Exception):  # noqa: N818
    """The simulated network broke."""


class _Broken(Response):
    """Breaks the connection in the middle of an answer: a real server closes it then."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        raise BrokenConnection


def broken() -> Response:
    """Return an answer that never arrives."""
    return _Broken()


class BreakableTransport(httpx.AsyncBaseTransport):
    """Leads to an ASGI app without a network; a broken connection is httpx's own error."""

    def __init__(self, app: ASGIApp, reachable: Callable[[], bool]) -> None:
        self._inner = httpx.ASGITransport(app)
        self._reachable = reachable

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self._reachable():
            raise httpx.ConnectError("Connection refused", request=request)
        with _as_httpx(request):
            return await self._inner.handle_async_request(request)


@contextlib.contextmanager
def _as_httpx(request: httpx.Request) -> Iterator[None]:
    try:
        yield
    except BrokenConnection:
        raise httpx.ReadError("the connection broke", request=request) from None


_JSON = "application/json"


def _error(code: str) -> str:
    return f'{{"error_code": "{code}", "error_messages": ["Try again."], "correlation_id": "c"}}'


def _not_ours(record: logging.LogRecord) -> bool:
    exc_info: Any = record.exc_info
    return not (exc_info and exc_info[0] is BrokenConnection)


# A connection that a story breaks is nothing for a server's log.
logging.getLogger("uvicorn.error").addFilter(_not_ours)
