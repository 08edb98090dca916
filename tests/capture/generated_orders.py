"""Whole orders as Saleor would send them, with the truth about how they are paid.

Prices have thirds and sevenths, discounts are of every kind that Saleor has, and what the
generator knows (base, gift card, other payments, difference) is kept beside the order, so that
a law never has to trust what it checks.
"""

import json
import uuid
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from hypothesis import strategies as st

from saleor_kustom.capture.fulfillment import Order
from saleor_kustom.saleor.reading import read_order

CURRENCIES = {"SEK": 2, "EUR": 2, "ISK": 0, "JPY": 0, "KWD": 3, "TND": 3}
RATES = ("0", "0.025", "0.055", "0.06", "0.081", "0.12", "0.2", "0.25", "0.255")
#: Of a whole order: 50 such lines stay below what Kustom takes at once, 200 000 000.
MOST_OF_A_LINE = 3_000_000
KUSTOM = str(uuid.UUID(int=7))


@dataclass(frozen=True)
class Case:
    """An order and the truth about it, in minor units."""

    order: Order
    gift_card: int
    other: int
    difference: int

    @property
    def base(self) -> int:
        return sum(line.total_minor for line in self.order.lines) + self.order.shipping_minor

    @property
    def kustom(self) -> int:
        return self.base - self.gift_card - self.other + self.difference


def nearest(amount: Fraction) -> int:
    """Round half up, as Saleor does."""
    return int(amount + Fraction(1, 2)) if amount >= 0 else -int(-amount + Fraction(1, 2))


quantities = st.one_of(st.integers(1, 5), st.integers(1, 1000))
lines = st.tuples(
    quantities,
    st.integers(0, MOST_OF_A_LINE),  # price of a unit, in minor units, before the division
    st.sampled_from((1, 1, 3, 7)),
    st.sampled_from(RATES),
    st.sampled_from(("none", "none", "percent", "fixed", "gift")),
    st.integers(0, 1000),  # the discount, per mille
    st.booleans(),  # requires shipping
)
line_lists = st.one_of(
    st.integers(1, 4), st.integers(1, 4), st.sampled_from((5, 8, 13, 21, 34, 50))
).flatmap(lambda count: st.lists(lines, min_size=count, max_size=count))
tenders = st.sampled_from(
    ("kustom", "kustom", "gift", "gift", "gift as transaction", "gift twice", "other", "both")
)


@st.composite
def cases(draw, kinds=tenders, differences=(0, 0, 0, 1)):
    """Draw an order of which Kustom pays something."""
    currency = draw(st.sampled_from(sorted(CURRENCIES)))
    net_prices = draw(st.booleans())
    whole_order = draw(st.sampled_from(("none", "none", "voucher", "manual")))
    per_mille = draw(st.integers(0, 999))
    keep = Fraction(1000 - per_mille, 1000) if whole_order != "none" else Fraction(1)
    made = [priced(line, net_prices, keep) for line in draw(line_lists)]
    fee, fee_before, fee_rate = shipping(draw, net_prices, keep if whole_order == "manual" else 1)
    base = sum(total for _, total, _ in made) + fee
    if base == 0:
        made[0] = (made[0][0], 100, 100)
        base = 100
    kind = draw(kinds)
    gift, other = paid_beside(draw, kind, base, len(made))
    difference = draw(st.sampled_from(differences)) and draw(st.integers(-len(made), len(made)))
    products = base - fee
    taken_alike = kind == "gift as transaction" and gift == -difference
    if min(base - gift - other, products + 1) + difference <= 0 or taken_alike:
        difference = 0
    wire = wired(
        currency, net_prices, made, (fee, fee_before, fee_rate), kind, gift, other, difference
    )
    text = json.dumps(wire)
    order = read_order(json.loads(text, parse_float=Decimal))
    return Case(order, gift, other, difference)


