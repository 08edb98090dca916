"""What a parcel would capture now, and whether a request adds up: for people, before and after."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.held import Held
from saleor_kustom.capture.money import contained_tax_minor
from saleor_kustom.capture.plan import Nothing, Plan


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


def _total(line: Mapping[str, Any]) -> int:
    return int(line["quantity"]) * int(line["unit_price"]) - int(
        line.get("total_discount_amount", 0)
    )


def _contained(line: Mapping[str, Any]) -> int:
    return contained_tax_minor(int(line["total_amount"]), int(line.get("tax_rate", 0)))
