"""Minor units from Decimal, prices of units, and contained tax."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saleor_kustom.capture.money import (
    KUSTOM_CURRENCIES,
    ceil_div,
    contained_tax_minor,
    exponent,
    kustom_rate,
    rounded,
    share_minor,
    shown,
    to_decimal,
    to_minor,
    units_minor,
)


@given(line_minor=st.integers(0, 10**9), quantity=st.integers(1, 1000))
def test_units_add_up_to_the_line(line_minor, quantity):
    prices = [share_minor(line_minor, quantity, i, i + 1) for i in range(quantity)]
    assert sum(prices) == line_minor
    assert min(prices) >= 0
    assert max(prices) - min(prices) <= 1


@given(line_minor=st.integers(0, 10**9), quantity=st.integers(1, 1000), cut=st.integers(0, 1000))
def test_a_range_costs_what_its_units_cost(line_minor, quantity, cut):
    middle = cut * quantity // 1000
    ranges = ((0, middle), (middle, quantity))
    assert units_minor(line_minor, quantity, ranges) == line_minor
    alone = [share_minor(line_minor, quantity, i, i + 1) for i in range(middle)]
    assert share_minor(line_minor, quantity, 0, middle) == sum(alone)


def test_three_for_ten_cost_333_333_and_334():
    assert [share_minor(10_00, 3, i, i + 1) for i in range(3)] == [3_33, 3_33, 3_34]


@pytest.mark.parametrize(("start", "stop"), [(-1, 1), (2, 1), (0, 4), (4, 4)])
def test_units_that_the_line_does_not_have_have_no_price(start, stop):
    with pytest.raises(ValueError, match=rf"^units {start} to {stop} of 3$"):
        share_minor(10_00, 3, start, stop)


def test_no_units_cost_nothing():
    assert share_minor(10_00, 3, 3, 3) == share_minor(10_00, 3, 0, 0) == 0
    assert units_minor(10_00, 3, ()) == 0


@pytest.mark.parametrize(
    ("currency", "decimals"),
    [("SEK", 2), ("sek", 2), ("ISK", 0), ("JPY", 0), ("KWD", 3), ("RSD", 2)],
)
def test_exponents_are_those_of_iso_4217(currency, decimals):
    assert exponent(currency) == decimals


def test_every_currency_that_kustom_lists_has_two_decimals():
    assert {exponent(currency) for currency in KUSTOM_CURRENCIES} == {2}
    assert len(KUSTOM_CURRENCIES) == 8


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("19.99", "SEK", 19_99),
        ("-19.99", "SEK", -19_99),
        ("19.90", "EUR", 19_90),
        ("1E+2", "SEK", 100_00),
        ("1500", "ISK", 1500),
        ("1500.0", "JPY", 1500),
        ("1.234", "KWD", 1_234),
        ("4.35", "SEK", 4_35),
        ("0", "SEK", 0),
    ],
)
def test_minor_units_are_exact(amount, currency, minor):
    assert to_minor(Decimal(amount), currency) == minor
    assert to_decimal(minor, currency) == Decimal(amount)


@given(minor=st.integers(-(10**12), 10**12), currency=st.sampled_from(("SEK", "ISK", "KWD")))
def test_minor_units_and_decimals_are_the_same_amount(minor, currency):
    assert to_minor(to_decimal(minor, currency), currency) == minor
    assert to_minor(Decimal(repr(float(to_decimal(minor, currency)))), currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency"), [("0.001", "SEK"), ("-0.001", "SEK"), ("0.5", "ISK")]
)
def test_an_amount_finer_than_its_currency_is_refused(amount, currency):
    with pytest.raises(ValueError, match=f"^{amount} {currency} is finer than the currency$"):
        to_minor(Decimal(amount), currency)


def test_a_currency_without_minor_units_is_refused():
    with pytest.raises(ValueError, match=r"^XAU has no minor units$"):
        exponent("XAU")


@pytest.mark.parametrize(
    ("fraction", "rate"),
    [
        ("0.25", 2500),
        ("0.055", 550),
        ("0.081", 810),
        ("0.255", 2550),
        ("0", 0),
        ("0.00005", 1),
        ("1", 10_000),
    ],
)
def test_a_rate_is_exact_and_never_computed_from_amounts(fraction, rate):
    assert kustom_rate(Decimal(fraction)) == rate


@given(total=st.integers(-(10**9), 10**9), rate=st.integers(0, 10_000))
def test_contained_tax_is_the_nearest_to_its_formula(total, rate):
    # |tax * (10000 + rate) - total * rate| <= half of (10000 + rate), in integers.
    error = contained_tax_minor(total, rate) * (10_000 + rate) - total * rate
    assert abs(error) * 2 <= 10_000 + rate


@pytest.mark.parametrize(
    ("total", "rate", "tax"),
    [
        (100_00, 2500, 20_00),
        (500_00, 1000, 45_45),  # Kustom's own example
        (-500_00, 1000, -45_45),
        (1, 2500, 0),
        (0, 2500, 0),
        (100_00, 0, 0),
        (3, 10_000, 2),  # 1.5 rounds away from zero, on both sides
        (-3, 10_000, -2),
    ],
)
def test_tax_is_contained_in_the_amount(total, rate, tax):
    assert contained_tax_minor(total, rate) == tax


def test_an_amount_is_rounded_to_its_currency_half_up():
    assert rounded(Decimal("61.245"), "SEK") == Decimal("61.25")
    assert rounded(Decimal("61.5"), "ISK") == Decimal(62)
    assert rounded(Decimal("1.2344"), "KWD") == Decimal("1.234")


def test_a_division_rounds_up():
    assert [ceil_div(n, 3) for n in (0, 1, 3, 4)] == [0, 1, 1, 2]


def test_amounts_are_shown_with_their_decimals():
    assert shown(19_90, "SEK") == "19.90 SEK"
    assert shown(1990, "ISK") == "1990 ISK"
    assert shown(1990, "XXX") == "1990 minor units XXX"
