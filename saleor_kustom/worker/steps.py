"""The steps of a capture: consider, send, look up, report. Each ends in a commit.

Which step is next follows from the state alone (capture/state.py); each step either goes on
under the lease or raises Rest, with the row released.
"""

from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.decide import decide, reference
from saleor_kustom.capture.fulfillment import Fulfillment, Order
from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.plan import Nothing, NothingWhy, Plan
from saleor_kustom.capture.retry import FRAUD_POLL_S
from saleor_kustom.capture.state import Event, State
from saleor_kustom.store import Capture
from saleor_kustom.worker.adopting import adopt, captured_after_all, find_unknown, withdraw
from saleor_kustom.worker.entries import earlier_of
from saleor_kustom.worker.journey import APPROVAL, Journey
from saleor_kustom.worker.reading import check_identity, found, read_kustom, read_saleor
from saleor_kustom.worker.reporting import follow_up, report
from saleor_kustom.worker.sending import NO_PLAN, freeze_and_send, look_up, over
from saleor_kustom.worker.targets import takes_over
from saleor_kustom.worker.tracking import follow, wanted

FRAUD_PENDING = "fraud_pending"


async def advance(journey: Journey) -> None:
    """Take the capture as far as it goes now. Ends by raising Rest, LeaseLost or a CallError."""
    while True:
        if journey.capture.canceled and journey.capture.state in _WITHDRAWABLE:
            await withdraw(journey)
            continue
        match journey.capture.state:
            case State.RECEIVED:
                await consider(journey)
            case State.PLANNED:
                await journey.advance(Event.RECONSIDERED, detail={}, **NO_PLAN)
            case State.SENDING:
                await look_up(journey)
            case State.CAPTURED:
                await report(journey)
            case State.REPORTED:
                await follow_up(journey)
            case State.NOTHING:
                await _nothing_to_capture(journey)
            case State.WITHDRAWN:
                await captured_after_all(journey)


_WITHDRAWABLE = frozenset({State.RECEIVED, State.PLANNED, State.NOTHING})


async def _nothing_to_capture(journey: Journey) -> None:
    """Follow a parcel with nothing to capture: its tracking, or its cancellation.

    One that took units over sends its tracking where those were paid, and gives them back when it
    is cancelled itself (domain rule 20).
    """
    order = journey.order or await read_saleor(journey)
    fulfillment = journey.fulfillment
    if fulfillment is not None and fulfillment.status == "CANCELED":
        await withdraw(journey)
    why = journey.capture.waiting
    if takes_over(journey.capture):
        why = NothingWhy.TAKEN_OVER.value
        if fulfillment is not None:
            await follow(journey, order, fulfillment)
    raise await journey.rest(what="rests", detail={}, waiting=why, failures=0)


async def consider(journey: Journey) -> None:
    """Read both sides and decide: plan and send, hold, wait, or nothing."""
    if _keeps_its_mark(journey.capture):
        raise await _held_again(journey)
    order = await read_saleor(journey)
    await check_identity(journey)
    fulfillment = journey.fulfillment
    if fulfillment is None:
        raise AssertionError("check_identity holds a fulfillment that is not there")
    await _check_status(journey, fulfillment)
    if journey.capture.state is not State.RECEIVED:  # cancelled, and captured all the same
        return
    authorization = await read_kustom(journey, order)
    decision = await _decide(journey, order, fulfillment, authorization)
    match decision:
        case None:
            return  # adopted: the state says what is next
        case Held():
            raise await journey.hold(decision)
        case Nothing():
            await _rest_or_follow(journey, decision)
        case Plan():
            await freeze_and_send(journey, decision)


async def _rest_or_follow(journey: Journey, nothing: Nothing) -> None:
    """Commit that there is nothing to capture; tracking may still go to captures taken over."""
    why, plan = nothing.why.value, nothing.plan
    columns = {
        "wakes": plan and over(plan),
        "waiting": why,
        "plan": plan.model_dump_json() if plan else None,
    }
    if plan and plan.takes_over:
        await journey.advance(Event.NOTHING_TO_CAPTURE, detail={"why": why}, **columns)
        return
    raise await journey.rest(
        Event.NOTHING_TO_CAPTURE, what="nothing", detail={"why": why}, **columns
    )


async def _check_status(journey: Journey, fulfillment: Fulfillment) -> None:
    match fulfillment.status:
        case "FULFILLED":
            return
        case "CANCELED":
            await withdraw(journey)
        case "WAITING_FOR_APPROVAL":
            # Its approval sends FULFILLMENT_CREATED, which wakes this row.
            raise await journey.wait(APPROVAL, None, {})
        case status:
            raise await journey.hold(Held(Reason.NOT_UNDERSTOOD, {"status": status}))


async def _decide(
    journey: Journey, order: Order, fulfillment: Fulfillment, authorization: Authorization
) -> Plan | Held | Nothing | None:
    """Decide on what was read just now and on our own ledger; None: Kustom has it already."""
    ledger = await journey.parts.store.captures.of_order(journey.shop.api_url, order.id)
    earlier = [earlier_of(row, order) for row in ledger if row.id != journey.capture.id]
    tracking = wanted(journey, order, fulfillment)
    policy = journey.parts.policy(journey.shop, order.channel)
    own = reference(order, fulfillment)
    there = found(authorization, own)
    await find_unknown(journey, order, authorization, ledger)
    if there is None and authorization.fraud_status == "PENDING":
        waited = journey.waited(FRAUD_PENDING)
        due_in_s = FRAUD_POLL_S[min(waited, len(FRAUD_POLL_S) - 1)]
        raise await journey.wait(FRAUD_PENDING, due_in_s, {})
    decision = decide(
        order,
        fulfillment,
        earlier,
        None if there else authorization,
        policy,
        own_references=frozenset(_references(ledger)) | {own},
        shipping_info=() if journey.capture.without_tracking else tracking,
    )
    if there is not None:
        await adopt(journey, decision, there)
        return None
    return decision


def _references(ledger: list[Capture]) -> set[str]:
    plans = (Plan.model_validate_json(row.plan) for row in ledger if row.plan)
    return {plan.reference for plan in plans}


def _keeps_its_mark(capture: Capture) -> bool:
    """Tell whether news about a held capture must not send it by itself.

    What Kustom refused, and what was only observed, goes on when a person says so.
    """
    return capture.held in (Reason.REFUSED_BY_KUSTOM, Reason.OBSERVED, Reason.CAPTURE_DIFFERS)


async def _held_again(journey: Journey) -> Exception:
    """News about a held capture: only a cancellation changes anything."""
    capture = journey.capture
    await read_saleor(journey)
    fulfillment = journey.fulfillment
    if fulfillment is not None and fulfillment.status == "CANCELED":
        await withdraw(journey)
    reason = Reason(capture.held or "")
    return await journey.hold(Held(reason, capture.held_detail))
