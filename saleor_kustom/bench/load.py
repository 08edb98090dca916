"""Posts signed deliveries over so many connections; a process of its own.

Told `sign`, it prepares deliveries; told `post`, it posts what it prepared and answers with what
came back and how long that took.
"""

import asyncio
import time
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from saleor_kustom.bench import shop, wire
from saleor_kustom.bench.child import Talk, begin

_GIVES_UP_S = 300.0


async def main(given: dict[str, Any], talk: Talk) -> None:
    """Prepare and post, as told."""
    posting = shop.Posting.of(given["api_url"], given["key"])
    talk.say(ready=True)
    prepared: list[bytes] = []
    while (asked := await talk.heard()) is not None:
        if "sign" in asked:
            size = asked.get("size", 0)
            prepared = [
                posting.request(shop.body(order, parcel, size)) for order, parcel in asked["sign"]
            ]
            talk.say(prepared=len(prepared))
        else:
            talk.say(**await _posted(asked["post"], prepared, asked["clients"]))


async def _posted(address: str, prepared: list[bytes], clients: int) -> dict[str, Any]:
    run = _Run(list(reversed(prepared)))
    loop = asyncio.get_running_loop()
    host, _, port = urlsplit(address).netloc.partition(":")
    made = [loop.create_connection(lambda: _Client(run), host, int(port)) for _ in range(clients)]
    run.clients = [client for _, client in await asyncio.gather(*made)]
    began = time.monotonic()
    for client in run.clients:
        client.post()
    async with asyncio.timeout(_GIVES_UP_S):
        await run.over.wait()
    spent_s = time.monotonic() - began
    waited = sorted(run.waited_s)
    return {
        "began": began,
        "spent_s": spent_s,
        "statuses": dict(run.statuses),
        "p50_ms": _at(waited, 0.5),
        "p99_ms": _at(waited, 0.99),
    }


def _at(waited: list[float], share: float) -> float:
    return waited[min(len(waited) - 1, int(len(waited) * share))] * 1000 if waited else 0.0


class _Run:
    def __init__(self, waiting: list[bytes]) -> None:
        self.waiting = waiting
        self.waited_s: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.clients: list[_Client] = []
        self.idle = 0
        self.over = asyncio.Event()

    def done(self) -> None:
        self.idle += 1
        if self.idle == len(self.clients):
            self.over.set()


class _Client(asyncio.Protocol):
    """A connection that posts the next delivery when the answer to the one before has come."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._reader = wire.Reader()
        self._began = 0.0
        self._transport: Any = None
        self._posts = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def post(self) -> None:
        if not self._run.waiting:
            self._posts = False
            self._transport.close()
            self._run.done()
            return
        self._posts = True
        self._began = time.perf_counter()
        self._transport.write(self._run.waiting.pop())

    def data_received(self, data: bytes) -> None:
        answer = self._reader.take(data)
        if answer is None:
            return
        self._run.waited_s.append(time.perf_counter() - self._began)
        self._run.statuses[answer.head[9:12].decode()] += 1
        self.post()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's interface
        if self._posts:
            self._run.statuses["broken"] += 1
            self._run.done()


if __name__ == "__main__":
    begin(main)
