"""Read Saleor's order into the values that decisions are made on.

Tolerant of optional fields that are missing, strict with amounts: JSON numbers must have been
parsed as Decimal, since a float has lost the öre before we see it.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from saleor_kustom.capture.delivery import utc_text
from saleor_kustom.capture.fulfillment import (
    Fulfillment,
    FulfillmentLine,
    Order,
    OrderLine,
    Transaction,
)
from saleor_kustom.capture.money import kustom_rate, rounded, to_minor
from saleor_kustom.errors import Refused


def read_order(wire: Mapping[str, Any]) -> Order:
    """Return the order. Raises Refused("NOT_UNDERSTOOD") and names the fields, not the values."""
    try:
        return _Order.model_validate(wire).value()
    except ValidationError as error:
        fields = ", ".join(".".join(map(str, e["loc"])) for e in error.errors()[:5])
        raise Refused("NOT_UNDERSTOOD", (f"the order's {fields}",)) from error
    except ValueError as error:
        raise Refused("NOT_UNDERSTOOD", (str(error),)) from error


def read_fulfillment(wire: Mapping[str, Any]) -> Fulfillment:
    """Return one fulfillment. Raises Refused("NOT_UNDERSTOOD")."""
    try:
        return _Fulfillment.model_validate(wire).value()
    except ValueError as error:
        raise Refused("NOT_UNDERSTOOD", ("the fulfillment",)) from error


def _no_float(value: Any) -> Any:
    if isinstance(value, float):
        raise ValueError("a float has lost its exactness; parse JSON with parse_float=Decimal")
    return value


def _texts(pairs: Any) -> Any:
    return {p["key"]: p["value"] for p in pairs or ()} if not isinstance(pairs, Mapping) else pairs


def _empty(value: Any) -> Any:
    return () if value is None else value


Exact = Annotated[Decimal, BeforeValidator(_no_float)]
Metadata = Annotated[dict[str, str], BeforeValidator(_texts)]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", alias_generator=to_camel)


class _Money(_Wire):
    amount: Exact


class _Price(_Money):
    amount: Annotated[Exact, Field(ge=0)]
    currency: str | None = None


class _Taxed(_Wire):
    gross: _Price


class _Id(_Wire):
    id: str


class _TaxConfiguration(_Wire):
    prices_entered_with_tax: bool = True


class _Channel(_Wire):
    slug: str
    currency_code: str | None = None
    tax_configuration: _TaxConfiguration = _TaxConfiguration()


class _Kind(_Wire):
    kind: str | None = None


class _Product(_Wire):
    slug: str | None = None
    product_type: _Kind | None = None


class _Variant(_Wire):
    product: _Product | None = None


class _Url(_Wire):
    url: str | None = None


class _Line(_Wire):
    id: str
    product_name: str = ""
    variant_name: str = ""
    translated_product_name: str | None = ""
    translated_variant_name: str | None = ""
    product_sku: str | None = None
    quantity: int = Field(ge=0)
    is_shipping_required: bool = True
    is_gift: bool | None = False
    total_price: _Taxed
    undiscounted_total_price: _Taxed | None = None
    tax_rate: Exact | None = None
    thumbnail: _Url | None = None
    variant: _Variant | None = None  # null: deleted since

    def value(self, currency: str) -> OrderLine:
        product = self.variant.product if self.variant else None
        total = to_minor(self.total_price.gross.amount, currency)
        before = self.undiscounted_total_price
        kind = product.product_type.kind if product and product.product_type else None
        return OrderLine(
            id=self.id,
            name=self._name(),
            sku=self.product_sku or None,
            quantity=self.quantity,
            total_minor=total,
            undiscounted_total_minor=to_minor(before.gross.amount, currency) if before else total,
            tax_rate=kustom_rate(self.tax_rate or Decimal(0)),
            requires_shipping=self.is_shipping_required,
            is_gift=bool(self.is_gift),
            is_gift_card=kind == "GIFT_CARD",
            image_url=self.thumbnail.url if self.thumbnail else None,
            product_slug=product.slug if product else None,
        )

    def _name(self) -> str:
        """Return product and variant in the order's language, where Saleor has it."""
        product = self.translated_product_name or self.product_name
        variant = self.translated_variant_name or self.variant_name
        if not variant or variant in (product, self.product_sku):
            return product
        return f"{product} ({variant})" if product else variant


class _FulfillmentLine(_Wire):
    quantity: int = Field(ge=0)
    order_line: _Id | None = None


