"""Whole decisions, written out: what each parcel captures, and what is held with which words."""

from dataclasses import replace

import pytest
from making import (
    Books,
    authorized,
    body_of,
    card,
    order,
    order_line,
    parcel,
    payment,
)

from saleor_kustom.capture.authorization import KustomCapture
from saleor_kustom.capture.decide import Earlier, decide, reference
from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.plan import Nothing, NothingWhy, Plan
from saleor_kustom.capture.policy import GiftCard, Policy, ShippingFee

MUGS = order(order_line(300_00, 3), shipping_minor=49_00)


def amounts(books, *parcels):
    return [getattr(books.ship(**units), "amount_minor", 0) for units in parcels]


def test_one_of_three_mugs_is_captured_alone_with_the_fee():
    plan = Books(MUGS).ship(a=1)
    assert body_of(plan) == {
        "captured_amount": 149_00,
        "reference": "1/1/F1",
        "order_lines": [
            {
                "type": "physical",
                "reference": "MUG-1",
                "name": "Mug",
                "quantity": 1,
                "unit_price": 10000,
                "tax_rate": 2500,
                "total_amount": 10000,
                "total_tax_amount": 2000,
            },
            {
                "type": "shipping_fee",
                "name": "PostNord",
                "quantity": 1,
                "unit_price": 4900,
                "tax_rate": 2500,
                "total_amount": 4900,
                "total_tax_amount": 980,
            },
        ],
    }
    assert plan.units == {"a": ((0, 1),)}
    assert (plan.shipping_minor, plan.charges_shipping) == (49_00, True)


def test_a_parcel_without_tracking_is_captured_without_shipping_info():
    assert "shipping_info" not in body_of(Books(MUGS).ship(a=1))
    info = ({"tracking_number": "SE1"},)
    plan = decide(MUGS, parcel(1, a=1), (), None, Policy(), shipping_info=info)
    assert plan.shipping_info == info


def test_several_tax_rates_stand_side_by_side():
    made = order(*(order_line(100_00, 1, f"l{r}", tax_rate=r) for r in (550, 810, 2550)))
    lines = body_of(Books(made).ship(l550=1, l810=1, l2550=1))["order_lines"]
    assert [(x["tax_rate"], x["total_tax_amount"]) for x in lines] == [
        (550, 521),
        (810, 749),
        (2550, 2032),
    ]


@pytest.mark.parametrize(
    ("choice", "captured"),
    [
        (ShippingFee.FIRST, [149_00, 100_00, 100_00]),
        (ShippingFee.LAST, [100_00, 100_00, 149_00]),
        (ShippingFee.PROPORTIONAL, [116_33, 116_33, 116_34]),
    ],
)
def test_a_fee_of_49_over_three_parcels_is_charged_once(choice, captured):
    books = Books(MUGS, Policy(shipping_fee=choice))
    assert amounts(books, {"a": 1}, {"a": 1}, {"a": 1}) == captured
    assert sum(captured) == 349_00


@pytest.mark.parametrize("before", ShippingFee)
@pytest.mark.parametrize("after", ShippingFee)
def test_a_fee_is_charged_once_when_the_choice_changes_after_the_first_parcel(before, after):
    books = Books(MUGS, Policy(shipping_fee=before))
    first = amounts(books, {"a": 1})
    books.policy = Policy(shipping_fee=after)
    assert sum(first + amounts(books, {"a": 1}, {"a": 1})) == 349_00


def test_a_parcel_of_downloads_waits_with_the_fee_for_the_goods():
    made = order(
        order_line(79_00, 1, "file", requires_shipping=False),
        order_line(100_00, 1, "mug"),
        shipping_minor=49_00,
    )
    for choice in ShippingFee:
        books = Books(made, Policy(shipping_fee=choice))
        assert amounts(books, {"file": 1}, {"mug": 1}) == [79_00, 149_00]
        books = Books(made, Policy(shipping_fee=choice))
        assert amounts(books, {"mug": 1}, {"file": 1}) == [149_00, 79_00]


@pytest.mark.parametrize("choice", ShippingFee)
def test_where_nothing_ships_the_fee_goes_with_the_first_parcel(choice):
    made = order(order_line(100_00, 2, requires_shipping=False), shipping_minor=5_00)
    books = Books(made, Policy(shipping_fee=choice))
    assert amounts(books, {"a": 1}, {"a": 1}) == [55_00, 50_00]


def test_a_withdrawn_parcel_frees_its_units_and_the_fee():
    books = Books(MUGS)
    books.ship(a=1)
    books.withdraw("F1")
    plan = books.ship(a=1)
    assert plan.amount_minor == 149_00
    assert plan.units["a"] == ((0, 1),)


def test_units_that_ship_again_after_their_capture_are_taken_over():
    books = Books(order(order_line(1000, 3)))
    assert amounts(books, {"a": 1}, {"a": 2}) == [333, 667]
    books.cancel("F1")
    again = books.ship(a=1)
    assert again == Nothing(NothingWhy.TAKEN_OVER, again.plan)
    assert again.plan.takes_over == ("F1",)
    assert again.plan.taken_over == {"a": ((0, 1),)}
    assert (again.plan.body, again.plan.units) == ("", {})


