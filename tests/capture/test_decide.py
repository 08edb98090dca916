"""What is planned, what is held and with which numbers, and when there is nothing."""

import json
from dataclasses import replace

import pytest

from saleor_kustom.capture.allowed import LARGEST_MINOR
from saleor_kustom.capture.authorization import KustomCapture
from saleor_kustom.capture.decide import Earlier, decide, reference
from saleor_kustom.capture.fulfillment import FulfillmentLine
from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.plan import Nothing, NothingWhy, Plan
from saleor_kustom.capture.policy import GiftCard, Policy
from tests.capture.examples import Parcels, authorization, line, order, parcel

MUGS = line("mug", 3, 100_00)


def one(of, units=None, authorized=None, *, policy=None, earlier=(), **fields):
    units = units or {each.id: each.quantity for each in of.lines if each.quantity}
    return decide(of, parcel(1, units), earlier, authorized, policy or Policy(), **fields)


def held(decision):
    assert isinstance(decision, Held), decision
    return decision.reason, dict(decision.detail)


class TestTheReference:
    def test_it_names_order_and_fulfillment(self):
        assert reference(order(MUGS), parcel(2, {})) == "1001/2/F-2"

    def test_a_long_order_number_is_cut_and_never_the_fulfillment(self):
        made = [reference(order(MUGS, number="9" * 300), parcel(n, {})) for n in (1, 2)]
        assert [len(each) for each in made] == [255, 255]
        assert [each[-6:] for each in made] == ["/1/F-1", "/2/F-2"]

    def test_an_order_without_number_still_has_one(self):
        assert reference(order(MUGS, number=""), parcel(1, {})) == "/1/F-1"


class TestTheAuthorization:
    def test_all_that_remains_may_be_captured(self):
        plan = one(order(MUGS), authorized=authorization(100_00))
        assert plan.amount_minor == 100_00

    def test_a_minor_unit_above_what_remains_is_held_with_both_numbers(self):
        assert held(one(order(MUGS), authorized=authorization(99_99))) == (
            Reason.ABOVE_REMAINING,
            {"amount": "100.00 SEK", "remaining": "99.99 SEK"},
        )

    def test_what_was_captured_by_hand_is_called_so(self):
        there = authorization(
            100_00,
            remaining_minor=60_00,
            captures=(
                KustomCapture("C-1", "ours", 10_00),
                KustomCapture("C-2", "by hand", 25_00),
                KustomCapture("C-3", None, 5_00),
            ),
        )
        assert held(one(order(MUGS), authorized=there, own_references=frozenset({"ours"}))) == (
            Reason.CAPTURED_OUTSIDE,
            {"amount": "100.00 SEK", "remaining": "60.00 SEK", "outside": "30.00 SEK"},
        )

    def test_a_capture_by_hand_that_leaves_enough_changes_nothing(self):
        there = authorization(
            150_00, remaining_minor=100_00, captures=(KustomCapture("C-1", "by hand", 50_00),)
        )
        assert isinstance(one(order(MUGS), authorized=there), Plan)

    @pytest.mark.parametrize("status", ["CANCELLED", "EXPIRED", "CLOSED"])
    def test_a_closed_order_takes_no_capture(self, status):
        assert held(one(order(MUGS), authorized=authorization(100_00, status=status))) == (
            Reason.ORDER_NOT_CAPTURABLE,
            {"status": status, "amount": "100.00 SEK"},
        )

    @pytest.mark.parametrize("status", ["AUTHORIZED", "PART_CAPTURED", "CAPTURED", "NEW_AT_KUSTOM"])
    def test_a_status_that_we_do_not_know_is_left_to_kustom(self, status):
        there = authorization(100_00, status=status)
        assert isinstance(one(order(MUGS), authorized=there), Plan)

    @pytest.mark.parametrize("status", ["REJECTED", "STOPPED"])
    def test_what_the_fraud_review_refused_is_held(self, status):
        there = authorization(100_00, fraud_status=status)
        assert held(one(order(MUGS), authorized=there)) == (
            Reason.FRAUD_REJECTED,
            {"status": status},
        )

    def test_another_currency_is_held(self):
        assert held(one(order(MUGS), authorized=authorization(100_00, currency="EUR"))) == (
            Reason.CURRENCY_DIFFERS,
            {"saleor": "SEK", "kustom": "EUR"},
        )

    def test_the_case_of_a_currency_is_no_difference(self):
        assert isinstance(one(order(MUGS), authorized=authorization(100_00, currency="sek")), Plan)


