"""Gift cards, other payments and rounding differences (domain rules 11 and 12)."""

import json
from dataclasses import replace

import pytest

from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.plan import Nothing, NothingWhy, Plan
from saleor_kustom.capture.policy import GiftCard, Policy
from saleor_kustom.capture.tenders import Tenders, tenders
from tests.capture.examples import KUSTOM, Parcels, authorization, line, order, payment

MUGS = line("mug", 3, 100_00)
JACKET = line("jacket", 1, 50_00)
SHIPPED = ({"mug": 2}, {"mug": 1}, {"jacket": 1})


def split(of, authorized=None):
    found = tenders(of, authorized, Policy())
    assert isinstance(found, Tenders), found
    return found.gift_card_minor, found.other_minor, found.difference_minor, found.kustom_minor


def held(decision):
    assert isinstance(decision, Held), decision
    return decision.reason, dict(decision.detail)


def card(minor):
    return payment("GC", charged_minor=minor, is_gift_card=True)


class TestGiftCards:
    def test_until_3_22_the_total_is_lower_by_the_card(self):
        assert split(order(MUGS, total_minor=70_00, gift_cards_used=1)) == (30_00, 0, 0, 70_00)

    def test_from_3_23_the_card_is_a_payment_and_the_total_stays(self):
        of = order(MUGS, transactions=(card(30_00),), gift_cards_used=1)
        assert split(of) == (30_00, 0, 0, 70_00)

    def test_a_card_that_is_a_payment_and_lowers_the_total_counts_once(self):
        of = order(MUGS, total_minor=70_00, transactions=(card(30_00),), gift_cards_used=1)
        assert split(of) == (30_00, 0, 0, 70_00)

    def test_two_cards_are_one_amount(self):
        of = order(MUGS, transactions=(card(10_00), card(20_00)), gift_cards_used=2)
        assert split(of) == (30_00, 0, 0, 70_00)

    def test_a_card_of_one_minor_unit_is_no_rounding(self):
        assert split(order(MUGS, total_minor=99_99, gift_cards_used=1)) == (1, 0, 0, 99_99)

    def test_without_a_card_the_same_is_a_rounding(self):
        assert split(order(MUGS, total_minor=99_99)) == (0, 0, -1, 99_99)

    def test_where_nothing_is_known_a_small_difference_is_a_rounding(self):
        assert split(order(MUGS, total_minor=99_99, gift_cards_used=None)) == (0, 0, -1, 99_99)
        assert split(order(MUGS, total_minor=99_98, gift_cards_used=None)) == (2, 0, 0, 99_98)

    def test_a_card_that_paid_nothing_of_this_order_is_none(self):
        assert split(order(MUGS, gift_cards_used=1)) == (0, 0, 0, 100_00)
        assert split(order(MUGS, total_minor=100_01, gift_cards_used=1)) == (0, 0, 1, 100_01)

    def test_its_amount_follows_the_subtotal_and_the_lines_may_differ_by_a_rounding(self):
        of = order(MUGS, subtotal_minor=100_01, total_minor=70_01, gift_cards_used=1)
        assert split(of) == (30_00, 0, 1, 70_01)

    def test_a_refunded_card_pays_nothing(self):
        of = order(MUGS, transactions=(payment("GC", is_gift_card=True),), gift_cards_used=1)
        assert split(of) == (0, 0, 0, 100_00)

    def test_a_card_above_the_orders_price_is_held(self):
        of = order(MUGS, transactions=(card(100_01),), gift_cards_used=1)
        assert held(tenders(of, None, Policy()))[0] is Reason.TOTAL_DIFFERS

    def test_its_line_is_negative_and_without_tax(self):
        parcels = Parcels(order(MUGS, total_minor=70_00, gift_cards_used=1))
        lines = json.loads(parcels(mug=3).body)["order_lines"]
        assert lines[1] == {
            "type": "gift_card",
            "name": "Gift card",
            "quantity": 1,
            "unit_price": -30_00,
            "tax_rate": 0,
            "total_amount": -30_00,
            "total_tax_amount": 0,
        }

    @pytest.mark.parametrize("told", [(False, True), (True, False)])
    @pytest.mark.parametrize("policy", GiftCard)
    def test_a_card_that_has_another_name_half_way_is_neither_lost_nor_doubled(self, told, policy):
        # Until a shop's upgrade to 3.23 is known, a gift card is another payment.
        parcels = Parcels(order(MUGS, JACKET), authorization(79_99), gift_card=policy)
        plans = []
        for known, units in zip((*told, told[1]), SHIPPED, strict=True):
            paid = payment("GC", charged_minor=70_01, is_gift_card=known)
            parcels.order = replace(parcels.order, transactions=(paid,))
            parcels(**units)
            plans.append(parcels.ledger[-1].plan)
        carried = [plan.gift_card_minor + plan.store_credit_minor for plan in plans]
        assert sum(carried) == 70_01
        assert sum(plan.amount_minor for plan in plans) == 79_99
        assert all(plan.amount_minor >= 0 for plan in plans)
        assert bool(plans[0].gift_card_minor) == (told[0] and bool(carried[0]))

    def test_another_policy_half_way_neither_loses_nor_doubles_it(self):
        for before, after in ((GiftCard.LAST, GiftCard.PROPORTIONAL), tuple(GiftCard)):
            parcels = Parcels(order(MUGS, total_minor=29_99, gift_cards_used=1), gift_card=before)
            parcels(mug=1)
            parcels.policy = Policy(gift_card=after)
            for _ in range(2):
                parcels(mug=1)
            assert sum(e.plan.gift_card_minor for e in parcels.ledger) == 70_01
            assert sum(e.plan.amount_minor for e in parcels.ledger) == 29_99


