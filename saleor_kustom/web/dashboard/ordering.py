"""What people decide about an order: its link, a refund of a cancelled parcel, its closing."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from saleor_kustom.capture import operation
from saleor_kustom.capture.actions import Act
from saleor_kustom.capture.binding import is_uuid, kustom_id
from saleor_kustom.capture.linking import Told
from saleor_kustom.capture.operation import Source
from saleor_kustom.errors import CallError
from saleor_kustom.store import Store
from saleor_kustom.web.dashboard.asked import read_asked, text, whole
from saleor_kustom.web.dashboard.desk import Desk
from saleor_kustom.web.dashboard.door import Visitor
from saleor_kustom.web.dashboard.parcels import possible
from saleor_kustom.web.dashboard.render import page, said


class Ordering:
    """The endpoints. Money is moved by the worker: what is asked here is stored, once."""

    def __init__(self, store: Store, desk: Desk) -> None:
        self._store = store
        self._desk = desk

    async def link(self, request: Request, visitor: Visitor) -> Response:
        """Give an order its Kustom order, if that fits (domain rule 4)."""
        asked = await read_asked(request)
        order_id, wanted = text(asked, "order"), kustom_id(text(asked, "kustom_order_id"))
        if not order_id or not is_uuid(wanted):
            return said(visitor.texts, "said.link_no_id", status="warning", code=400)
        try:
            found = await self._desk.link(visitor.shop, order_id, wanted, visitor.name)
        except CallError as error:
            return said(visitor.texts, "said.link_refused", status="error", why=str(error))
        if found.told is Told.LINKED:
            return said(visitor.texts, "said.link_linked")
        refused = found.told is Told.REFUSED
        key, status = ("refused", "error") if refused else ("kept", "info")
        return said(visitor.texts, f"said.link_{key}", status=status, why=found.message)

    async def refund(self, request: Request, visitor: Visitor) -> Response:
        """Ask for the refund of a cancelled parcel: its lines and amount, once."""
        asked = await read_asked(request)
        api_url = visitor.shop.api_url
        row = await self._store.captures.get(api_url, whole(asked.get("capture")) or 0)
        if row is None:
            raise HTTPException(404, visitor.texts("capture.none"))
        wanted = operation.Request(
            source=Source.PERSON, who=visitor.name, why="refunded in the Dashboard"
        )
        offered = Act.REFUND in await possible(self._store, row)
        made = await self._store.operations.refund(row, wanted) if offered else None
        if made is None:
            return said(visitor.texts, "said.not_now", status="warning", code=409)
        self._desk.wake()
        return said(visitor.texts, "said.refund")

    async def extend(self, request: Request, visitor: Visitor) -> Response:
        """Ask Kustom for more time before an authorization ends."""
        order_id = text(await read_asked(request), "order")
        try:
            found = await self._desk.extend(visitor.shop, order_id, visitor.name)
        except CallError as error:
            return said(visitor.texts, "said.extend_failed", status="error", why=str(error))
        if found.until is None:
            why = found.problem or ""
            return said(visitor.texts, "said.extend_failed", status="error", why=why)
        return said(visitor.texts, "said.extend", until=f"{found.until:%Y-%m-%d}")

    async def closing(self, request: Request, visitor: Visitor) -> Response:
        """Return what closing an order would do."""
        order_id = text(request.query_params, "orderId")
        found, failed = None, ""
        try:
            found = await self._desk.closing(visitor.shop, order_id)
        except CallError as error:
            failed = str(error)
        return page(
            "close.html", visitor, tab="captures", order_id=order_id, found=found, failed=failed
        )

    async def close(self, request: Request, visitor: Visitor) -> Response:
        """Ask for the closing, with the fee charged first where that is wanted."""
        asked = await read_asked(request)
        order_id, why = text(asked, "order"), text(asked, "why")
        if not why:
            return said(visitor.texts, "said.why_missing", status="warning", code=400)
        if await self._store.captures.binding(visitor.shop.api_url, order_id) is None:
            return said(visitor.texts, "said.not_now", status="warning", code=409)
        await self._desk.close(
            visitor.shop,
            order_id,
            charge_fee=asked.get("charge_fee") is True,
            who=visitor.name,
            why=why,
        )
        self._desk.wake()
        return said(visitor.texts, "said.close", go=f"order?orderId={order_id}")
