"""Orders of the simulated Saleor, as its GraphQL API shows them.

They are kept in the shape of the answer (as in recordings), so that a recorded order and a
made-up one are the same thing. What was observed of a running Saleor: saleor-core-observed.
"""

import base64
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Wire = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """A line to order. `total`: all units after discounts; None: quantity times the price."""

    name: str
    price: str  # of a unit, tax included, before discounts
    quantity: int = 1
    sku: str = "SKU-1"
    tax_rate: str = "0.25"
    total: str | None = None
    requires_shipping: bool = True
    variant: str = ""
    is_gift: bool = False


def global_id(kind: str, pk: object) -> str:
    """Return Saleor's global id: base64 of "Type:pk"."""
    return base64.b64encode(f"{kind}:{pk}".encode()).decode()


def money(amount: Decimal, currency: str) -> Wire:
    """Return an amount as Saleor's JSON has it: a float."""
    return {"amount": float(amount), "currency": currency}


def taxed(amount: Decimal, currency: str) -> Wire:
    """Return a gross amount."""
    return {"gross": money(amount, currency)}


#: The simulated Saleor's clock; a simulation sets its own.
CLOCK: ContextVar[Callable[[], datetime]] = ContextVar("CLOCK", default=lambda: datetime.now(UTC))


def now() -> str:
    """Return the time as Saleor writes it."""
    return CLOCK.get()().isoformat(timespec="microseconds")


def new_order(
    number: int,
    lines: Sequence[Line],
    *,
    currency: str = "SEK",
    channel: str = "se",
    net_prices: bool = False,
    shipping: str = "49.00",
    undiscounted_shipping: str | None = None,
    gift_card: str = "0",
    difference: str = "0",
    origin: str = "CHECKOUT",
    email: str | None = "shopper@example.com",
    metadata: Mapping[str, str] | None = None,
    private_metadata: Mapping[str, str] | None = None,
) -> Wire:
    """Return an order. `difference`: what the total is more than its parts.

    `net_prices`: prices are entered without tax, the undiscounted fee among them.
    """
    made = [_line(line, currency) for line in lines]
    subtotal = sum((_gross(line["totalPrice"]) for line in made), Decimal(0))
    total = subtotal + Decimal(shipping) - Decimal(gift_card) + Decimal(difference)
    cards = [{"id": global_id("GiftCard", 1)}] if Decimal(gift_card) else []
    placed = now()
    return {
        "id": global_id("Order", uuid.uuid4()),
        "number": str(number),
        "created": placed,
        "updatedAt": placed,
        "origin": origin,
        "status": "UNFULFILLED",
        "languageCodeEnum": "SV_SE",
        "channel": {
            "slug": channel,
            "currencyCode": currency,
            "taxConfiguration": {"pricesEnteredWithTax": not net_prices},
        },
        "total": taxed(total, currency),
        "subtotal": taxed(subtotal, currency),
        "shippingPrice": taxed(Decimal(shipping), currency),
        "undiscountedShippingPrice": money(Decimal(undiscounted_shipping or shipping), currency),
        "shippingTaxRate": 0.25,
        "shippingMethodName": "PostNord",
        "collectionPointName": None,
        "userEmail": email,
        "totalAuthorized": money(Decimal(0), currency),
        "totalCharged": money(Decimal(0), currency),
        # Worth nothing is paid in full from the start (saleor-core-observed, section 8, e2).
        "chargeStatus": "NONE" if total else "FULL",
        "authorizeStatus": "NONE" if total else "FULL",
        "giftCards": cards,
        "metadata": pairs(metadata or {}),
        "privateMetadata": pairs(private_metadata or {}),
        "lines": made,
        "fulfillments": [],
        "transactions": [],
    }


def new_fulfillment(
    pk: int, order: Wire, quantities: Mapping[str, int], tracking: str, status: str
) -> Wire:
    """Return a fulfillment of some units; its number is the order's next."""
    lines = {line["id"]: line for line in order["lines"]}
    taken = [fulfillment["fulfillmentOrder"] for fulfillment in order["fulfillments"]]
    return {
        "id": global_id("Fulfillment", pk),
        "fulfillmentOrder": max(taken, default=0) + 1,
        "status": status,
        "trackingNumber": tracking,
        "created": now(),
        "warehouse": {"slug": "stockholm"},
        "metadata": [],
        "privateMetadata": [],
        "lines": [
            {"quantity": quantity, "orderLine": lines[line_id]}
            for line_id, quantity in quantities.items()
        ],
    }


def open_units(order: Wire) -> dict[str, int]:
    """Return the units that may still be shipped, by line; what came back may not."""
    left = {line["id"]: line["quantity"] for line in order["lines"]}
    for fulfillment in order["fulfillments"]:
        if fulfillment["status"] != "CANCELED":
            for line in fulfillment["lines"]:
                left[line["orderLine"]["id"]] -= line["quantity"]
    return {line_id: quantity for line_id, quantity in left.items() if quantity > 0}


def order_status(order: Wire) -> str:
    """Return the status that the fulfillments make (Saleor's determine_order_status)."""
    units: Counter[str] = Counter()
    for fulfillment in order["fulfillments"]:
        units[fulfillment["status"]] += sum(line["quantity"] for line in fulfillment["lines"])
    total = sum(line["quantity"] for line in order["lines"]) - units["REPLACED"]
    returned = units["RETURNED"]
    shipped = units["FULFILLED"] + returned
    if total == 0:
        return str(order["status"])
    if shipped <= 0:
        return "UNFULFILLED"
    if returned:
        return "RETURNED" if returned == total else "PARTIALLY_RETURNED"
    return "FULFILLED" if shipped >= total else "PARTIALLY_FULFILLED"


def merge_metadata(item: Wire, field: str, given: Sequence[Mapping[str, str]]) -> bool:
    """Merge keys as Saleor does; return whether anything changed."""
    before = {pair["key"]: pair["value"] for pair in item[field]}
    after = before | {pair["key"]: pair["value"] for pair in given}
    item[field] = pairs(after)
    return before != after


def pairs(values: Mapping[str, str]) -> list[Wire]:
    """Return metadata as the API lists it."""
    return [{"key": key, "value": value} for key, value in values.items()]


def _line(line: Line, currency: str) -> Wire:
    undiscounted = Decimal(line.price) * line.quantity
    total = Decimal(line.total) if line.total is not None else undiscounted
    return {
        "id": global_id("OrderLine", uuid.uuid4()),
        "productName": line.name,
        "variantName": line.variant,
        "translatedProductName": "",
        "translatedVariantName": "",
        "productSku": line.sku,
        "quantity": line.quantity,
        "isShippingRequired": line.requires_shipping,
        "isGift": line.is_gift,
        "totalPrice": taxed(total, currency),
        "undiscountedTotalPrice": taxed(undiscounted, currency),
        "taxRate": float(line.tax_rate),
        "thumbnail": None,
        "variant": None,
    }


def amount_of(value: Wire) -> Decimal:
    """Return the amount of a Money, exactly."""
    return Decimal(str(value["amount"]))


def _gross(value: Wire) -> Decimal:
    return amount_of(value["gross"])
