"""Kustom's order lines: quantity, prices, discount and contained tax (domain rule 9)."""

from typing import Any
from urllib.parse import quote

from saleor_kustom.capture.fulfillment import Order, OrderLine
from saleor_kustom.capture.money import ceil_div, contained_tax_minor, units_minor
from saleor_kustom.capture.policy import Policy
from saleor_kustom.capture.text import cut, url
from saleor_kustom.capture.units import Ranges, count

Line = dict[str, Any]

#: Field limits in code points (kustom-order-management, section 5.3).
NAME, REFERENCE = 255, 255


def product_line(line: OrderLine, units: Ranges, policy: Policy) -> Line:
    """Return the line of some units of an order line."""
    total = units_minor(line.total_minor, line.quantity, units)
    undiscounted = units_minor(line.undiscounted_total_minor, line.quantity, units)
    return _present(
        {
            # A gift card that is sold is no `gift_card` line: that type is a payment.
            "type": "physical" if line.requires_shipping else "digital",
            "reference": cut(line.sku, REFERENCE),
            "name": cut(line.name, NAME) or cut(line.sku, NAME) or "-",
            **_priced(total, undiscounted, count(units), line.tax_rate),
            "image_url": url(line.image_url),
            "product_url": _product_url(line, policy),
        }
    )


def shipping_line(order: Order, total: int, undiscounted: int) -> Line:
    """Return the line of the shipping fee, or of this parcel's part of it."""
    return _present(
        {
            "type": "shipping_fee",
            "name": cut(order.shipping_method_name, NAME) or "Shipping",
            **_priced(total, undiscounted, 1, order.shipping_tax_rate),
        }
    )


def tender_line(kind: str, name: str, paid_minor: int) -> Line:
    """Return the line of a payment that is not Kustom's (domain rule 11; assumed form)."""
    return {
        "type": kind,
        "name": name,
        "quantity": 1,
        "unit_price": -paid_minor,
        "tax_rate": 0,
        "total_amount": -paid_minor,
        "total_tax_amount": 0,
    }


def difference_line(difference_minor: int) -> Line:
    """Return the line that carries an order's rounding difference (domain rule 12)."""
    return {
        "type": "surcharge" if difference_minor > 0 else "discount",
        "name": "Rounding",
        "quantity": 1,
        "unit_price": difference_minor,
        "tax_rate": 0,
        "total_amount": difference_minor,
        "total_tax_amount": 0,
    }


def _priced(total: int, undiscounted: int, quantity: int, rate: int) -> Line:
    """Total = quantity * unit_price - discount, exactly; the discount is never negative."""
    unit_price = ceil_div(max(undiscounted, total), quantity)
    discount = quantity * unit_price - total
    return {
        "quantity": quantity,
        "unit_price": unit_price,
        "tax_rate": rate,
        "total_amount": total,
        "total_discount_amount": discount or None,
        "total_tax_amount": contained_tax_minor(total, rate),
    }


def _present(line: Line) -> Line:
    return {key: value for key, value in line.items() if value is not None}


def _product_url(line: OrderLine, policy: Policy) -> str | None:
    if not policy.product_url or not line.product_slug:
        return None
    return url(policy.product_url.replace("{slug}", quote(line.product_slug, safe="")))
