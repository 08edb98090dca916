"""Lines as Kustom gets them, written out: one row of experience each."""

from decimal import Decimal

import pytest
from making import order, order_line

from saleor_kustom.capture.money import units_minor
from saleor_kustom.capture.order_lines import (
    difference_line,
    product_line,
    shipping_line,
    tender_line,
)
from saleor_kustom.capture.policy import Policy
from saleor_kustom.capture.text import cut, url
from saleor_kustom.errors import Refused
from saleor_kustom.saleor.reading import read_order

PLAIN = Policy()


def money(amount):
    return {"amount": Decimal(amount)}


def wire_order(**line):
    """An order of one line as Saleor answers it."""
    return {
        "id": "T3JkZXI6MQ==",
        "number": "1",
        "channel": {"slug": "default", "currencyCode": "SEK"},
        "total": {"gross": money("300.00")},
        "shippingPrice": {"gross": money("0.00")},
        "lines": [
            {
                "id": "a",
                "productName": "Mug",
                "variantName": "Blue",
                "productSku": "MUG-1",
                "quantity": 3,
                "totalPrice": {"gross": money("300.00")},
                "taxRate": Decimal("0.25"),
                **line,
            }
        ],
    }


def test_one_of_three_units_is_one_unit_with_its_own_amount_and_tax():
    assert product_line(order_line(300_00, 3), ((0, 1),), PLAIN) == {
        "type": "physical",
        "reference": "MUG-1",
        "name": "Mug",
        "quantity": 1,
        "unit_price": 10000,
        "tax_rate": 2500,
        "total_amount": 10000,
        "total_tax_amount": 2000,
    }


def test_three_parcels_of_a_line_of_921_sum_to_921():
    line = order_line(921, 10, tax_rate=600)
    parts = [product_line(line, (units,), PLAIN) for units in ((0, 3), (3, 6), (6, 10))]
    assert [p["total_amount"] for p in parts] == [276, 276, 369]
    assert [p["unit_price"] for p in parts] == [92, 92, 93]
    assert [p.get("total_discount_amount") for p in parts] == [None, None, 3]
    assert [p["total_tax_amount"] for p in parts] == [16, 16, 21]


def test_units_apart_are_summed_each_with_its_own_price():
    assert units_minor(1000, 3, ((0, 1), (2, 3))) == 333 + 334
    assert units_minor(1000, 3, ()) == 0


def test_a_discounted_line_shows_its_price_before_and_the_discount():
    line = order_line(78_86, 3, undiscounted_total_minor=99_99)
    assert product_line(line, ((0, 3),), PLAIN) == {
        "type": "physical",
        "reference": "MUG-1",
        "name": "Mug",
        "quantity": 3,
        "unit_price": 3333,
        "tax_rate": 2500,
        "total_amount": 7886,
        "total_discount_amount": 2113,
        "total_tax_amount": 1577,
    }


def test_a_total_above_the_price_before_discounts_gives_no_negative_discount():
    line = order_line(100_00, 1, undiscounted_total_minor=90_00)
    made = product_line(line, ((0, 1),), PLAIN)
    assert made["unit_price"] == 10000
    assert "total_discount_amount" not in made


def test_a_free_item_is_a_line_of_zero():
    gift = order_line(0, 2, undiscounted_total_minor=0, is_gift=True)
    made = product_line(gift, ((0, 2),), PLAIN)
    assert (made["unit_price"], made["total_amount"], made["total_tax_amount"]) == (0, 0, 0)
    given = product_line(order_line(0, 2, undiscounted_total_minor=99_80), ((0, 2),), PLAIN)
    assert (given["unit_price"], given["total_discount_amount"]) == (4990, 9980)


@pytest.mark.parametrize(("fraction", "rate"), [("0.055", 550), ("0.081", 810), ("0.255", 2550)])
def test_a_stored_rate_with_a_fraction_reaches_kustom_whole(fraction, rate):
    read = read_order(wire_order(taxRate=Decimal(fraction)))
    assert product_line(read.lines[0], ((0, 3),), PLAIN)["tax_rate"] == rate


def test_a_deleted_product_is_captured_under_its_stored_name_and_sku():
    read = read_order(wire_order(variant=None, thumbnail=None))
    made = product_line(read.lines[0], ((0, 3),), Policy(product_url="https://shop.example/{slug}"))
    assert made == {
        "type": "physical",
        "reference": "MUG-1",
        "name": "Mug (Blue)",
        "quantity": 3,
        "unit_price": 10000,
        "tax_rate": 2500,
        "total_amount": 30000,
        "total_tax_amount": 6000,
    }


def test_the_orders_stored_amount_counts_and_not_the_catalogues_price():
    wire = wire_order(variant={"product": {"slug": "mug"}, "pricing": money("999.00")})
    assert read_order(wire).lines[0].total_minor == 300_00


def test_a_price_below_zero_is_refused():
    wire = wire_order()
    wire["total"] = {"gross": money("-19.99")}
    with pytest.raises(Refused, match=r"total\.gross\.amount"):
        read_order(wire)


