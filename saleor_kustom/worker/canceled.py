"""A parcel that was cancelled after its capture: shipped again, refunded, or held (rule 20)."""

from collections.abc import Sequence
from typing import Any

from saleor_kustom.capture.fulfillment import Order
from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.ledger import Ledger
from saleor_kustom.capture.operation import Request, Source
from saleor_kustom.capture.state import Event, State
from saleor_kustom.store import Capture
from saleor_kustom.worker.entries import is_parcel_refund, ledger_of, money_moved, wakes_of
from saleor_kustom.worker.journey import Journey


async def rest_canceled(
    journey: Journey, order: Order, *events: Event, **columns: Any
) -> Exception:
    """Hold a cancelled parcel's capture for a decision, until its units have shipped again.

    Where the channel's policy says so it is refunded by itself after a while. To be raised.
    """
    capture = journey.capture
    rows = await journey.parts.store.captures.of_order(capture.api_url, order.id)
    refund = next((r for r in rows if is_parcel_refund(r) and _of(r, capture)), None)
    if refund is not None and money_moved(refund):
        return await journey.rest(*events, what="refunded", detail={}, **columns)
    ledger = Ledger(tuple(ledger_of(rows, order)))
    if ledger.taken_over(capture.fulfillment_id):
        await _wake_given_back(journey, rows, ledger)
        return await journey.rest(*events, what="taken_over", detail={}, **columns)
    since = capture.canceled_at if capture.canceled_at is not None else journey.parts.clock()
    due_in_s = await _until_refund(journey, order, refund, since)
    detail = {"amount": journey.shown(capture.amount_minor or 0)}
    return await journey.hold(
        Held(Reason.CANCELED_AFTER_CAPTURE, detail),
        *events,
        due_in_s=due_in_s,
        wakes=None if capture.held else wakes_of(capture),
        canceled_at=since,
        **columns,
    )


def _of(refund: Capture, parcel: Capture) -> bool:
    return refund.fulfillment_id == parcel.fulfillment_id


async def _until_refund(
    journey: Journey, order: Order, refund: Capture | None, since: float
) -> float | None:
    """Return when to look again for a refund by itself; make it when it is due (once)."""
    policy = journey.parts.policy(journey.shop, order.channel)
    if refund is not None or not policy.refund_canceled:
        return None
    left_s = since + policy.refund_canceled_after_s - journey.parts.clock()
    if left_s > 0 or not journey.capture.canceled:  # not stored yet that it is
        return max(left_s, 1.0)
    request = Request(source=Source.POLICY, why="cancelled, and nothing of it shipped again")
    await journey.parts.store.operations.refund(journey.capture, request)
    return None


async def _wake_given_back(journey: Journey, rows: Sequence[Capture], ledger: Ledger) -> None:
    """Wake cancelled parcels whose units this one had taken over: nobody has shipped them now."""
    for row in rows:
        settled = row.canceled and row.state is State.REPORTED and row.held is None
        if row.is_parcel and settled and not ledger.taken_over(row.fulfillment_id):
            await journey.parts.store.captures.notice(
                row.api_url, row.order_id, row.fulfillment_id, row.fulfillment_created
            )
