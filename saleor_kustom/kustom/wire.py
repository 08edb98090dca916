"""Read Kustom's answers tolerantly: unknown fields are ignored, unknown values kept as text.

Source of the shapes: kustom-order-management, sections 5.1, 5.2, 5.7. What money is decided
by must be there and whole; anything else may be missing or null.
"""

import json
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from saleor_kustom.capture.authorization import Authorization, KustomCapture, KustomRefund


class Nonsense(ValueError):  # noqa: N818 - the client turns it into a verdict
    """An answer that is not what the contract says."""


def _upper(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


def _time(value: Any) -> Any:
    """Take times as text only: pydantic would read a number as seconds since 1970."""
    if not isinstance(value, str) or value[4:5] != "-":
        raise ValueError("no ISO 8601 time")
    return value


def _entries(value: Any) -> Any:
    """Keep what is readable of shipping_info: it is no reason to doubt an amount."""
    entries = value if isinstance(value, list) else []
    return [
        {name: str(given) for name, given in entry.items() if given is not None}
        for entry in entries
        if isinstance(entry, dict)
    ]


Upper = Annotated[str, BeforeValidator(_upper)]
#: Minor units; never negative where we read them, and within the contract's int64.
Minor = Annotated[int, Field(strict=True, ge=0, lt=2**63)]
Time = Annotated[datetime, BeforeValidator(_time)]
Entries = Annotated[list[dict[str, str]], BeforeValidator(_entries)]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        """Read null as absent: the contract does not promise which of both comes."""
        if not isinstance(value, dict):
            return value
        return {name: given for name, given in value.items() if given is not None}


class WireCapture(_Wire):
    """An element of an order's `captures`."""

    capture_id: str = Field(min_length=1)
    captured_amount: Minor
    reference: str | None = None
    captured_at: Time | None = None
    shipping_info: Entries = []

    def value(self) -> KustomCapture:
        """Return what decisions are made on."""
        return KustomCapture(
            capture_id=self.capture_id,
            reference=self.reference,
            amount_minor=self.captured_amount,
            captured_at=_utc(self.captured_at),
            shipping_info=tuple(self.shipping_info),
        )


class WireRefund(_Wire):
    """An element of an order's `refunds`."""

    refund_id: str | None = None
    refunded_amount: Minor
    reference: str | None = None
    description: str | None = None
    refunded_at: Time | None = None

    def value(self) -> KustomRefund:
        """Return what decisions are made on."""
        return KustomRefund(
            refund_id=self.refund_id or None,
            reference=self.reference,
            amount_minor=self.refunded_amount,
            description=self.description,
            refunded_at=_utc(self.refunded_at),
        )


class WireOrder(_Wire):
    """`GET /orders/{id}`. Holds no personal data: what we do not name is not kept."""

    order_id: str
    status: Upper
    # Kustom itself refuses to capture what is not accepted; absent says nothing against it.
    fraud_status: Upper = "ACCEPTED"
    purchase_currency: Upper
    order_amount: Minor
    original_order_amount: Minor | None = None
    captured_amount: Minor
    refunded_amount: Minor = 0
    remaining_authorized_amount: Minor
    expires_at: Time | None = None
    merchant_reference1: str | None = None
    merchant_reference2: str | None = None
    captures: list[WireCapture] = []
    refunds: list[WireRefund] = []

    def value(self) -> Authorization:
        """Return what decisions are made on."""
        original = self.original_order_amount
        return Authorization(
            kustom_order_id=self.order_id,
            status=self.status,
            fraud_status=self.fraud_status,
            currency=self.purchase_currency,
            order_amount_minor=self.order_amount,
            original_order_amount_minor=self.order_amount if original is None else original,
            captured_amount_minor=self.captured_amount,
            refunded_amount_minor=self.refunded_amount,
            remaining_minor=self.remaining_authorized_amount,
            expires_at=_utc(self.expires_at),
            merchant_reference1=self.merchant_reference1 or None,
            merchant_reference2=self.merchant_reference2 or None,
            captures=tuple(capture.value() for capture in self.captures),
            refunds=tuple(refund.value() for refund in self.refunds),
        )


_CAPTURES = TypeAdapter(list[WireCapture])


def read_order(body: bytes) -> Authorization:
    """Read an order. Raises Nonsense."""
    try:
        return WireOrder.model_validate_json(body).value()
    except ValidationError as error:
        raise Nonsense(_where(error)) from None  # pydantic's error quotes the order


def read_captures(body: bytes) -> tuple[KustomCapture, ...]:
    """Read a list of captures. Raises Nonsense."""
    try:
        return tuple(capture.value() for capture in _CAPTURES.validate_json(body))
    except ValidationError as error:
        raise Nonsense(_where(error)) from None


def read_error(body: bytes) -> tuple[str, tuple[str, ...], str | None] | None:
    """Return (error code, messages, correlation id), or None when it is no error object."""
    try:
        error = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(error, dict):
        return None
    code = error.get("error_code")
    if not isinstance(code, str) or not code.strip():
        return None
    messages = error.get("error_messages")
    shown = [_shown(m, 500) for m in messages[:10] if m] if isinstance(messages, list) else []
    correlation_id = error.get("correlation_id")
    return (
        _shown(code.strip(), 100),
        tuple(shown),
        _shown(correlation_id, 100) if isinstance(correlation_id, str) and correlation_id else None,
    )


def is_json_or_empty(body: bytes) -> bool:
    """Tell whether a success without contents may look like this; a proxy's HTML may not."""
    if not body.strip():
        return True
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def _shown(value: object, most: int) -> str:
    """Return text that any log, page or database takes: printable, no lone surrogates."""
    return "".join(c if c.isprintable() else " " for c in str(value)[:most])


def _where(error: ValidationError) -> str:
    """Return which fields were wrong, never their values: an order holds personal data."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return ", ".join(".".join(map(str, e["loc"])) or "body" for e in found[:5])


def _utc(value: datetime | None) -> datetime | None:
    if value is None or value.tzinfo is not None:
        return value
    return value.replace(tzinfo=UTC)
