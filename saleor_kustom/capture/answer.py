"""How an operation that Saleor asked for ended, in Saleor's words.

The same words go into the answer of its request and into the report that follows.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.money import to_decimal
from saleor_kustom.capture.operation import Kind, Request
from saleor_kustom.capture.plan import Call, NothingWhy, Plan

#: What Saleor calls an operation in the types of its events.
ABOUT: Mapping[Kind, str] = {
    Kind.CHARGE: "CHARGE",
    Kind.REFUND: "REFUND",
    Kind.CANCEL: "CANCEL",
    Kind.RELEASE: "CANCEL",
}
_LONGEST = 512  # of a message; Saleor cuts it
_NOTHING: Mapping[str, str] = {
    NothingWhy.NOT_KUSTOM: "The order was not paid with Kustom.",
    NothingWhy.REPLACEMENT: "A replacement order has no Kustom order of its own.",
    NothingWhy.WORTH_ZERO: "The order is worth nothing.",
    NothingWhy.PAID_BY_OTHERS: "The order was paid in another way.",
}


def success_message(call: Call, kustom_id: str) -> str:
    """Return what a success says, with Kustom's id where it has one."""
    match call:
        case Call.CAPTURE:
            return f"Captured by Kustom: {kustom_id}"
        case Call.REFUND:
            return f"Refunded by Kustom: {kustom_id}"
        case Call.CANCEL:
            return "Cancelled at Kustom."
        case Call.RELEASE:
            return "Kustom released what was not captured."


def failure_message(waiting: str | None, detail: Mapping[str, str | int]) -> str:
    """Return why an operation was refused, from what its row waits for."""
    reason = str(detail.get("reason", ""))
    if waiting == NothingWhy.REFUSED and reason in frozenset(Reason):
        return Held(Reason(reason), detail).problem[:_LONGEST]
    return _NOTHING.get(waiting or "", "There was nothing to do.")


def failed_amount(request: Request) -> Decimal:
    """Return the amount of a failure: what was asked for, where it was said."""
    amount = request.amount
    return amount if amount is not None and amount.is_finite() and amount >= 0 else Decimal(0)


def succeeded(
    kind: Kind,
    plan: Plan,
    currency: str,
    kustom_id: str,
    *,
    at: datetime,
    actions: Sequence[str],
    external_url: str | None,
) -> dict[str, Any]:
    """Return the answer to a request that Kustom has carried out (saleor-app-protocol, C)."""
    answer = {
        "result": f"{ABOUT[kind]}_SUCCESS",
        # A decimal as text: a float would not be exact, and Saleor reads both.
        "amount": format(to_decimal(plan.amount_minor, currency), "f"),
        "pspReference": kustom_id,
        "message": success_message(plan.call, kustom_id),
        "actions": list(actions),
        "time": at.isoformat(),
    }
    return answer | ({"externalUrl": external_url} if external_url else {})


def failed(kind: Kind, request: Request, operation_id: str, message: str) -> dict[str, Any]:
    """Return the answer to a request that was refused.

    Its reference is its own: Saleor shows one failure for each, and takes a second without any for
    a repetition of the first (observed of 3.22.67); 3.21 insists on one.
    """
    return {
        "result": f"{ABOUT[kind]}_FAILURE",
        "amount": format(failed_amount(request), "f"),
        "pspReference": operation_id,
        "message": message,
    }


def not_understood(kind: Kind, reference: str) -> dict[str, Any]:
    """Return the answer to a request that makes no sense; the amount is what Saleor asked for."""
    return {
        "result": f"{ABOUT[kind]}_FAILURE",
        "pspReference": reference,
        "message": "The app does not understand this request; it was not carried out.",
    }