class TestCurrencies:
    def test_one_that_kustom_does_not_list_is_held(self):
        assert held(one(order(MUGS, currency="ISK"))) == (
            Reason.CURRENCY_UNTESTED,
            {"currency": "ISK"},
        )

    def test_the_operator_may_allow_it(self):
        policy = Policy(extra_currencies=frozenset({"ISK"}))
        assert isinstance(one(order(MUGS, currency="isk"), policy=policy), Plan)
        assert isinstance(one(order(MUGS, currency="eur"), policy=policy), Plan)


class TestUnits:
    def test_more_than_is_free_is_held_with_both_numbers(self):
        parcels = Parcels(order(MUGS))
        parcels(mug=2)
        assert held(parcels(mug=2)) == (
            Reason.UNITS_MISSING,
            {"line": "Vara mug", "wanted": 2, "free": 1},
        )

    def test_a_line_that_the_order_lacks_is_held(self):
        assert held(one(order(MUGS), {"spoon": 1})) == (
            Reason.UNITS_MISSING,
            {"line": "spoon", "wanted": 1, "free": 0},
        )

    def test_a_line_that_was_deleted_is_held_and_not_given_away(self):
        assert held(one(order(MUGS), {"": 1, "mug": 1}))[1]["line"] == "a deleted line"

    def test_a_line_that_is_listed_twice_counts_both(self):
        twice = replace(parcel(1, {}), lines=(FulfillmentLine("mug", 1), FulfillmentLine("mug", 2)))
        plan = decide(order(MUGS), twice, (), None, Policy())
        assert (plan.amount_minor, plan.units) == (100_00, {"mug": ((0, 3),)})

    def test_lines_keep_the_orders_sequence(self):
        of = order(MUGS, line("jacket", 1, 50_00))
        body = json.loads(one(of, {"jacket": 1, "mug": 1}).body)
        assert [each["reference"] for each in body["order_lines"]] == ["SKU-mug", "SKU-jacket"]

    def test_an_emptied_parcel_is_worth_nothing_and_takes_no_fee(self):
        of = order(line("file", 1, 10_00, requires_shipping=False), shipping_minor=5_00)
        decision = one(of, {"file": 0})
        assert (decision.why, decision.plan.units) == (NothingWhy.WORTH_ZERO, {})
        assert not decision.plan.charges_shipping


class TestNothing:
    def test_a_free_parcel_is_worth_nothing_and_its_units_are_spent(self):
        parcels = Parcels(order(MUGS, line("sample", 1, 0)))
        decision = parcels(sample=1)
        assert decision.why is NothingWhy.WORTH_ZERO
        assert decision.plan.units == {"sample": ((0, 1),)}
        assert decision.plan.body == ""
        assert held(parcels(sample=1))[0] is Reason.UNITS_MISSING

    def test_a_free_order_is_worth_nothing(self):
        assert one(order(line("sample", 1, 0))) == Nothing(NothingWhy.WORTH_ZERO)

    def test_an_order_that_gift_cards_pay_is_paid_by_others(self):
        assert one(order(MUGS, total_minor=0, gift_cards_used=1)) == Nothing(
            NothingWhy.PAID_BY_OTHERS
        )

    def test_a_parcel_that_a_gift_card_pays_is_paid_by_others_and_carries_it(self):
        parcels = Parcels(
            order(MUGS, line("jacket", 1, 50_00), total_minor=100_00, gift_cards_used=1),
            gift_card=GiftCard.LAST,
        )
        parcels(mug=3)
        decision = parcels(jacket=1)
        assert decision.why is NothingWhy.PAID_BY_OTHERS
        assert decision.plan.gift_card_minor == 50_00

    def test_units_taken_over_say_so_and_from_whom(self):
        parcels = Parcels(order(MUGS))
        parcels(mug=2)
        parcels.cancel(1)
        decision = parcels(mug=2)
        assert decision.why is NothingWhy.TAKEN_OVER
        assert decision.plan.takes_over == ("F-1",)
        assert decision.plan.taken_over == {"mug": ((0, 2),)}