def priced(line, net_prices, keep):
    """Return the line with its total and its undiscounted total, tax included."""
    quantity, price, divisor, rate, discount, per_mille, _ = line
    unit = Fraction(price % (MOST_OF_A_LINE // (2 * quantity) + 1), divisor)
    before = nearest(unit * quantity)
    if discount == "gift":
        total = 0
    elif discount == "percent":
        total = nearest(unit * quantity * Fraction(1000 - per_mille, 1000) * keep)
    elif discount == "fixed":
        total = max(0, nearest((unit - per_mille) * quantity * keep))
    else:
        total = nearest(unit * quantity * keep)
    if net_prices:
        total, before = (nearest(x * (1 + Fraction(rate))) for x in (total, before))
    return line, total, before


def shipping(draw, net_prices, keep):
    """Return the fee, the fee before discounts as it was entered, and its rate."""
    rate = draw(st.sampled_from(RATES))
    kind = draw(st.sampled_from(("fee", "fee", "fee", "free", "none")))
    entered = 0 if kind == "none" else draw(st.integers(1, 50_000))
    fee = nearest(entered * (1 + Fraction(rate))) if net_prices else entered
    if kind == "free":
        return 0, entered, rate
    return nearest(Fraction(fee) * keep), entered, rate


def paid_beside(draw, kind, base, count):
    """Draw what gift cards and others pay: always less than all."""
    gift = other = 0
    if "gift" in kind or kind == "both":
        # As a transaction of its own: above any rounding, or the two can't be told apart.
        least = count + 1 if kind == "gift as transaction" else 1
        gift = draw(st.integers(min(least, base - 1), base - 1)) if base > least else 0
    if kind in ("other", "both") and base - gift > 1:
        other = draw(st.integers(1, base - gift - 1))
    return gift, other


def wired(currency, net_prices, made, fees, kind, gift, other, difference):
    """Return the order in Saleor's own form."""
    fee, fee_before, fee_rate = fees
    places = CURRENCIES[currency]

    def money(minor):
        return {"amount": float(Decimal(minor).scaleb(-places)), "currency": currency}

    def taxed(minor):
        return {"gross": money(minor)}

    full = sum(total for _, total, _ in made) + fee
    separate = kind == "gift as transaction"
    total = full + difference - (0 if separate else gift)
    subtotal = full - fee + (difference if gift and not separate else 0)
    cards = gift if kind in ("gift as transaction", "gift twice") else 0
    transactions = [
        ("gift", "", str(uuid.UUID(int=8)), cards),
        ("kustom", "Kustom", KUSTOM, full - gift - other + difference),
        ("other", "Store credit", "SC-1", other),
    ]
    return {
        "id": "T3JkZXI6MQ==",
        "number": "1001",
        "origin": "CHECKOUT",
        "status": "UNFULFILLED",
        "channel": {
            "slug": "se",
            "currencyCode": currency,
            "taxConfiguration": {"pricesEnteredWithTax": not net_prices},
        },
        "total": taxed(total),
        "subtotal": taxed(subtotal),
        "shippingPrice": taxed(fee),
        "undiscountedShippingPrice": money(fee_before),
        "shippingTaxRate": float(fee_rate),
        "shippingMethodName": "PostNord",
        "giftCards": [{"id": "R2lmdA=="}] if gift else [],
        "lines": [
            {
                "id": f"line-{number}",
                "productName": f"Vara {number}",
                "variantName": "Blå",
                "productSku": f"SKU-{number}",
                "quantity": line[0],
                "isShippingRequired": line[6],
                "isGift": line[4] == "gift",
                "totalPrice": taxed(line_total),
                "undiscountedTotalPrice": taxed(before),
                "taxRate": float(line[3]),
                "variant": None,
            }
            for number, (line, line_total, before) in enumerate(made)
        ],
        "transactions": [
            {
                "id": f"transaction-{name}",
                "name": title,
                "pspReference": psp_reference,
                "authorizedAmount": money(0 if name != "kustom" else minor),
                "chargedAmount": money(minor if name != "kustom" else 0),
                "paymentMethodDetails": {"isSaleorGiftcard": True} if name == "gift" else None,
            }
            for name, title, psp_reference, minor in transactions
            if minor
        ],
    }
