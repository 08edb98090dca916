"""Read both sides for an operation and decide; what Kustom has already is adopted."""

from dataclasses import replace

from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.binding import candidates, is_kustoms
from saleor_kustom.capture.charge import decide_charge, decide_fee
from saleor_kustom.capture.closing import decide_closing
from saleor_kustom.capture.decide import unique_reference
from saleor_kustom.capture.fulfillment import Order
from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.ledger import Ledger
from saleor_kustom.capture.money import to_minor
from saleor_kustom.capture.operation import Kind, Request, Source
from saleor_kustom.capture.plan import Call, Nothing, NothingWhy, Plan
from saleor_kustom.capture.policy import Policy
from saleor_kustom.capture.refund import decide_parcel_refund, decide_refund
from saleor_kustom.capture.state import State
from saleor_kustom.store import Capture
from saleor_kustom.worker.adopting import adopt, find_unknown
from saleor_kustom.worker.calls import Made, done
from saleor_kustom.worker.entries import (
    is_parcel_refund,
    ledger_of,
    money_moved,
    plan_of,
    references_of,
)
from saleor_kustom.worker.journey import Journey
from saleor_kustom.worker.reading import await_review, read_kustom, read_saleor
from saleor_kustom.worker.sending import unseen

Decision = Plan | Held | Nothing

#: A closing waits for the fee that is charged before it.
FEE_FIRST = "fee_first"


async def decide_operation(journey: Journey) -> Decision | None:
    """Return the decision; None: Kustom has done it already, and that is stored now."""
    request = asked(journey.capture)
    order = await read_saleor(journey)
    policy = journey.parts.policy(journey.shop, order.channel)
    early = await _without_kustom(journey, order, policy, request)
    if early is not None:
        return early
    authorization = await read_kustom(journey, order)
    rows = await journey.parts.store.captures.of_order(journey.shop.api_url, order.id)
    await find_unknown(journey, order, authorization, rows)
    if journey.capture.kind in (Kind.CANCEL, Kind.RELEASE):
        return await _closing(journey, order, rows, authorization, request)
    call = Call.CAPTURE if journey.capture.kind is Kind.CHARGE else Call.REFUND
    own = _reference(journey, order)
    there = done(authorization, call, own)
    if there is None and call is Call.REFUND and not authorization.lists_refunds:
        return unseen(journey)
    if there is None and call is Call.CAPTURE:
        await await_review(journey, authorization)
    before = _before(authorization, call, there)
    decide = _charge if call is Call.CAPTURE else _refund
    decision = decide(journey.capture, order, rows, before, policy, own, request)
    if there is not None:
        await adopt(journey, decision, there)
        return None
    return decision


def asked(operation: Capture) -> Request:
    """Return what was asked."""
    if operation.request is None:
        raise AssertionError("an operation was asked for")
    return operation.request


def _reference(journey: Journey, order: Order) -> str:
    """Return how an operation is recognised at Kustom, the same for every attempt."""
    capture = journey.capture
    if is_parcel_refund(capture):
        number = journey.learned.get("fulfillment_number") or 0
        return unique_reference(order, f"{number}/{capture.fulfillment_id}/refund")
    return unique_reference(order, f"{capture.kind.value}/{capture.operation_id}")


async def _without_kustom(
    journey: Journey, order: Order, policy: Policy, request: Request
) -> Decision | None:
    """Return what is decided without Kustom, which is then not asked."""
    binding = await journey.parts.store.captures.binding(journey.shop.api_url, order.id)
    if request.source is Source.POLICY:
        why = _not_wanted(journey.capture, order, policy)
        if why is None and binding is None and not candidates(order, policy):
            why = NothingWhy.NOT_KUSTOM
        return Nothing(why) if why else None
    if binding is None and not candidates(order, policy):
        return Held(Reason.NOT_LINKED)
    transaction = next((t for t in order.transactions if t.id == request.transaction_id), None)
    if request.source is Source.BUTTON:
        ids = [c.kustom_order_id for c in candidates(order, policy)]
        known = [binding.kustom_order_id] if binding else ids
        if transaction is None or not any(is_kustoms(transaction, one) for one in known):
            return Held(Reason.NOT_ITS_TRANSACTION)
    return None


def _not_wanted(operation: Capture, order: Order, policy: Policy) -> NothingWhy | None:
    """Return why the channel's policy asks for nothing now: it may have changed since."""
    if operation.kind is Kind.REFUND:
        return None if policy.refund_canceled else NothingWhy.SWITCHED_OFF
    if not policy.cancel_at_kustom:
        return NothingWhy.SWITCHED_OFF
    # A delivery is a trigger, the installed Saleor is the truth: a copy of it may have sent it.
    return None if order.status == "CANCELED" else NothingWhy.NOT_CANCELED


