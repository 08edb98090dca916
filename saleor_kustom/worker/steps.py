"""The steps of a capture: consider, send, look up, report. Each ends in a commit.

Which step is next follows from the state alone (capture/state.py); each step either goes on
under the lease or raises Rest, with the row released.
"""

from datetime import datetime

from saleor_kustom.capture.authorization import Authorization, KustomCapture
from saleor_kustom.capture.decide import Earlier, decide, reference
from saleor_kustom.capture.fulfillment import Fulfillment, Order
from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.parties import Mode
from saleor_kustom.capture.plan import Nothing, Plan, idempotency_key
from saleor_kustom.capture.retry import FRAUD_POLL_S
from saleor_kustom.capture.shipping_info import entries
from saleor_kustom.capture.state import SPENDING, Event, State
from saleor_kustom.errors import Refused
from saleor_kustom.store import Capture
from saleor_kustom.worker.journey import Journey
from saleor_kustom.worker.reading import (
    account_of,
    check_identity,
    found,
    look,
    read_kustom,
    read_saleor,
)
from saleor_kustom.worker.reporting import follow_up, report

FRAUD_PENDING = "fraud_pending"
APPROVAL = "waiting_for_approval"
#: Kustom honours a key for 24 hours after the first attempt (contract, section 3); we stop an
#: hour earlier, since our clock is not theirs.
KEY_HONOURED_S = 23 * 3600.0
#: A request whose outcome is unknown may still be running; after this it is not (rule 18).
SETTLED_AFTER_S = 60.0


async def advance(journey: Journey) -> None:
    """Take the capture as far as it goes now. Ends by raising Rest, LeaseLost or a CallError."""
    while True:
        if journey.capture.canceled and journey.capture.state in _WITHDRAWABLE:
            raise await journey.rest(
                Event.FULFILLMENT_CANCELED, what="withdrawn", detail={}, plan=None
            )
        match journey.capture.state:
            case State.RECEIVED:
                await consider(journey)
            case State.PLANNED:
                await journey.advance(Event.RECONSIDERED, detail={}, **_NO_PLAN)
            case State.SENDING:
                await look_up(journey)
            case State.CAPTURED:
                await report(journey)
            case State.REPORTED:
                await follow_up(journey)
            case State.NOTHING | State.WITHDRAWN:
                raise await journey.rest(what="rests", detail={}, waiting=journey.capture.waiting)


_WITHDRAWABLE = frozenset({State.RECEIVED, State.PLANNED, State.NOTHING})
_NO_PLAN = {"plan": None, "idempotency_key": None, "amount_minor": None, "sent_first_at": None}


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
    authorization = await read_kustom(journey, order)
    decision = await _decide(journey, order, fulfillment, authorization)
    match decision:
        case None:
            return  # adopted: the state says what is next
        case Held():
            raise await journey.hold(decision)
        case Nothing():
            raise await journey.rest(
                Event.NOTHING_TO_CAPTURE,
                what="nothing",
                detail={"why": decision.why.value},
                waiting=decision.why.value,
                plan=decision.plan.model_dump_json() if decision.plan else None,
            )
        case Plan():
            await _freeze_and_send(journey, decision)


async def _check_status(journey: Journey, fulfillment: Fulfillment) -> None:
    match fulfillment.status:
        case "FULFILLED":
            return
        case "CANCELED":
            raise await journey.rest(
                Event.FULFILLMENT_CANCELED, what="withdrawn", detail={}, canceled=True
            )
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
    earlier = [earlier_of(row) for row in ledger if row.id != journey.capture.id]
    tracking = () if journey.capture.without_tracking else entries(order, fulfillment)
    policy = journey.parts.policy(journey.shop, order.channel)
    own = reference(order, fulfillment)
    there = found(authorization, own)
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
        shipping_info=tracking,
    )
    if there is not None:
        await _adopt(journey, decision, there)
        return None
    return decision


def earlier_of(row: Capture) -> Earlier:
    """Return what another parcel of the order means for the ledger.

    A held parcel keeps its units only while its outcome is unknown (domain rule 19).
    """
    plan = Plan.model_validate_json(row.plan) if row.plan else None
    spends = row.state in SPENDING or row.state is State.NOTHING
    return Earlier(
        fulfillment_id=row.fulfillment_id,
        plan=plan if spends else None,
        # Only money that certainly moved pays for units again: one whose outcome is unknown
        # keeps its units, and a re-shipment of them is held.
        captured=row.state in (State.CAPTURED, State.REPORTED),
        canceled=row.canceled,
    )


def _references(ledger: list[Capture]) -> set[str]:
    plans = (Plan.model_validate_json(row.plan) for row in ledger if row.plan)
    return {plan.reference for plan in plans}


async def _adopt(journey: Journey, decision: Plan | Held | Nothing, there: KustomCapture) -> None:
    """Take a capture that bears our reference for ours: never send it again (domain rule 7)."""
    if not isinstance(decision, Plan) or decision.amount_minor != there.amount_minor:
        planned = decision.amount_minor if isinstance(decision, Plan) else 0
        detail = {"kustom": there.amount_minor, "planned": planned}
        raise await journey.hold(Held(Reason.CAPTURE_DIFFERS, detail))
    await journey.advance(
        Event.KUSTOM_CONFIRMED,
        detail={"capture_id": there.capture_id, "adopted": True},
        **_frozen(journey, decision),
        **_confirmed(journey, there.capture_id, there.captured_at, there.shipping_info),
    )