class _Slug(_Wire):
    slug: str | None = None


class _Fulfillment(_Wire):
    id: str
    fulfillment_order: int
    status: str
    created: str
    tracking_number: str | None = ""
    warehouse: _Slug | None = None
    metadata: Metadata = {}
    private_metadata: Metadata = {}
    lines: Annotated[list[_FulfillmentLine], BeforeValidator(_empty)] = []

    def value(self) -> Fulfillment:
        return Fulfillment(
            id=self.id,
            number=self.fulfillment_order,
            status=self.status,
            created=utc_text(self.created),
            tracking_number=self.tracking_number or "",
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


class _Owner(_Wire):
    typename: str | None = Field(default=None, alias="__typename")
    id: str | None = None
    identifier: str | None = None


class _PaymentMethod(_Wire):
    is_saleor_giftcard: bool | None = None


class _Transaction(_Wire):
    id: str
    name: str | None = ""
    psp_reference: str | None = ""
    authorized_amount: _Money
    charged_amount: _Money
    refunded_amount: _Money | None = None
    canceled_amount: _Money | None = None
    created_by: _Owner | None = None
    payment_method_details: _PaymentMethod | None = None

    def value(self, currency: str) -> Transaction:
        owner = self.created_by or _Owner()
        app = owner.typename == "App"
        # The only mark: a gift card's transaction has no name and no owner, and any UUID.
        method = self.payment_method_details
        return Transaction(
            id=self.id,
            psp_reference=self.psp_reference or "",
            authorized_minor=to_minor(self.authorized_amount.amount, currency),
            charged_minor=to_minor(self.charged_amount.amount, currency),
            refunded_minor=_minor(self.refunded_amount, currency),
            canceled_minor=_minor(self.canceled_amount, currency),
            owner_app_id=owner.id if app else None,
            owner_app_identifier=owner.identifier if app else None,
            owned_by_user=owner.typename == "User",
            is_gift_card=bool(method and method.is_saleor_giftcard),
            name=self.name or "",
        )


class _Order(_Wire):
    id: str
    number: str
    origin: str = "CHECKOUT"
    status: str = ""
    language_code_enum: str | None = None
    channel: _Channel
    total: _Taxed
    subtotal: _Taxed | None = None
    shipping_price: _Taxed
    undiscounted_shipping_price: _Price | None = None
    shipping_tax_rate: Exact | None = None
    shipping_method_name: str | None = None
    collection_point_name: str | None = None
    total_authorized: _Money | None = None
    total_charged: _Money | None = None
    gift_cards: list[Any] | None = None  # absent: not known
    metadata: Metadata = {}
    private_metadata: Metadata = {}
    lines: list[_Line]
    fulfillments: Annotated[list[_Fulfillment], BeforeValidator(_empty)] = []
    transactions: Annotated[list[_Transaction], BeforeValidator(_empty)] = []

    def value(self) -> Order:
        # The order's own currency: a channel's may be another by now.
        currency = (self.total.gross.currency or self.channel.currency_code or "").upper()
        shipping = to_minor(self.shipping_price.gross.amount, currency)
        lines = tuple(line.value(currency) for line in self.lines)
        subtotal = self.subtotal
        return Order(
            id=self.id,
            number=self.number,
            channel=self.channel.slug,
            currency=currency,
            origin=self.origin,
            status=self.status,
            total_minor=to_minor(self.total.gross.amount, currency),
            subtotal_minor=to_minor(subtotal.gross.amount, currency)
            if subtotal
            else sum(line.total_minor for line in lines),
            shipping_minor=shipping,
            undiscounted_shipping_minor=self._undiscounted_shipping(shipping, currency),
            shipping_tax_rate=kustom_rate(self.shipping_tax_rate or Decimal(0)),
            shipping_method_name=self.shipping_method_name,
            collection_point_name=self.collection_point_name,
            language=self.language_code_enum,
            total_authorized_minor=_minor(self.total_authorized, currency),
            total_charged_minor=_minor(self.total_charged, currency),
            lines=lines,
            fulfillments=tuple(f.value() for f in self.fulfillments),
            transactions=tuple(t.value(currency) for t in self.transactions),
            gift_cards_used=None if self.gift_cards is None else len(self.gift_cards),
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
            entered *= 1 + (self.shipping_tax_rate or 0)
        return max(shipping_minor, to_minor(rounded(entered, currency), currency))


def _minor(money: _Money | None, currency: str) -> int:
    return to_minor(money.amount, currency) if money else 0
