"""Which Kustom order an order claims, and whether it fits (domain rule 4)."""

from dataclasses import replace

import pytest

from saleor_kustom.capture.binding import Candidate, Source, candidates, refusal
from saleor_kustom.capture.policy import Policy
from tests.capture.examples import KUSTOM, authorization, line, order, payment

OTHER = "11111111-2222-4333-8444-555555555555"
MUGS = line("mug", 3, 100_00)


def claimed(of, **policy):
    return [(c.kustom_order_id, c.source.value) for c in candidates(of, Policy(**policy))]


class TestCandidates:
    def test_private_metadata_goes_before_public_before_transactions(self):
        of = order(
            MUGS,
            private_metadata={"kustom_order_id": KUSTOM},
            metadata={"kustom_order_id": OTHER},
            transactions=(payment(OTHER.replace("1", "9")),),
        )
        assert claimed(of) == [
            (KUSTOM, "private_metadata"),
            (OTHER, "public_metadata"),
            (OTHER.replace("1", "9"), "transaction"),
        ]

    def test_the_same_id_is_tried_once(self):
        of = order(
            MUGS,
            metadata={"kustom_order_id": f" {KUSTOM} "},
            transactions=(payment(KUSTOM.upper()),),
        )
        assert claimed(of) == [(KUSTOM, "public_metadata")]

    def test_the_key_can_be_chosen(self):
        of = order(MUGS, metadata={"klarna": KUSTOM, "kustom_order_id": OTHER})
        assert claimed(of, kustom_order_id_key="klarna") == [(KUSTOM, "public_metadata")]

    @pytest.mark.parametrize(
        "psp_reference", ["", "K4MADNY", KUSTOM.replace("-", ""), f"{{{KUSTOM}}}"]
    )
    def test_a_psp_reference_that_is_no_uuid_claims_nothing(self, psp_reference):
        assert claimed(order(MUGS, transactions=(payment(psp_reference),))) == []

    def test_a_gift_card_claims_nothing(self):
        assert claimed(order(MUGS, transactions=(payment(KUSTOM, is_gift_card=True),))) == []

    def test_empty_metadata_claims_nothing(self):
        of = order(MUGS, private_metadata={"kustom_order_id": " "}, metadata={"other": KUSTOM})
        assert claimed(of) == []

    def test_an_id_in_metadata_that_is_no_uuid_is_a_claim_but_not_valid(self):
        of = order(MUGS, private_metadata={"kustom_order_id": "K4MADNY"})
        [found] = candidates(of, Policy())
        assert not found.valid
        assert not found.guessed
        assert Candidate(KUSTOM, Source.TRANSACTION).valid
        assert Candidate(KUSTOM, Source.TRANSACTION).guessed

    def test_a_transaction_of_our_own_goes_first_and_is_no_guess(self):
        ours = replace(payment(KUSTOM), owner_app_identifier="ours")
        of = order(MUGS, private_metadata={"kustom_order_id": OTHER}, transactions=(ours,))
        found = candidates(of, Policy(), "ours")
        assert [(c.kustom_order_id, c.source, c.guessed) for c in found] == [
            (KUSTOM, Source.OWN_TRANSACTION, False),
            (OTHER, Source.PRIVATE_METADATA, False),
        ]
        [_, theirs] = candidates(of, Policy(), "another's")
        assert (theirs.kustom_order_id, theirs.guessed) == (KUSTOM, True)

    def test_nobodys_transaction_is_not_ours_when_we_have_no_name(self):
        nobodys = replace(payment(KUSTOM), owner_app_identifier=None)
        [found] = candidates(order(MUGS, transactions=(nobodys,)), Policy(), None)
        assert found.guessed

    def test_two_spellings_are_one_order(self):
        of = order(MUGS, private_metadata={"kustom_order_id": KUSTOM.upper()})
        [found] = candidates(of, Policy())
        assert found.kustom_order_id == KUSTOM