def test_units_that_ship_again_brought_their_part_of_the_fee_along():
    made = order(order_line(100, 1, "a"), order_line(100, 1, "b"), shipping_minor=10)
    books = Books(made, Policy(shipping_fee=ShippingFee.PROPORTIONAL))
    assert amounts(books, {"a": 1}) == [105]
    books.cancel("F1")
    assert amounts(books, {"b": 1}, {"a": 1}) == [105, 0]


def test_units_that_ship_again_alone_bring_no_fee_of_their_own():
    books = Books(MUGS, Policy(shipping_fee=ShippingFee.LAST))
    assert amounts(books, {"a": 1}) == [100_00]
    books.cancel("F1")
    books.policy = Policy(shipping_fee=ShippingFee.FIRST)
    assert amounts(books, {"a": 1}, {"a": 2}) == [0, 249_00]


def test_a_parcel_of_old_and_new_units_captures_the_new_ones():
    books = Books(MUGS)
    books.ship(a=1)
    books.cancel("F1")
    plan = books.ship(a=2)
    assert plan.amount_minor == 100_00
    assert body_of(plan)["order_lines"][0]["quantity"] == 1
    assert plan.takes_over == ("F1",)


def test_a_free_item_costs_nothing_and_says_so():
    made = order(order_line(0, 1, "gift"), order_line(100, 1, "mug"))
    books = Books(made)
    nothing = books.ship(gift=1)
    assert nothing == Nothing(NothingWhy.WORTH_ZERO, nothing.plan)
    assert (nothing.plan.body, nothing.plan.units["gift"]) == ("", ((0, 1),))
    assert amounts(books, {"mug": 1}) == [100]


def test_free_shipping_is_shown_with_its_discount_and_no_fee_is_not_shown():
    free = order(order_line(100), undiscounted_shipping_minor=4900)
    fee = body_of(Books(free).ship(a=1))["order_lines"][1]
    assert (fee["total_amount"], fee["total_discount_amount"]) == (0, 4900)
    assert len(body_of(Books(order(order_line(100))).ship(a=1))["order_lines"]) == 1


@pytest.mark.parametrize(
    ("choice", "captured"),
    [(GiftCard.PROPORTIONAL, [70_00, 35_00, 35_00]), (GiftCard.LAST, [140_00, 0, 0])],
)
def test_a_gift_card_lowers_the_parcels_as_chosen(choice, captured):
    made = order(order_line(400_00, 4), total_minor=140_00, gift_cards_used=1)
    books = Books(made, Policy(gift_card=choice))
    assert amounts(books, {"a": 2}, {"a": 1}, {"a": 1}) == captured


def test_a_gift_card_is_a_line_below_zero_at_the_end():
    made = order(order_line(100_00), transactions=(payment(70_00), card(30_00)))
    body = body_of(Books(made).ship(a=1))
    assert body["captured_amount"] == 70_00
    assert body["order_lines"][-1] == {
        "type": "gift_card",
        "name": "Gift card",
        "quantity": 1,
        "unit_price": -3000,
        "tax_rate": 0,
        "total_amount": -3000,
        "total_tax_amount": 0,
    }


def test_another_payment_is_a_line_of_store_credit():
    other = payment(charged_minor=40_00, psp="other")
    made = order(order_line(100_00, 2), transactions=(payment(60_00), other))
    books = Books(made, authorization=authorized(60_00))
    first, second = books.ship(a=1), books.ship(a=1)
    assert [first.amount_minor, second.amount_minor] == [30_00, 30_00]
    assert first.store_credit_minor == 20_00
    line = body_of(first)["order_lines"][-1]
    assert (line["type"], line["total_amount"]) == ("store_credit", -2000)


def test_a_rounding_difference_goes_with_the_parcel_that_completes_the_order():
    for difference, kind in ((1, "surcharge"), (-1, "discount")):
        books = Books(order(order_line(200, 2), total_minor=200 + difference))
        assert books.ship(a=1).amount_minor == 100
        plan = books.ship(a=1)
        assert plan.adjustment_minor == difference
        line = body_of(plan)["order_lines"][-1]
        assert (line["type"], line["name"], line["total_amount"]) == (kind, "Rounding", difference)
        assert plan.amount_minor == 100 + difference


def test_a_parcel_carries_a_rounding_difference_that_the_last_is_not_worth():
    made = order(order_line(200, 1, "a"), order_line(0, 1, "b"), total_minor=198)
    assert amounts(Books(made), {"a": 1}, {"b": 1}) == [198, 0]


def test_more_than_remains_is_held_with_both_numbers_and_never_lowered():
    held = Books(MUGS, authorization=authorized(349_00, 300_00)).ship(a=1)
    assert held == Held(Reason.ABOVE_REMAINING, {"amount": "149.00 SEK", "remaining": "49.00 SEK"})
    assert held.problem == ("149.00 SEK is to be captured, but only 49.00 SEK remains authorized.")


def test_exactly_what_remains_is_captured():
    assert Books(MUGS, authorization=authorized(349_00, 200_00)).ship(a=1).amount_minor == 149_00


