"""Sum units, the fee and the tenders up into a capture's plan, and freeze its body."""

from collections.abc import Mapping, Sequence

from saleor_kustom.capture.body import build
from saleor_kustom.capture.fulfillment import Order
from saleor_kustom.capture.ledger import Ledger
from saleor_kustom.capture.order_lines import (
    Line,
    difference_line,
    product_line,
    shipping_line,
    tender_line,
)
from saleor_kustom.capture.parcel import Parcel
from saleor_kustom.capture.plan import Plan
from saleor_kustom.capture.policy import Policy
from saleor_kustom.capture.tenders import Shares, Tenders, shares


def sum_up(
    order: Order,
    reference: str,
    ledger: Ledger,
    taken: Parcel,
    paid: Tenders,
    policy: Policy,
    shipping_info: Sequence[Mapping[str, str]] = (),
) -> Plan:
    """Return the plan of what was taken, with its part of the tenders."""
    lines = _lines(order, taken, policy)
    base = sum(int(line["total_amount"]) for line in lines)
    carried = shares(paid, policy.gift_card, ledger.plans, base)
    lines += _tender_lines(carried)
    amount = sum(int(line["total_amount"]) for line in lines)
    body, notes = build(amount, reference, lines, shipping_info) if amount > 0 else ("", ())
    return Plan(
        reference=reference,
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