class TestOtherPayments:
    def test_what_they_leave_is_kustoms_when_kustom_agrees(self):
        of = order(MUGS, transactions=(payment("SC", charged_minor=30_00),))
        assert split(of, authorization(70_00)) == (0, 30_00, 0, 70_00)

    def test_they_are_a_store_credit_line(self):
        of = order(MUGS, transactions=(payment("SC", charged_minor=30_00),))
        plan = Parcels(of, authorization(70_00))(mug=3)
        last = json.loads(plan.body)["order_lines"][1]
        assert (last["type"], last["total_amount"]) == ("store_credit", -30_00)
        assert (last["name"], plan.store_credit_minor) == ("Other payment", 30_00)

    def test_they_are_held_with_both_numbers_when_kustom_does_not_agree(self):
        of = order(MUGS, transactions=(payment("SC", charged_minor=30_00),))
        assert held(tenders(of, authorization(100_00), Policy())) == (
            Reason.OTHER_TENDER,
            {"other": "30.00 SEK", "kustom": "100.00 SEK"},
        )

    def test_a_gift_card_counts_among_the_others_where_they_are_held(self):
        of = order(MUGS, total_minor=80_00, gift_cards_used=1)
        of = replace(of, transactions=(payment("SC", charged_minor=30_00),))
        assert held(tenders(of, authorization(80_00), Policy()))[1] == {
            "other": "50.00 SEK",
            "kustom": "80.00 SEK",
        }

    def test_an_authorization_that_was_lowered_to_the_rest_agrees(self):
        of = order(MUGS, transactions=(payment("SC", charged_minor=30_00),))
        lowered = authorization(100_00, order_amount_minor=70_00)
        assert split(of, lowered) == (0, 30_00, 0, 70_00)

    def test_a_payment_of_all_beside_an_authorization_is_held_and_not_dropped(self):
        of = order(MUGS, transactions=(payment("CASH", charged_minor=100_00),))
        assert held(tenders(of, authorization(100_00), Policy()))[0] is Reason.OTHER_TENDER

    def test_what_was_refunded_or_cancelled_pays_nothing(self):
        gone = payment("SC", refunded_minor=30_00, canceled_minor=5_00)
        assert split(order(MUGS, transactions=(gone,)), authorization(100_00))[1] == 0

    @pytest.mark.parametrize("psp_reference", [KUSTOM, KUSTOM.upper(), f" {KUSTOM} "])
    def test_kustoms_own_payment_is_no_other(self, psp_reference):
        own = payment(psp_reference, authorized_minor=60_00, charged_minor=40_00)
        assert split(order(MUGS, transactions=(own,)), authorization(100_00))[1] == 0

    def test_both_beside_a_gift_card(self):
        of = order(
            MUGS,
            total_minor=80_00,
            gift_cards_used=1,
            transactions=(payment("SC", authorized_minor=30_00),),
        )
        assert split(of, authorization(50_00)) == (20_00, 30_00, 0, 50_00)

    def test_a_preview_takes_the_payment_that_the_id_names_for_kustoms(self):
        others = (payment("SC", charged_minor=30_00), payment(KUSTOM, authorized_minor=70_00))
        of = order(MUGS, transactions=others, metadata={"kustom_order_id": KUSTOM})
        assert split(of)[1] == 30_00

    def test_a_preview_without_id_takes_a_uuid_then_the_first_payment(self):
        uuids = (payment("SC", charged_minor=30_00), payment(KUSTOM, authorized_minor=70_00))
        assert split(order(MUGS, transactions=uuids))[1] == 30_00
        plain = (payment("A", charged_minor=30_00), payment("B", authorized_minor=70_00))
        assert split(order(MUGS, transactions=plain))[1] == 70_00
        assert split(order(MUGS))[1] == 0

    def test_a_preview_of_an_order_that_others_pay_has_nothing_to_capture(self):
        both = (payment(KUSTOM, authorized_minor=1), payment("SC", charged_minor=100_00))
        found = tenders(order(MUGS, transactions=both), None, Policy())
        assert found == Nothing(NothingWhy.PAID_BY_OTHERS)

    def test_payments_above_the_price_that_only_a_rounding_hides_are_held(self):
        of = order(MUGS, total_minor=100_01, transactions=(payment("SC", charged_minor=100_00),))
        assert split(of, authorization(1)) == (0, 100_00, 1, 1)
        of = order(
            MUGS, JACKET, total_minor=150_02, transactions=(payment("SC", charged_minor=150_01),)
        )
        assert held(tenders(of, authorization(1), Policy())) == (
            Reason.OTHER_TENDER,
            {"other": "150.01 SEK", "kustom": "0.01 SEK"},
        )
        lowered = authorization(1_00, order_amount_minor=1)
        assert held(tenders(of, lowered, Policy()))[1]["kustom"] == "1.00 SEK"
        preview = replace(of, transactions=(payment(KUSTOM, 1), *of.transactions))
        assert held(tenders(preview, None, Policy()))[1]["kustom"] == "0.01 SEK"


