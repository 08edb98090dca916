"""An id is a claim: only a Kustom order that really fits is captured on."""

import pytest
from making import KUSTOM_ORDER, OTHER_ORDER, authorized, card, order, order_line, payment

from saleor_kustom.capture.binding import Candidate, Source, candidates, refusal
from saleor_kustom.capture.policy import Policy

KEY = "kustom_order_id"
THIRD_ORDER = "9e107d9d-372b-4b6b-8d3b-1f0e2a4c5d6e"


def placed(**changes):
    return order(order_line(100_00), **{"transactions": (payment(100_00),), **changes})


def test_ids_are_tried_private_first_then_public_then_the_transactions():
    made = order(
        order_line(100_00),
        private_metadata={KEY: OTHER_ORDER},
        metadata={KEY: f" {THIRD_ORDER}\n"},
        transactions=(payment(100_00),),
    )
    assert candidates(made, Policy()) == (
        Candidate(OTHER_ORDER, Source.PRIVATE_METADATA),
        Candidate(THIRD_ORDER, Source.PUBLIC_METADATA),
        Candidate(KUSTOM_ORDER, Source.TRANSACTION),
    )


def test_an_id_that_is_found_twice_is_tried_once_and_as_the_more_trusted():
    made = placed(metadata={KEY: KUSTOM_ORDER.upper()})
    found = candidates(made, Policy())
    assert found == (Candidate(KUSTOM_ORDER.upper(), Source.PUBLIC_METADATA),)
    assert not found[0].guessed


def test_the_key_is_the_merchants_choice():
    made = order(order_line(1), metadata={"klarna_id": OTHER_ORDER, KEY: THIRD_ORDER})
    found = candidates(made, Policy(kustom_order_id_key="klarna_id"))
    assert [c.kustom_order_id for c in found] == [OTHER_ORDER]


def test_a_gift_cards_or_a_foreign_reference_is_no_candidate():
    card_with_uuid = payment(charged_minor=1, psp=OTHER_ORDER, is_gift_card=True)
    for transaction in (card_with_uuid, payment(1, psp="pi_3Nabc"), payment(1, psp="")):
        assert candidates(order(order_line(1), transactions=(transaction,)), Policy()) == ()


def test_a_blank_id_is_no_candidate_and_a_wrong_one_is_not_valid():
    made = order(order_line(1), metadata={KEY: "  "}, private_metadata={KEY: "K-1"})
    assert candidates(made, Policy()) == (Candidate("K-1", Source.PRIVATE_METADATA),)
    assert not candidates(made, Policy())[0].valid
    assert Candidate(KUSTOM_ORDER.upper(), Source.TRANSACTION).valid
    assert not Candidate(KUSTOM_ORDER.replace("-", ""), Source.TRANSACTION).valid


def test_only_an_id_from_a_transaction_is_a_guess():
    assert [Candidate("x", source).guessed for source in Source] == [False, False, True]


@pytest.mark.parametrize("status", ["AUTHORIZED", "PART_CAPTURED", "CAPTURED"])
def test_an_order_of_the_same_amount_and_currency_fits(status):
    assert refusal(placed(), authorized(100_00, status=status)) is None


@pytest.mark.parametrize("status", ["CANCELLED", "EXPIRED", "CLOSED", "SOMETHING_NEW"])
def test_an_order_that_cannot_be_captured_does_not_fit(status):
    assert refusal(placed(), authorized(100_00, status=status)) == f"it is {status}"


def test_another_currency_does_not_fit():
    assert refusal(placed(), authorized(100_00, currency="NOK")) == "it is in NOK, the order in SEK"
    assert refusal(placed(), authorized(100_00, currency="sek")) is None


def test_another_amount_does_not_fit_and_both_are_named():
    why = refusal(placed(), authorized(100_01))
    assert why == "it was placed over 100.01 SEK, the order asks for 100.00 SEK"


def test_the_original_amount_counts_and_not_what_is_left_of_it():
    fits = authorized(100_00, 40_00, order_amount_minor=60_00)
    assert refusal(placed(), fits) is None
    lowered = authorized(60_00, original_order_amount_minor=100_00)
    assert refusal(placed(), lowered) is None


def test_a_payment_that_was_charged_and_refunded_still_shows_what_was_authorized():
    was = payment(authorized_minor=10_00, charged_minor=60_00, refunded_minor=20_00)
    made = placed(transactions=(was,), total_minor=999_00)
    assert refusal(made, authorized(90_00)) is None
    voided = payment(canceled_minor=100_00)
    assert refusal(placed(transactions=(voided,), total_minor=1), authorized(100_00)) is None


def test_a_gift_card_of_its_own_transaction_is_not_asked_of_kustom():
    made = placed(transactions=(card(30_00),))
    assert refusal(made, authorized(70_00)) is None
    assert refusal(made, authorized(100_00)) is not None


def test_a_gift_card_that_lowered_the_total_is_not_subtracted_twice():
    made = placed(transactions=(card(30_00),), total_minor=70_00)
    assert refusal(made, authorized(70_00)) is None
    assert refusal(made, authorized(40_00)) is not None


def test_what_another_payment_holds_is_not_asked_of_kustom():
    made = placed(transactions=(payment(25_00, 5_00, psp="other"),))
    assert refusal(made, authorized(70_00)) is None


def test_without_a_transaction_of_its_own_what_saleor_shows_as_authorized_fits():
    made = placed(transactions=(), total_authorized_minor=60_00, total_charged_minor=30_00)
    assert refusal(made, authorized(90_00)) is None
    assert refusal(made, authorized(100_00)) is None
    assert refusal(made, authorized(60_00)) is not None


def test_a_paid_order_does_not_fit_a_kustom_order_over_nothing():
    made = order(order_line(100_00), transactions=(payment(100_00, psp="other"),))
    assert refusal(made, authorized(0)) is not None


@pytest.mark.parametrize("name", [None, "", "1", "#1", " 1 ", "T3JkZXI6MQ=="])
def test_an_order_that_names_this_one_or_none_fits(name):
    assert refusal(placed(), authorized(100_00, merchant_reference1=name)) is None


@pytest.mark.parametrize("name", ["2", "#11", "01"])
def test_an_order_that_names_another_does_not_fit(name):
    why = refusal(placed(), authorized(100_00, merchant_reference1=name))
    assert why == f"it names another order, {name}"
