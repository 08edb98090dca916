"""Decide what one fulfillment captures: a plan, a reason to hold, or nothing.

Pure: everything that matters comes as an argument. The order of the questions:

1. Is it the right currency, and one that Kustom lists?
2. Which units does it take, and which were paid with a parcel that was cancelled?
3. How is the order paid, and do its parts add up?
4. What do these units, the fee and the tenders sum to?
5. Does the authorization allow it? Nothing is ever clamped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.body import build
from saleor_kustom.capture.fulfillment import Fulfillment, Order
from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.ledger import SHIPPING, Earlier, Ledger
from saleor_kustom.capture.money import KUSTOM_CURRENCIES, shown
from saleor_kustom.capture.order_lines import (
    Line,
    difference_line,
    product_line,
    shipping_line,
    tender_line,
    units_minor,
)
from saleor_kustom.capture.plan import Nothing, NothingWhy, Plan
from saleor_kustom.capture.policy import Policy, ShippingFee
from saleor_kustom.capture.tenders import Tenders, spread, tenders
from saleor_kustom.capture.text import cut
from saleor_kustom.capture.units import Ranges, count, lowest, without

__all__ = ["Earlier", "decide", "reference"]

#: The largest amount that Kustom takes (kustom-order-management, section 5.2).
LARGEST_MINOR = 200_000_000


@dataclass(frozen=True, slots=True)
class _Parcel:
    """What a fulfillment takes: units by line, and the fee."""

    new: Mapping[str, Ranges]
    taken_over: Mapping[str, Ranges]
    shipping_minor: int
    undiscounted_shipping_minor: int
    charges_shipping: bool


def reference(order: Order, fulfillment: Fulfillment) -> str:
    """Return how a capture is recognised at Kustom, the same for every attempt (rule 3)."""
    rest = f"/{fulfillment.number}/{fulfillment.id}"
    # The fulfillment's id is what tells captures apart: a long order number gives way.
    return f"{cut(order.number, 255 - len(rest)) or ''}{rest}"


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
    parcel = _parcel(order, fulfillment, ledger, policy)
    if isinstance(parcel, Held):
        return parcel
    paid = tenders(order, authorization)
    if not isinstance(paid, Tenders):
        return paid
    plan = _plan(order, fulfillment, ledger, parcel, paid, policy, shipping_info)
    if plan.amount_minor == 0:
        again = bool(plan.taken_over) and not plan.units
        why = NothingWhy.TAKEN_OVER if again else NothingWhy.WORTH_ZERO
        return Nothing(why, plan)
    if plan.amount_minor < 0:
        detail = {
            "total": shown(order.total_minor, order.currency),
            "parts": shown(order.total_minor - plan.adjustment_minor, order.currency),
        }
        return Held(Reason.TOTAL_DIFFERS, detail)
    return _allowed(order, plan, authorization, own_references) or plan


def _currency(order: Order, authorization: Authorization | None, policy: Policy) -> Held | None:
    if authorization is not None and authorization.currency.upper() != order.currency.upper():
        detail = {"saleor": order.currency, "kustom": authorization.currency}
        return Held(Reason.CURRENCY_DIFFERS, detail)
    if order.currency.upper() not in KUSTOM_CURRENCIES | policy.extra_currencies:
        return Held(Reason.CURRENCY_UNTESTED, {"currency": order.currency})
    return None


def _parcel(
    order: Order, fulfillment: Fulfillment, ledger: Ledger, policy: Policy
) -> _Parcel | Held:
    """Take the fulfillment's units and its part of the fee."""
    wanted: dict[str, int] = {}
    for fulfilled in fulfillment.lines:
        so_far = wanted.get(fulfilled.order_line_id, 0)
        wanted[fulfilled.order_line_id] = so_far + fulfilled.quantity
    lines = {line.id: line for line in order.lines}
    new: dict[str, Ranges] = {}
    again: dict[str, Ranges] = {}
    for line_id, quantity in wanted.items():
        line = lines.get(line_id)
        taking = ledger.take(line_id, line.quantity, quantity) if line else None
        if line is None or taking is None:
            free = ledger.free(line_id, line.quantity) if line else 0
            return _missing(line.name if line else line_id, free, quantity)
        new |= {line_id: taking.new} if taking.new else {}
        again |= {line_id: taking.taken_over} if taking.taken_over else {}
    return _with_fee(order, ledger, policy, new, again)


def _missing(name: str, free: int, wanted: int) -> Held:
    detail: dict[str, str | int] = {"line": name, "wanted": wanted, "free": free}
    return Held(Reason.UNITS_MISSING, detail)


