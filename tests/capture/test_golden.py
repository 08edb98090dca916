"""Exact payloads, written out and read by eye: the rows of lessons about amounts and text."""

import json
from decimal import Decimal

import pytest
from examples import line as order_line
from examples import order, parcel

from saleor_kustom.capture.body import NO_LINES, NO_URLS, build
from saleor_kustom.capture.decide import decide, reference
from saleor_kustom.capture.fulfillment import Fulfillment, FulfillmentLine
from saleor_kustom.capture.held import Held
from saleor_kustom.capture.money import (
    contained_tax_minor,
    exponent,
    kustom_rate,
    share_minor,
    to_decimal,
    to_minor,
)
from saleor_kustom.capture.plan import Nothing, NothingWhy
from saleor_kustom.capture.policy import Policy
from saleor_kustom.capture.shipping_info import difference, entries
from saleor_kustom.capture.text import cut, url
from saleor_kustom.capture.units import lowest, union, without
from saleor_kustom.errors import Refused
from saleor_kustom.saleor.reading import read_order


def wire(**changed):
    """An order as Saleor's API answers it: 3 mugs of 100.00 at 25 %, no fee."""
    line = {
        "id": "L1", "productName": "Mugg", "variantName": "Blå", "productSku": "MUGG-1",
        "translatedProductName": "", "translatedVariantName": "", "quantity": 3,
        "isShippingRequired": True, "taxRate": Decimal("0.25"), "variant": None,
        "totalPrice": money("300.00"), "undiscountedTotalPrice": money("300.00"),
    }  # fmt: skip
    line |= changed.pop("line", {})
    return {
        "id": "O1", "number": "7", "channel": {"slug": "se", "currencyCode": "SEK"},
        "total": money("300.00"), "subtotal": money("300.00"), "shippingPrice": money("0"),
        "undiscountedShippingPrice": {"amount": Decimal(0)}, "shippingTaxRate": Decimal("0.25"),
        "giftCards": [], "lines": [line], **changed,
    }  # fmt: skip


def money(amount):
    return {"gross": {"amount": Decimal(amount)}}


def ship(read, units, earlier=(), policy=None):
    fulfillment = Fulfillment(
        id="F1", number=1, status="FULFILLED", created="2026-11-23T12:00:00.000000+00:00",
        lines=(FulfillmentLine(read.lines[0].id, units),),
    )  # fmt: skip
    return decide(read, fulfillment, earlier, None, policy or Policy())


def only_line(plan):
    [line] = json.loads(plan.body)["order_lines"]
    return line


def test_one_of_three_at_25_percent_is_not_the_whole_row():  # row 1
    assert json.loads(ship(read_order(wire()), 1).body) == {
        "captured_amount": 100_00,
        "reference": "7/1/F1",
        "order_lines": [
            {
                "type": "physical",
                "reference": "MUGG-1",
                "name": "Mugg (Blå)",
                "quantity": 1,
                "unit_price": 100_00,
                "tax_rate": 2500,
                "total_amount": 100_00,
                "total_tax_amount": 20_00,
            }
        ],
    }


def test_a_discount_stands_as_a_discount_and_the_sum_is_exact():
    read = read_order(wire(line={"totalPrice": money("93.09"), "undiscountedTotalPrice":
                                 money("99.99")}, total=money("93.09")))  # fmt: skip
    line = only_line(ship(read, 2))
    assert (line["unit_price"], line["total_discount_amount"], line["total_amount"]) == (
        33_33, 4_60, 62_06,
    )  # fmt: skip


@pytest.mark.parametrize(("amount", "minor"), [("19.99", 19_99), ("-19.99", -19_99), ("0.1", 10)])
def test_amounts_are_computed_from_decimals(amount, minor):  # row 2
    assert to_minor(Decimal(amount), "SEK") == minor
    assert to_decimal(minor, "SEK") == Decimal(amount)


@pytest.mark.parametrize(("currency", "decimals"), [("SEK", 2), ("ISK", 0), ("KWD", 3), ("RSD", 2)])
def test_minor_units_are_those_of_iso_4217(currency, decimals):
    assert exponent(currency) == decimals


def test_an_amount_finer_than_the_currency_is_refused():
    with pytest.raises(ValueError, match="finer"):
        to_minor(Decimal("1.005"), "SEK")


def test_parts_that_do_not_divide_sum_up():  # row 3
    parts = [share_minor(9_21, 10, *r) for r in ((0, 3), (3, 6), (6, 10))]
    assert parts == [2_76, 2_76, 3_69]
    assert sum(parts) == 9_21


@pytest.mark.parametrize(
    ("fraction", "rate"), [("0.055", 550), ("0.081", 810), ("0.255", 2550), ("0.25", 2500)]
)
def test_rates_are_the_stored_ones(fraction, rate):  # row 17
    assert kustom_rate(Decimal(fraction)) == rate


@pytest.mark.parametrize(
    ("total", "rate", "tax"),
    [
        (500_00, 1000, 45_45),
        (100_00, 2500, 20_00),
        (-500_00, 1000, -45_45),
        (0, 2500, 0),
        (1, 2500, 0),
        (99_99, 0, 0),
    ],
)
def test_tax_is_contained_in_the_amount(total, rate, tax):
    assert contained_tax_minor(total, rate) == tax


