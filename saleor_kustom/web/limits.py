"""Limits of every request, before any route sees it: who, how long, how much.

A 4xx is final for Saleor and a 5xx comes again, so where a limit turns a delivery away for a
reason that passes the answer is 503, and 429 elsewhere.
"""

import asyncio
import re
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from saleor_kustom.web.bodies import refusal
from saleor_kustom.web.clients import DELIVERIES, Clients

#: What a Host header may be; anything else could only confuse whoever builds URLs from it.
_HOST = re.compile(rb"[A-Za-z0-9._-]*(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """The limits of one request, and of all that are under way."""

    answer_s: float = 30.0  # until the answer begins
    bodies_bytes: int = 64 * 1024 * 1024  # of all requests under way


class _NoRoom(Exception):  # noqa: N818 - caught where it is answered
    """The bodies of all requests together are too large now."""


class Limits:
    """ASGI middleware around all routes."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        clients: Clients | None = None,
        limits: RequestLimits | None = None,
        https: bool = False,
    ) -> None:
        self._app = app
        self._clients = clients or Clients()
        self._limits = limits or RequestLimits()
        self._headers = _HEADERS + _HTTPS * https
        self._held_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on within its limits, or refuse it."""
        if scope["type"] != "http":
            return  # there is nothing else here; a WebSocket is refused so
        host, path = _client(scope), scope["path"]
        exchange = _Exchange(self, scope, receive, send)
        wait_s = self._clients.wait_s(host, path)
        if wait_s:
            await exchange.refuse(_too_many(path, wait_s))
            return
        try:
            await self._within(scope, exchange)
        finally:
            self._held_bytes -= exchange.held_bytes
        self._clients.answered(host, path, exchange.status)

    async def _within(self, scope: Scope, exchange: "_Exchange") -> None:
        if not _plain_host(scope):
            await exchange.refuse(refusal(400, "HOST_MALFORMED", "The header Host is malformed."))
            return
        try:
            async with asyncio.timeout(self._limits.answer_s) as limit:
                exchange.limit = limit
                await self._app(scope, exchange.receive, exchange.send)
        except (_NoRoom, TimeoutError):
            if exchange.status:
                raise
            await exchange.refuse(refusal(503, "TRY_AGAIN", "The app is busy; send it again."))

    def hold(self, size: int) -> None:
        """Count bytes that a request under way keeps in memory. Raises _NoRoom."""
        if self._held_bytes + size > self._limits.bodies_bytes:
            raise _NoRoom
        self._held_bytes += size

    def add_headers(self, message: MutableMapping[str, Any]) -> None:
        """Add what every answer bears, unless the route has said otherwise."""
        own = {name.lower() for name, _ in message["headers"]}
        message["headers"] = [
            *message["headers"],
            *(header for header in self._headers if header[0] not in own),
        ]


class _Exchange:
    """One request and its answer, as the limits see them."""

    def __init__(self, limits: Limits, scope: Scope, receive: Receive, send: Send) -> None:
        self._limits = limits
        self._scope = scope
        self._receive = receive
        self._send = send
        self.limit: asyncio.Timeout | None = None
        self.held_bytes = 0
        self.status = 0  # 0: the answer has not begun

    async def receive(self) -> Message:
        message = await self._receive()
        size = len(message.get("body", b""))
        self._limits.hold(size)
        self.held_bytes += size
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._limits.add_headers(message)
            if self.limit is not None:  # what follows is limited by the connection alone
                self.limit.reschedule(None)
        await self._send(message)

    async def refuse(self, answer: Response) -> None:
        self.limit = None
        await answer(self._scope, self._receive, self.send)


def _client(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


def _plain_host(scope: Scope) -> bool:
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    return len(hosts) <= 1 and all(_HOST.fullmatch(host) for host in hosts)


def _too_many(path: str, wait_s: float) -> Response:
    status = 503 if path.startswith(DELIVERIES) else 429
    answer = refusal(status, "TOO_MANY_REQUESTS", "Too many requests came from this address.")
    answer.headers["Retry-After"] = str(int(wait_s) + 1)
    return answer


_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)
_HTTPS = ((b"strict-transport-security", b"max-age=31536000"),)
