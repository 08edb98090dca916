"""Puts what is being asked, and the trace that it belongs to, into every log line about it."""

from starlette.types import ASGIApp, Receive, Scope, Send

from saleor_kustom.watch import trace
from saleor_kustom.watch.context import bound

_LONGEST = 200


class Traced:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer within the trace that the request names, if it names one."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        named = trace.read(_header(scope))
        asked = f"{scope['method']} {scope['path']}"[:_LONGEST]
        with bound(trace=named, request=asked):
            await self._app(scope, receive, send)


def _header(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == _NAME:
            return str(value, "latin-1")
    return None


_NAME = trace.HEADER.encode()
