"""What a merchant has chosen, per channel."""

from dataclasses import dataclass
from enum import StrEnum


class ShippingFee(StrEnum):
    """With which parcel the shipping fee is captured (domain rule 10)."""

    FIRST = "first"  # the first that holds something which requires shipping
    LAST = "last"  # the last such
    PROPORTIONAL = "proportional"  # by units, like a line of its own


class GiftCard(StrEnum):
    """How a gift card's part is spread over the parcels (domain rule 11)."""

    PROPORTIONAL = "proportional"  # by the parcels' amounts
    LAST = "last"  # as late as possible


@dataclass(frozen=True, slots=True)
class Policy:
    """A channel's choices, with the defaults that a new installation has."""

    shipping_fee: ShippingFee = ShippingFee.FIRST
    gift_card: GiftCard = GiftCard.PROPORTIONAL
    extra_currencies: frozenset[str] = frozenset()  # allowed by the operator beside Kustom's own
    product_url: str | None = None  # "https://shop.example/{slug}"
    kustom_order_id_key: str = "kustom_order_id"  # metadata key that the checkout writes
    # A parcel that was cancelled after its capture is refunded by itself, once nothing of it has
    # shipped again within this time (domain rule 20). Else a person decides.
    refund_canceled: bool = False
    refund_canceled_after_s: float = 24 * 3600.0
    cancel_at_kustom: bool = False  # a cancelled order is cancelled there, if nothing was captured
