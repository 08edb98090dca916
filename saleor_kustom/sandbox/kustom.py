"""A simulated Kustom: the Order Management API over HTTP, with keys, faults and a ledger.

`app` serves it; `transport()` puts it behind our real client without a network. Faults by name
(see `FAULTS`) strike the next matching request. What really happened is in `ledger`.
"""

import asyncio
import base64
import contextlib
import json
import logging
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from saleor_kustom.sandbox.kustom_orders import (
    Ledger,
    Refusal,
    SimulatedOrder,
    Switches,
    shown_capture,
    shown_order,
)

#: name → (does the operation take effect?, what is answered)
FAULTS = frozenset(
    {
        "lost request", "lost answer", "500 before", "500 after", "503", "429", "409",
        "html 403", "html 200", "truncated", "empty 200", "no capture id", "location only",
        "hang", "401",
    }
)  # fmt: skip
_PREFIX = "/ordermanagement/v1/orders"


@dataclass(slots=True)
class _Fault:
    name: str
    times: int
    on: str  # capture | order | tracking | refund | any


class BrokenConnection(Exception):  # noqa: N818
    """The simulated network broke."""


def _not_ours(record: logging.LogRecord) -> bool:
    return not (record.exc_info and record.exc_info[0] is BrokenConnection)


# A connection that the story breaks is nothing for a server's log.
logging.getLogger("uvicorn.error").addFilter(_not_ours)


