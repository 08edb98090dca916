"""One order as three ledgers have it: Saleor's, Kustom's and ours."""

from collections.abc import Sequence
from dataclasses import dataclass

from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.decide import reference
from saleor_kustom.capture.fulfillment import Fulfillment, Order, Transaction
from saleor_kustom.capture.held import Reason
from saleor_kustom.capture.money import shown
from saleor_kustom.capture.operation import Kind
from saleor_kustom.capture.outside import Outside
from saleor_kustom.capture.parties import Account, Shop
from saleor_kustom.capture.plan import Binding, Call
from saleor_kustom.capture.report import ReportProblem, lost_metadata
from saleor_kustom.capture.shipping_fields import Entry
from saleor_kustom.capture.shipping_info import entries
from saleor_kustom.capture.state import State
from saleor_kustom.saleor.listing import Shipped
from saleor_kustom.store import Capture
from saleor_kustom.watch.metrics import CAPTURES
from saleor_kustom.worker.calls import Made, done, of_capture
from saleor_kustom.worker.entries import plan_of
from saleor_kustom.worker.journey import Parts
from saleor_kustom.worker.outside import OutsideLook
from saleor_kustom.worker.own_transaction import reportable
from saleor_kustom.worker.seeing import Seen
from saleor_kustom.worker.targets import lacking, takes_over


@dataclass(frozen=True, slots=True)
class Differing:
    """A capture that the two sides have differently. Amounts with their currency."""

    order_id: str
    capture_id: str
    kustom: str
    planned: str


@dataclass(frozen=True, slots=True)
class Both:
    """What a comparison found: the order's fulfillments in Saleor, and what differs."""

    shipped: tuple[Shipped, ...] = ()
    differing: tuple[Differing, ...] = ()
    outside: tuple[Outside, ...] = ()  # what happened at Kustom that we had not seen yet


class Compare:
    """Reads both sides of one order. Raises CallError when one can't be read."""

    def __init__(self, parts: Parts, outside: OutsideLook) -> None:
        self._parts = parts
        self._store = parts.store
        self._outside = outside

    async def order(self, shop: Shop, order_id: str, *, dry_run: bool) -> Both:
        """Compare an order's fulfillments, captures and metadata; hold or wake what differs.

        What happened at Kustom outside the app is told to Saleor.
        """
        rows = await self._store.captures.of_order(shop.api_url, order_id)
        order = await self._parts.saleor.order(shop, order_id)
        if order is None:
            return Both()
        seen = await self._at_kustom(shop, order)
        listed = [_shipped(order, f) for f in order.fulfillments]
        if seen is None:
            return Both(tuple(listed))
        there = seen.authorization
        if not dry_run:
            await self._wake_what_is_behind(shop, order, rows, seen.binding)
            await self._notice_captured(shop, order, rows, there)
        differing = [
            await self._differs(order, row, there, dry_run=dry_run)
            for row in rows
            if row.held is None
        ]
        outside = await self._outside.compare(shop, seen, dry_run=dry_run)
        return Both(tuple(listed), tuple(one for one in differing if one), tuple(outside))

    async def _at_kustom(self, shop: Shop, order: Order) -> Seen | None:
        binding = await self._store.captures.binding(shop.api_url, order.id)
        account = await self._account(shop, binding)
        if binding is None or account is None:
            return None
        await self._parts.pace.leave_room()
        await self._parts.pace(account)
        there = await self._parts.kustom.order(account, binding.kustom_order_id)
        return Seen(order, account, binding, there)

    async def _account(self, shop: Shop, binding: Binding | None) -> Account | None:
        if binding is None:
            return None
        return await self._store.accounts.by_binding(shop.api_url, binding)

    async def _wake_what_is_behind(
        self, shop: Shop, order: Order, rows: list[Capture], binding: Binding
    ) -> None:
        """Wake captures that Saleor lost metadata of, has newer tracking for, or did not take.

        A concurrent save in Saleor loses metadata (saleor-core-observed, section 6), the delivery
        that told of the tracking may be lost, and a permission may have been missing for a while.
        """
        policy = self._parts.policy(shop, order.channel)
        transaction = reportable(self._parts, shop, order, binding)
        for row in rows:
            fulfillment = order.fulfillment(row.fulfillment_id)
            if fulfillment is None or not _settled(row):
                continue
            lost = row.capture_id and lost_metadata(order, fulfillment, row.capture_id)
            tracking = entries(order, fulfillment, policy)
            refused = row.report_problem == ReportProblem.FOREIGN_TRANSACTION
            untold = refused and isinstance(transaction, Transaction)
            if lost or untold or _tracking_is_behind(fulfillment, row, rows, tracking):
                await self._notice(row.api_url, _shipped_of(row))

    async def _notice_captured(
        self, shop: Shop, order: Order, rows: list[Capture], there: Authorization
    ) -> None:
        """Make a row for a capture that bears our reference and that our ledger lacks."""
        known = {row.fulfillment_id for row in rows if row.is_parcel}
        references = {capture.reference for capture in there.captures}
        for fulfillment in order.fulfillments:
            ours = reference(order, fulfillment) in references
            if ours and fulfillment.id not in known:
                await self._notice(shop.api_url, _shipped(order, fulfillment))

    async def _notice(self, api_url: str, one: Shipped) -> None:
        await self._store.captures.notice(api_url, one.order_id, one.fulfillment_id, one.created)

    async def _differs(
        self, order: Order, row: Capture, there: Authorization, *, dry_run: bool
    ) -> Differing | None:
        """Hold a row whose capture Kustom has not, or with another amount."""
        if not _comparable(row, there):
            return None
        found = _capture_of(row, order, there)
        captured = (found.amount_minor or 0) if found else 0
        expected = row.amount_minor or 0 if row.capture_id else 0
        if captured == expected or (row.capture_id is None and row.due_at is not None):
            return None
        currency = order.currency
        kustom, planned = shown(captured, currency), shown(expected, currency)
        if not dry_run:
            why = Reason.CAPTURE_DIFFERS.value
            detail = {"kustom": kustom, "planned": planned}
            if await self._store.captures.hold(row.api_url, row.id, why, detail):
                CAPTURES.labels(row.kind.value, "held", why).inc()
        capture_id = row.capture_id or (found.kustom_id if found else None) or ""
        return Differing(row.order_id, capture_id, kustom, planned)


