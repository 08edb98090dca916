"""What a link and a session decide, by themselves: states, words, transactions, references."""

from dataclasses import replace

import pytest

from saleor_kustom.capture.binding import Misfit
from saleor_kustom.capture.fulfillment import Checkout
from saleor_kustom.capture.linking import (
    LINK_TRANSITIONS,
    REFUSALS,
    Covered,
    LinkEvent,
    LinkRefusal,
    LinkState,
    LinkWait,
    Refusing,
    Told,
    kind_of,
    link_after,
    outcome,
    references_for,
    standing,
    transaction_for,
)
from saleor_kustom.capture.plan import Binding
from saleor_kustom.capture.policy import MerchantReferences
from saleor_kustom.capture.session import (
    _MISFITS,
    _WORDS,
    Code,
    Result,
    Session,
    SessionAnswer,
    decide_session,
    failure,
)
from saleor_kustom.errors import IllegalTransition
from tests.capture.examples import KUSTOM, authorization, line, order, payment

MUGS = line("mug", 3, 100_00)
BINDING = Binding("playground", "PM1", KUSTOM)
ANOTHER = "11111111-2222-4333-8444-555555555555"


# ---- the table


def test_only_what_stands_in_the_table_is_possible():
    for state in LinkState:
        for event in LinkEvent:
            if event in LINK_TRANSITIONS[state]:
                assert link_after(state, event) is LINK_TRANSITIONS[state][event]
            else:
                with pytest.raises(IllegalTransition):
                    link_after(state, event)


def test_what_is_bound_is_never_refused():
    assert LinkEvent.DOES_NOT_FIT not in LINK_TRANSITIONS[LinkState.BOUND]


# ---- words


def test_every_refusal_has_words_and_shows_a_gap_where_a_row_lacks_a_value():
    assert set(REFUSALS) == set(LinkRefusal)
    assert Refusing(LinkRefusal.ORDER_BOUND).message == (
        "The order belongs to the Kustom order ? already; asked for was ?."
    )


@pytest.mark.parametrize(
    ("state", "code", "told", "words"),
    [
        (LinkState.LINKED, None, Told.LINKED, ""),
        (LinkState.REFUSED, "does_not_fit", Told.REFUSED, "because"),
        (LinkState.ASKED, None, Told.KEPT, "because"),
        (LinkState.BOUND, "http_503", Told.KEPT, "because"),
        (LinkState.BOUND, LinkWait.OBSERVE, Told.KEPT, "switched to capture mode"),
        (LinkState.BOUND, LinkWait.CREATING, Told.KEPT, "within a minute"),
        (
            LinkState.BOUND,
            LinkWait.REFUSED_BY_SALEOR,
            Told.KEPT,
            "refused the transaction: because",
        ),
    ],
)
def test_whoever_asked_is_told_how_it_stands(state, code, told, words):
    found = outcome(state, code, {"message": "because"}, KUSTOM, KUSTOM)
    assert found.told is told
    assert words in found.message


def test_what_waits_without_words_says_its_code():
    found = outcome(LinkState.ASKED, None, {}, KUSTOM, KUSTOM)
    assert (found.code, found.message) == ("busy", "Kept; it is tried again by itself (busy).")


def test_who_asked_for_another_than_it_has_is_told_both():
    found = outcome(LinkState.LINKED, None, {}, KUSTOM, ANOTHER)
    assert (found.told, found.code) == (Told.REFUSED, "order_bound")
    assert KUSTOM in found.message
    assert ANOTHER in found.message


@pytest.mark.parametrize(
    ("text", "kind"),
    [("T3JkZXI6MQ==", "Order"), ("Q2hlY2tvdXQ6eA==", "Checkout"), ("T3JkZXI6", ""), ("1001", ""),
     ("", ""), ("!", ""), ("/////w==", ""), ("Ö", "")],
)  # fmt: skip
def test_what_an_id_is_of(text, kind):
    assert kind_of(text) == kind


# ---- the transaction


def test_the_transaction_is_over_what_is_captured_and_remains():
    there = authorization(100_00, captured_amount_minor=30_00, remaining_minor=60_00)
    made = transaction_for(order(MUGS), there, BINDING, "https://portal")
    assert (str(made.authorized), made.currency, made.psp_reference) == ("90.00", "SEK", KUSTOM)
    assert (made.external_url, made.available_actions) == (
        "https://portal", ("CHARGE", "REFUND", "CANCEL"),
    )  # fmt: skip


