"""What will be captured for one fulfillment: a frozen plan, a reason to hold, or nothing.

A plan is stored before anything is sent and never changes afterwards; its body is the exact
bytes of the request. Other parts of the package read plans, `decide` (decide.py) makes them.
"""

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

_KEYS = uuid.UUID("3c0b7c5e-6d54-5b0e-9a0e-0f6f1d2f7a11")  # our namespace; never change it


class NothingWhy(StrEnum):
    """Why there is nothing to capture."""

    WORTH_ZERO = "worth_zero"  # free items: no call (domain rule 14)
    PAID_BY_OTHERS = "paid_by_others"  # other tenders pay the order, or this parcel, in full
    NOT_KUSTOM = "not_kustom"  # the order was not paid with Kustom
    REPLACEMENT = "replacement"  # a replacement order: nothing was authorized for it (rule 5)
    TAKEN_OVER = "taken_over"  # units whose earlier, cancelled parcel was captured (rule 20)


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is nothing to capture, and why. Its plan is the ledger's entry: units are spent."""

    why: NothingWhy
    plan: "Plan | None" = None


class Plan(BaseModel):
    """A capture, frozen. Amounts in minor units of the order's currency.

    `units` are half-open ranges of unit indexes by order line id: [[0, 2], [4, 5]] are the
    units 0, 1 and 4 (domain rule 8). `base_minor` is what the units and the fee cost before
    gift card and adjustment. `amount_minor` is what is captured and what the lines sum to.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    reference: str
    amount_minor: int
    base_minor: int
    shipping_minor: int = 0
    charges_shipping: bool = False  # the fee goes with this parcel, even if it is 0
    gift_card_minor: int = 0  # positive: what a gift card pays of this parcel
    store_credit_minor: int = 0  # positive: what other tenders pay of this parcel
    adjustment_minor: int = 0  # the order's rounding difference, signed
    units: Mapping[str, tuple[tuple[int, int], ...]]
    # Units paid with the capture of a parcel that was cancelled, and of which (domain rule 20).
    taken_over: Mapping[str, tuple[tuple[int, int], ...]] = {}
    takes_over: tuple[str, ...] = ()
    body: str = ""  # the exact JSON text of the request; empty: nothing is sent
    notes: tuple[str, ...] = ()  # what was left out to fit, for the page

    @property
    def shipping_info(self) -> tuple[Mapping[str, str], ...]:
        """Return the tracking that goes along with the capture."""
        return tuple(json.loads(self.body or "{}").get("shipping_info", ()))


@dataclass(frozen=True, slots=True)
class Binding:
    """Which Kustom order an order belongs to; frozen at the first plan (domain rule 4)."""

    environment: str  # playground | live
    merchant_id: str
    kustom_order_id: str

    @property
    def line(self) -> str:
        """Return the queue's line: captures of one Kustom order run one after another."""
        return f"{self.environment}/{self.merchant_id}/{self.kustom_order_id}"


def idempotency_key(binding: Binding, operation: str, reference: str, body: str) -> str:
    """Return the key of an operation: the same body has always the same key, another another.

    Source: domain rule 15. Kustom compares keys only, never bodies, so a key must not be
    reused for other contents.
    """
    digest = hashlib.sha256(body.encode()).hexdigest()
    name = f"{binding.line}\n{operation}\n{reference}\n{digest}"
    return str(uuid.uuid5(_KEYS, name))
