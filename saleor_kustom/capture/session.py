"""What a storefront is answered that pays a checkout, or an order, with a Kustom order.

The shopper's browser names the Kustom order, so nothing that it says is believed: the answer is
what Kustom really authorized, if it fits (domain rule 4). What it is told goes to the shopper too,
so it names no other order, merchant or amount; both are in the log.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.binding import Misfit, Purchase, is_kustoms, misfit
from saleor_kustom.capture.money import to_decimal


@dataclass(frozen=True, slots=True)
class Session:
    """What Saleor asks for a storefront. `source_id`: of a checkout, or of an order."""

    source_id: str
    transaction_id: str
    kustom_order_id: str  # lower case


class Result(StrEnum):
    """Saleor's names of what became of an authorization."""

    SUCCESS = "AUTHORIZATION_SUCCESS"
    REQUEST = "AUTHORIZATION_REQUEST"  # Kustom reviews it; how that ended is reported later
    FAILURE = "AUTHORIZATION_FAILURE"


class Code(StrEnum):
    """Why there is no authorization, for the storefront's program."""

    MALFORMED = "MALFORMED"
    SOURCE_UNKNOWN = "SOURCE_UNKNOWN"
    NO_CREDENTIALS = "NO_CREDENTIALS"
    KUSTOM_ORDER_UNKNOWN = "KUSTOM_ORDER_UNKNOWN"
    STATUS = "STATUS"
    CURRENCY = "CURRENCY"
    AMOUNT = "AMOUNT"
    REFERENCE = "REFERENCE"
    REVIEW = "REVIEW"
    ALREADY_AUTHORIZED = "ALREADY_AUTHORIZED"
    BELONGS_TO_ANOTHER = "BELONGS_TO_ANOTHER"
    PAID_WITH_ANOTHER = "PAID_WITH_ANOTHER"
    TRY_AGAIN = "TRY_AGAIN"


_WORDS = {
    Code.MALFORMED: (
        "Send data with kustomOrderId, the id of the Kustom order that the shopper paid with."
    ),
    Code.SOURCE_UNKNOWN: "This shop has no such checkout or order.",
    Code.NO_CREDENTIALS: "Kustom is not set up for this channel.",
    Code.KUSTOM_ORDER_UNKNOWN: "Kustom does not know this order, or it is another merchant's.",
    Code.STATUS: "The Kustom order is not authorized, or not any more.",
    Code.CURRENCY: "The Kustom order is in another currency.",
    Code.AMOUNT: "The Kustom order is over another amount than what is to be paid.",
    Code.REFERENCE: "The Kustom order names another order.",
    Code.REVIEW: "Kustom rejected the payment.",
    Code.ALREADY_AUTHORIZED: "This Kustom order has authorized this purchase already.",
    Code.BELONGS_TO_ANOTHER: "This Kustom order belongs to another purchase.",
    Code.PAID_WITH_ANOTHER: "This order is paid with another Kustom order.",
    Code.TRY_AGAIN: "It can't be said now whether the payment is authorized; try again.",
}
_MISFITS = {
    Misfit.STATUS: Code.STATUS,
    Misfit.CURRENCY: Code.CURRENCY,
    Misfit.AMOUNT: Code.AMOUNT,
    Misfit.REFERENCE: Code.REFERENCE,
}


@dataclass(frozen=True, slots=True)
class SessionAnswer:
    """What Saleor and the storefront are told. A failure names no pspReference.

    Saleor would take it for the transaction's own, and we for a payment by that Kustom order.
    """

    result: Result
    kustom_order_id: str | None = None
    amount: Decimal | None = None
    code: Code | None = None

    @property
    def message(self) -> str:
        """Return what a person reads."""
        if self.code is not None:
            return _WORDS[self.code]
        if self.result is Result.REQUEST:
            return "Kustom reviews the payment; the result follows."
        return "Authorized by Kustom."


def failure(code: Code) -> SessionAnswer:
    """Return that there is no authorization, and why."""
    return SessionAnswer(Result.FAILURE, code=code)


def decide_session(
    source: Purchase, session: Session, authorization: Authorization
) -> SessionAnswer:
    """Return the answer that both sides' present state allows, if nobody else has the order."""
    found = misfit(source, authorization)
    if found is not None:
        return failure(_MISFITS[found.kind])
    others = (t for t in source.transactions if t.id != session.transaction_id)
    if any(is_kustoms(t, session.kustom_order_id) for t in others):
        return failure(Code.ALREADY_AUTHORIZED)
    if authorization.fraud_status not in ("ACCEPTED", "PENDING"):
        return failure(Code.REVIEW)
    # What is authorized now, whatever the storefront asked for.
    minor = authorization.captured_amount_minor + authorization.remaining_minor
    if minor <= 0:
        return failure(Code.STATUS)
    pending = authorization.fraud_status == "PENDING"
    return SessionAnswer(
        Result.REQUEST if pending else Result.SUCCESS,
        kustom_order_id=session.kustom_order_id,
        amount=to_decimal(minor, source.currency),
    )
