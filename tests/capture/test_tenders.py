"""What Kustom pays of an order, and how a gift card is spread over its parcels."""

import pytest
from making import KUSTOM_ORDER, authorized, card, order, order_line, payment

from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.plan import Nothing, NothingWhy
from saleor_kustom.capture.policy import GiftCard, Policy
from saleor_kustom.capture.tenders import Tenders, other_transactions, spread, tenders

OWN = payment(100_00)


def of(*transactions, total_minor=None, base=100_00, used=0):
    return order(
        order_line(base),
        total_minor=total_minor,
        transactions=transactions,
        gift_cards_used=used,
    )


def test_without_other_payments_kustom_pays_the_total():
    found = tenders(of(OWN), authorized(100_00), Policy())
    assert found == Tenders(100_00, 0, 0, 0)
    assert found.kustom_minor == 100_00


def test_the_fee_is_part_of_what_is_paid():
    made = order(order_line(100_00), shipping_minor=49_00)
    assert tenders(made, None, Policy()) == Tenders(149_00, 0, 0, 0)


def test_a_gift_card_is_what_a_reduced_total_lacks():
    assert tenders(of(total_minor=70_00, used=1), None, Policy()) == Tenders(100_00, 30_00, 0, 0)


def test_a_gift_card_is_its_transaction_where_the_total_is_whole():
    assert tenders(of(OWN, card(30_00), used=1), None, Policy()) == Tenders(100_00, 30_00, 0, 0)
    two = of(OWN, card(30_00), card(20_00), used=2)
    assert tenders(two, None, Policy()).gift_card_minor == 50_00


def test_a_gift_card_that_lowered_the_total_and_has_a_transaction_counts_once():
    made = of(OWN, card(30_00), total_minor=70_00, used=1)
    assert tenders(made, None, Policy()) == Tenders(100_00, 30_00, 0, 0)


def test_a_lower_total_without_a_gift_card_is_held_with_both_numbers():
    assert tenders(of(total_minor=70_00), None, Policy()) == Held(
        Reason.TOTAL_DIFFERS, {"total": "70.00 SEK", "parts": "100.00 SEK"}
    )


def test_where_gift_cards_are_not_known_a_large_gap_is_one_and_a_small_one_is_rounding():
    assert tenders(of(total_minor=70_00, used=None), None, Policy()).gift_card_minor == 30_00
    assert tenders(of(total_minor=99_99, used=None), None, Policy()) == Tenders(100_00, 0, 0, -1)
    assert tenders(of(total_minor=99_98, used=None), None, Policy()) == Tenders(100_00, 2, 0, 0)


@pytest.mark.parametrize("difference", [-1, 1])
def test_a_difference_of_a_minor_unit_for_each_line_is_rounding(difference):
    found = tenders(of(total_minor=100_00 + difference), None, Policy())
    assert found == Tenders(100_00, 0, 0, difference)
    assert found.kustom_minor == 100_00 + difference


@pytest.mark.parametrize("difference", [-2, 2])
def test_a_larger_difference_is_held(difference):
    held = tenders(of(total_minor=100_00 + difference), None, Policy())
    assert held.reason is Reason.TOTAL_DIFFERS


def test_a_gift_card_above_the_price_is_held():
    assert tenders(of(OWN, card(100_01)), None, Policy()).reason is Reason.TOTAL_DIFFERS


def test_an_order_that_a_gift_card_pays_in_full_has_nothing_to_capture():
    assert tenders(of(total_minor=0, used=1), None, Policy()) == Nothing(NothingWhy.PAID_BY_OTHERS)
    assert tenders(of(card(100_00)), None, Policy()) == Nothing(NothingWhy.PAID_BY_OTHERS)


def test_a_free_order_has_nothing_to_capture():
    assert tenders(of(base=0), None, Policy()) == Nothing(NothingWhy.WORTH_ZERO)


def test_another_payment_counts_when_kustom_was_asked_for_exactly_the_rest():
    other = payment(charged_minor=40_00, psp="other")
    found = tenders(of(OWN, other), authorized(60_00), Policy())
    assert found == Tenders(100_00, 0, 40_00, 0)
    assert found.kustom_minor == 60_00


