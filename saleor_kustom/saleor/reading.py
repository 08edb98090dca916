"""Read Saleor's order into the values that decisions are made on.

Tolerant of fields that are missing or null, strict with amounts. An amount that is missing is 0:
where it should have been there, the order does not add up, and that is held (domain rule 12).
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pydantic import Field, ValidationError

from saleor_kustom.capture.delivery import utc_text
from saleor_kustom.capture.fulfillment import (
    Checkout,
    Fulfillment,
    FulfillmentLine,
    Order,
    OrderLine,
    Transaction,
)
from saleor_kustom.capture.money import kustom_rate, rounded, to_minor
from saleor_kustom.errors import Refused
from saleor_kustom.saleor.wire import NOTHING, Metadata, Money, Price, Rate, Taxed, Wire


def read_order(wire: Mapping[str, Any]) -> Order:
    """Return the order. Raises Refused("NOT_UNDERSTOOD") and names the fields, not the values."""
    try:
        return _Order.model_validate(wire).value()
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, e["loc"])) for e in error.errors()[:5])
        raise Refused("NOT_UNDERSTOOD", (f"the order's {fields}",)) from error
    except ValueError as error:
        raise Refused("NOT_UNDERSTOOD", (str(error),)) from error


def read_checkout(wire: Mapping[str, Any]) -> Checkout:
    """Return a checkout. Raises Refused("NOT_UNDERSTOOD")."""
    try:
        return _Checkout.model_validate(wire).value()
    except ValueError as error:
        raise Refused("NOT_UNDERSTOOD", ("the checkout",)) from error


def read_fulfillment(wire: Mapping[str, Any]) -> Fulfillment:
    """Return one fulfillment. Raises Refused("NOT_UNDERSTOOD")."""
    try:
        return _Fulfillment.model_validate(wire).value()
    except ValueError as error:
        raise Refused("NOT_UNDERSTOOD", ("the fulfillment",)) from error


def read_transactions(wire: Sequence[Any], currency: str) -> tuple[Transaction, ...]:
    """Return an order's transactions. Raises Refused("NOT_UNDERSTOOD")."""
    try:
        return tuple(_Transaction.model_validate(one).value(currency) for one in wire)
    except ValueError as error:
        raise Refused("NOT_UNDERSTOOD", ("the order's transactions",)) from error


class _Id(Wire):
    id: str


class _TaxConfiguration(Wire):
    prices_entered_with_tax: bool = True


class _Channel(Wire):
    slug: str = ""
    currency_code: str | None = None
    tax_configuration: _TaxConfiguration = _TaxConfiguration()


class _Kind(Wire):
    kind: str | None = None


class _Product(Wire):
    slug: str | None = None
    product_type: _Kind | None = None


class _Variant(Wire):
    product: _Product | None = None


class _Url(Wire):
    url: str | None = None


class _Line(Wire):
    id: str
    product_name: str = ""
    variant_name: str = ""
    translated_product_name: str = ""
    translated_variant_name: str = ""
    product_sku: str | None = None
    quantity: int = Field(ge=0)
    is_shipping_required: bool = True
    is_gift: bool = False
    total_price: Taxed
    undiscounted_total_price: Taxed | None = None
    tax_rate: Rate = Decimal(0)
    thumbnail: _Url | None = None
    variant: _Variant | None = None  # null: deleted since

    def value(self, currency: str) -> OrderLine:
        product = self.variant.product if self.variant else None
        total = self.total_price.gross.minor(currency)
        before = self.undiscounted_total_price
        kind = product.product_type.kind if product and product.product_type else None
        return OrderLine(
            id=self.id,
            name=self._name(),
            sku=self.product_sku or None,
            quantity=self.quantity,
            total_minor=total,
            undiscounted_total_minor=before.gross.minor(currency) if before else total,
            tax_rate=kustom_rate(self.tax_rate),
            requires_shipping=self.is_shipping_required,
            is_gift=self.is_gift,
            is_gift_card=kind == "GIFT_CARD",
            image_url=self.thumbnail.url if self.thumbnail else None,
            product_slug=product.slug if product else None,
        )

    def _name(self) -> str:
        """Return product and variant in the order's language, where Saleor has it."""
        product = self.translated_product_name or self.product_name
        variant = self.translated_variant_name or self.variant_name
        if not variant or variant in (product, self.product_name, self.product_sku):
            return product
        return f"{product} ({variant})" if product else variant


class _FulfillmentLine(Wire):
    quantity: int = Field(ge=0)
    order_line: _Id | None = None


class _Slug(Wire):
    slug: str | None = None


class _Fulfillment(Wire):
    id: str
    fulfillment_order: int
    status: str
    created: str
    tracking_number: str = ""
    warehouse: _Slug | None = None
    metadata: Metadata = Field(default_factory=dict)
    private_metadata: Metadata = Field(default_factory=dict)
    lines: tuple[_FulfillmentLine, ...] = ()

    def value(self) -> Fulfillment:
        return Fulfillment(
            id=self.id,
            number=self.fulfillment_order,
            status=self.status,
            created=utc_text(self.created),
            tracking_number=self.tracking_number,
            lines=tuple(
                # A line whose order line is gone is kept: its units must not go unnoticed.
                FulfillmentLine(line.order_line.id if line.order_line else "", line.quantity)
                for line in self.lines
                if line.quantity
            ),
            warehouse_slug=self.warehouse.slug if self.warehouse else None,
            metadata=self.metadata,
            private_metadata=self.private_metadata,
        )