def test_a_float_is_refused_since_it_has_lost_the_last_digit():
    wire = wire_order()
    wire["total"] = {"gross": {"amount": 19.99}}
    with pytest.raises(Refused, match="NOT_UNDERSTOOD"):
        read_order(wire)


def test_a_name_of_300_letters_is_cut_to_255_by_letters_and_not_by_bytes():
    made = product_line(order_line(100, name="å" * 300, sku="ö" * 300), ((0, 1),), PLAIN)
    assert made["name"] == "å" * 255
    assert made["reference"] == "ö" * 255


@pytest.mark.parametrize(
    ("name", "sku", "made"),
    [("", "MUG-1", "MUG-1"), ("", None, "-"), ("  \n ", None, "-"), ("Mug", None, "Mug")],
)
def test_a_line_has_a_name_whatever_is_missing(name, sku, made):
    assert product_line(order_line(100, name=name, sku=sku), ((0, 1),), PLAIN)["name"] == made


def test_absent_fields_are_absent_and_not_null_or_empty():
    made = product_line(order_line(100, sku=None, image_url=""), ((0, 1),), PLAIN)
    assert sorted(made) == [
        "name",
        "quantity",
        "tax_rate",
        "total_amount",
        "total_tax_amount",
        "type",
        "unit_price",
    ]


def test_what_needs_no_shipping_is_digital():
    made = product_line(order_line(100, requires_shipping=False), ((0, 1),), PLAIN)
    assert made["type"] == "digital"


def test_links_are_built_from_the_slug_and_left_out_when_they_do_not_fit():
    policy = Policy(product_url="https://shop.example/p/{slug}")
    line = order_line(100, product_slug="mug", image_url="https://img.example/" + "x" * 1100)
    made = product_line(line, ((0, 1),), policy)
    assert made["product_url"] == "https://shop.example/p/mug"
    assert "image_url" not in made
    spaced = product_line(order_line(100, product_slug="a b/å"), ((0, 1),), policy)
    assert spaced["product_url"] == "https://shop.example/p/a%20b%2F%C3%A5"


def test_the_shipping_fee_is_a_line_of_its_own_with_its_own_rate():
    made = order(order_line(100), shipping_minor=3962, shipping_tax_rate=1200)
    assert {k: v for k, v in shipping_line(made, 3962, 4900).items() if v is not None} == {
        "type": "shipping_fee",
        "name": "PostNord",
        "quantity": 1,
        "unit_price": 4900,
        "tax_rate": 1200,
        "total_amount": 3962,
        "total_discount_amount": 938,
        "total_tax_amount": 425,
    }
    unnamed = order(order_line(100), shipping_method_name=None)
    assert shipping_line(unnamed, 0, 0)["name"] == "Shipping"


def test_a_gift_card_lowers_the_sum_and_carries_no_tax():
    assert tender_line("gift_card", "Gift card", 26999) == {
        "type": "gift_card",
        "name": "Gift card",
        "quantity": 1,
        "unit_price": -26999,
        "tax_rate": 0,
        "total_amount": -26999,
        "total_tax_amount": 0,
    }


def test_a_rounding_difference_is_a_surcharge_or_a_discount():
    up, down = difference_line(2), difference_line(-2)
    assert (up["type"], up["unit_price"], up["total_amount"]) == ("surcharge", 2, 2)
    assert (down["type"], down["unit_price"], down["total_amount"]) == ("discount", -2, -2)
    assert up["quantity"] == down["quantity"] == 1
    assert up["total_tax_amount"] == down["tax_rate"] == 0


@pytest.mark.parametrize(
    ("text", "limit", "result"),
    [
        ("Mug", 3, "Mug"),
        ("Mugs", 3, "Mug"),
        ("😀😀", 1, "😀"),
        ("a\x00b\tc\r\n d", 20, "a b c   d"),
        ("half \ud83d pair", 20, "half  pair"),
        ("ab cd", 3, "ab"),
        ("", 3, None),
        (None, 3, None),
        ("\n", 3, None),
    ],
)
def test_text_is_cut_by_code_points_and_stays_valid(text, limit, result):
    made = cut(text, limit)
    assert made == result
    assert made is None or made.encode()


@pytest.mark.parametrize(
    "value",
    [None, "", "ftp://a.example", "javascript:alert(1)", "https://a b/", "https:///x", "//x"],
)
def test_what_is_no_link_is_left_out(value):
    assert url(value) is None


def test_a_link_is_whole_or_absent():
    longest = "https://a.example/".ljust(1024, "x")
    assert url(longest) == longest
    assert url(longest + "x") is None
    assert url(" HTTP://a.example/\n") == "HTTP://a.example/"


def test_a_link_is_sent_in_ascii_and_fits_as_it_is_sent():
    assert url("http://a.example/å b?x=%20") == "http://a.example/%C3%A5%20b?x=%20"
    assert url("https://å.example/") is None
    assert url("https://a.example/" + "å" * 500) is None