def _frozen(journey: Journey, plan: Plan) -> dict[str, object]:
    if journey.binding is None:
        raise AssertionError("a plan needs a binding")
    return {
        "plan": plan.model_dump_json(),
        "amount_minor": plan.amount_minor,
        "idempotency_key": idempotency_key(journey.binding, "capture", plan.reference, plan.body),
    }


def _confirmed(
    journey: Journey,
    capture_id: str,
    captured_at: datetime | None,
    tracking: object,
) -> dict[str, object]:
    at = captured_at.timestamp() if captured_at else journey.parts.clock()
    return {"capture_id": capture_id, "captured_at": at, "tracking_sent": tracking}


async def _freeze_and_send(journey: Journey, plan: Plan) -> None:
    """Commit plan, key and intent; then the call leaves (domain rules 8 and 15)."""
    account = journey.account
    if account is None:
        raise AssertionError("the Kustom order was read with an account")
    if journey.mode(account) is Mode.OBSERVE:
        detail = {"amount": plan.amount_minor}
        raise await journey.hold(Held(Reason.OBSERVED, detail), amount_minor=plan.amount_minor)
    frozen = _frozen(journey, plan)
    now = journey.parts.clock()
    await journey.advance(
        Event.PLAN_FROZEN,
        Event.SEND_STARTED,
        detail={"amount_minor": plan.amount_minor, "key": frozen["idempotency_key"]},
        **frozen,
        sent_first_at=now,
        sent_last_at=now,
    )
    await send(journey)


async def send(journey: Journey) -> None:
    """Send the frozen body under its key. An unknown outcome leaves the capture SENDING."""
    capture, binding, account = journey.capture, journey.binding, journey.account
    if binding is None or account is None or not capture.plan or not capture.idempotency_key:
        raise AssertionError("sending needs a frozen plan under a binding")
    plan = Plan.model_validate_json(capture.plan)
    await journey.call_kustom(account)
    try:
        captured = await journey.parts.kustom.capture(
            account, binding.kustom_order_id, body=plan.body, key=capture.idempotency_key
        )
    except Refused as error:
        await _refused(journey, plan, error)
        return
    await journey.advance(
        Event.KUSTOM_CONFIRMED,
        detail={"capture_id": captured.capture_id, "correlation_id": captured.correlation_id},
        **_confirmed(journey, captured.capture_id, None, plan.shipping_info),
    )


async def _refused(journey: Journey, plan: Plan, error: Refused) -> None:
    """A definite no: the plan is void. Bad tracking never blocks money (domain rule 21)."""
    if plan.shipping_info and _names_tracking(error):
        await journey.advance(
            Event.KUSTOM_REFUSED,
            detail={"code": error.code, "correlation_id": error.correlation_id},
            **_NO_PLAN,
            without_tracking=True,
            tracking_problem=str(error),
        )
        journey.tracking_refused = True
        return
    detail: dict[str, str | int] = {
        "amount": plan.amount_minor,
        "code": error.code,
        "message": "; ".join(error.messages),
        "correlation_id": error.correlation_id or "",
    }
    held = Held(Reason.REFUSED_BY_KUSTOM, detail)
    raise await journey.hold(held, Event.KUSTOM_REFUSED, **_NO_PLAN)


def _names_tracking(error: Refused) -> bool:
    fields = ("shipping_info", "tracking", "shipping_company", "shipping_method")
    text = " ".join(error.messages).lower()
    return error.status in (400, 422) and any(field in text for field in fields)


async def look_up(journey: Journey) -> None:
    """After an unknown outcome: look for our reference before anything is sent again (rule 18)."""
    store = journey.parts.store
    binding = await store.captures.binding(journey.shop.api_url, journey.capture.order_id)
    if binding is None or not journey.capture.plan:
        raise AssertionError("a capture that was sent has a binding and a plan")
    account = await account_of(journey, binding)
    authorization = await look(journey, binding, account)
    plan = Plan.model_validate_json(journey.capture.plan)
    there = found(authorization, plan.reference)
    if there is None:
        await _send_again(journey)
        return
    if there.amount_minor != plan.amount_minor:
        detail = {"kustom": there.amount_minor, "planned": plan.amount_minor}
        raise await journey.hold(Held(Reason.CAPTURE_DIFFERS, detail))
    await journey.advance(
        Event.KUSTOM_CONFIRMED,
        detail={"capture_id": there.capture_id, "looked_up": True},
        **_confirmed(journey, there.capture_id, there.captured_at, there.shipping_info),
    )


async def _send_again(journey: Journey) -> None:
    """Nothing found: the same key and body may go at once while the key is honoured."""
    capture, now = journey.capture, journey.parts.clock()
    first = capture.sent_first_at if capture.sent_first_at is not None else now
    last = capture.sent_last_at if capture.sent_last_at is not None else now
    wanted = not capture.canceled and not _observing(journey)
    if wanted and now - first < KEY_HONOURED_S:
        await journey.note("sent_again", {"key": capture.idempotency_key}, sent_last_at=now)
        await send(journey)
    elif now - last < SETTLED_AFTER_S:
        left_s = SETTLED_AFTER_S - (now - last)
        raise await journey.wait("outcome_unknown", left_s + 1.0, {})
    else:
        await journey.advance(Event.KUSTOM_HAS_NONE, detail={})


def _observing(journey: Journey) -> bool:
    return journey.account is not None and journey.mode(journey.account) is Mode.OBSERVE


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
        return await journey.rest(
            Event.FULFILLMENT_CANCELED, what="withdrawn", detail={}, canceled=True
        )
    reason = Reason(capture.held or "")
    return await journey.hold(Held(reason, capture.held_detail))
