"""How a tender is spread: as late as possible, in proportion, never more than is left."""

import pytest

from saleor_kustom.capture.policy import GiftCard
from saleor_kustom.capture.tenders import spread
from tests.capture.examples import Parcels, authorization, line, order, payment

MUGS = line("mug", 3, 100_00)


@pytest.mark.parametrize("policy", GiftCard)
def test_an_order_that_shrank_carries_no_more_than_is_left(policy):
    # 10 of a whole of 100; the other parcels have 90 of it and carry 5; this one has 20.
    assert spread(policy, 10, 100, 90, 20, 5) == 5


def test_as_late_as_possible_is_what_the_rest_can_no_longer_carry():
    carried = [spread(GiftCard.LAST, 30, 100, before, 20, 0) for before in (40, 50, 60, 80)]
    assert carried == [0, 0, 10, 30]


def test_in_proportion_is_a_cumulative_floor():
    assert spread(GiftCard.PROPORTIONAL, 10, 30, 0, 10, 0) == 3
    assert spread(GiftCard.PROPORTIONAL, 10, 30, 10, 10, 3) == 3
    assert spread(GiftCard.PROPORTIONAL, 10, 30, 20, 10, 6) == 4


@pytest.mark.parametrize("policy", GiftCard)
def test_a_whole_that_is_nothing_carries_nothing(policy):
    assert spread(policy, 0, 0, 0, 0, 0) == 0


def test_the_policy_is_for_other_payments_too():
    of = order(MUGS, transactions=(payment("SC", charged_minor=40_00),))
    parcels = Parcels(of, authorization(60_00), gift_card=GiftCard.LAST)
    plans = [parcels(mug=1) for _ in range(2)]
    assert [plan.store_credit_minor for plan in plans] == [0, 6_66]


def test_another_payment_is_spread_over_what_the_gift_card_leaves():
    paid = payment("SC", charged_minor=40_00)
    of = order(MUGS, total_minor=70_00, gift_cards_used=1, transactions=(paid,))
    parcels = Parcels(of, authorization(30_00))
    plans = [parcels(mug=1) for _ in range(3)]
    assert [plan.gift_card_minor for plan in plans] == [9_99, 10_00, 10_01]
    # Cumulative floors of 40.00 over 70.00: after 23.34, 46.67 and 70.00.
    assert [plan.store_credit_minor for plan in plans] == [13_33, 13_33, 13_34]


def test_a_card_that_pays_all_but_a_rounding_leaves_the_rounding():
    of = order(
        MUGS,
        total_minor=100_01,
        transactions=(payment("GC", charged_minor=100_00, is_gift_card=True),),
        gift_cards_used=1,
    )
    assert Parcels(of, authorization(1))(mug=3).amount_minor == 1
