"""What one connection may take from us: time to send a request, bytes of a head, a place.

uvicorn's protocol waits for ever for a request to arrive, and takes a head of any size. Here a
request has to arrive whole within a time, whatever drips; and when too many connections are
open, the one whose client we have been waiting for longest makes room. So connections that do
nothing push each other out, while a delivery, which comes in one piece, is never waited for.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_log = logging.getLogger(__name__)

#: Below what makes a transport tell us to wait.
_KEPT_BYTES = 32 * 1024


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """The limits of one server.

    `wait_s` is how long a client may take to send a whole request, or to take an answer; Saleor
    itself gives up after 18 s (saleor-core-observed, section 2).
    """

    most: int = 1000  # open at once
    wait_s: float = 20.0
    head_bytes: int = 32 * 1024  # request line and headers
    fields: int = 100  # headers
    ahead: int = 16  # requests that a client sent before the answers to earlier ones


class Connections:
    """The open connections of one server."""

    def __init__(
        self, limits: ConnectionLimits, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.limits = limits
        self.monotonic = monotonic
        self._open: set[Connection] = set()

    def __len__(self) -> int:
        return len(self._open)

    def add(self, made: "Connection") -> None:
        """Take a connection in; the one that is waited for longest goes when there is no room."""
        if len(self._open) >= self.limits.most:
            waited_for = [one for one in self._open if one.waits_since is not None]
            if not waited_for:  # all of them are being worked for
                _log.warning("%d connections are at work, one more is closed", len(self._open))
                made.abort()
                return
            min(waited_for, key=lambda one: one.waits_since or 0.0).abort()
        self._open.add(made)

    def discard(self, lost: "Connection") -> None:
        """Forget a connection that is closed."""
        self._open.discard(lost)

    def sweep(self) -> None:
        """Close every connection whose client takes too long."""
        until = self.monotonic() - self.limits.wait_s
        for one in list(self._open):
            if one.waits_since is not None and one.waits_since <= until:
                one.abort()


class _InOnePiece:
    """A transport that writes head and body of an answer at once.

    uvicorn writes them one after the other, and each write would be a packet and a system call of
    its own: more than our own code costs.
    """

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._kept: list[bytes] = []
        self._kept_bytes = 0
        self._call_soon = asyncio.get_running_loop().call_soon

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write when the loop comes round; at once what would fill the memory otherwise."""
        if not self._kept:
            self._call_soon(self._flush)
        self._kept.append(data)
        self._kept_bytes += len(data)
        if self._kept_bytes > _KEPT_BYTES:
            self._flush()

    def close(self) -> None:
        """Write what was kept, then close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._kept:
            data = b"".join(self._kept)
            self._kept.clear()
            self._kept_bytes = 0
            self._transport.write(data)


class _OverLimit(Exception):  # noqa: N818 - caught by the parser, which refuses the request
    """The client sent more than it may."""


class Connection(HttpToolsProtocol):
    """uvicorn's protocol with limits."""

    def __init__(self, *args: Any, connections: Connections, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._all = connections
        self._limits = connections.limits
        self._request_since: float | None = None  # waiting for a request, or the rest of one
        self._stalled_since: float | None = None  # waiting until the client takes the answer
        self._unparsed = 0  # bytes since a head ended or a piece of a body was read
        self._in_head = True
        self._fields = self._field_bytes = 0
        self._over_limit = False

    @property
    def waits_since(self) -> float | None:
        """Return since when we have been waiting for the client; None: it waits for us."""
        since = [s for s in (self._request_since, self._stalled_since) if s is not None]
        return min(since, default=None)

    def abort(self) -> None:
        """Close at once, whatever was still to be sent."""
        self._all.discard(self)
        self.transport.abort()

    # ---- the transport's side

    def connection_made(self, transport: Any) -> None:
        """Start waiting for the first request."""
        super().connection_made(transport)
        self.transport = cast("Any", _InOnePiece(transport))
        self._request_since = self._all.monotonic()
        self._all.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place up."""
        self._all.discard(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse; nothing that only the parser holds may grow."""
        self._unparsed += len(data)
        super().data_received(data)
        if self._unparsed > self._limits.head_bytes and not self.transport.is_closing():
            self._over_limit = True
            self.send_400_response("The request's head is too large.")

    def pause_writing(self) -> None:
        """The client does not take what we send."""
        self._stalled_since = self._all.monotonic()
        super().pause_writing()

    def resume_writing(self) -> None:
        """It does."""
        self._stalled_since = None
        super().resume_writing()

    # ---- the parser's side

    def on_message_begin(self) -> None:
        """Start a request."""
        super().on_message_begin()
        self._request_since = self._all.monotonic()
        self._in_head = True
        self._fields = self._field_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; those behind a body (trailers) are read by nobody."""
        if not self._in_head:
            return
        self._fields += 1
        self._field_bytes += len(name) + len(value)
        super().on_header(name, value)
        if self._fields > self._limits.fields or self._field_bytes > self._limits.head_bytes:
            self._check_head()

    def on_headers_complete(self) -> None:
        """End the head."""
        self._check_head()
        self._in_head = False
        self._unparsed = 0
        if len(self.pipeline) >= self._limits.ahead:
            raise _OverLimit
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._unparsed = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole: now the client waits for us."""
        self._request_since = None
        self._unparsed = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, unless one is here already."""
        if not self.pipeline and self._request_since is None:
            self._request_since = self._all.monotonic()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, or too much of it, and close."""
        if self.transport.is_closing():
            return
        if self._over_limit:
            self.transport.write(_TOO_LARGE)
            self.transport.close()
            return
        super().send_400_response(msg)

    def _check_head(self) -> None:
        size = self._field_bytes + len(self.url)
        if self._fields > self._limits.fields or size > self._limits.head_bytes:
            self._over_limit = True
            raise _OverLimit


_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)