def test_a_free_item_costs_no_error_and_a_parcel_worth_nothing_no_call():  # row 18
    read = read_order(wire(line={"totalPrice": money("0.00")}, total=money("0.00")))
    decision = ship(read, 1)
    assert isinstance(decision, Nothing)
    assert decision.why is NothingWhy.WORTH_ZERO


def test_a_deleted_variant_leaves_the_stored_name_and_sku():  # row 20
    line = only_line(ship(read_order(wire()), 1))
    assert (line["name"], line["reference"]) == ("Mugg (Blå)", "MUGG-1")


def test_a_translated_name_is_taken():
    read = read_order(wire(line={"translatedProductName": "Mug", "translatedVariantName": "Blue"}))
    assert only_line(ship(read, 1))["name"] == "Mug (Blue)"


def test_text_is_cut_by_code_points():  # rows 15 and 16
    read = read_order(wire(line={"productName": "å" * 300, "variantName": ""}))
    plan = ship(read, 1)
    assert only_line(plan)["name"] == "å" * 255
    assert plan.body.encode()
    assert cut("a\ud800b\x00c", 10) == "ab c"


def test_empty_fields_are_absent_and_half_a_link_is_none():  # row 31
    read = read_order(wire(line={"productSku": "", "thumbnail": {"url": ""}}))
    assert not {"reference", "image_url", "product_url"} & only_line(ship(read, 1)).keys()
    assert url("https://shop.example/" + "x" * 1024) is None
    assert url("ftp://shop.example") is None


def test_a_float_amount_is_refused():
    with pytest.raises(Refused):
        read_order(wire(total={"gross": {"amount": 300.0}}))


def test_a_line_whose_order_line_is_gone_is_held():
    wire_fulfillment = {
        "id": "F1", "fulfillmentOrder": 1, "status": "FULFILLED",
        "created": "2026-11-23T12:00:00+00:00", "lines": [{"quantity": 1, "orderLine": None}],
    }  # fmt: skip
    read = read_order(wire(fulfillments=[wire_fulfillment]))
    decision = decide(read, read.fulfillments[0], (), None, Policy())
    assert isinstance(decision, Held)
    assert decision.reason == "units_missing"


def test_a_currency_that_kustom_does_not_list_is_held_unless_allowed():
    channel = {"slug": "se", "currencyCode": "ISK"}
    read = read_order(wire(channel=channel))
    assert ship(read, 1).reason == "currency_untested"
    assert ship(read, 1, policy=Policy(extra_currencies=frozenset({"ISK"}))).amount_minor == 100


def test_a_thousand_entries_fit_and_one_more_leaves_the_amount_alone():  # row 34
    line = {"name": "x", "unit_price": 1, "total_amount": 1}
    body, notes = build(1000, "r", [line] * 1000, ())
    assert (len(json.loads(body)["order_lines"]), notes) == (1000, ())
    body, notes = build(1001, "r", [line] * 1001, ())
    assert json.loads(body) == {"captured_amount": 1001, "reference": "r"}
    assert notes == (NO_LINES,)


def test_a_large_body_loses_its_links_first():
    link = "https://x/" + "y" * 1000
    line = {"name": "x", "unit_price": 1, "total_amount": 1, "image_url": link}
    body, notes = build(1000, "r", [line] * 1000, ())
    assert notes == (NO_URLS,)
    assert len(body.encode()) <= 900_000
    assert len(json.loads(body)["order_lines"]) == 1000


def test_a_long_order_number_does_not_push_the_fulfillment_out_of_the_reference():
    placed = order(order_line("L1", 1, 1_00), number="9" * 300)
    made = reference(placed, parcel(2, {}))
    assert len(made) == 255
    assert made.endswith(f"/2/{parcel(2, {}).id}")


@pytest.mark.parametrize(
    ("tracking", "numbers"),
    [
        ("", []),
        ("UA 123 456 789 SE", ["UA 123 456 789 SE"]),
        ("UA123456789SE, UB123456789SE", ["UA123456789SE", "UB123456789SE"]),
        ("UA123456789SE UB123456789SE", ["UA123456789SE", "UB123456789SE"]),
        ("å" * 300, ["å" * 100]),
    ],
)
def test_saleors_one_string_holds_one_or_several_numbers(tracking, numbers):  # row 15
    fulfillment = Fulfillment("F1", 1, "FULFILLED", "2026", tracking_number=tracking)
    found = entries(order(order_line("L1", 1, 1_00)), fulfillment)
    assert [entry["tracking_number"] for entry in found] == numbers


def test_only_the_difference_in_tracking_is_sent():  # row 14
    sent = ({"tracking_number": "SE1"},)
    wanted = (
        {"tracking_number": "se1", "shipping_company": "PostNord"},
        {"tracking_number": "SE2"},
    )
    assert difference(wanted, sent) == ({"tracking_number": "SE2"},)


def test_units_are_ranges_without_gaps_or_overlaps():
    assert union([(0, 2), (1, 3), (5, 6)]) == ((0, 3), (5, 6))
    assert without([(0, 10)], [(2, 4), (8, 12)]) == ((0, 2), (4, 8))
    assert lowest([(1, 3), (5, 9)], 4) == ((1, 3), (5, 7))
    assert lowest([(1, 3)], 4) == ((1, 3),)
