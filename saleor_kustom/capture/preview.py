"""What a parcel would capture now, and whether a request adds up: for people, before and after."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.decide import decide
from saleor_kustom.capture.fulfillment import Order
from saleor_kustom.capture.held import Held
from saleor_kustom.capture.ledger import Earlier
from saleor_kustom.capture.money import contained_tax_minor
from saleor_kustom.capture.plan import Nothing, Plan
from saleor_kustom.capture.policy import Policy


@dataclass(frozen=True, slots=True)
class Preview:
    """A decision that was made for looking only. `authorization`: the Kustom order, where read."""

    currency: str
    decision: Plan | Held | Nothing
    authorization: Authorization | None


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must add up, with both numbers in minor units."""

    name: str  # sum | totals | tax | remaining
    right: bool
    here: int
    there: int


def lines_of(body: str) -> Sequence[Mapping[str, Any]]:
    """Return the order lines of a request body."""
    lines: Sequence[Mapping[str, Any]] = json.loads(body or "{}").get("order_lines", ())
    return lines


def checks(body: str, remaining_minor: int | None = None) -> tuple[Check, ...]:
    """Check a request body; `remaining_minor`: what was authorized and not captured before it.

    Kustom allows a tax to differ by one minor unit (contract, 5.3).
    """
    request = json.loads(body or "{}")
    amount = int(request.get("captured_amount", 0))
    lines = lines_of(body)
    found = []
    if lines:
        total = sum(int(line["total_amount"]) for line in lines)
        computed = sum(_total(line) for line in lines)
        tax = sum(int(line.get("total_tax_amount", 0)) for line in lines)
        contained = [_contained(line) for line in lines]
        off = max(
            abs(int(line.get("total_tax_amount", 0)) - within)
            for line, within in zip(lines, contained, strict=True)
        )
        found = [
            Check("sum", total == amount, total, amount),
            Check("totals", computed == total, computed, total),
            Check("tax", off <= 1, tax, sum(contained)),
        ]
    if remaining_minor is not None:
        found.append(Check("remaining", amount <= remaining_minor, amount, remaining_minor))
    return tuple(found)


#: What each parcel of an order would capture, by its number; a text says why nothing would be.
Spread = Mapping[int, int | str]


def spread(order: Order, policy: Policy) -> Spread:
    """Plan an order's parcels one after another as if none were captured. For comparing choices."""
    earlier: list[Earlier] = []
    found: dict[int, int | str] = {}
    for fulfillment in sorted(order.fulfillments, key=lambda one: one.number):
        if fulfillment.status != "FULFILLED":
            continue
        match decide(order, fulfillment, earlier, None, policy):
            case Plan() as plan:
                found[fulfillment.number] = plan.amount_minor
                earlier.append(Earlier(fulfillment.id, plan, captured=True))
            case Held() as held:
                found[fulfillment.number] = held.problem
            case Nothing():
                found[fulfillment.number] = 0
    return found


def _total(line: Mapping[str, Any]) -> int:
    return int(line["quantity"]) * int(line["unit_price"]) - int(
        line.get("total_discount_amount", 0)
    )


def _contained(line: Mapping[str, Any]) -> int:
    return contained_tax_minor(int(line["total_amount"]), int(line.get("tax_rate", 0)))