class _Owner(Wire):
    typename: str | None = Field(default=None, alias="__typename")
    id: str | None = None
    identifier: str | None = None


class _PaymentMethod(Wire):
    is_saleor_giftcard: bool = False


class _Transaction(Wire):
    id: str = ""
    name: str = ""
    psp_reference: str = ""
    authorized_amount: Money = NOTHING
    charged_amount: Money = NOTHING
    refunded_amount: Money = NOTHING
    canceled_amount: Money = NOTHING
    created_by: _Owner = _Owner()
    payment_method_details: _PaymentMethod = _PaymentMethod()

    def value(self, currency: str) -> Transaction:
        owner = self.created_by
        app = owner.typename == "App"
        return Transaction(
            id=self.id,
            psp_reference=self.psp_reference,
            authorized_minor=self.authorized_amount.minor(currency),
            charged_minor=self.charged_amount.minor(currency),
            refunded_minor=self.refunded_amount.minor(currency),
            canceled_minor=self.canceled_amount.minor(currency),
            owner_app_id=owner.id if app else None,
            owner_app_identifier=owner.identifier if app else None,
            owned_by_user=owner.typename == "User",
            # The only mark: a gift card's transaction has no name and no owner, and any UUID.
            is_gift_card=self.payment_method_details.is_saleor_giftcard,
            name=self.name,
        )


class _Order(Wire):
    id: str
    number: str = ""
    origin: str = "CHECKOUT"
    status: str = ""
    language_code_enum: str | None = None
    channel: _Channel = _Channel()
    total: Taxed
    subtotal: Taxed | None = None
    shipping_price: Taxed = Taxed(gross=NOTHING)
    undiscounted_shipping_price: Price | None = None
    shipping_tax_rate: Rate = Decimal(0)
    shipping_method_name: str | None = None
    collection_point_name: str | None = None
    total_authorized: Money = NOTHING
    total_charged: Money = NOTHING
    gift_cards: list[Any] | None = None  # absent: not known
    checkout_id: str | None = None
    metadata: Metadata = Field(default_factory=dict)
    private_metadata: Metadata = Field(default_factory=dict)
    lines: list[_Line]
    fulfillments: tuple[_Fulfillment, ...] = ()
    transactions: tuple[_Transaction, ...] = ()

    def value(self) -> Order:
        # The order's own currency: a channel's may be another by now.
        currency = (self.total.gross.currency or self.channel.currency_code or "").upper()
        shipping = self.shipping_price.gross.minor(currency)
        lines = tuple(line.value(currency) for line in self.lines)
        subtotal = self.subtotal
        return Order(
            id=self.id,
            number=self.number,
            channel=self.channel.slug,
            currency=currency,
            origin=self.origin,
            status=self.status,
            total_minor=self.total.gross.minor(currency),
            subtotal_minor=subtotal.gross.minor(currency)
            if subtotal
            else sum(line.total_minor for line in lines),
            shipping_minor=shipping,
            undiscounted_shipping_minor=self._undiscounted_shipping(shipping, currency),
            shipping_tax_rate=kustom_rate(self.shipping_tax_rate),
            shipping_method_name=self.shipping_method_name,
            collection_point_name=self.collection_point_name,
            language=self.language_code_enum,
            total_authorized_minor=self.total_authorized.minor(currency),
            total_charged_minor=self.total_charged.minor(currency),
            lines=lines,
            fulfillments=tuple(f.value() for f in self.fulfillments),
            transactions=tuple(t.value(currency) for t in self.transactions),
            gift_cards_used=None if self.gift_cards is None else len(self.gift_cards),
            checkout_id=self.checkout_id,
            metadata=self.metadata,
            private_metadata=self.private_metadata,
        )

    def _undiscounted_shipping(self, shipping_minor: int, currency: str) -> int:
        """Return the fee before discounts, tax included; never less than the fee.

        Saleor gives it as it was entered: without tax where a channel's prices are net.
        """
        if self.undiscounted_shipping_price is None:
            return shipping_minor
        entered = self.undiscounted_shipping_price.amount
        if not self.channel.tax_configuration.prices_entered_with_tax:
            entered *= 1 + self.shipping_tax_rate
        return max(shipping_minor, to_minor(rounded(entered, currency), currency))


class _Checkout(Wire):
    id: str
    token: str = ""
    channel: _Channel = _Channel()
    total_price: Taxed
    transactions: tuple[_Transaction, ...] = ()

    def value(self) -> Checkout:
        gross = self.total_price.gross
        currency = (gross.currency or self.channel.currency_code or "").upper()
        return Checkout(
            id=self.id,
            token=self.token,
            channel=self.channel.slug,
            currency=currency,
            total_minor=gross.minor(currency),
            transactions=tuple(t.value(currency) for t in self.transactions),
        )
