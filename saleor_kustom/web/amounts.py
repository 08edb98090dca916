"""Amounts as each language writes them, from our own exact minor units.

Decimals follow ISO 4217, which Kustom counts by. A locale library's would not do: CLDR shows some
currencies with fewer (RSD, HUF as people write them), and rounding those would hide money.
"""

from collections.abc import Mapping

from saleor_kustom.capture.money import to_decimal

#: Language → what groups thousands, and what stands before the decimals (CLDR 47's choices).
_MARKS: Mapping[str, tuple[str, str]] = {
    "en": (",", "."),
    "sv": ("\u00a0", ","),
    "nb": ("\u00a0", ","),
    "da": (".", ","),
    "fi": ("\u00a0", ","),
    "de": (".", ","),
}


def amount(minor: int | None, currency: str | None, language: str) -> str:
    """Return "1,379.03 SEK" as the language writes it; an unknown amount is a dash."""
    if minor is None:
        return "\u2013"
    if not currency:
        return f"{minor}" if minor else "0"
    try:
        plain = f"{to_decimal(minor, currency):,f}"
    except ValueError:  # no currency that ISO 4217 knows
        return f"{minor} minor units {currency}"
    group, point = _MARKS[language]
    marked = plain.translate({ord(","): group, ord("."): point, ord("-"): "\u2212"})
    return f"{marked}\u00a0{currency}"


def decimal(minor: int | None, currency: str | None) -> str:
    """Return an amount for a program: "1379.03"; unknown is empty."""
    if minor is None or not currency:
        return ""
    try:
        return f"{to_decimal(minor, currency):f}"
    except ValueError:
        return ""