class TestDifferences:
    def test_a_lack_beside_another_payment_is_on_the_last_parcel(self):
        paid = payment("SC", charged_minor=100_00)
        of = order(MUGS, JACKET, total_minor=149_98, transactions=(paid,))
        parcels = Parcels(of, authorization(49_98))
        plans = [parcels(jacket=1), parcels(mug=2), parcels(mug=1)]
        assert [plan.store_credit_minor for plan in plans] == [33_33, 44_44, 22_23]
        assert [plan.adjustment_minor for plan in plans] == [0, 0, -2]
        assert sum(plan.amount_minor for plan in plans) == 49_98

    def test_a_last_parcel_that_another_payment_leaves_less_of_than_the_lack(self):
        # 100.00, 1 and 1, of which 99.99 are paid: what is left is 3, less a lack of 2.
        ones = (line("one", 1, 1), line("two", 1, 1))
        paid = payment("SC", charged_minor=99_99)
        of = order(MUGS, *ones, total_minor=100_00, transactions=(paid,))
        parcels = Parcels(of, authorization(1), gift_card=GiftCard.LAST)
        parcels(mug=3)
        parcels(one=1)
        parcels(two=1)
        plans = [each.plan for each in parcels.ledger]
        assert [plan.store_credit_minor for plan in plans] == [99_97, 1, 1]
        assert [plan.adjustment_minor for plan in plans] == [-2, 0, 0]
        assert [plan.amount_minor for plan in plans] == [1, 0, 0]

    def test_a_lack_that_was_taken_off_and_then_mended_is_given_back(self):
        tiny = line("tiny", 1, 1)
        parcels = Parcels(order(MUGS, JACKET, tiny, total_minor=150_01 - 3))
        parcels(jacket=1)
        parcels(mug=3)
        parcels.order = order(MUGS, JACKET, tiny)
        assert parcels(tiny=1).adjustment_minor == 2
        assert sum(each.plan.amount_minor for each in parcels.ledger) == 150_01

    @pytest.mark.parametrize("difference", [-2, -1, 1, 2])
    def test_a_minor_unit_for_each_line_goes_on_the_last_parcel(self, difference):
        parcels = Parcels(order(MUGS, JACKET, total_minor=150_00 + difference))
        amounts = [parcels(mug=1).amount_minor for _ in range(3)]
        last = parcels(jacket=1)
        assert [*amounts, last.amount_minor] == [33_33, 33_33, 33_34, 50_00 + difference]
        assert json.loads(last.body)["order_lines"][1] == {
            "type": "surcharge" if difference > 0 else "discount",
            "name": "Rounding",
            "quantity": 1,
            "unit_price": difference,
            "tax_rate": 0,
            "total_amount": difference,
            "total_tax_amount": 0,
        }

    @pytest.mark.parametrize("difference", [-3, 3])
    def test_a_larger_one_is_held_with_both_numbers(self, difference):
        of = order(MUGS, JACKET, total_minor=150_00 + difference, shipping_minor=0)
        assert held(tenders(of, None, Policy())) == (
            Reason.TOTAL_DIFFERS,
            {"total": "149.97 SEK" if difference < 0 else "150.03 SEK", "parts": "150.00 SEK"},
        )

    def test_a_line_of_no_units_excuses_no_difference(self):
        of = order(MUGS, line("none", 0, 0), total_minor=100_02)
        assert held(tenders(of, None, Policy()))[0] is Reason.TOTAL_DIFFERS

    def test_what_a_line_of_no_units_costs_is_not_shipped_and_so_is_held(self):
        of = order(MUGS, line("none", 0, 5_00))
        assert held(tenders(of, None, Policy()))[1]["parts"] == "100.00 SEK"

    def test_a_last_parcel_worth_less_than_the_lack_takes_none_below_zero(self):
        tiny = line("tiny", 1, 1)
        parcels = Parcels(order(MUGS, JACKET, tiny, total_minor=150_01 - 3))
        plans = [parcels(jacket=1), parcels(mug=3)]
        assert [plan.amount_minor for plan in plans] == [50_00, 100_00 - 2]
        assert parcels(tiny=1).why is NothingWhy.PAID_BY_OTHERS
        assert [e.plan.adjustment_minor for e in parcels.ledger] == [0, -2, -1]

    def test_a_free_sample_at_the_end_is_not_captured_for_a_rounding(self):
        parcels = Parcels(order(MUGS, line("sample", 1, 0), total_minor=100_01))
        assert parcels(mug=3).amount_minor == 100_01
        assert parcels(sample=1).why is NothingWhy.WORTH_ZERO

    def test_a_withdrawn_parcel_frees_its_adjustment(self):
        parcels = Parcels(order(MUGS, total_minor=100_01))
        parcels(mug=1)
        parcels(mug=2)
        parcels.withdraw(2)
        assert parcels(mug=2).amount_minor == 66_68

    def test_an_adjustment_that_stands_is_not_made_again(self):
        parcels = Parcels(order(MUGS, total_minor=100_01))
        parcels(mug=1)
        parcels(mug=2)
        parcels.withdraw(1)
        assert isinstance(parcels(mug=1), Plan)
        assert sum(e.plan.amount_minor for e in parcels.ledger if e.plan) == 100_01
