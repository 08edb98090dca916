"""The steps of a capture: consider, send, look up, report. Each ends in a commit.

Which step is next follows from the state alone (capture/state.py); each step either goes on
under the lease or raises Rest, with the row released.
"""

from typing import Any

from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.decide import decide, reference
from saleor_kustom.capture.fulfillment import Fulfillment, Order
from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.plan import Nothing, NothingWhy, Plan
from saleor_kustom.capture.state import Event, State
from saleor_kustom.store import RESUMED, Capture
from saleor_kustom.worker.adopting import adopt, captured_after_all, find_unknown, withdraw
from saleor_kustom.worker.calls import of_capture
from saleor_kustom.worker.entries import keeps_its_mark, ledger_of, references_of
from saleor_kustom.worker.journey import APPROVAL, Journey
from saleor_kustom.worker.reading import (
    await_review,
    check_identity,
    found,
    read_kustom,
    read_saleor,
)
from saleor_kustom.worker.reporting import follow_up, report
from saleor_kustom.worker.sending import NO_PLAN, freeze_and_send, look_up, over
from saleor_kustom.worker.targets import takes_over
from saleor_kustom.worker.tracking import follow, wanted


async def advance(journey: Journey) -> None:
    """Take a parcel's capture as far as it goes. Ends by raising Rest, LeaseLost or a CallError."""
    while True:
        if journey.capture.canceled and journey.capture.state in _WITHDRAWABLE:
            await withdraw(journey)
            continue
        match journey.capture.state:
            case State.RECEIVED:
                await consider(journey)
            case State.PLANNED:
                await journey.advance(
                    Event.RECONSIDERED, detail={}, **NO_PLAN, **_kept_mark(journey.capture)
                )
            case State.SENDING:
                await look_up(journey)
            case State.CAPTURED:
                await report(journey)
            case State.REPORTED:
                await follow_up(journey)
            case State.NOTHING:
                await _news_of_nothing(journey)
            case State.WITHDRAWN:
                await captured_after_all(journey)


_WITHDRAWABLE = frozenset({State.RECEIVED, State.PLANNED, State.NOTHING})


#: Why there was nothing, until somebody linked the order to its Kustom order.
_UNLINKED = frozenset({NothingWhy.NOT_KUSTOM, NothingWhy.REPLACEMENT, NothingWhy.PAID_BY_OTHERS})


async def _news_of_nothing(journey: Journey) -> None:
    """News about a parcel with nothing to capture: its tracking, its cancellation, or a link.

    One that took units over sends its tracking where those were paid, and gives them back when it
    is cancelled itself (domain rule 20). Another's order may have been linked since.
    """
    capture = journey.capture
    order = journey.order or await read_saleor(journey)
    fulfillment = journey.fulfillment
    if fulfillment is not None and fulfillment.status == "CANCELED":
        await withdraw(journey)
    if capture.waiting == RESUMED and capture.plan is None:
        await journey.advance(Event.RECONSIDERED, detail={"by_hand": True})
        return
    captures = journey.parts.store.captures
    unlinked = capture.waiting in _UNLINKED and capture.plan is None
    if unlinked and await captures.binding(capture.api_url, capture.order_id):
        await journey.advance(Event.RECONSIDERED, detail={"linked": True})
        return
    why = capture.waiting
    if takes_over(capture):
        why = NothingWhy.TAKEN_OVER.value
        if fulfillment is not None:
            await follow(journey, order, fulfillment)
    raise await journey.rest(what="rests", detail={}, waiting=why, failures=0)


async def consider(journey: Journey) -> None:
    """Read both sides and decide: plan and send, hold, wait, or nothing."""
    if keeps_its_mark(journey.capture):
        raise await _held_again(journey)
    if journey.capture.waiting == NothingWhy.SETTLED_OUTSIDE:
        why = NothingWhy.SETTLED_OUTSIDE.value
        detail = {"why": why}
        raise await journey.rest(
            Event.NOTHING_TO_CAPTURE, what="nothing", detail=detail, waiting=why
        )
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
            await freeze_and_send(journey, await _extended(journey, decision, order, fulfillment))


async def _extended(journey: Journey, plan: Plan, order: Order, fulfillment: Fulfillment) -> Plan:
    """Let extensions change texts, links and tracking, before anything is frozen."""
    if journey.extension_refused:
        return plan
    tracking = not journey.capture.without_tracking
    return await journey.parts.hooks.extended(
        plan, journey.shop.api_url, order, fulfillment, tracking=tracking
    )


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
    rows = await journey.parts.store.captures.of_order(journey.shop.api_url, order.id)
    earlier = ledger_of(rows, order, but=journey.capture.id)
    tracking = wanted(journey, order, fulfillment)
    policy = journey.parts.policy(journey.shop, order.channel)
    own = reference(order, fulfillment)
    there = found(authorization, own)
    await find_unknown(journey, order, authorization, rows)
    if there is None:
        await await_review(journey, authorization)
    decision = decide(
        order,
        fulfillment,
        earlier,
        None if there else authorization,
        policy,
        own_references=references_of(rows) | {own},
        shipping_info=() if journey.capture.without_tracking else tracking,
    )
    if there is not None:
        await adopt(journey, decision, of_capture(there))
        return None
    return decision


def _kept_mark(capture: Capture) -> dict[str, Any]:
    """Return the mark that a step leaves where it is, as columns; or a person's last word."""
    if capture.waiting == NothingWhy.SETTLED_OUTSIDE:
        return {"waiting": capture.waiting}
    if not keeps_its_mark(capture):
        return {}
    return {"held": capture.held, "held_detail": capture.held_detail}


async def _held_again(journey: Journey) -> Exception:
    """News about a held capture: only a cancellation changes anything."""
    capture = journey.capture
    await read_saleor(journey)
    fulfillment = journey.fulfillment
    if fulfillment is not None and fulfillment.status == "CANCELED":
        await withdraw(journey)
    reason = Reason(capture.held or "")
    return await journey.hold(Held(reason, capture.held_detail))