def _settled(row: Capture) -> bool:
    """Tell whether nothing but tracking or a cancellation can follow for a parcel."""
    if not row.is_parcel:
        return False
    taken_over = row.state is State.NOTHING and bool(takes_over(row))
    return taken_over or bool(row.capture_id and row.reported_at)


def _tracking_is_behind(
    fulfillment: Fulfillment, row: Capture, rows: list[Capture], tracking: Sequence[Entry]
) -> bool:
    """Tell whether Kustom lacks tracking that it has not refused."""
    if row.canceled or fulfillment.status != "FULFILLED":
        return False
    return any(lack.missing for lack in lacking(row, rows, tracking))


def _comparable(row: Capture, there: Authorization) -> bool:
    """Tell whether Kustom lists what the row stands for: captures, and refunds if it lists all."""
    if row.is_parcel:
        return True
    listed = row.kind is Kind.CHARGE or (row.kind is Kind.REFUND and there.lists_refunds)
    return listed and row.capture_id is not None


def _capture_of(row: Capture, order: Order, there: Authorization) -> Made | None:
    """Return the row's capture or refund at Kustom: by its id, else by the reference it bears."""
    plan = plan_of(row)
    if row.kind is Kind.REFUND:
        return done(there, Call.REFUND, plan.reference) if plan else None
    if row.capture_id:
        captures = (c for c in there.captures if c.capture_id == row.capture_id)
        return next(map(of_capture, captures), None)
    fulfillment = order.fulfillment(row.fulfillment_id)
    if fulfillment is None:
        return None
    return done(there, Call.CAPTURE, reference(order, fulfillment))


def _shipped(order: Order, fulfillment: Fulfillment) -> Shipped:
    return Shipped(order.id, fulfillment.id, fulfillment.created, fulfillment.status)


def _shipped_of(row: Capture) -> Shipped:
    return Shipped(row.order_id, row.fulfillment_id, row.fulfillment_created, "")
