"""The shipping fee: with which parcel, and exactly once (domain rule 10)."""

import json

import pytest

from saleor_kustom.capture.policy import Policy, ShippingFee
from tests.capture.examples import Parcels, line, order

MUGS = line("mug", 3, 100_00)


def test_its_withdrawn_parcel_frees_it():
    parcels = Parcels(order(MUGS, shipping_minor=49_00))
    assert parcels(mug=1).shipping_minor == 49_00
    parcels.withdraw(1)
    assert parcels(mug=1).shipping_minor == 49_00
    assert parcels(mug=1).shipping_minor == 0


def test_digital_goods_never_carry_it_beside_what_ships():
    file = line("file", 1, 10_00, requires_shipping=False)
    for policy in ShippingFee:
        parcels = Parcels(order(file, MUGS, shipping_minor=49_00), shipping_fee=policy)
        assert parcels(file=1).shipping_minor == 0
        assert parcels(mug=3).shipping_minor == 49_00


@pytest.mark.parametrize("policy", ShippingFee)
def test_an_order_with_nothing_to_ship_charges_it_with_the_first_parcel(policy):
    file = line("file", 2, 10_00, requires_shipping=False)
    parcels = Parcels(order(file, shipping_minor=49_00), shipping_fee=policy)
    assert [parcels(file=1).shipping_minor for _ in range(2)] == [49_00, 0]


def test_a_line_of_no_units_ships_nothing():
    empty = line("empty", 0, 0)
    file = line("file", 1, 10_00, requires_shipping=False)
    assert Parcels(order(empty, file, shipping_minor=49_00))(file=1).shipping_minor == 49_00


@pytest.mark.parametrize("before", ShippingFee)
@pytest.mark.parametrize("after", ShippingFee)
def test_another_policy_half_way_neither_loses_nor_doubles_it(before, after):
    parcels = Parcels(order(MUGS, shipping_minor=49_01), shipping_fee=before)
    parcels(mug=1)
    parcels.policy = Policy(shipping_fee=after)
    charged = [parcels.ledger[0].plan.shipping_minor]
    charged += [parcels(mug=1).shipping_minor for _ in range(2)]
    assert sum(charged) == 49_01
    assert min(charged) >= 0


def test_after_a_change_of_policy_a_withdrawn_part_is_charged_again():
    parcels = Parcels(order(MUGS, shipping_minor=30_00), shipping_fee=ShippingFee.PROPORTIONAL)
    parcels(mug=1)
    parcels.policy = Policy(shipping_fee=ShippingFee.FIRST)
    assert parcels(mug=1).shipping_minor == 20_00
    parcels.withdraw(1)
    assert parcels(mug=1).shipping_minor == 10_00
    assert parcels(mug=1).shipping_minor == 0


def test_free_shipping_is_shown_as_a_discount_once():
    parcels = Parcels(order(MUGS, undiscounted_shipping_minor=49_00))
    first, second = (json.loads(parcels(mug=1).body)["order_lines"] for _ in range(2))
    assert first[1] == {
        "type": "shipping_fee",
        "name": "PostNord",
        "quantity": 1,
        "unit_price": 49_00,
        "tax_rate": 2500,
        "total_amount": 0,
        "total_discount_amount": 49_00,
        "total_tax_amount": 0,
    }
    assert len(second) == 1


def test_a_discounted_fee_is_shown_as_one_with_the_last_parcel_too():
    of = order(MUGS, shipping_minor=30_00, undiscounted_shipping_minor=49_00)
    parcels = Parcels(of, shipping_fee=ShippingFee.LAST)
    first, last = parcels(mug=1), parcels(mug=2)
    assert (first.charges_shipping, last.charges_shipping) == (False, True)
    fee = json.loads(last.body)["order_lines"][-1]
    assert (fee["unit_price"], fee["total_discount_amount"]) == (49_00, 19_00)


def test_a_fee_that_is_charged_goes_with_no_later_parcel():
    parcels = Parcels(order(MUGS, shipping_minor=5_00))
    assert [parcels(mug=1).charges_shipping for _ in range(3)] == [True, False, False]


def test_a_minor_unit_that_is_left_of_it_is_charged():
    parcels = Parcels(order(MUGS, shipping_minor=3), shipping_fee=ShippingFee.PROPORTIONAL)
    first = parcels(mug=2)
    assert first.units == {"mug": ((0, 2),), "shipping": ((0, 2),)}  # stored under this name
    parcels.policy = Policy()
    assert [first.amount_minor, parcels(mug=1).amount_minor] == [66_68, 33_35]


def test_no_fee_is_no_line():
    assert len(json.loads(Parcels(order(MUGS))(mug=3).body)["order_lines"]) == 1


def test_a_proportional_discount_is_spread_like_the_fee():
    of = order(MUGS, undiscounted_shipping_minor=10_00)
    parcels = Parcels(of, shipping_fee=ShippingFee.PROPORTIONAL)
    shown = [json.loads(parcels(mug=1).body)["order_lines"][1] for _ in range(3)]
    assert [each["total_discount_amount"] for each in shown] == [3_33, 3_33, 3_34]


def test_an_order_whose_fee_was_lowered_after_it_was_charged_charges_no_more():
    parcels = Parcels(order(MUGS, shipping_minor=49_00))
    parcels(mug=1)
    parcels.order = order(MUGS, shipping_minor=10_00)
    assert parcels(mug=1).shipping_minor == 0
