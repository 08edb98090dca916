"""What a merchant has chosen, per channel."""

from dataclasses import dataclass
from enum import StrEnum

from saleor_kustom.capture.shipping_rules import ShippingRule


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
    # Company, delivery and link by the shipping method's name on orders, then by the warehouse's
    # slug (docs/tracking.md); their JSON form is read by shipping_rules.read_rules.
    shipping_methods: tuple[ShippingRule, ...] = ()
    warehouses: tuple[ShippingRule, ...] = ()
    carrier_file: bool = True  # the data file of carriers may name companies and links