class TestTakingOver:
    def test_a_parcel_pays_only_what_was_not_captured_before(self):
        parcels = Parcels(order(MUGS))
        parcels(mug=1)
        parcels.cancel(1)
        plan = parcels(mug=3)
        assert plan.amount_minor == 100_00 - 33_33
        assert (plan.taken_over, plan.units) == ({"mug": ((0, 1),)}, {"mug": ((1, 3),)})
        [shown] = json.loads(plan.body)["order_lines"]
        assert shown["quantity"] == 2

    def test_units_are_taken_over_once(self):
        parcels = Parcels(order(MUGS))
        parcels(mug=1)
        parcels.cancel(1)
        assert parcels(mug=1).why is NothingWhy.TAKEN_OVER
        assert parcels(mug=1).amount_minor == 33_33

    def test_units_taken_over_are_free_again_when_that_parcel_is_withdrawn(self):
        parcels = Parcels(order(MUGS))
        parcels(mug=1)
        parcels.cancel(1)
        parcels(mug=1)
        parcels.withdraw(2)
        assert parcels(mug=1).plan.takes_over == ("F-1",)

    def test_a_second_cancellation_hands_both_captures_on(self):
        parcels = Parcels(order(MUGS))
        parcels(mug=1)
        parcels.cancel(1)
        parcels(mug=2)
        parcels.cancel(2)
        decision = parcels(mug=2)
        assert decision.why is NothingWhy.TAKEN_OVER
        assert decision.plan.takes_over == ("F-1", "F-2")

    def test_only_the_parcel_whose_units_ship_again_is_named(self):
        parcels = Parcels(order(MUGS))
        for _ in range(2):
            parcels(mug=1)
        parcels.cancel(1)
        parcels.cancel(2)
        assert parcels(mug=1).plan.takes_over == ("F-1",)
        assert parcels(mug=1).plan.takes_over == ("F-2",)

    def test_a_parcel_of_other_lines_takes_nothing_over(self):
        parcels = Parcels(order(MUGS, line("jacket", 1, 50_00)))
        parcels(mug=1)
        parcels.cancel(1)
        assert parcels(jacket=1).takes_over == ()

    def test_a_cancelled_plan_whose_money_never_moved_hands_nothing_on(self):
        plan = one(order(MUGS), {"mug": 1})
        waiting = Earlier("F-0", plan, captured=False, canceled=True)
        assert one(order(MUGS), {"mug": 2}, earlier=[waiting]).taken_over == {}


class TestLimits:
    def test_kustoms_largest_amount_is_planned(self):
        assert one(order(line("ship", 1, LARGEST_MINOR))).amount_minor == LARGEST_MINOR

    def test_a_larger_amount_is_held_with_both_numbers(self):
        assert held(one(order(line("ship", 1, LARGEST_MINOR + 1)))) == (
            Reason.TOO_LARGE,
            {"value": "2000000.01 SEK", "limit": "2000000.00 SEK"},
        )

    def test_an_order_that_shrank_below_what_was_captured_is_never_negative(self):
        parcels = Parcels(order(MUGS))
        parcels(mug=2)
        parcels.order = order(MUGS, total_minor=10_00, gift_cards_used=1)
        assert held(parcels(mug=1)) == (
            Reason.TOTAL_DIFFERS,
            {"total": "10.00 SEK", "parts": "66.66 SEK"},
        )


def test_tracking_goes_along_in_the_same_call():
    plan = one(order(MUGS), shipping_info=({"tracking_number": "SE1"},))
    assert json.loads(plan.body)["shipping_info"] == [{"tracking_number": "SE1"}]


def test_a_plan_is_the_same_bytes_each_time():
    of = order(MUGS, line("jacket", 1, 50_00), shipping_minor=49_00)
    assert one(of).body == one(of).body
    assert one(of).body.startswith('{"captured_amount":19900,"reference":"1001/1/F-1","order_lin')