def test_another_payment_beside_a_kustom_order_over_everything_is_held_with_both_numbers():
    other = payment(charged_minor=30_00, authorized_minor=10_00, psp="other")
    assert tenders(of(OWN, other), authorized(100_00), Policy()) == Held(
        Reason.OTHER_TENDER, {"other": "40.00 SEK", "kustom": "100.00 SEK"}
    )


def test_an_order_that_other_payments_pay_in_full_has_nothing_to_capture():
    other = payment(charged_minor=100_00, psp="other")
    assert tenders(of(other), authorized(0), Policy()) == Nothing(NothingWhy.PAID_BY_OTHERS)
    assert tenders(of(OWN, other), authorized(100_00), Policy()).reason is Reason.OTHER_TENDER


def test_an_authorization_that_was_lowered_to_the_rest_counts_too():
    other = payment(charged_minor=40_00, psp="other")
    lowered = authorized(60_00, original_order_amount_minor=100_00)
    assert tenders(of(OWN, other), lowered, Policy()).kustom_minor == 60_00


def test_payments_of_nothing_and_gift_cards_are_no_other_payments():
    made = of(payment(psp="failed"), card(1), OWN, payment(1, psp="other"))
    assert [t.psp_reference for t in other_transactions(made, authorized(1), Policy())] == ["other"]


def test_a_preview_without_kustom_takes_the_first_payment_for_kustoms():
    made = of(payment(psp="failed"), OWN, payment(1, psp="other"))
    assert [t.psp_reference for t in other_transactions(made, None, Policy())] == ["other"]
    assert OWN.psp_reference == KUSTOM_ORDER


def carried(policy, tender, parcels):
    """What each parcel carries, one after another."""
    before = done = 0
    shares = []
    for parcel in parcels:
        share = spread(policy, tender, sum(parcels), before, parcel, done)
        shares.append(share)
        before, done = before + parcel, done + share
    return shares


@pytest.mark.parametrize(
    ("policy", "tender", "parcels", "shares"),
    [
        # A gift card of 300.00 on 1497.79, as Saleor 3.22 answered it.
        (GiftCard.PROPORTIONAL, 300_00, (1348_00, 149_79), [269_99, 30_01]),
        (GiftCard.LAST, 300_00, (1348_00, 149_79), [150_21, 149_79]),
        (GiftCard.PROPORTIONAL, 1, (1, 1, 1), [0, 0, 1]),
        (GiftCard.PROPORTIONAL, 2, (1, 1, 1), [0, 1, 1]),
        (GiftCard.PROPORTIONAL, 100, (33, 33, 34), [33, 33, 34]),
        (GiftCard.PROPORTIONAL, 0, (5, 5), [0, 0]),
        (GiftCard.LAST, 100, (50, 50, 50), [0, 50, 50]),
        (GiftCard.LAST, 120, (50, 50, 50), [20, 50, 50]),
        (GiftCard.LAST, 10, (50, 50, 50), [0, 0, 10]),
        (GiftCard.LAST, 150, (50, 50, 50), [50, 50, 50]),
    ],
)
def test_parcels_carry_a_gift_card_exactly_once(policy, tender, parcels, shares):
    assert carried(policy, tender, parcels) == shares
    assert sum(shares) == tender


def test_a_parcel_carries_what_the_rest_could_not():
    # 10 of 90 are carried, and the parcels after this one are worth only 20.
    assert spread(GiftCard.LAST, 90, 100, 20, 60, 10) == 60
    assert spread(GiftCard.PROPORTIONAL, 90, 100, 20, 60, 10) == 62 - 2
    assert spread(GiftCard.PROPORTIONAL, 50, 100, 0, 10, 0) == 5


def test_a_parcel_never_carries_back():
    # The other parcels carry more than their share: a withdrawn one came between.
    assert spread(GiftCard.PROPORTIONAL, 50, 100, 10, 10, 30) == 0
    assert spread(GiftCard.LAST, 50, 100, 10, 10, 30) == 0


def test_an_order_worth_nothing_spreads_nothing():
    assert spread(GiftCard.PROPORTIONAL, 0, 0, 0, 0, 0) == 0
