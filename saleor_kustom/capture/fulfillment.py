"""A Saleor order and its fulfillments as they were read just now, in integer minor units.

These values hold what a decision needs and nothing more: no names, no addresses.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line of the order. Amounts are the stored ones, tax included, never the catalogue's."""

    id: str
    name: str  # product and variant, in the order's language where Saleor has it
    sku: str | None
    quantity: int
    total_minor: int  # all units, after every discount that Saleor put into the line
    undiscounted_total_minor: int  # all units, before discounts
    tax_rate: int  # Kustom's form: 25 % is 2500
    requires_shipping: bool = True
    is_gift: bool = False
    is_gift_card: bool = False  # the product sold is a gift card
    image_url: str | None = None
    product_slug: str | None = None


@dataclass(frozen=True, slots=True)
class FulfillmentLine:
    """Units of one order line in a fulfillment."""

    order_line_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Fulfillment:
    """One parcel, as Saleor has it."""

    id: str
    number: int  # counted within the order, from 1
    status: str  # FULFILLED, WAITING_FOR_APPROVAL, CANCELED, RETURNED … as Saleor sent it
    created: str  # UTC, ISO 8601 with microseconds: part of the identity (domain rule 3)
    tracking_number: str = ""
    lines: tuple[FulfillmentLine, ...] = ()
    warehouse_slug: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    private_metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Transaction:
    """One payment that Saleor knows for the order."""

    id: str
    psp_reference: str
    authorized_minor: int
    charged_minor: int
    refunded_minor: int
    canceled_minor: int
    owner_app_id: str | None = None  # global id
    owner_app_identifier: str | None = None
    owned_by_user: bool = False
    is_gift_card: bool = False  # a gift card of Saleor's own, from 3.23 on
    name: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """One order with all its lines and fulfillments."""

    id: str
    number: str
    channel: str  # slug
    currency: str
    origin: str  # CHECKOUT, DRAFT, REISSUE, BULK_CREATE …
    status: str
    total_minor: int
    subtotal_minor: int
    shipping_minor: int
    undiscounted_shipping_minor: int
    shipping_tax_rate: int
    shipping_method_name: str | None = None
    collection_point_name: str | None = None
    language: str | None = None
    total_authorized_minor: int = 0
    total_charged_minor: int = 0
    lines: tuple[OrderLine, ...] = ()
    fulfillments: tuple[Fulfillment, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    gift_cards_used: int | None = 0  # None: not known
    checkout_id: str | None = None  # global id of the checkout that it was created from
    metadata: Mapping[str, str] = field(default_factory=dict)
    private_metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def base_minor(self) -> int:
        """Return what lines and shipping fee cost, before gift cards."""
        return sum(line.total_minor for line in self.lines) + self.shipping_minor

    @property
    def names(self) -> frozenset[str]:
        """Return what a merchant reference at Kustom may call the order."""
        return frozenset((self.number, self.id))

    def fulfillment(self, fulfillment_id: str) -> Fulfillment | None:
        """Return the fulfillment of that id, or None when the order has no such one."""
        return next((f for f in self.fulfillments if f.id == fulfillment_id), None)


@dataclass(frozen=True, slots=True)
class Checkout:
    """A checkout that is being paid; an order once it is complete."""

    id: str
    token: str  # the UUID in its id
    channel: str  # slug
    currency: str
    total_minor: int  # less what gift cards pay
    transactions: tuple[Transaction, ...] = ()
    total_authorized_minor: int = 0  # what its own transactions say is enough
    total_charged_minor: int = 0

    @property
    def base_minor(self) -> int:
        """Return what is to be paid: gift cards have no transaction here."""
        return self.total_minor

    @property
    def names(self) -> frozenset[str]:
        """Return what a merchant reference at Kustom may call it."""
        return frozenset((self.id, self.token))
