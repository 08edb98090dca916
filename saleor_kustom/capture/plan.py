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
    TAKEN_OVER = "taken_over"  # units that were captured before they shipped (rule 20)
    RETURNED = "returned"  # the shopper returned it all before it was captured
    SHIPPED_AGAIN = "shipped_again"  # a cancelled parcel is not refunded: its units have shipped
    NOTHING_LEFT = "nothing_left"  # nothing remains authorized that could be given back
    HAS_CAPTURES = "has_captures"  # a cancelled order of which something was captured
    NOT_CANCELED = "not_canceled"  # Saleor's order is not cancelled, whatever was delivered
    SWITCHED_OFF = "switched_off"  # the channel's policy does not want it (any more)
    REFUSED = "refused"  # Saleor asked, and was told why not
    SETTLED_OUTSIDE = "settled_outside"  # a person says that its money came another way


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is nothing to capture, and why. Its plan is the ledger's entry: units are spent."""

    why: NothingWhy
    plan: "Plan | None" = None


class Call(StrEnum):
    """What a plan asks of Kustom."""

    CAPTURE = "capture"
    REFUND = "refund"
    CANCEL = "cancel"  # the whole order
    RELEASE = "release"  # what is not captured


class Plan(BaseModel):
    """What is asked of Kustom, frozen. Amounts in minor units of the order's currency.

    `units` are half-open ranges of unit indexes by order line id: [[0, 2], [4, 5]] are the
    units 0, 1 and 4 (domain rule 8). `base_minor` is what the units and the fee cost before
    gift card and adjustment. `amount_minor` is what is captured and what the lines sum to.

    Of a refund the units are those whose money goes back; a cancellation has none, and its
    amount is what the shopper gets back of the authorization.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    call: Call = Call.CAPTURE
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
    def allocated(self) -> bool:
        """Tell whether its money is for units or the fee; a charge of any amount is for neither."""
        return bool(self.units or self.taken_over or self.charges_shipping)

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
