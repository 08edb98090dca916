"""Decide what a refund pays back: a cancelled parcel's capture, or what somebody asked for.

Never more than was captured and not refunded yet. Kustom finds the captures that a refund belongs
to by its lines' references, if these sum to the amount and one capture holds them (contract, 5.5);
else the amount goes alone.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.fulfillment import Order
from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.ledger import Earlier, Ledger
from saleor_kustom.capture.money import shown
from saleor_kustom.capture.order_lines import Line, product_line, shipping_line
from saleor_kustom.capture.plan import Call, Nothing, NothingWhy, Plan
from saleor_kustom.capture.policy import Policy
from saleor_kustom.capture.text import cut
from saleor_kustom.capture.units import Ranges, count, lowest, union, without

_DESCRIPTION = 255


def decide_parcel_refund(
    order: Order,
    parcel: Earlier,
    ledger: Ledger,
    authorization: Authorization,
    *,
    reference: str,
    by_itself: bool,
    own_references: frozenset[str],
) -> Plan | Held | Nothing:
    """Return the refund of a cancelled parcel's capture: exactly its lines and amount (rule 20).

    ledger: with the parcel. by_itself: nobody has looked; so a refund that is none of ours
    (`own_references`), which may have been for this parcel, holds it.
    """
    plan, again = parcel.plan, ledger.again(parcel.fulfillment_id)
    if plan is None or again is None:
        return Nothing(NothingWhy.NOTHING_LEFT)
    amount = shown(plan.amount_minor, order.currency)
    if again.units == again.paid:
        return Nothing(NothingWhy.SHIPPED_AGAIN)
    if again.units:
        return Held(
            Reason.PARTLY_SHIPPED_AGAIN,
            {"again": again.units, "units": again.paid, "amount": amount},
        )
    others = [r for r in authorization.refunds if r.reference not in own_references]
    unlisted = not authorization.lists_refunds
    if by_itself and (others or unlisted):
        refunded = shown(authorization.refunded_amount_minor, order.currency)
        return Held(Reason.REFUNDED_OTHERWISE, {"refunded": refunded, "amount": amount})
    lines = json.loads(plan.body or "{}").get("order_lines", ())
    return refund_held(order, plan.amount_minor, authorization) or _plan(
        order, plan.amount_minor, reference, lines, plan.units
    )


def decide_refund(
    order: Order,
    captured: Sequence[Plan],
    refunded: Sequence[Plan],
    authorization: Authorization,
    policy: Policy,
    *,
    reference: str,
    amount_minor: int,
    wanted: Mapping[str, int],
    with_shipping: bool,
) -> Plan | Held:
    """Return the refund of an amount, with the lines of a granted refund where they explain it.

    captured, refunded: our own plans whose money moved. wanted: units by order line id.
    """
    held = refund_held(order, amount_minor, authorization)
    if held:
        return held
    explained = _explained(order, captured, refunded, policy, wanted, with_shipping=with_shipping)
    units, lines = explained or ({}, [])
    if not lines or sum(int(line["total_amount"]) for line in lines) != amount_minor:
        units, lines = {}, []
    return _plan(order, amount_minor, reference, lines, units)


def refund_held(order: Order, amount_minor: int, authorization: Authorization) -> Held | None:
    """Return why an amount can't be refunded, with both numbers."""
    left = authorization.refundable_minor
    if 0 < amount_minor <= left:
        return None
    amounts = {
        "amount": amount_minor,
        "captured": authorization.captured_amount_minor,
        "left": max(0, left),
    }
    detail = {name: shown(minor, order.currency) for name, minor in amounts.items()}
    return Held(Reason.REFUND_ABOVE_CAPTURED, detail)


def _plan(
    order: Order,
    amount_minor: int,
    reference: str,
    lines: Sequence[Line],
    units: Mapping[str, Ranges],
) -> Plan:
    body: dict[str, Any] = {
        "refunded_amount": amount_minor,
        "description": cut(f"Refund of order {order.number}", _DESCRIPTION),
        "reference": reference,
    }
    if lines:
        body["order_lines"] = list(lines)
    return Plan(
        call=Call.REFUND,
        reference=reference,
        amount_minor=amount_minor,
        base_minor=0,
        units=units,
        body=json.dumps(body, ensure_ascii=False, separators=(",", ":")),
    )


def _explained(
    order: Order,
    captured: Sequence[Plan],
    refunded: Sequence[Plan],
    policy: Policy,
    wanted: Mapping[str, int],
    *,
    with_shipping: bool,
) -> tuple[dict[str, Ranges], list[Line]] | None:
    """Return units and lines of one capture that has all that is wanted; None: no one has."""
    lines = {line.id: line for line in order.lines}
    if not wanted or not wanted.keys() <= lines.keys():
        return None
    for plan in captured:
        units = {
            line_id: lowest(_left(plan, refunded, line_id), quantity)
            for line_id, quantity in wanted.items()
        }
        whole = all(count(units[line_id]) == quantity for line_id, quantity in wanted.items())
        if whole and (plan.shipping_minor or not with_shipping):
            made = [product_line(lines[line_id], units[line_id], policy) for line_id in units]
            if with_shipping:
                made.append(shipping_line(order, plan.shipping_minor, plan.shipping_minor))
            return units, made
    return None


def _left(plan: Plan, refunded: Sequence[Plan], line_id: str) -> Ranges:
    """Return a capture's units of a line that no refund has named yet."""
    return without(
        plan.units.get(line_id, ()), union(*(r.units.get(line_id, ()) for r in refunded))
    )
