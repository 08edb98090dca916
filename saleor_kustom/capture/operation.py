"""What is done to an order beside the captures of its parcels: charged, refunded, cancelled.

Each is a row of the same ledger and queue as a parcel's capture. What makes one, so that it is
done once, stands where a parcel has its fulfillment:

| who asks | fulfillment_id | fulfillment_created |
| --- | --- | --- |
| Saleor's button | the stored delivery's id | `charge`, `refund` or `cancel` |
| a refund of a cancelled parcel | the parcel's | `refund` |
| a cancelled order | `order_cancelled` | `cancel` |
| the closing of an order | `close`, and `fee` for the fee before it | a counter |
"""

import uuid
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from saleor_kustom.capture.plan import Call

_IDS = uuid.UUID("0f0f53b4-6a3b-5c0d-8d6b-2f4a7a9d6c55")  # our namespace; never change it


class Kind(StrEnum):
    """What a row of the ledger is."""

    FULFILLMENT = "fulfillment"  # a parcel's capture
    CHARGE = "charge"  # a capture without a parcel
    REFUND = "refund"
    CANCEL = "cancel"  # of what is not captured: the order, or the rest of its authorization
    RELEASE = "release"  # the same, because nothing more ships


class Source(StrEnum):
    """Who asked for an operation."""

    BUTTON = "button"  # of Saleor, which waits for an answer
    PERSON = "person"  # on our pages or by command
    POLICY = "policy"  # what the merchant set for the channel


class Request(BaseModel):
    """What was asked. `amount` is a decimal in `currency`; None: what the rules say."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    source: Source
    who: str = ""
    why: str = ""
    amount: Decimal | None = None
    currency: str | None = None
    transaction_id: str | None = None
    # A granted refund's units by order line id, and whether the shipping fee is in it.
    lines: Mapping[str, int] = {}
    with_shipping: bool = False
    fee_first: bool = False  # a closing that charges the fee before it


def operation_id(api_url: str, order_id: str, key: tuple[str, str]) -> str:
    """Return an operation's own id: known before anything is decided, the same for ever.

    `key`: what makes the operation (see above). Saleor knows it as a pspReference while Kustom
    has not answered, or gives no id itself.
    """
    return str(uuid.uuid5(_IDS, "\n".join((api_url, order_id, *key))))


#: What was done, for a person: as the state of a row whose plan Kustom has confirmed.
DONE: Mapping[Call, str] = {
    Call.CAPTURE: "captured",
    Call.REFUND: "refunded",
    Call.CANCEL: "cancelled",
    Call.RELEASE: "released",
}