class TestRefusal:
    def paid(self, **fields):
        return order(MUGS, transactions=(payment(KUSTOM, 100_00),), **fields)

    @pytest.mark.parametrize("status", ["AUTHORIZED", "PART_CAPTURED", "CAPTURED"])
    def test_an_open_or_captured_order_fits(self, status):
        assert refusal(self.paid(), authorization(100_00, status=status)) is None

    @pytest.mark.parametrize("status", ["CANCELLED", "EXPIRED", "CLOSED", "NEW_AT_KUSTOM"])
    def test_any_other_status_does_not(self, status):
        assert refusal(self.paid(), authorization(100_00, status=status)) == f"it is {status}"

    def test_another_currency_does_not(self):
        assert refusal(self.paid(), authorization(100_00, currency="eur")) == (
            "it is in eur, the order in SEK"
        )
        assert refusal(self.paid(), authorization(100_00, currency="sek")) is None

    def test_another_amount_does_not_and_both_are_shown(self):
        assert refusal(self.paid(), authorization(99_99)) == (
            "it was placed over 99.99 SEK, the order asks for 100.00 SEK"
        )

    def test_the_original_amount_counts_and_not_what_remains(self):
        there = authorization(60_00, original_order_amount_minor=100_00, remaining_minor=10_00)
        assert refusal(self.paid(), there) is None

    def test_the_totals_rest_beside_other_payments_fits(self):
        of = order(MUGS, transactions=(payment("SC", charged_minor=30_00),))
        assert refusal(of, authorization(70_00)) is None
        assert "100.00 SEK, the order asks for 70.00 SEK" in refusal(of, authorization(100_00))

    def test_what_saleor_shows_as_authorized_fits_whatever_happened_to_it_since(self):
        own = payment(KUSTOM, 10_00, 20_00, refunded_minor=30_00, canceled_minor=40_00)
        of = order(MUGS, total_minor=55_00, transactions=(own,))
        assert refusal(of, authorization(100_00)) is None
        assert "asks for 55.00 SEK or 100.00 SEK" in refusal(of, authorization(1))

    def test_without_a_transaction_the_orders_authorized_amount_fits(self):
        of = order(MUGS, total_authorized_minor=60_00, total_charged_minor=5_00)
        assert refusal(of, authorization(65_00)) is None
        assert refusal(of, authorization(100_00)) is None
        assert refusal(of, authorization(60_00)) is not None

    def test_a_gift_card_counts_once_in_either_version(self):
        card = payment("GC", charged_minor=30_00, is_gift_card=True)
        full, lowered = (order(MUGS, total_minor=t, transactions=(card,)) for t in (100_00, 70_00))
        assert refusal(full, authorization(70_00)) is None
        assert refusal(lowered, authorization(70_00)) is None
        assert refusal(lowered, authorization(40_00)) is not None

    def test_a_lowered_total_is_known_by_lines_and_fee_together(self):
        card = payment("GC", charged_minor=30_00, is_gift_card=True)
        of = order(MUGS, shipping_minor=5_00, total_minor=75_00, transactions=(card,))
        assert refusal(of, authorization(75_00)) is None
        full = order(MUGS, shipping_minor=5_00, transactions=(card,))
        assert refusal(full, authorization(75_00)) is None
        near = order(MUGS, shipping_minor=5_00, total_minor=104_00, transactions=(card,))
        assert refusal(near, authorization(104_00)) is None

    def test_what_others_authorized_is_not_added_to_kustoms_own_payment(self):
        of = self.paid(total_authorized_minor=130_00)
        assert refusal(of, authorization(130_00)) is not None

    def test_a_minor_unit_is_an_amount(self):
        assert refusal(order(line("cheap", 1, 1)), authorization(1)) is None

    def test_an_order_worth_nothing_fits_no_kustom_order(self):
        assert refusal(order(line("free", 1, 0)), authorization(0)) is not None

    @pytest.mark.parametrize("name", [None, "", "1001", "#1001", " 1001 ", "T3JkZXI6MQ=="])
    def test_a_kustom_order_that_names_this_order_or_none_fits(self, name):
        assert refusal(self.paid(), authorization(100_00, merchant_reference1=name)) is None

    @pytest.mark.parametrize("name", ["X1001", "1001#", "##1002"])
    def test_only_the_number_sign_before_a_number_is_left_out(self, name):
        there = authorization(100_00, merchant_reference1=name)
        assert refusal(self.paid(), there) == f"it names another order, {name}"

    def test_one_that_names_another_order_does_not(self):
        there = authorization(100_00, merchant_reference1="1002" + "x" * 100)
        assert refusal(self.paid(), there) == "it names another order, 1002" + "x" * 56