async def _closing(
    journey: Journey,
    order: Order,
    rows: list[Capture],
    authorization: Authorization,
    request: Request,
) -> Decision:
    fee_key = ("fee", journey.capture.fulfillment_created)
    fee = next((row for row in rows if row.key == fee_key and row.kind is Kind.CHARGE), None)
    is_closing = journey.capture.kind is Kind.RELEASE
    if is_closing and fee is not None and not _over(fee):
        raise await journey.wait(FEE_FIRST, None, {})
    decision = decide_closing(
        authorization,
        reference=_reference(journey, order),
        only_if_untouched=request.source is Source.POLICY,
    )
    if request.source is Source.BUTTON and isinstance(decision, Nothing):
        return Held(Reason.NOTHING_REMAINS, {"status": authorization.status})
    return decision


def _over(fee: Capture) -> bool:
    """Tell whether the fee was charged, or there was none to charge."""
    return money_moved(fee) or fee.state is State.NOTHING


def _charge(
    operation: Capture,
    order: Order,
    rows: list[Capture],
    authorization: Authorization,
    policy: Policy,
    own: str,
    request: Request,
) -> Decision:
    earlier = ledger_of(rows, order, but=operation.id)
    references = references_of(rows) | {own}
    if request.amount is None:  # the fee that is charged before a closing
        return decide_fee(
            order, earlier, authorization, policy, reference=own, own_references=references
        )
    amount = _amount(order, request)
    if isinstance(amount, Held):
        return amount
    return decide_charge(
        order,
        earlier,
        authorization,
        policy,
        reference=own,
        amount_minor=amount,
        own_references=references,
    )


def _refund(
    operation: Capture,
    order: Order,
    rows: list[Capture],
    authorization: Authorization,
    policy: Policy,
    own: str,
    request: Request,
) -> Decision:
    ledger = Ledger(tuple(ledger_of(rows, order)))
    if is_parcel_refund(operation):
        parcel = next(
            (e for e in ledger.earlier if e.fulfillment_id == operation.fulfillment_id), None
        )
        if parcel is None:
            return Nothing(NothingWhy.NOTHING_LEFT)
        return decide_parcel_refund(
            order,
            parcel,
            ledger,
            authorization,
            reference=own,
            by_itself=request.source is Source.POLICY,
            own_references=frozenset(_parcel_refunds(rows)),
        )
    amount = _amount(order, request)
    if isinstance(amount, Held):
        return amount
    refunded = [row for row in rows if row.kind is Kind.REFUND and money_moved(row)]
    return decide_refund(
        order,
        [entry.plan for entry in ledger.earlier if entry.plan and entry.captured],
        [plan for plan in map(plan_of, refunded) if plan],
        authorization,
        policy,
        reference=own,
        amount_minor=amount,
        wanted=request.lines,
        with_shipping=request.with_shipping,
    )


def _parcel_refunds(rows: list[Capture]) -> list[str]:
    """Return the references of the order's refunds that were for other cancelled parcels."""
    plans = [plan_of(row) for row in rows if is_parcel_refund(row) and money_moved(row)]
    return [plan.reference for plan in plans if plan]


def _amount(order: Order, request: Request) -> int | Held:
    """Return the amount that was asked for in minor units of the order's currency."""
    given = (request.currency or "").upper()
    detail = {"amount": str(request.amount), "given": given, "currency": order.currency}
    if request.amount is None or given != order.currency.upper():
        return Held(Reason.AMOUNT_NOT_UNDERSTOOD, detail)
    try:
        return to_minor(request.amount, order.currency)
    except ValueError:
        return Held(Reason.AMOUNT_NOT_UNDERSTOOD, detail)


def _before(authorization: Authorization, call: Call, there: Made | None) -> Authorization:
    """Return the authorization as it was before what is there already."""
    amount = there.amount_minor if there else None
    if there is None or amount is None:
        return authorization
    if call is Call.CAPTURE:
        return replace(
            authorization,
            captured_amount_minor=authorization.captured_amount_minor - amount,
            remaining_minor=authorization.remaining_minor + amount,
            captures=tuple(c for c in authorization.captures if c.capture_id != there.kustom_id),
        )
    return replace(
        authorization,
        refunded_amount_minor=authorization.refunded_amount_minor - amount,
        refunds=tuple(r for r in authorization.refunds if r.refund_id != there.kustom_id),
    )
