"""Beside an order: its parcels, and what became of the money that was authorized."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from saleor_kustom.capture import actions
from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.errors import CallError
from saleor_kustom.store import Scope, Store
from saleor_kustom.web.dashboard.desk import Desk
from saleor_kustom.web.dashboard.door import Visitor
from saleor_kustom.web.dashboard.parcels import facts_of, shown, tracking_of
from saleor_kustom.web.dashboard.render import page

_LONGEST_ID = 200


@dataclass(frozen=True, slots=True)
class Bar:
    """The authorized amount in parts, for the drawing: per mille from left to right."""

    captured: int
    refunded: int
    remaining: int


class OrderPages:
    """The widget's fragments."""

    def __init__(self, store: Store, desk: Desk) -> None:
        self._store = store
        self._desk = desk

    async def order(self, request: Request, visitor: Visitor) -> Response:
        """Return an order's parcels with what can be done now."""
        api_url, order_id = visitor.shop.api_url, _order_id(request)
        rows = await self._store.captures.of_order(api_url, order_id)
        pauses = await self._store.pauses.list(api_url)
        binding = await self._store.captures.binding(api_url, order_id)
        own = next((p for p in pauses if (p.scope, p.key) == (Scope.ORDER, order_id)), None)
        parcels = [shown(row, pauses, visitor.texts) for row in rows]
        facts = [facts_of(row, pauses) for row in rows]
        return page(
            "order.html",
            visitor,
            order_id=order_id,
            parcels=parcels,
            tracking=tracking_of,
            binding=binding,
            portal=self._desk.portal_url(binding) if binding else None,
            pause=own,
            acts=actions.of_order(facts, paused=own is not None, linked=binding is not None),
            under_way=any(parcel.under_way for parcel in parcels),
        )

    async def amounts(self, request: Request, visitor: Visitor) -> Response:
        """Return the bar. Kustom is asked; when it is away, what was seen last is shown."""
        api_url, order_id = visitor.shop.api_url, _order_id(request)
        seen, failed = None, ""
        try:
            seen = await self._desk.authorization(visitor.shop, order_id)
        except CallError as error:
            failed = error.code
        last = await self._store.authorizations.get(api_url, order_id) if failed else None
        return page(
            "amounts.html",
            visitor,
            seen=seen,
            bar=_bar(seen) if seen else None,
            failed=failed,
            last=last,
        )


def _order_id(request: Request) -> str:
    return request.query_params.get("orderId", "")[:_LONGEST_ID]


def _bar(seen: Authorization) -> Bar:
    """Return the parts; what was released or is refunded is not shown as captured."""
    whole = max(seen.original_order_amount_minor, seen.captured_amount_minor, 1)

    def share(minor: int) -> int:
        return max(0, min(1000, round(minor * 1000 / whole)))

    kept = seen.captured_amount_minor - seen.refunded_amount_minor
    return Bar(share(kept), share(seen.refunded_amount_minor), share(seen.remaining_minor))
