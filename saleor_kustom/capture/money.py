"""Money is counted in whole minor units, never measured.

Exponents are those of ISO 4217, which Kustom means by minor units; CLDR's differ for some
currencies (RSD is written without decimals but counted in para).
"""

import functools
from decimal import ROUND_HALF_UP, Decimal

from iso4217 import Currency

from saleor_kustom.capture.units import Ranges

#: Currencies that Kustom's pages mention (kustom-order-management, section 5).
KUSTOM_CURRENCIES = frozenset({"SEK", "NOK", "DKK", "EUR", "GBP", "USD", "PLN", "CHF"})


@functools.lru_cache(maxsize=256)
def exponent(currency: str) -> int:
    """Return how many decimals a currency has: SEK 2, ISK 0, KWD 3. Raises ValueError."""
    found = Currency(currency.upper()).exponent
    if found is None:
        raise ValueError(f"{currency} has no minor units")
    return int(found)


def to_minor(amount: Decimal, currency: str) -> int:
    """Return an amount in minor units. Raises ValueError when it is finer than the currency."""
    scaled = amount.scaleb(exponent(currency))
    minor = int(scaled)
    if minor != scaled:
        raise ValueError(f"{amount} {currency} is finer than the currency")
    return minor


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Return an amount in the currency's own fineness, half up. Never for what is charged."""
    return amount.quantize(Decimal(1).scaleb(-exponent(currency)), ROUND_HALF_UP)


def to_decimal(minor: int, currency: str) -> Decimal:
    """Return minor units as a decimal amount: 1990 SEK is 19.90."""
    return Decimal(minor).scaleb(-exponent(currency))


def share_minor(total_minor: int, parts: int, start: int, stop: int) -> int:
    """Return what the units [start, stop) of `parts` equal units cost together.

    Unit i costs F(i + 1) - F(i) with F(i) = floor(total * i / parts), so that any history of
    shipments, cancellations and re-shipments adds up (domain rule 8).
    """
    if not 0 <= start <= stop <= parts:
        raise ValueError(f"units {start} to {stop} of {parts}")
    return total_minor * stop // parts - total_minor * start // parts


def units_minor(total_minor: int, quantity: int, units: Ranges) -> int:
    """Return what units of a line of `quantity` cost together."""
    return sum(share_minor(total_minor, quantity, start, stop) for start, stop in units)


def contained_tax_minor(total_minor: int, rate: int) -> int:
    """Return the tax that is contained in an amount, rounded half away from zero.

    `rate` as Kustom writes it: 25 % is 2500. Source: domain rule 9; Kustom allows ±1.
    """
    whole = 10_000 + rate
    tax = (abs(total_minor) * rate * 2 + whole) // (whole * 2)
    return tax if total_minor >= 0 else -tax


def kustom_rate(fraction: Decimal) -> int:
    """Return a stored tax rate in Kustom's form: 0.255 is 2550.

    Never computed from amounts: rounded amounts give 2506 instead of 2500 (lessons, row 17).
    """
    return int((fraction * 10_000).to_integral_value(ROUND_HALF_UP))


def ceil_div(dividend: int, divisor: int) -> int:
    """Return the quotient rounded up."""
    return -(-dividend // divisor)


def shown(minor: int, currency: str) -> str:
    """Return an amount for people: "19.90 SEK"."""
    try:
        return f"{to_decimal(minor, currency)} {currency}"
    except ValueError:
        return f"{minor} minor units {currency}"