def test_a_capture_made_in_the_portal_is_named_when_it_is_in_the_way():
    captures = (KustomCapture("c1", None, 250_00), KustomCapture("c2", "ours", 50_00))
    state = authorized(349_00, 300_00, captures=captures)
    own = frozenset({"ours"})
    held = decide(MUGS, parcel(1, a=1), (), state, Policy(), own_references=own)
    assert held.reason is Reason.CAPTURED_OUTSIDE
    assert held.detail == {
        "amount": "149.00 SEK",
        "remaining": "49.00 SEK",
        "outside": "250.00 SEK",
    }
    both = frozenset({"ours", None})
    held = decide(MUGS, parcel(1, a=1), (), state, Policy(), own_references=both)
    assert held.reason is Reason.ABOVE_REMAINING


@pytest.mark.parametrize("status", ["CANCELLED", "EXPIRED", "CLOSED"])
def test_an_order_that_ended_at_kustom_is_held(status):
    held = Books(MUGS, authorization=authorized(349_00, status=status)).ship(a=1)
    assert held == Held(Reason.ORDER_NOT_CAPTURABLE, {"status": status, "amount": "149.00 SEK"})


@pytest.mark.parametrize("status", ["REJECTED", "STOPPED"])
def test_a_rejected_order_is_held(status):
    held = Books(MUGS, authorization=authorized(349_00, fraud_status=status)).ship(a=1)
    assert held == Held(Reason.FRAUD_REJECTED, {"status": status})


def test_another_currency_at_kustom_is_held():
    held = Books(MUGS, authorization=authorized(349_00, currency="NOK")).ship(a=1)
    assert held == Held(Reason.CURRENCY_DIFFERS, {"saleor": "SEK", "kustom": "NOK"})


@pytest.mark.parametrize("currency", ["ISK", "KWD"])
def test_a_currency_that_kustom_does_not_list_is_held_until_the_operator_allows_it(currency):
    made = replace(MUGS, currency=currency)
    assert Books(made).ship(a=1) == Held(Reason.CURRENCY_UNTESTED, {"currency": currency})
    allowed = Policy(extra_currencies=frozenset({currency}))
    assert Books(made, allowed).ship(a=1).amount_minor == 149_00


def test_more_units_than_are_left_are_held_with_both_numbers():
    books = Books(MUGS)
    books.ship(a=2)
    held = books.ship(a=2)
    assert held == Held(Reason.UNITS_MISSING, {"line": "Mug", "wanted": 2, "free": 1})
    assert held.problem == "2 units of Mug are shipped, but only 1 are not captured yet."


def test_a_line_that_the_order_does_not_have_is_held():
    held = Books(MUGS).ship(gone=1)
    assert held == Held(Reason.UNITS_MISSING, {"line": "gone", "wanted": 1, "free": 0})


def test_two_entries_of_one_line_are_its_units_together():
    twice = parcel(1, a=1)
    twice = replace(twice, lines=twice.lines * 2)
    plan = Books(MUGS).ship(twice)
    assert [x["quantity"] for x in body_of(plan)["order_lines"]] == [2, 1]


def test_an_amount_above_kustoms_limit_is_held():
    most = Books(order(order_line(200_000_000))).ship(a=1)
    assert isinstance(most, Plan)
    held = Books(order(order_line(200_000_001))).ship(a=1)
    assert held == Held(Reason.TOO_LARGE, {"value": "2000000.01 SEK", "limit": "2000000.00 SEK"})


def test_an_order_paid_by_others_captures_nothing():
    made = order(order_line(100_00), total_minor=0, gift_cards_used=1)
    assert Books(made).ship(a=1) == Nothing(NothingWhy.PAID_BY_OTHERS)


def test_the_fee_and_the_gift_card_count_towards_a_thousand_entries():
    lines = [order_line(100, 1, f"l{i}") for i in range(998)]
    units = {line.id: 1 for line in lines}
    paid = {"shipping_minor": 100, "gift_cards_used": 1, "total_minor": 99_800}
    plan = Books(order(*lines, **paid)).ship(**units)
    assert len(body_of(plan)["order_lines"]) == 1000
    lines.append(order_line(100, 1, "more"))
    paid["total_minor"] += 100
    plan = Books(order(*lines, **paid)).ship(**units, more=1)
    assert body_of(plan) == {"captured_amount": 99_900, "reference": "1/1/F1"}
    assert len(plan.notes) == 1


def test_a_reference_names_order_and_fulfillment_and_fits():
    assert reference(MUGS, parcel(2, a=1)) == "1/2/F2"
    long = replace(MUGS, number="9" * 300)
    assert reference(long, parcel(2, a=1)) == "9" * 250 + "/2/F2"


def test_a_plan_that_has_not_been_sent_holds_its_units_too():
    first = decide(MUGS, parcel(1, a=1), (), None, Policy())
    second = decide(MUGS, parcel(2, a=1), (Earlier("F1", first),), None, Policy())
    assert second.units == {"a": ((1, 2),)}
    assert second.amount_minor == 100_00
