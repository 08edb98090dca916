"""Read what Saleor asks when somebody presses a transaction's button.

Unlike other deliveries this one is what it says: amount and lines stand in the signed body alone.
"""

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from saleor_kustom.capture.delivery import VerifiedBody
from saleor_kustom.capture.operation import Kind, Request, Source

#: Event → what is asked. The cancelation's action has no amount: what remains is given back.
KINDS: Mapping[str, Kind] = {
    "transaction_charge_requested": Kind.CHARGE,
    "transaction_refund_requested": Kind.REFUND,
    "transaction_cancelation_requested": Kind.CANCEL,
}
_MOST_LINES = 1000


def read_request(event: str, body: VerifiedBody) -> Request | None:
    """Return what is asked, or None when it can't be understood."""
    try:
        contents = json.loads(body, parse_float=Decimal)
        action, transaction = contents["action"], contents["transaction"]
        with_amount = KINDS[event] is not Kind.CANCEL
        return Request(
            source=Source.BUTTON,
            who=_who(contents.get("issuingPrincipal")),
            amount=_amount(action["amount"]) if with_amount else None,
            currency=str(action["currency"])[:10],
            transaction_id=str(transaction["id"])[:500],
            **_granted(contents.get("grantedRefund")),
        )
    except (ValueError, KeyError, TypeError, RecursionError, InvalidOperation):
        return None


def _amount(value: Any) -> Decimal:
    """Return an amount, which Saleor writes as a number. Raises ValueError."""
    amount = Decimal(str(value))
    if not amount.is_finite() or abs(amount) > Decimal(10) ** 15:
        raise ValueError("no amount")
    return amount


def _who(principal: Any) -> str:
    """Return who pressed, by global id: a staff user, or an app."""
    found = principal.get("id") if isinstance(principal, Mapping) else None
    return found[:200] if isinstance(found, str) else ""


def _granted(refund: Any) -> dict[str, Any]:
    """Return a granted refund's units by order line, and whether the fee is in it."""
    if not isinstance(refund, Mapping):
        return {}
    units: dict[str, int] = {}
    for line in list(refund.get("lines") or ())[:_MOST_LINES]:
        line_id = str(line["orderLine"]["id"])
        units[line_id] = units.get(line_id, 0) + int(line["quantity"])
    return {"lines": units, "with_shipping": bool(refund.get("shippingCostsIncluded"))}
