"""Captures at Kustom that bear our reference are ours, whatever our ledger says (domain rule 7).

After a restored database the ledger may lack what was captured since the backup, or a whole
parcel. Such a capture is adopted and never made again.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from saleor_kustom.capture.authorization import Authorization, KustomCapture
from saleor_kustom.capture.decide import decide, reference
from saleor_kustom.capture.fulfillment import Fulfillment, Order
from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.plan import Nothing, Plan
from saleor_kustom.capture.state import Event, State
from saleor_kustom.store import Capture
from saleor_kustom.worker.calls import Made, of_capture
from saleor_kustom.worker.entries import ledger_of, wakes_of
from saleor_kustom.worker.journey import Journey
from saleor_kustom.worker.reading import account_of, found, look, read_saleor
from saleor_kustom.worker.sending import confirmed, differing, frozen

#: Those that were found go first on their line; then it is this one's turn again.
_AFTER_S = 1.0


async def adopt(journey: Journey, decision: Plan | Held | Nothing, there: Made) -> None:
    """Take what bears our reference at Kustom for ours: never send it again (domain rule 7)."""
    if not isinstance(decision, Plan) or there.amount_minor not in (None, decision.amount_minor):
        planned = decision.amount_minor if isinstance(decision, Plan) else 0
        # Money has moved: a person must look, and nobody may be told that it has not.
        raise await journey.hold(differing(journey, planned, there), refuses=False)
    columns = frozen(journey, decision) | confirmed(journey, decision, there, seen=True)
    detail = {"capture_id": columns["capture_id"], "adopted": True}
    await journey.advance(Event.KUSTOM_CONFIRMED, detail=detail, **columns)


async def withdraw(journey: Journey) -> None:
    """Withdraw a cancelled fulfillment's capture, unless a look shows that it was made.

    Then it is adopted and the journey goes on from CAPTURED; else Rest is raised.
    """
    if journey.capture.state is State.RECEIVED:
        there = await _captured_there(journey)
        if there is not None:
            await journey.note("canceled", {}, canceled=True)
            await adopt(journey, await _planned_again(journey), of_capture(there))
            return
    raise await journey.rest(
        Event.FULFILLMENT_CANCELED,
        what="withdrawn",
        detail={},
        wakes=wakes_of(journey.capture),
        canceled=True,
        plan=None,
    )


async def find_unknown(
    journey: Journey, order: Order, authorization: Authorization, ledger: Sequence[Capture]
) -> None:
    """Before anything is planned: make rows for captures of ours that the ledger lacks.

    They go first and are adopted, in the order in which they were made, so that each gets the
    units that it had; then this capture goes on by itself.
    """
    known = {row.fulfillment_id for row in ledger if row.is_parcel and not _withdrawn_unseen(row)}
    missing = [f for f in order.fulfillments if f.id not in known]
    there = [(found(authorization, reference(order, f)), f) for f in missing]
    unknown = [(_when(capture), f) for capture, f in there if capture is not None]
    if not unknown:
        return
    for _, fulfillment in sorted(unknown, key=lambda pair: pair[0]):
        await journey.parts.store.captures.notice(
            journey.shop.api_url, order.id, fulfillment.id, fulfillment.created
        )
    held = Held(Reason.LEDGER_INCOMPLETE, {"unknown": len(unknown)})
    raise await journey.hold(held, due_in_s=_AFTER_S)


async def captured_after_all(journey: Journey) -> None:
    """Adopt the capture of a withdrawn parcel, if a restored database had forgotten it."""
    there = await _captured_there(journey)
    if there is None:
        raise await journey.rest(what="rests", detail={})
    await adopt(journey, await _planned_again(journey), of_capture(there))


def _withdrawn_unseen(row: Capture) -> bool:
    """Tell whether a parcel was withdrawn before its order was bound, so unseen at Kustom."""
    return row.state is State.WITHDRAWN and row.held is None


def _when(capture: KustomCapture) -> datetime:
    return capture.captured_at or datetime.min.replace(tzinfo=UTC)


async def _captured_there(journey: Journey) -> KustomCapture | None:
    """Look for this fulfillment's capture at the Kustom order that its order is bound to."""
    captures = journey.parts.store.captures
    binding = await captures.binding(journey.shop.api_url, journey.capture.order_id)
    if binding is None:
        return None  # nothing was ever planned for this order
    order = journey.order or await read_saleor(journey)
    fulfillment = journey.fulfillment
    if fulfillment is None:
        return None
    account = await account_of(journey, binding)
    authorization = await look(journey, binding, account)
    return found(authorization, reference(order, fulfillment))


async def _planned_again(journey: Journey) -> Plan | Held | Nothing:
    order, fulfillment = _read(journey)
    rows = await journey.parts.store.captures.of_order(journey.shop.api_url, order.id)
    earlier = ledger_of(rows, order, but=journey.capture.id)
    policy = journey.parts.policy(journey.shop, order.channel)
    return decide(order, fulfillment, earlier, None, policy)


def _read(journey: Journey) -> tuple[Order, Fulfillment]:
    if journey.order is None or journey.fulfillment is None:
        raise AssertionError("what is compared was read")
    return journey.order, journey.fulfillment
