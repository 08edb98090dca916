"""Amounts are exact in every currency."""

from decimal import Decimal

import pytest

from saleor_kustom.capture.money import (
    ceil_div,
    contained_tax_minor,
    exponent,
    kustom_rate,
    share_minor,
    shown,
    to_decimal,
    to_minor,
)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("19.99", "SEK", 1999),
        ("-19.99", "SEK", -1999),
        ("19.9", "sek", 1990),
        ("19.990", "SEK", 1999),
        ("0", "SEK", 0),
        ("1E+2", "SEK", 100_00),
        ("4.35", "EUR", 435),
        ("1.15", "EUR", 115),
        ("1299", "ISK", 1299),
        ("1299.00", "ISK", 1299),
        ("1.234", "KWD", 1234),
        ("92233720368547758.07", "SEK", 2**63 - 1),
    ],
)
def test_an_amount_is_its_decimal_in_minor_units(amount, currency, minor):
    assert to_minor(Decimal(amount), currency) == minor
    assert to_minor(to_decimal(minor, currency), currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("0.001", "SEK"), ("-19.995", "SEK"), ("1.5", "ISK"), ("1.2345", "KWD")],
)
def test_an_amount_finer_than_its_currency_is_refused_not_rounded(amount, currency):
    with pytest.raises(ValueError, match="finer than the currency"):
        to_minor(Decimal(amount), currency)


@pytest.mark.parametrize(
    ("currency", "decimals"),
    [
        ("SEK", 2),
        ("EUR", 2),
        ("RSD", 2),
        ("HUF", 2),
        ("ISK", 0),
        ("JPY", 0),
        ("KWD", 3),
        ("kwd", 3),
    ],
)
def test_a_currency_has_the_decimals_of_iso_4217(currency, decimals):
    assert exponent(currency) == decimals


@pytest.mark.parametrize("currency", ["", "XYZ", "XAU"])
def test_a_currency_without_minor_units_is_refused(currency):
    with pytest.raises(ValueError, match=r"."):
        exponent(currency)


def test_921_shipped_as_3_and_3_and_4_of_10_units_sums_to_921():
    parts = [share_minor(921, 10, *units) for units in ((0, 3), (3, 6), (6, 10))]
    assert parts == [276, 276, 369]
    assert sum(parts) == 921


def test_each_of_three_units_of_1000_has_its_own_price():
    assert [share_minor(1000, 3, i, i + 1) for i in range(3)] == [333, 333, 334]


def test_no_units_cost_nothing_and_all_units_cost_all():
    assert share_minor(1000, 3, 2, 2) == 0
    assert share_minor(1000, 3, 0, 3) == 1000


@pytest.mark.parametrize("units", [(-1, 2), (2, 1), (0, 4), (4, 4)])
def test_units_that_the_line_does_not_have_are_refused(units):
    with pytest.raises(ValueError, match="of 3"):
        share_minor(1000, 3, *units)


@pytest.mark.parametrize(
    ("total", "rate", "tax"),
    [
        (10000, 2500, 2000),
        (50000, 1000, 4545),
        (10000, 550, 521),
        (10000, 810, 749),
        (10000, 2550, 2032),
        (10000, 600, 566),
        (10000, 1200, 1071),
        (10000, 0, 0),
        (0, 2500, 0),
        (1, 2500, 0),
        (3, 2500, 1),
        (1, 10000, 1),  # a half is rounded away from zero, on both sides
        (-1, 10000, -1),
        (-10000, 2500, -2000),
    ],
)
def test_the_tax_is_contained_in_the_amount(total, rate, tax):
    assert contained_tax_minor(total, rate) == tax


@pytest.mark.parametrize(
    ("fraction", "rate"),
    [("0.055", 550), ("0.081", 810), ("0.255", 2550), ("0.25", 2500), ("0.2500", 2500), ("0", 0)],
)
def test_a_rate_with_a_fraction_of_a_percent_keeps_it(fraction, rate):
    assert kustom_rate(Decimal(fraction)) == rate


def test_division_rounds_up_also_below_zero():
    assert [ceil_div(n, 3) for n in (-4, -3, -1, 0, 1, 3, 4)] == [-1, -1, 0, 0, 1, 1, 2]


def test_amounts_for_people_have_the_decimals_of_their_currency():
    assert shown(1990, "SEK") == "19.90 SEK"
    assert shown(-5, "SEK") == "-0.05 SEK"
    assert shown(1990, "ISK") == "1990 ISK"
    assert shown(1990, "KWD") == "1.990 KWD"
    assert shown(1990, "XYZ") == "1990 minor units XYZ"