def _with_fee(
    order: Order,
    ledger: Ledger,
    policy: Policy,
    new: dict[str, Ranges],
    again: dict[str, Ranges],
) -> _Parcel:
    """Add the shipping fee as the policy says; it is charged once (domain rule 10).

    The fee has as many units as ship, and every choice takes from these: so it is charged once
    even if the choice changes midway. Units that are taken over brought their fee along.
    """
    shipping = [line for line in order.lines if line.requires_shipping and line.quantity]
    lines = shipping or order.lines
    whole = sum(line.quantity for line in lines)
    part = sum(count(new.get(line.id, ())) for line in lines)
    first = policy.shipping_fee is ShippingFee.FIRST or (
        policy.shipping_fee is ShippingFee.LAST and not shipping
    )
    if first or ledger.completes(order, new, shipping_only=bool(shipping)):
        due = whole
    else:
        due = part if policy.shipping_fee is ShippingFee.PROPORTIONAL else 0
    free = without(((0, whole),), ledger.spent(SHIPPING))
    fee = lowest(free, due if part else 0)
    return _Parcel(
        new | {SHIPPING: fee} if fee else new,
        again,
        units_minor(order.shipping_minor, whole, fee),
        units_minor(order.undiscounted_shipping_minor, whole, fee),
        charges_shipping=bool(fee),
    )


def _plan(
    order: Order,
    fulfillment: Fulfillment,
    ledger: Ledger,
    parcel: _Parcel,
    paid: Tenders,
    policy: Policy,
    shipping_info: Sequence[Mapping[str, str]],
) -> Plan:
    """Sum the parcel up, carry its part of the tenders, and freeze the body."""
    lines, base = _lines(order, parcel, policy)
    plans = ledger.plans
    before = sum(plan.base_minor for plan in plans)
    carried = sum(plan.gift_card_minor for plan in plans)
    gift_card = spread(
        policy.gift_card, paid.gift_card_minor, paid.base_minor, before, base, carried
    )
    other = spread(
        policy.gift_card,
        paid.other_minor,
        paid.base_minor - paid.gift_card_minor,
        before - carried,
        base - gift_card,
        sum(plan.store_credit_minor for plan in plans),
    )
    last = ledger.completes(order, parcel.new, shipping_only=False)
    adjusted = sum(plan.adjustment_minor for plan in plans)
    adjustment = paid.difference_minor - adjusted if last else 0
    lines += [tender_line("gift_card", "Gift card", gift_card)] if gift_card else []
    lines += [tender_line("store_credit", "Other payment", other)] if other else []
    lines += [difference_line(adjustment)] if adjustment else []
    amount = base - gift_card - other + adjustment
    own = reference(order, fulfillment)
    body, notes = build(amount, own, lines, shipping_info) if amount > 0 else ("", ())
    return Plan(
        reference=own,
        amount_minor=amount,
        base_minor=base,
        shipping_minor=parcel.shipping_minor,
        charges_shipping=parcel.charges_shipping,
        gift_card_minor=gift_card,
        store_credit_minor=other,
        adjustment_minor=adjustment,
        units=parcel.new,
        taken_over=parcel.taken_over,
        takes_over=ledger.takes_over(parcel.taken_over),
        body=body,
        notes=notes,
    )


def _lines(order: Order, parcel: _Parcel, policy: Policy) -> tuple[list[Line], int]:
    lines = [
        product_line(line, parcel.new[line.id], policy)
        for line in order.lines
        if count(parcel.new.get(line.id, ()))
    ]
    if parcel.charges_shipping and (parcel.shipping_minor or parcel.undiscounted_shipping_minor):
        fee = shipping_line(order, parcel.shipping_minor, parcel.undiscounted_shipping_minor)
        lines.append({key: value for key, value in fee.items() if value is not None})
    return lines, sum(int(line["total_amount"]) for line in lines)


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
    if authorization.fraud_status in ("REJECTED", "STOPPED"):
        return Held(Reason.FRAUD_REJECTED, {"status": authorization.fraud_status})
    outside = [c for c in authorization.captures if c.reference not in own_references]
    if authorization.status in ("CANCELLED", "EXPIRED", "CLOSED"):
        return Held(Reason.ORDER_NOT_CAPTURABLE, {"status": authorization.status, "amount": amount})
    if plan.amount_minor <= authorization.remaining_minor:
        return None
    remaining = shown(authorization.remaining_minor, order.currency)
    detail = {"amount": amount, "remaining": remaining}
    if not outside:
        return Held(Reason.ABOVE_REMAINING, detail)
    total = sum(c.amount_minor for c in outside)
    return Held(Reason.CAPTURED_OUTSIDE, detail | {"outside": shown(total, order.currency)})