class _Broken(Response):
    """Breaks the connection in the middle of an answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        raise BrokenConnection


class SimulatedKustom:
    """The other side. Merchants and orders are added by tests, the demo, or recordings."""

    def __init__(
        self, *, switches: Switches | None = None, clock: Callable[[], datetime] | None = None
    ) -> None:
        self.switches = switches or Switches()
        self.clock = clock or (lambda: datetime.now(UTC))
        self.ledger = Ledger(self.switches, self.clock)
        self.merchants: dict[tuple[str, str], str] = {}
        self.requests: list[tuple[str, str]] = []  # method and path, in order
        self.delay_s = 0.0
        self._faults: list[_Fault] = []
        self._keys: dict[tuple[str, ...], tuple[datetime, Response]] = {}
        self._running: set[tuple[str, ...]] = set()
        self.app = Starlette(routes=self._routes())

    @property
    def orders(self) -> dict[str, SimulatedOrder]:
        """Return the orders by id."""
        return self.ledger.orders

    def add_merchant(self, username: str, password: str, merchant_id: str) -> None:
        """Let credentials in."""
        self.merchants[username, password] = merchant_id

    def add_order(
        self,
        order_id: str,
        amount: int,
        currency: str = "SEK",
        merchant_id: str = "PM1",
        **more: Any,
    ) -> SimulatedOrder:
        """Authorize an order."""
        return self.ledger.add(order_id, amount, currency, merchant_id, **more)

    def fail_next(self, name: str, times: int = 1, on: str = "any") -> None:
        """Make the next `times` requests `on` an operation end in the named way."""
        if name not in FAULTS:
            raise ValueError(f"no fault is called {name!r}; there are {sorted(FAULTS)}")
        self._faults.append(_Fault(name, times, on))

    def heal(self) -> None:
        """Take all faults away."""
        self._faults.clear()

    def forget_keys(self) -> None:
        """Forget every idempotency key, as after 24 hours."""
        self._keys.clear()

    def transport(self) -> httpx.AsyncBaseTransport:
        """Return a transport that leads here."""
        return _Transport(self)

    def _routes(self) -> list[Route]:
        one = _PREFIX + "/{order_id}"
        return [
            Route(one, self._on("order", self._order), methods=["GET"]),
            Route(one + "/captures", self._on("order", self._captures), methods=["GET"]),
            Route(one + "/captures", self._on("capture", self._capture), methods=["POST"]),
            Route(
                one + "/captures/{capture_id}", self._on("order", self._one_capture),
                methods=["GET"],
            ),
            Route(
                one + "/captures/{capture_id}/shipping-info", self._on("tracking", self._track),
                methods=["POST"],
            ),
            Route(
                one + "/shipping-info", self._on("tracking", self._track_order), methods=["POST"]
            ),
            Route(one + "/refunds", self._on("refund", self._refund), methods=["POST"]),
            Route(one + "/cancel", self._on("cancel", self._cancel), methods=["POST"]),
            Route(
                one + "/release-remaining-authorization", self._on("release", self._release),
                methods=["POST"],
            ),
            Route(
                one + "/extend-authorization-time", self._on("extend", self._extend),
                methods=["POST"],
            ),
            Route(
                one + "/merchant-references", self._on("references", self._references),
                methods=["PATCH"],
            ),
        ]  # fmt: skip

    def _on(
        self, operation: str, act: Callable[[SimulatedOrder, Request, Any], Response]
    ) -> Callable[[Request], Any]:
        """Wrap an operation in credentials, faults and idempotency keys."""

        async def endpoint(request: Request) -> Response:
            self.requests.append((request.method, request.url.path))
            raw = await request.body()
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            fault = self._fault(operation)
            if fault in _BEFORE:
                return await _before(fault)
            try:
                answer = self._answer(operation, act, request, raw)
            except Refusal as refusal:
                answer = _refused(refusal)
            if self.switches.sends_correlation_id:
                answer.headers["klarna-correlation-id"] = str(uuid.uuid4())
            return _after(fault, answer) if fault else answer

        return endpoint

    def _answer(
        self,
        operation: str,
        act: Callable[[SimulatedOrder, Request, Any], Response],
        request: Request,
        raw: bytes,
    ) -> Response:
        merchant_id = self._merchant(request)
        if merchant_id is None:
            return Response(status_code=401)
        order = self.orders.get(request.path_params["order_id"])
        if order is None or order.merchant_id != merchant_id:
            raise Refusal(self.switches.foreign_order_status, "NO_SUCH_ORDER", "No such order.")
        key = request.headers.get("klarna-idempotency-key")
        if request.method == "GET" or key is None:
            return act(order, request, _json(raw))
        scope = (merchant_id, key, *((operation,) if self.switches.keys_per_endpoint else ()))
        return self._once(scope, lambda: act(order, request, _json(raw)))

    def _once(self, scope: tuple[str, ...], act: Callable[[], Response]) -> Response:
        """Only the key counts: the first operation's answer is given again (contract, 3)."""
        kept = self._keys.get(scope)
        if kept is not None and self.clock() - kept[0] < timedelta(hours=self.switches.key_hours):
            return _copy(kept[1])
        try:
            answer = act()
        except Refusal as refusal:
            if not self.switches.remembers_refusals:
                raise
            answer = _refused(refusal)
        self._keys[scope] = (self.clock(), answer)
        return _copy(answer)

    def _merchant(self, request: Request) -> str | None:
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        with contextlib.suppress(ValueError):
            username, _, password = base64.b64decode(encoded).decode().partition(":")
            if scheme == "Basic":
                return self.merchants.get((username, password))
        return None

    def _fault(self, operation: str) -> str | None:
        for fault in self._faults:
            if fault.on in ("any", operation):
                fault.times -= 1
                if fault.times <= 0:
                    self._faults.remove(fault)
                return fault.name
        return None

    def _order(self, order: SimulatedOrder, _request: Request, _body: Any) -> Response:
        return _json_answer(shown_order(self.ledger, order))

    def _captures(self, order: SimulatedOrder, _request: Request, _body: Any) -> Response:
        return _json_answer([shown_capture(capture) for capture in order.captures])

    def _one_capture(self, order: SimulatedOrder, request: Request, _body: Any) -> Response:
        return _json_answer(shown_capture(_found(order, request)))

    def _capture(self, order: SimulatedOrder, request: Request, body: Any) -> Response:
        key = request.headers.get("klarna-idempotency-key")
        made = self.ledger.capture(order, body, key)
        path = f"{request.url.path}/{made.capture_id}"
        return Response(
            status_code=201,
            headers={"capture-id": made.capture_id, "location": f"https://kustom.test{path}"},
        )

    def _track(self, order: SimulatedOrder, request: Request, body: Any) -> Response:
        self.ledger.track(order, _found(order, request).shipping_info, body)
        return Response(status_code=204)

    def _track_order(self, order: SimulatedOrder, _request: Request, body: Any) -> Response:
        self.ledger.track(order, order.shipping_info, body)
        return Response(status_code=204)

    def _refund(self, order: SimulatedOrder, request: Request, body: Any) -> Response:
        refund_id = self.ledger.refund(order, body)["refund_id"]
        location = f"https://kustom.test{request.url.path}/{refund_id}"
        return Response(status_code=201, headers={"refund-id": refund_id, "location": location})

    def _cancel(self, order: SimulatedOrder, _request: Request, _body: Any) -> Response:
        self.ledger.cancel(order)
        return Response(status_code=204)

    def _release(self, order: SimulatedOrder, _request: Request, _body: Any) -> Response:
        self.ledger.release(order)
        return Response(status_code=204)

    def _extend(self, order: SimulatedOrder, _request: Request, _body: Any) -> Response:
        self.ledger.extend(order)
        return Response(status_code=204)

    def _references(self, order: SimulatedOrder, _request: Request, body: Any) -> Response:
        order.merchant_reference1 = body.get("merchant_reference1", order.merchant_reference1)
        order.merchant_reference2 = body.get("merchant_reference2", order.merchant_reference2)
        return Response(status_code=204)