def test_none_is_made_beside_one_that_stands_in_whatever_spelling():
    of = order(MUGS, transactions=(payment(f" {KUSTOM.upper()} ", 100_00),))
    assert transaction_for(of, authorization(100_00), BINDING, None) is Covered.STANDS
    assert standing(of, KUSTOM).psp_reference.strip() == KUSTOM.upper()


def test_a_gift_card_stands_for_no_kustom_order():
    card = payment(KUSTOM, charged_minor=30_00, is_gift_card=True)
    of = order(MUGS, transactions=(card,))
    assert standing(of, KUSTOM) is None


@pytest.mark.parametrize(("beside", "made"), [(0, True), (30_00, True), (30_01, False)])
def test_what_others_authorize_is_never_authorized_again(beside, made):
    of = order(MUGS, transactions=(payment("SC", beside),))
    found = transaction_for(of, authorization(70_00), BINDING, None)
    assert (found is not Covered.BY_ANOTHER) is made


def test_a_gift_card_that_lowered_the_total_is_not_counted_twice():
    card = payment("GC", charged_minor=30_00, is_gift_card=True)
    of = order(MUGS, total_minor=70_00, transactions=(card,))
    assert str(transaction_for(of, authorization(70_00), BINDING, None).authorized) == "70.00"


# ---- the reference


@pytest.mark.parametrize(
    ("chosen", "there", "body"),
    [
        (MerchantReferences.IF_EMPTY, None, '{"merchant_reference1": "1001"}'),
        (MerchantReferences.IF_EMPTY, "#1001", None),
        (MerchantReferences.OVERWRITE, "#1001", '{"merchant_reference1": "1001"}'),
        (MerchantReferences.OVERWRITE, "1001", None),
        (MerchantReferences.NEVER, None, None),
    ],
)
def test_the_reference_follows_the_merchants_choice(chosen, there, body):
    found = authorization(100_00, merchant_reference1=there)
    assert references_for(order(MUGS), found, chosen) == body


# ---- a storefront's answer


def checkout(*payments, total=100_00):
    return Checkout("C1", "token", "se", "SEK", total, payments)


SESSION = Session("C1", "T1", KUSTOM)


def test_every_code_has_words_and_every_misfit_a_code():
    assert set(_WORDS) == set(Code)
    assert set(_MISFITS) == set(Misfit)


def test_an_authorization_says_kustoms_amount():
    there = authorization(100_00, captured_amount_minor=10_00, remaining_minor=90_00)
    found = decide_session(checkout(), SESSION, there)
    assert (found.result, str(found.amount), found.kustom_order_id) == (
        Result.SUCCESS, "100.00", KUSTOM,
    )  # fmt: skip


def test_a_review_is_a_request():
    found = decide_session(checkout(), SESSION, authorization(100_00, fraud_status="PENDING"))
    assert (found.result, "reviews" in found.message) == (Result.REQUEST, True)


@pytest.mark.parametrize("status", ["REJECTED", "STOPPED", "NEW"])
def test_what_is_neither_accepted_nor_under_review_is_refused(status):
    found = decide_session(checkout(), SESSION, authorization(100_00, fraud_status=status))
    assert found == failure(Code.REVIEW)


def test_a_failure_names_no_kustom_order():
    found = decide_session(checkout(), SESSION, authorization(99_99))
    assert found == SessionAnswer(Result.FAILURE, code=Code.AMOUNT)


def test_its_own_transaction_may_be_answered_again():
    own = replace(payment(KUSTOM, 100_00), id="T1")
    assert decide_session(checkout(own), SESSION, authorization(100_00)).result is Result.SUCCESS


def test_another_transaction_of_it_may_not():
    other = replace(payment(KUSTOM.upper(), 100_00), id="T2")
    found = decide_session(checkout(other), SESSION, authorization(100_00))
    assert found == failure(Code.ALREADY_AUTHORIZED)


def test_an_authorization_that_was_released_is_none():
    there = authorization(100_00, remaining_minor=0)
    assert decide_session(checkout(), SESSION, there) == failure(Code.STATUS)


@pytest.mark.parametrize("name", ["C1", "token", "#token"])
def test_a_reference_may_name_the_checkout(name):
    there = authorization(100_00, merchant_reference1=name)
    assert decide_session(checkout(), SESSION, there).result is Result.SUCCESS
