"""Send a frozen plan, and find out what became of one whose answer was lost (rules 15 to 18)."""

import logging
from typing import Any

from saleor_kustom.capture.extension import is_extended
from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.operation import DONE
from saleor_kustom.capture.parties import Mode
from saleor_kustom.capture.plan import Call, Plan, idempotency_key
from saleor_kustom.capture.standing import Standing
from saleor_kustom.capture.state import Event
from saleor_kustom.errors import Refused
from saleor_kustom.worker.calls import Made, call, done
from saleor_kustom.worker.journey import Journey
from saleor_kustom.worker.reading import account_of, binding_of, look

_log = logging.getLogger(__name__)

#: Kustom honours a key for 24 hours after the first attempt (contract, section 3); we stop an
#: hour earlier, since our clock is not theirs.
KEY_HONOURED_S = 23 * 3600.0
#: A request whose outcome is unknown may still be running; after this it is not (rule 18).
SETTLED_AFTER_S = 60.0
#: Something in the request is wrong; which of both Kustom says is assumed (contract, 8).
_MALFORMED = (400, 422)
#: What becomes of a plan's columns when it is void.
NO_PLAN: dict[str, Any] = {
    "plan": None,
    "idempotency_key": None,
    "amount_minor": None,
    "sent_first_at": None,
}


def frozen(journey: Journey, plan: Plan) -> dict[str, Any]:
    """Return what is written before a plan is sent: it never changes afterwards (rule 15)."""
    if journey.binding is None:
        raise AssertionError("a plan needs a binding")
    return {
        "plan": plan.model_dump_json(),
        "amount_minor": plan.amount_minor,
        "idempotency_key": idempotency_key(journey.binding, plan.call, plan.reference, plan.body),
    }


def confirmed(journey: Journey, plan: Plan, made: Made, *, seen: bool = False) -> dict[str, Any]:
    """Return what is written when Kustom has confirmed a plan. `seen`: a look has shown it."""
    if journey.authorization is None:
        raise AssertionError("the Kustom order was read before")
    standing = Standing.of(journey.authorization, journey.parts.clock())
    return {
        # Where Kustom gives no id, the operation's own stands for it.
        "capture_id": made.kustom_id or journey.capture.operation_id,
        "captured_at": made.at.timestamp() if made.at else journey.parts.clock(),
        "tracking_sent": made.shipping_info,
        "standing": standing if seen else standing.after(plan),
        "wakes": over(plan) if journey.capture.is_parcel else "all",
    }


def over(plan: Plan) -> str | None:
    """Return for what a cancelled parcel is held whose units this plan takes over."""
    return Reason.CANCELED_AFTER_CAPTURE.value if plan.takes_over else None


async def freeze_and_send(journey: Journey, plan: Plan) -> None:
    """Commit plan, key and intent; then the call leaves (domain rules 8 and 15)."""
    account = journey.account
    if account is None:
        raise AssertionError("the Kustom order was read with an account")
    if journey.mode(account) is Mode.OBSERVE:
        detail = {"amount": journey.shown(plan.amount_minor), "done": DONE[plan.call]}
        raise await journey.hold(Held(Reason.OBSERVED, detail), amount_minor=plan.amount_minor)
    columns = frozen(journey, plan)
    now = journey.parts.clock()
    await journey.advance(
        Event.PLAN_FROZEN,
        Event.SEND_STARTED,
        detail={"amount_minor": plan.amount_minor, "key": columns["idempotency_key"]},
        **columns,
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
        made = await call(journey.parts.kustom, account, binding, plan, capture.idempotency_key)
    except Refused as error:
        await _refused(journey, plan, error)
        return
    columns = confirmed(journey, plan, made)
    await journey.advance(
        Event.KUSTOM_CONFIRMED,
        detail={"capture_id": columns["capture_id"], "correlation_id": made.correlation_id},
        **columns,
    )


async def _refused(journey: Journey, plan: Plan, error: Refused) -> None:
    """A definite no: the plan is void. Bad tracking never blocks money (domain rule 21)."""
    if plan.shipping_info and _names_tracking(error):
        await journey.advance(
            Event.KUSTOM_REFUSED,
            detail={"code": error.code, "correlation_id": error.correlation_id},
            **NO_PLAN,
            without_tracking=True,
            tracking_problem=str(error),
        )
        return
    if is_extended(plan) and error.status in _MALFORMED:
        _log.warning("Kustom refused what an extension made (%s): planned again without", error)
        await journey.advance(
            Event.KUSTOM_REFUSED,
            detail={"code": error.code, "correlation_id": error.correlation_id},
            **NO_PLAN,
        )
        journey.extension_refused = True
        return
    detail: dict[str, str | int] = {
        "amount": journey.shown(plan.amount_minor),
        "code": error.code,
        "message": "; ".join(error.messages),
        "correlation_id": error.correlation_id or "",
    }
    held = Held(Reason.REFUSED_BY_KUSTOM, detail)
    raise await journey.hold(
        held,
        Event.KUSTOM_REFUSED,
        wakes=Reason.UNITS_MISSING.value,
        worth_minor=plan.amount_minor,  # what stands open, the fee included
        **NO_PLAN,
    )


def _names_tracking(error: Refused) -> bool:
    fields = ("shipping_info", "tracking", "shipping_company", "shipping_method")
    text = " ".join(error.messages).lower()
    return error.status in _MALFORMED and any(field in text for field in fields)


async def look_up(journey: Journey) -> None:
    """After an unknown outcome: look for our reference before anything is sent again (rule 18)."""
    binding = await binding_of(journey)
    if not journey.capture.plan:
        raise AssertionError("a capture that was sent has a plan")
    account = await account_of(journey, binding)
    authorization = await look(journey, binding, account)
    plan = Plan.model_validate_json(journey.capture.plan)
    there = done(authorization, plan.call, plan.reference)
    if there is None:
        sure = plan.call is not Call.REFUND or authorization.lists_refunds
        await _send_again(journey, sure=sure)
        return
    if there.amount_minor not in (None, plan.amount_minor):
        raise await journey.hold(differing(journey, plan.amount_minor, there))
    columns = confirmed(journey, plan, there, seen=True)
    detail = {"capture_id": columns["capture_id"], "looked_up": True}
    await journey.advance(Event.KUSTOM_CONFIRMED, detail=detail, **columns)


def differing(journey: Journey, planned_minor: int, there: Made) -> Held:
    """Return that what Kustom has under our reference is not what we planned."""
    kustom, planned = journey.shown(there.amount_minor or 0), journey.shown(planned_minor)
    return Held(Reason.CAPTURE_DIFFERS, {"kustom": kustom, "planned": planned})


async def _send_again(journey: Journey, *, sure: bool) -> None:
    """Nothing found: the same key and body may go at once while the key is honoured.

    Later only a look decides; one that was not `sure` to show it leaves it to a person.
    """
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
    elif not sure:
        raise await journey.hold(unseen(journey))
    else:
        await journey.advance(Event.KUSTOM_HAS_NONE, detail={})


def unseen(journey: Journey) -> Held:
    """Return that Kustom does not list every refund, so that a look can't tell."""
    if journey.authorization is None:
        raise AssertionError("the Kustom order was read before")
    listed = sum(refund.amount_minor for refund in journey.authorization.refunds)
    refunded = journey.shown(journey.authorization.refunded_amount_minor)
    return Held(Reason.REFUND_UNSEEN, {"refunded": refunded, "listed": journey.shown(listed)})


def _observing(journey: Journey) -> bool:
    return journey.account is not None and journey.mode(journey.account) is Mode.OBSERVE