_BEFORE = frozenset({"lost request", "500 before", "503", "429", "409", "html 403", "401", "hang"})


async def _before(fault: str) -> Response:
    """Answer without the operation taking effect."""
    match fault:
        case "lost request":
            return _Broken()
        case "hang":
            await asyncio.sleep(120)
            return _Broken()
        case "html 403":
            return Response("<html>Forbidden</html>", 403, media_type="text/html")
        case "429":
            refusal = Refusal(429, "TOO_MANY_REQUESTS", "Slow down.")
            answer = _refused(refusal)
            answer.headers["retry-after"] = "7"
            return answer
        case "409":
            return _refused(Refusal(409, "CONFLICT", "Another operation is in progress."))
        case "401":
            return Response(status_code=401)
        case _:
            return Response(status_code=503 if fault == "503" else 500)


def _after(fault: str, answer: Response) -> Response:
    """Answer wrongly although the operation took effect."""
    match fault:
        case "lost answer":
            return _Broken()
        case "500 after":
            return Response(status_code=504)
        case "html 200":
            return Response("<html>OK</html>", 200, media_type="text/html")
        case "empty 200" | "no capture id":
            return Response(status_code=200 if fault == "empty 200" else 201)
        case "location only":
            return Response(status_code=201, headers={"location": answer.headers["location"]})
        case _:
            return Response(bytes(answer.body)[: len(answer.body) // 2], answer.status_code)


def _refused(refusal: Refusal) -> Response:
    answer = _json_answer(
        {
            "error_code": refusal.code,
            "error_messages": list(refusal.messages),
            "correlation_id": str(uuid.uuid4()),
        }
    )
    answer.status_code = refusal.status
    return answer


def _json_answer(value: Any) -> Response:
    return Response(json.dumps(value), media_type="application/json")


def _copy(answer: Response) -> Response:
    headers = {k: v for k, v in answer.headers.items() if k != "content-length"}
    return Response(bytes(answer.body), answer.status_code, headers)


def _json(raw: bytes) -> Any:
    if not raw:
        return {}
    try:
        body = json.loads(raw)
    except ValueError:
        raise Refusal(400, "BAD_REQUEST", "The body is no JSON.") from None
    if not isinstance(body, dict):
        raise Refusal(400, "BAD_REQUEST", "The body is no object.")
    return body


def _found(order: SimulatedOrder, request: Request) -> Any:
    wanted = request.path_params["capture_id"]
    for capture in order.captures:
        if capture.capture_id == wanted:
            return capture
    raise Refusal(404, "NO_SUCH_CAPTURE", "No such capture.")


class _Transport(httpx.AsyncBaseTransport):
    """Leads to the simulated Kustom; a broken connection is httpx's own error."""

    def __init__(self, kustom: SimulatedKustom) -> None:
        self._inner = httpx.ASGITransport(kustom.app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        with _as_httpx(request):
            return await self._inner.handle_async_request(request)


@contextlib.contextmanager
def _as_httpx(request: httpx.Request) -> Iterator[None]:
    try:
        yield
    except BrokenConnection:
        raise httpx.ReadError("the connection broke", request=request) from None
