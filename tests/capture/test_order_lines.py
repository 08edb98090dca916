"""Kustom's order lines: names, types, links, prices (domain rule 9)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saleor_kustom.capture.order_lines import difference_line, product_line, shipping_line
from saleor_kustom.capture.policy import Policy
from tests.capture.examples import line, order

MUG = line("mug", 3, 100_00)


def shown(of, units=((0, 3),), **policy):
    return product_line(of, units, Policy(**policy))


def test_all_units_of_a_line():
    assert shown(replace(MUG, total_minor=10_00, undiscounted_total_minor=10_00)) == {
        "type": "physical",
        "reference": "SKU-mug",
        "name": "Vara mug",
        "quantity": 3,
        "unit_price": 3_34,
        "tax_rate": 2500,
        "total_amount": 10_00,
        "total_discount_amount": 2,
        "total_tax_amount": 2_00,
    }


def test_some_units_of_a_line():
    made = shown(MUG, ((0, 1), (2, 3)))
    assert (made["quantity"], made["total_amount"]) == (2, 66_67)


def test_a_discount_is_shown_as_one():
    made = shown(replace(MUG, undiscounted_total_minor=120_00))
    assert (made["unit_price"], made["total_discount_amount"]) == (40_00, 20_00)


def test_a_gift_is_worth_nothing_and_shows_its_price():
    gift = line("gift", 1, 0, undiscounted_total_minor=25_00, is_gift=True)
    made = shown(gift, ((0, 1),))
    assert (made["unit_price"], made["total_amount"], made["total_tax_amount"]) == (25_00, 0, 0)
    assert made["total_discount_amount"] == 25_00


def test_a_free_item_divides_nothing_by_zero():
    made = shown(line("free", 3, 0))
    assert (made["unit_price"], made["total_amount"]) == (0, 0)
    assert "total_discount_amount" not in made


@given(
    total=st.integers(0, 10**8), before=st.integers(0, 10**8), quantity=st.integers(1, 1000),
    rate=st.sampled_from((0, 550, 810, 2500, 2550)),
)  # fmt: skip
def test_every_line_multiplies_out(total, before, quantity, rate):
    of = line("any", quantity, total, undiscounted_total_minor=before, tax_rate=rate)
    made = shown(of, ((0, quantity),))
    discount = made.get("total_discount_amount", 0)
    assert made["quantity"] * made["unit_price"] - discount == made["total_amount"] == total
    # Never dearer than it must be: the least unit price that covers both.
    assert (made["unit_price"] - 1) * quantity < max(total, before) or made["unit_price"] == 0


def test_what_is_not_sent_by_post_is_digital_and_so_is_a_gift_card_that_is_sold():
    assert shown(replace(MUG, requires_shipping=False))["type"] == "digital"
    card = replace(MUG, requires_shipping=False, is_gift_card=True)
    assert shown(card)["type"] == "digital"


def test_a_line_without_name_is_called_by_its_sku_then_by_a_dash():
    assert shown(replace(MUG, name=" "))["name"] == "SKU-mug"
    assert shown(replace(MUG, name="", sku=""))["name"] == "-"
    assert shown(replace(MUG, name="", sku="ö" * 300))["name"] == "ö" * 255


def test_empty_fields_are_absent():
    made = shown(replace(MUG, sku="", image_url=""))
    assert made.keys().isdisjoint({"reference", "image_url", "product_url"})
    assert shown(replace(MUG, sku=None)).get("reference") is None


@pytest.mark.parametrize("field", ["name", "reference"])
def test_texts_are_cut_to_255_code_points(field):
    made = shown(replace(MUG, name="å" * 300, sku="ö" * 300))
    assert len(made[field]) == 255


def test_image_and_product_have_links():
    made = shown(
        replace(MUG, image_url="https://shop.example/i.png", product_slug="blå/mugg"),
        product_url="https://shop.example/sv/{slug}/",
    )
    assert made["image_url"] == "https://shop.example/i.png"
    assert made["product_url"] == "https://shop.example/sv/bl%C3%A5%2Fmugg/"


def test_without_template_or_slug_there_is_no_product_link():
    assert "product_url" not in shown(replace(MUG, product_slug="mug"))
    assert "product_url" not in shown(MUG, product_url="https://shop.example/{slug}")


def test_the_fee_has_its_methods_name_and_a_discount():
    of = order(MUG, shipping_method_name="Å" * 300, shipping_tax_rate=1200)
    made = shipping_line(of, 39_62, 49_00)
    assert made == {
        "type": "shipping_fee",
        "name": "Å" * 255,
        "quantity": 1,
        "unit_price": 49_00,
        "tax_rate": 1200,
        "total_amount": 39_62,
        "total_discount_amount": 9_38,
        "total_tax_amount": 4_25,
    }


def test_a_fee_without_method_is_called_shipping():
    made = shipping_line(order(MUG, shipping_method_name=None), 1_00, 1_00)
    assert made["name"] == "Shipping"
    assert "total_discount_amount" not in made


def test_a_difference_is_a_surcharge_or_a_discount():
    assert [difference_line(d)["type"] for d in (1, -1)] == ["surcharge", "discount"]
