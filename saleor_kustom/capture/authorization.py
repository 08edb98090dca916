"""A Kustom order as it was read just now: what is authorized, captured and remaining.

All amounts are integer minor units of `currency`. Statuses are text as Kustom sent them, in
upper case: values that we do not know are kept and shown, never mapped to one that we know
(lessons, row 30).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class KustomCapture:
    """One capture that Kustom lists on the order."""

    capture_id: str
    reference: str | None
    amount_minor: int
    captured_at: datetime | None = None
    shipping_info: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class KustomRefund:
    """One refund that Kustom lists on the order. Refunds belong to the order, not to a capture."""

    refund_id: str | None  # None: Kustom did not say
    reference: str | None
    amount_minor: int
    description: str | None = None
    refunded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Authorization:
    """A Kustom order (`GET /orders/{id}`) in the fields that decide something."""

    kustom_order_id: str
    status: str
    fraud_status: str
    currency: str
    order_amount_minor: int
    original_order_amount_minor: int
    captured_amount_minor: int
    refunded_amount_minor: int
    remaining_minor: int
    expires_at: datetime | None = None
    merchant_reference1: str | None = None
    merchant_reference2: str | None = None
    captures: tuple[KustomCapture, ...] = ()
    refunds: tuple[KustomRefund, ...] = ()

    @property
    def refundable_minor(self) -> int:
        """Return what was captured and not refunded yet."""
        return self.captured_amount_minor - self.refunded_amount_minor

    @property
    def lists_refunds(self) -> bool:
        """Tell whether every refund is listed: only then a look can show that one is not there."""
        return sum(r.amount_minor for r in self.refunds) >= self.refunded_amount_minor
