"""Decide what one fulfillment captures: a plan, a reason to hold, or nothing.

Pure: everything that matters comes as an argument. The order of the questions:

1. Is it the right currency, and one that Kustom lists?
2. Which units does it take, and which were paid with a parcel that was cancelled?
3. How is the order paid, and do its parts add up?
4. What do these units, the fee and the tenders sum to?
5. Does the authorization allow it? Nothing is ever clamped.
"""

from collections.abc import Mapping, Sequence

from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.body import build
from saleor_kustom.capture.fulfillment import Fulfillment, Order
from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.ledger import Earlier, Ledger
from saleor_kustom.capture.money import KUSTOM_CURRENCIES, shown
from saleor_kustom.capture.order_lines import (
    Line,
    difference_line,
    product_line,
    shipping_line,
    tender_line,
)
from saleor_kustom.capture.parcel import Parcel, parcel
from saleor_kustom.capture.plan import Nothing, NothingWhy, Plan
from saleor_kustom.capture.policy import Policy
from saleor_kustom.capture.tenders import Shares, Tenders, shares, tenders
from saleor_kustom.capture.text import cut

__all__ = ["Earlier", "decide", "reference"]

#: The largest amount that Kustom takes (kustom-order-management, section 5.2).
LARGEST_MINOR = 200_000_000
_REFERENCE = 255
_CLOSED = frozenset({"CANCELLED", "EXPIRED", "CLOSED"})
_REJECTED = frozenset({"REJECTED", "STOPPED"})


def reference(order: Order, fulfillment: Fulfillment) -> str:
    """Return how a capture is recognised at Kustom, the same for every attempt (rule 3)."""
    own = f"/{fulfillment.number}/{fulfillment.id}"
    # Only the order's number may be cut: the rest tells its fulfillments apart.
    number = cut(order.number, _REFERENCE - len(own)) or ""
    return number + own


def decide(
    order: Order,
    fulfillment: Fulfillment,
    earlier: Sequence[Earlier],
    authorization: Authorization | None,
    policy: Policy,
    *,
    own_references: frozenset[str] = frozenset(),
    shipping_info: Sequence[Mapping[str, str]] = (),
) -> Plan | Held | Nothing:
    """Return what to capture for `fulfillment`.

    earlier: the order's other parcels (never this one). authorization: the Kustom order as
    read just now; None for a preview without Kustom. own_references: of our own captures,
    to tell those made outside. Source: domain rules 8 to 14 and 20.
    """
    held = _currency(order, authorization, policy)
    if held:
        return held
    ledger = Ledger(tuple(earlier))
    taken = parcel(order, fulfillment, ledger, policy)
    if isinstance(taken, Held):
        return taken
    paid = tenders(order, authorization, policy)
    if not isinstance(paid, Tenders):
        return paid
    plan = _plan(order, fulfillment, ledger, taken, paid, policy, shipping_info)
    if plan.amount_minor == 0:
        return Nothing(_why_nothing(plan), plan)
    if plan.amount_minor < 0:  # the order was changed after its first parcels
        detail = {"total": order.total_minor, "parts": order.total_minor - plan.amount_minor}
        return Held(
            Reason.TOTAL_DIFFERS, {name: shown(v, order.currency) for name, v in detail.items()}
        )
    return _allowed(order, plan, authorization, own_references) or plan


def _why_nothing(plan: Plan) -> NothingWhy:
    if plan.taken_over:
        return NothingWhy.TAKEN_OVER
    return NothingWhy.PAID_BY_OTHERS if plan.base_minor else NothingWhy.WORTH_ZERO


def _currency(order: Order, authorization: Authorization | None, policy: Policy) -> Held | None:
    if authorization is not None and authorization.currency.upper() != order.currency.upper():
        detail = {"saleor": order.currency, "kustom": authorization.currency}
        return Held(Reason.CURRENCY_DIFFERS, detail)
    if order.currency.upper() not in KUSTOM_CURRENCIES | policy.extra_currencies:
        return Held(Reason.CURRENCY_UNTESTED, {"currency": order.currency})
    return None


def _plan(
    order: Order,
    fulfillment: Fulfillment,
    ledger: Ledger,
    taken: Parcel,
    paid: Tenders,
    policy: Policy,
    shipping_info: Sequence[Mapping[str, str]],
) -> Plan:
    """Sum the parcel up, carry its part of the tenders, and freeze the body."""
    lines = _lines(order, taken, policy)
    base = sum(int(line["total_amount"]) for line in lines)
    carried = shares(paid, policy.gift_card, ledger.plans, base)
    lines += _tender_lines(carried)
    amount = sum(int(line["total_amount"]) for line in lines)
    own = reference(order, fulfillment)
    body, notes = build(amount, own, lines, shipping_info) if amount > 0 else ("", ())
    return Plan(
        reference=own,
        amount_minor=amount,
        base_minor=base,
        shipping_minor=taken.fee.minor,
        charges_shipping=taken.fee.charged,
        gift_card_minor=carried.gift_card_minor,
        store_credit_minor=carried.other_minor,
        adjustment_minor=carried.adjustment_minor,
        units=taken.new,
        taken_over=taken.taken_over,
        takes_over=ledger.takes_over(taken.taken_over),
        body=body,
        notes=notes,
    )


def _lines(order: Order, taken: Parcel, policy: Policy) -> list[Line]:
    lines = [
        product_line(line, taken.new[line.id], policy)
        for line in order.lines
        if line.id in taken.new
    ]
    fee = taken.fee
    if fee.charged and (fee.minor or fee.undiscounted_minor):
        lines.append(shipping_line(order, fee.minor, fee.undiscounted_minor))
    return lines


def _tender_lines(carried: Shares) -> list[Line]:
    lines = []
    if carried.gift_card_minor:
        lines.append(tender_line("gift_card", "Gift card", carried.gift_card_minor))
    if carried.other_minor:
        lines.append(tender_line("store_credit", "Other payment", carried.other_minor))
    if carried.adjustment_minor:
        lines.append(difference_line(carried.adjustment_minor))
    return lines


def _allowed(
    order: Order,
    plan: Plan,
    authorization: Authorization | None,
    own_references: frozenset[str],
) -> Held | None:
    """Return why the authorization does not allow the plan. Nothing is clamped (rule 12)."""
    amount = shown(plan.amount_minor, order.currency)
    if plan.amount_minor > LARGEST_MINOR:
        limit = shown(LARGEST_MINOR, order.currency)
        return Held(Reason.TOO_LARGE, {"value": amount, "limit": limit})
    if authorization is None:
        return None
    if authorization.fraud_status in _REJECTED:
        return Held(Reason.FRAUD_REJECTED, {"status": authorization.fraud_status})
    if authorization.status in _CLOSED:
        return Held(Reason.ORDER_NOT_CAPTURABLE, {"status": authorization.status, "amount": amount})
    if plan.amount_minor <= authorization.remaining_minor:
        return None
    remaining = shown(authorization.remaining_minor, order.currency)
    detail = {"amount": amount, "remaining": remaining}
    outside = [c for c in authorization.captures if c.reference not in own_references]
    if not outside:
        return Held(Reason.ABOVE_REMAINING, detail)
    total = sum(c.amount_minor for c in outside)
    return Held(Reason.CAPTURED_OUTSIDE, detail | {"outside": shown(total, order.currency)})
