"""Read Kustom's answers tolerantly: unknown fields are ignored, unknown values kept as text.

Source of the shapes: kustom-order-management, sections 5.1, 5.2, 5.7.
"""

import json
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from saleor_kustom.capture.authorization import Authorization, KustomCapture


class Nonsense(ValueError):  # noqa: N818 - the client turns it into a verdict
    """An answer that is not what the contract says."""


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


def _texts(value: Any) -> Any:
    """Keep the entries of a shipping_info object that are text; a null is an absent field."""
    if not isinstance(value, dict):
        return {}
    return {k: str(v) for k, v in value.items() if v is not None}


def _no_nulls(value: Any) -> Any:
    return [] if value is None else value


Upper = Annotated[str, BeforeValidator(_upper)]
Minor = Annotated[int, Field(strict=True)]
Entry = Annotated[dict[str, str], BeforeValidator(_texts)]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class WireCapture(_Wire):
    """An element of an order's `captures`."""

    capture_id: str
    captured_amount: Minor
    reference: str | None = None
    captured_at: datetime | None = None
    shipping_info: Annotated[list[Entry], BeforeValidator(_no_nulls)] = []

    def value(self) -> KustomCapture:
        """Return what decisions are made on."""
        return KustomCapture(
            capture_id=self.capture_id,
            reference=self.reference,
            amount_minor=self.captured_amount,
            captured_at=_utc(self.captured_at),
            shipping_info=tuple(self.shipping_info),
        )


class WireOrder(_Wire):
    """`GET /orders/{id}`. Holds no personal data: what we do not name is not kept."""

    order_id: str
    status: Upper
    fraud_status: Upper = "ACCEPTED"
    purchase_currency: Upper
    order_amount: Minor
    original_order_amount: Minor | None = None
    captured_amount: Minor = 0
    refunded_amount: Minor = 0
    remaining_authorized_amount: Minor
    expires_at: datetime | None = None
    merchant_reference1: str | None = None
    merchant_reference2: str | None = None
    captures: Annotated[list[WireCapture], BeforeValidator(_no_nulls)] = []

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
        )


def read_order(body: bytes) -> Authorization:
    """Read an order. Raises Nonsense."""
    try:
        return WireOrder.model_validate_json(body).value()
    except ValidationError as error:
        raise Nonsense(_where(error)) from error


def read_captures(body: bytes) -> tuple[KustomCapture, ...]:
    """Read a list of captures. Raises Nonsense."""
    try:
        captures = json.loads(body)
        if not isinstance(captures, list):
            raise Nonsense("not a list")
        return tuple(WireCapture.model_validate(capture).value() for capture in captures)
    except ValidationError as error:
        raise Nonsense(_where(error)) from error
    except (ValueError, RecursionError) as error:
        raise Nonsense("no JSON") from error


def read_error(body: bytes) -> tuple[str, tuple[str, ...], str | None] | None:
    """Return (error code, messages, correlation id), or None when it is no error object."""
    try:
        error = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(error, dict) or not isinstance(error.get("error_code"), str):
        return None
    messages = error.get("error_messages")
    shown = [str(m)[:500] for m in messages[:10]] if isinstance(messages, list) else []
    correlation_id = error.get("correlation_id")
    return (
        error["error_code"][:100],
        tuple(shown),
        correlation_id[:100] if isinstance(correlation_id, str) else None,
    )


def _where(error: ValidationError) -> str:
    """Return which fields were wrong, never their values: an order holds personal data."""
    return ", ".join(".".join(map(str, e["loc"])) or "body" for e in error.errors()[:5])


def _utc(value: datetime | None) -> datetime | None:
    if value is None or value.tzinfo is not None:
        return value
    return value.replace(tzinfo=UTC)
