"""A simulated Kustom: the Order Management API over HTTP, with keys, faults and a ledger.

`app` serves it; `transport()` puts it behind our real client without a network. Faults by name
(kustom_faults.py) strike the next matching request. What really happened is in `orders`.
"""

import asyncio
import base64
import contextlib
import copy
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from saleor_kustom.sandbox.kustom_api import OPERATIONS, Call, Operation, refused
from saleor_kustom.sandbox.kustom_faults import (
    BEFORE,
    FAULTS,
    BreakableTransport,
    Faults,
    answer_after,
    answer_before,
    broken,
)
from saleor_kustom.sandbox.kustom_orders import Ledger, SimulatedOrder
from saleor_kustom.sandbox.kustom_posts import Posts
from saleor_kustom.sandbox.kustom_rules import Refusal, Switches

__all__ = ["FAULTS", "SimulatedKustom", "Switches"]

_PREFIX = "/ordermanagement/v1/orders/{order_id}"
_LARGEST_BODY = 1_000_000
_RATE = {"x-ratelimit-limit": "5, 5;w=1", "x-ratelimit-remaining": "4", "x-ratelimit-reset": "1"}


class SimulatedKustom:
    """The other side. Merchants and orders are added by tests, the demo, or recordings."""

    def __init__(
        self, *, switches: Switches | None = None, clock: Callable[[], datetime] | None = None
    ) -> None:
        self.switches = switches or Switches()
        self.clock = clock or (lambda: datetime.now(UTC))
        self.posts = Posts(self.clock)
        self.ledger = Ledger(self.switches, self.clock, self.posts.happened)
        self.merchants: dict[tuple[str, str], str] = {}
        self.requests: list[tuple[str, str]] = []  # method and path, in order
        self.delay_s = 0.0  # between a request's arrival and its effect
        self.reachable = True  # False: connections are refused
        self._faults = Faults()
        self._keys: dict[tuple[str, ...], tuple[datetime, Response]] = {}
        self._running: dict[tuple[str, ...], asyncio.Event] = {}
        self.app = Starlette(
            routes=[
                Route(_PREFIX + operation.path, self._endpoint(operation), name=operation.name,
                      methods=[operation.method])
                for operation in OPERATIONS
            ]
        )  # fmt: skip

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
        """Authorize an order over `amount` minor units; `more` are SimulatedOrder's fields."""
        return self.ledger.add(order_id, amount, currency, merchant_id, **more)

    def fail_next(self, name: str, times: int = 1, on: str = "any") -> None:
        """Make the next `times` requests `on` an operation (kustom_api.py) end as named."""
        self._faults.add(name, times, on)

    def heal(self) -> None:
        """Take all faults away."""
        self._faults.clear()

    def forget_keys(self) -> None:
        """Forget every idempotency key, as after 24 hours."""
        self._keys.clear()

    def transport(self) -> httpx.AsyncBaseTransport:
        """Return a transport that leads here, and breaks as connections do."""
        return BreakableTransport(self.app, lambda: self.reachable)

    def _endpoint(self, operation: Operation) -> Callable[[Request], Any]:
        """Wrap an operation in faults and headers."""

        async def endpoint(request: Request) -> Response:
            self.requests.append((request.method, request.url.path))
            raw = await request.body()
            if not self.reachable:
                return broken()
            fault = self._faults.take(operation.name)
            if fault is not None and fault in BEFORE:
                return await answer_before(fault, request)
            correlation_id = str(uuid.uuid4())
            try:
                answer = await self._answer(operation, request, raw, correlation_id)
            except Refusal as refusal:
                answer = refused(refusal, correlation_id)
            answer.headers.update(_RATE)
            if self.switches.sends_correlation_id:
                answer.headers["klarna-correlation-id"] = correlation_id
            return answer_after(fault, answer) if fault else answer

        return endpoint

    async def _answer(
        self, operation: Operation, request: Request, raw: bytes, correlation_id: str
    ) -> Response:
        agent = request.headers.get("user-agent", "")
        if self.switches.blocks_library_agents and agent.startswith("python-"):
            return Response("<html>Forbidden</html>", 403, media_type="text/html")
        merchant_id = self._merchant(request)
        if merchant_id is None:
            refusal = Refusal(401, "UNAUTHORIZED", "Wrong credentials.")
            explained = self.switches.explains_401
            return refused(refusal, correlation_id) if explained else Response(status_code=401)
        order = self._order(request.path_params["order_id"], merchant_id)
        key = request.headers.get("klarna-idempotency-key")

        async def act() -> Response:
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            url = f"https://kustom.test{request.url.path}"
            body = _body(request, raw)
            return operation.act(Call(self.ledger, order, url, request.path_params, body, key))

        if operation.method == "GET" or key is None:
            return await act()
        endpoint = (request.url.path,) if self.switches.keys_per_endpoint else ()
        return await self._once((merchant_id, key, *endpoint), act, correlation_id)

    async def _once(
        self, scope: tuple[str, ...], act: Callable[[], Any], correlation_id: str
    ) -> Response:
        """Only the key counts: the first operation's answer is given again (contract, 3)."""
        while scope in self._running:
            if not self.switches.waits_in_flight:
                raise Refusal(409, "CONFLICT", "The key is in use.")
            await self._running[scope].wait()
        kept = self._keys.get(scope)
        if kept is not None and self.clock() - kept[0] < timedelta(hours=self.switches.key_hours):
            return copy.deepcopy(kept[1])
        at, ended = self.clock(), asyncio.Event()
        self._running[scope] = ended
        try:
            answer: Response = await act()
        except Refusal as refusal:
            if not self.switches.remembers_refusals:
                raise
            answer = refused(refusal, correlation_id)
        finally:
            del self._running[scope]
            ended.set()
        self._keys[scope] = (at, answer)
        return copy.deepcopy(answer)

    def _order(self, order_id: str, merchant_id: str) -> SimulatedOrder:
        order = self.orders.get(order_id)
        if order is None and not _is_uuid(order_id):
            raise Refusal(400, "INVALID_ORDER_ID", "Order ID must be a valid UUID.")
        if order is None:
            raise Refusal(404, "NO_SUCH_ORDER", "No such order.")
        if order.merchant_id != merchant_id:
            status = self.switches.foreign_order_status
            raise Refusal(status, "NO_SUCH_ORDER" if status == 404 else "FORBIDDEN", "No.")  # noqa: PLR2004
        return order

    def _merchant(self, request: Request) -> str | None:
        """Return whose credentials these are: username and key in base64, or the key as it is."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme != "Basic":
            return None
        for (_, password), merchant_id in self.merchants.items():
            if given == password:
                return merchant_id
        with contextlib.suppress(ValueError):
            username, _, password = base64.b64decode(given, validate=True).decode().partition(":")
            return self.merchants.get((username, password))
        return None


def _body(request: Request, raw: bytes) -> dict[str, Any]:
    if not raw:
        return {}
    if len(raw) > _LARGEST_BODY:
        raise Refusal(413, "PAYLOAD_TOO_LARGE", "The body is larger than 1 MB.")
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "The body must be application/json.")
    try:
        body = json.loads(raw)
    except ValueError:
        raise Refusal(400, "BAD_REQUEST", "The body is no JSON.") from None
    if not isinstance(body, dict):
        raise Refusal(400, "BAD_REQUEST", "The body is no object.")
    return body


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
