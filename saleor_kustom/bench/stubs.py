"""Stand-ins of Saleor and Kustom with fixed answers and a fixed latency, in a process of their own.

Far cheaper than the sandbox, whose Saleor executes GraphQL, but honest about money: Kustom keeps
what was captured of each order, and tells of it. They count what they are asked, and when.
"""

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from saleor_kustom.bench import shop, wire
from saleor_kustom.bench.child import Talk, begin

#: What a request is answered with: status, headers, body.
_Answer = tuple[int, dict[str, str], bytes]
_NOT_FOUND: _Answer = (404, {}, b'{"error_code": "NOT_FOUND"}')


async def main(given: dict[str, Any], talk: Talk) -> None:
    """Serve until nothing more is said; asked meanwhile, tell what was asked and when."""
    seen = _Seen()
    saleor, kustom = _Saleor(seen, given["jwks"]), _Kustom(seen)
    addresses = {
        "saleor": await _serve(saleor.answer, given["saleor_s"]),
        "kustom": await _serve(kustom.answer, given["kustom_s"]),
    }
    talk.say(**addresses)
    while (asked := await talk.heard()) is not None:
        if asked.get("until_reported"):
            await seen.until(asked["until_reported"], asked["within_s"])
        talk.say(
            counts=dict(seen.counts),
            captured_at=seen.captured_at,
            last_report=seen.last_report,
            over=kustom.over_captured(),
        )
        if asked.get("forget"):
            seen.forget()


async def _serve(answer: "Callable[[bytes, str, bytes], _Answer]", latency_s: float) -> str:
    server = await asyncio.get_running_loop().create_server(
        lambda: _Connection(answer, latency_s), "127.0.0.1", 0, backlog=1000
    )
    return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


class _Seen:
    """What was asked, until it is forgotten."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.captured_at: list[float] = []  # monotonic, when each capture was answered
        self.last_report = 0.0
        self._changed = asyncio.Event()

    def forget(self) -> None:
        self.counts.clear()
        self.captured_at.clear()

    def count(self, what: str) -> None:
        self.counts[what] += 1
        if what == "saleor write":
            self.last_report = time.monotonic()
            self._changed.set()

    async def until(self, reports: int, within_s: float) -> None:
        """Wait until Saleor was told of so many captures, or the time is over."""
        ends = time.monotonic() + within_s
        while self.counts["saleor write"] < reports and time.monotonic() < ends:
            self._changed.clear()
            try:
                async with asyncio.timeout(min(1.0, within_s)):
                    await self._changed.wait()
            except TimeoutError:
                continue


class _Connection(asyncio.Protocol):
    """Answers one request after the other, each so much later."""

    def __init__(self, answer: Callable[[bytes, str, bytes], _Answer], latency_s: float) -> None:
        self._answer = answer
        self._latency_s = latency_s
        self._reader = wire.Reader()
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        message = self._reader.take(data)
        if message is not None:
            asyncio.get_running_loop().call_later(self._latency_s, self._reply, message)

    def _reply(self, message: wire.Message) -> None:
        if self._transport.is_closing():
            return
        method, path, _ = message.head.split(b" ", 2)
        status, headers, body = self._answer(method, path.decode(), message.body)
        self._transport.write(wire.answer(status, headers, body))


class _Saleor:
    def __init__(self, seen: _Seen, jwks: dict[str, Any]) -> None:
        self._seen = seen
        self._jwks = json.dumps(jwks).encode()
        self._orders: dict[str, bytes] = {}

    def answer(self, method: bytes, _path: str, body: bytes) -> _Answer:
        if method == b"GET":
            return 200, {}, self._jwks
        asked = json.loads(body)
        variables = asked.get("variables", {})
        if "query OrderToCapture" in asked["query"]:
            self._seen.count("saleor read")
            return 200, {}, self._order(variables["id"])
        if "mutation Report" in asked["query"]:
            self._seen.count("saleor write")
            return 200, {}, _REPORTED
        # What the app asks of its own beside captures, such as its webhooks.
        self._seen.count("saleor other")
        return 200, {}, b'{"errors": [{"message": "not in the benchmark"}]}'

    def _order(self, order_id: str) -> bytes:
        if order_id not in self._orders:
            order = shop.order_wire(int(order_id.partition("-")[2]))
            self._orders[order_id] = json.dumps({"data": {"order": order}}).encode()
        return self._orders[order_id]


_REPORTED = json.dumps(
    {
        "data": {
            "event": {"alreadyProcessed": False, "errors": []},
            **{
                name: {"errors": []}
                for name in ("fulfillmentPrivate", "fulfillmentPublic", "orderPrivate")
            },
        }
    }
).encode()


class _Kustom:
    def __init__(self, seen: _Seen) -> None:
        self._seen = seen
        self._captures: dict[int, list[dict[str, Any]]] = {}

    def over_captured(self) -> int:
        """Return of how many orders more was captured than authorized. There must be none."""
        return sum(_sum(made) > shop.total_minor(order) for order, made in self._captures.items())

    def answer(self, method: bytes, path: str, body: bytes) -> _Answer:
        found = re.fullmatch(r"/ordermanagement/v1/orders/([0-9a-f-]{36})(/captures)?", path)
        if found is None:
            return _NOT_FOUND
        order = int(found[1][-12:], 16)
        if method == b"GET":
            self._seen.count("kustom read")
            return 200, {}, json.dumps(self._order(order)).encode()
        self._seen.count("kustom capture")
        self._seen.captured_at.append(time.monotonic())
        return self._capture(order, json.loads(body))

    def _capture(self, order: int, asked: dict[str, Any]) -> _Answer:
        made = self._captures.setdefault(order, [])
        capture_id = f"00000000-0000-4000-9000-{order:010x}{len(made):02x}"
        made.append(
            {
                "capture_id": capture_id,
                "captured_amount": asked["captured_amount"],
                "reference": asked.get("reference"),
                "captured_at": datetime.now(UTC).isoformat(),
                "shipping_info": asked.get("shipping_info", []),
            }
        )
        return 201, {"capture-id": capture_id}, b""

    def _order(self, order: int) -> dict[str, Any]:
        made, total = self._captures.get(order, []), shop.total_minor(order)
        captured = _sum(made)
        return {
            "order_id": shop.kustom_order_id(order),
            "status": "AUTHORIZED" if not made else "PART_CAPTURED",
            "fraud_status": "ACCEPTED",
            "purchase_currency": "SEK",
            "order_amount": total,
            "original_order_amount": total,
            "captured_amount": captured,
            "refunded_amount": 0,
            "remaining_authorized_amount": total - captured,
            "merchant_reference1": str(order),
            "captures": made,
            "refunds": [],
        }


def _sum(captures: list[dict[str, Any]]) -> int:
    return sum(capture["captured_amount"] for capture in captures)


if __name__ == "__main__":
    begin(main)
