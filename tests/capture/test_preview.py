"""Whether a request adds up, and what an order's parcels would capture under other choices."""

import json

from saleor_kustom.capture.policy import Policy, ShippingFee
from saleor_kustom.capture.preview import Check, checks, lines_of, spread
from saleor_kustom.capture.worth import worth_minor
from tests.capture.examples import line, order, parcel

LINE = {
    "name": "Mug", "quantity": 2, "unit_price": 600, "total_discount_amount": 200,
    "total_amount": 1000, "total_tax_amount": 200, "tax_rate": 2500,
}  # fmt: skip


def body(amount=1000, **changed):
    return json.dumps({"captured_amount": amount, "order_lines": [LINE | changed]})


def wrong(text, remaining=None):
    return [check.name for check in checks(text, remaining) if not check.right]


def test_a_request_that_adds_up_passes_every_check():
    assert checks(body(), 1000) == (
        Check("sum", True, 1000, 1000),
        Check("totals", True, 1000, 1000),
        Check("tax", True, 200, 200),
        Check("remaining", True, 1000, 1000),
    )


def test_each_check_fails_for_its_own_fault():
    assert wrong(body(amount=1001)) == ["sum"]
    assert wrong(body(unit_price=601)) == ["totals"]
    assert wrong(body(total_tax_amount=202)) == ["tax"]
    assert wrong(body(total_tax_amount=201)) == []  # Kustom allows one
    assert wrong(body(), remaining=999) == ["remaining"]


def test_a_request_without_lines_is_checked_for_what_remains_alone():
    text = json.dumps({"captured_amount": 5})
    assert checks(text) == ()
    assert checks(text, 5) == (Check("remaining", True, 5, 5),)
    assert lines_of("") == ()


def shipped():
    parcels = [parcel(2, {"a": 1}), parcel(1, {"a": 2}), parcel(3, {"a": 1}, status="CANCELED")]
    return order(line("a", 3, 100_00), shipping_minor=49_00, fulfillments=tuple(parcels))


def test_an_orders_parcels_are_planned_one_after_another_under_a_choice():
    assert spread(shipped(), Policy()) == {1: 66_66 + 49_00, 2: 33_34}
    assert spread(shipped(), Policy(shipping_fee=ShippingFee.LAST)) == {1: 66_66, 2: 33_34 + 49_00}


def test_what_would_be_held_or_nothing_is_said():
    assert spread(order(line("a", 1, 0), fulfillments=(parcel(1, {"a": 1}),)), Policy()) == {1: 0}
    held = order(line("a", 1, 100), fulfillments=(parcel(1, {"a": 2}),))
    assert "only 1 are not captured" in spread(held, Policy())[1]


def test_a_parcel_is_worth_its_units_whatever_they_are_worth_alone():
    of = shipped()
    assert [worth_minor(of, each) for each in of.fulfillments] == [33_33, 66_66, 33_33]
    odd = parcel(4, {"a": 9, "gone": 1})
    assert worth_minor(of, odd) == 100_00
    assert worth_minor(order(line("a", 0, 0)), parcel(1, {})) == 0
