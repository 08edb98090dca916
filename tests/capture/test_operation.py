"""What operations are, decide and say, one thing each."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from saleor_kustom.capture.answer import failed, failure_message, succeeded
from saleor_kustom.capture.authorization import KustomCapture, KustomRefund
from saleor_kustom.capture.charge import decide_charge, decide_fee
from saleor_kustom.capture.closing import decide_closing
from saleor_kustom.capture.fulfillment import Fulfillment, FulfillmentLine
from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.kept import refunded_meanwhile
from saleor_kustom.capture.ledger import Earlier, Ledger
from saleor_kustom.capture.operation import Kind, Request, Source, operation_id
from saleor_kustom.capture.plan import Call, Nothing, NothingWhy, Plan
from saleor_kustom.capture.policy import GiftCard, Policy, ShippingFee
from saleor_kustom.capture.refund import decide_parcel_refund, decide_refund, refund_held
from saleor_kustom.capture.standing import Standing
from tests.capture.examples import CREATED, Parcels, authorization, line, order

MUGS = line("mug", 3, 100_00)
REF = "1001/refund/1"


def charge(of, there, earlier=(), policy=None, amount=None, **more):
    amount = there.remaining_minor if amount is None else amount
    return decide_charge(
        of, earlier, there, policy or Policy(), reference="c", amount_minor=amount, **more
    )


class TestCharge:
    def test_all_that_is_left_has_every_unit_and_the_fee(self):
        of = order(MUGS, shipping_minor=49_00)
        plan = charge(of, authorization(149_00))
        assert plan.units == {"mug": ((0, 3),)}
        assert (plan.amount_minor, plan.shipping_minor, plan.charges_shipping) == (
            149_00, 49_00, True
        )  # fmt: skip
        assert plan.call is Call.CAPTURE

    def test_after_a_parcel_it_has_the_rest(self):
        parcels = Parcels(order(MUGS, shipping_minor=49_00))
        first = parcels(mug=1)
        there = authorization(149_00, remaining_minor=149_00 - first.amount_minor)
        plan = charge(parcels.order, there, parcels.ledger)
        assert plan.units == {"mug": ((1, 3),)}
        assert plan.amount_minor + first.amount_minor == 149_00

    def test_money_of_a_cancelled_parcel_is_not_charged_again(self):
        parcels = Parcels(order(MUGS, shipping_minor=49_00))
        first = parcels(mug=2)
        parcels.cancel(1)
        there = authorization(149_00, remaining_minor=149_00 - first.amount_minor)
        plan = charge(parcels.order, there, parcels.ledger)
        assert (plan.units, plan.taken_over) == ({"mug": ((2, 3),)}, {})

    @pytest.mark.parametrize("amount", [1, 100_00, 148_99])
    def test_any_other_amount_has_no_units(self, amount):
        plan = charge(order(MUGS, shipping_minor=49_00), authorization(149_00), amount=amount)
        assert (plan.amount_minor, dict(plan.units), plan.allocated) == (amount, {}, False)
        assert json.loads(plan.body) == {"captured_amount": amount, "reference": "c"}

    def test_an_order_whose_payment_is_not_clear_is_charged_without_units(self):
        of = order(MUGS, total_minor=200_00)
        assert not charge(of, authorization(100_00)).allocated

    @pytest.mark.parametrize("amount", [0, -1])
    def test_nothing_is_no_charge(self, amount):
        held = charge(order(MUGS), authorization(100_00), amount=amount)
        assert held.reason is Reason.NOTHING_REMAINS

    def test_it_is_held_as_a_capture_is(self):
        of, there = order(MUGS), authorization(100_00)
        assert charge(of, there, amount=100_01).reason is Reason.ABOVE_REMAINING
        closed = replace(there, status="CANCELLED")
        assert charge(of, closed, amount=1).reason is Reason.ORDER_NOT_CAPTURABLE
        euro = replace(there, currency="EUR")
        assert charge(of, euro, amount=1).reason is Reason.CURRENCY_DIFFERS

    def test_the_fee_alone_is_charged_once(self):
        parcels = Parcels(order(MUGS, shipping_minor=49_00), shipping_fee=ShippingFee.LAST)
        parcels(mug=1)
        policy = Policy(shipping_fee=ShippingFee.LAST)
        fee = decide_fee(parcels.order, parcels.ledger, None, policy, reference="fee")
        assert [entry["type"] for entry in json.loads(fee.body)["order_lines"]] == ["shipping_fee"]
        assert (fee.amount_minor, dict(fee.units)) == (49_00, {})
        parcels.ledger.append(Earlier("fee", fee, captured=True, canceled=True))
        again = decide_fee(parcels.order, parcels.ledger, None, policy, reference="fee")
        assert again == Nothing(NothingWhy.WORTH_ZERO)

    def test_the_fee_carries_its_part_of_a_gift_card(self):
        of = order(MUGS, shipping_minor=50_00, total_minor=75_00, gift_cards_used=1)
        parcels = Parcels(of, shipping_fee=ShippingFee.LAST, gift_card=GiftCard.PROPORTIONAL)
        parcels(mug=3, captured=True)
        # The fee went with the last parcel: nothing is left of it.
        policy = Policy(shipping_fee=ShippingFee.LAST)
        assert isinstance(decide_fee(of, parcels.ledger, None, policy, reference="f"), Nothing)
        fee = decide_fee(of, (), None, policy, reference="f")
        assert (fee.amount_minor, fee.gift_card_minor) == (25_00, 25_00)

    def test_a_fee_of_an_order_that_is_not_clear_is_held(self):
        assert isinstance(
            decide_fee(order(MUGS, total_minor=1), (), None, Policy(), reference="f"), Held
        )


def captured(amount, refunded=0, **fields):
    return authorization(
        amount, status="CAPTURED", captured_amount_minor=amount,
        refunded_amount_minor=refunded, remaining_minor=0, **fields,
    )  # fmt: skip


class TestRefund:
    def parcels(self):
        parcels = Parcels(order(MUGS, shipping_minor=49_00))
        parcels(mug=3)
        parcels.cancel(1)
        return parcels

    def decide(self, parcels, there, *, by_itself=False, own=frozenset()):
        return decide_parcel_refund(
            parcels.order, parcels.ledger[0], Ledger(tuple(parcels.ledger)), there,
            reference=REF, by_itself=by_itself, own_references=own,
        )  # fmt: skip

    def test_a_cancelled_parcel_is_refunded_with_its_own_lines(self):
        parcels = self.parcels()
        plan = self.decide(parcels, captured(149_00))
        body = json.loads(plan.body)
        assert (body["refunded_amount"], body["reference"]) == (149_00, REF)
        assert body["description"] == "Refund of order 1001"
        assert body["order_lines"] == json.loads(parcels.ledger[0].plan.body)["order_lines"]
        assert (plan.call, plan.amount_minor) == (Call.REFUND, 149_00)

    def test_shipped_again_whole_or_in_part(self):
        parcels = self.parcels()
        parcels(mug=1)
        held = self.decide(parcels, captured(149_00))
        assert held.reason is Reason.PARTLY_SHIPPED_AGAIN
        assert held.detail == {"again": 1, "units": 3, "amount": "149.00 SEK"}
        parcels(mug=2)
        assert self.decide(parcels, captured(149_00)) == Nothing(NothingWhy.SHIPPED_AGAIN)

    def test_a_parcel_whose_money_went_back_has_nothing_left(self):
        parcels = self.parcels()
        parcels.ledger[0] = replace(parcels.ledger[0], plan=None)
        assert self.decide(parcels, captured(149_00)) == Nothing(NothingWhy.NOTHING_LEFT)

    def test_what_somebody_else_refunded_keeps_it_from_happening_by_itself(self):
        other = KustomRefund("R-1", "by hand", 49_00)
        there = captured(249_00, refunded=49_00, refunds=(other,))
        held = self.decide(self.parcels(), there, by_itself=True)
        assert held.reason is Reason.REFUNDED_OTHERWISE
        assert isinstance(self.decide(self.parcels(), there), Plan)
        ours = self.decide(self.parcels(), there, by_itself=True, own=frozenset({"by hand"}))
        assert isinstance(ours, Plan)
        unlisted = captured(249_00, refunded=49_00)
        assert isinstance(self.decide(self.parcels(), unlisted, by_itself=True), Held)

    @pytest.mark.parametrize(("amount", "left"), [(1, 0), (100_01, 100_00), (0, 100_00)])
    def test_never_more_than_is_left(self, amount, left):
        held = refund_held(order(MUGS), amount, captured(100_00, refunded=100_00 - left))
        assert held.reason is Reason.REFUND_ABOVE_CAPTURED
        assert held.detail["captured"] == "100.00 SEK"

    def granted(self, amount, wanted, captures, refunded=(), *, with_shipping=False):
        plan = decide_refund(
            order(MUGS, line("bowl", 2, 50_00, tax_rate=1200), shipping_minor=49_00),
            captures, refunded, captured(1000_00), Policy(), reference=REF, amount_minor=amount,
            wanted=wanted, with_shipping=with_shipping,
        )  # fmt: skip
        lines = json.loads(plan.body).get("order_lines", ())
        return plan, [(each.get("reference"), each["total_amount"]) for each in lines]

    def capture_of(self, **units):
        parcels = Parcels(order(MUGS, line("bowl", 2, 50_00, tax_rate=1200), shipping_minor=49_00))
        return parcels(**units)

    def test_the_units_of_one_capture_explain_the_amount(self):
        all_in_one = self.capture_of(mug=3, bowl=2)
        plan, lines = self.granted(33_33 + 25_00, {"mug": 1, "bowl": 1}, [all_in_one])
        assert lines == [("SKU-mug", 33_33), ("SKU-bowl", 25_00)]
        assert plan.units == {"mug": ((0, 1),), "bowl": ((0, 1),)}
        # A second refund takes the next units, which cost what they cost.
        _, lines = self.granted(66_67, {"mug": 2}, [all_in_one], [plan])
        assert lines == [("SKU-mug", 66_67)]
        _, lines = self.granted(100_00, {"mug": 3}, [all_in_one], [plan])
        assert lines == []

    def test_the_fee_is_in_it_where_the_capture_has_it(self):
        with_fee = self.capture_of(mug=1)
        _, lines = self.granted(33_33 + 49_00, {"mug": 1}, [with_fee], with_shipping=True)
        assert lines == [("SKU-mug", 33_33), (None, 49_00)]
        without = with_fee.model_copy(update={"shipping_minor": 0})
        _, lines = self.granted(33_33 + 49_00, {"mug": 1}, [without], with_shipping=True)
        assert lines == []

    @pytest.mark.parametrize("wanted", [{}, {"gone": 1}, {"mug": 4}])
    def test_what_explains_nothing_goes_without_lines(self, wanted):
        plan, lines = self.granted(33_33, wanted, [self.capture_of(mug=3)])
        assert (lines, dict(plan.units)) == ([], {})


class TestClosing:
    def test_without_captures_it_is_cancelled(self):
        plan = decide_closing(authorization(100_00), reference="x")
        assert (plan.call, plan.amount_minor, plan.body) == (Call.CANCEL, 100_00, "")

    def test_with_captures_the_rest_is_released(self):
        there = authorization(
            100_00, remaining_minor=40_00, captured_amount_minor=60_00,
            captures=(KustomCapture("C", "r", 60_00),),
        )  # fmt: skip
        plan = decide_closing(there, reference="x")
        assert (plan.call, plan.amount_minor) == (Call.RELEASE, 40_00)
        untouched = decide_closing(there, reference="x", only_if_untouched=True)
        assert untouched == Nothing(NothingWhy.HAS_CAPTURES)

    @pytest.mark.parametrize(
        "there",
        [
            authorization(100_00, remaining_minor=0),
            authorization(100_00, status="EXPIRED"),
            authorization(100_00, status="CANCELLED"),
        ],
    )
    def test_where_nothing_is_left_there_is_nothing_to_do(self, there):
        assert decide_closing(there, reference="x") == Nothing(NothingWhy.NOTHING_LEFT)


class TestStanding:
    def plan(self, call, amount):
        return Plan(call=call, reference="x", amount_minor=amount, base_minor=0, units={})

    def test_the_actions_are_what_is_possible_after_each_call(self):
        start = Standing.of(authorization(100_00), 0.0)
        assert start.actions == ("CHARGE", "CANCEL")
        part = start.after(self.plan(Call.CAPTURE, 40_00))
        assert part.actions == ("CHARGE", "REFUND", "CANCEL")
        assert part.after(self.plan(Call.RELEASE, 60_00)).actions == ("REFUND",)
        whole = part.after(self.plan(Call.CAPTURE, 60_00))
        assert whole.actions == ("REFUND",)
        assert whole.after(self.plan(Call.REFUND, 100_00)).actions == ()
        assert start.after(self.plan(Call.CANCEL, 100_00)).actions == ()

    @pytest.mark.parametrize("status", ["EXPIRED", "CANCELLED", "CLOSED"])
    def test_an_order_that_ended_has_nothing_to_charge_whatever_it_shows(self, status):
        assert Standing.of(authorization(100_00, status=status), 0.0).actions == ()


class TestKept:
    def test_only_what_is_taken_over_needs_money_that_is_still_there(self):
        of = order(MUGS)
        paid = charge(of, authorization(100_00))
        ledger = Ledger((Earlier("c", paid, captured=True, canceled=True),))
        taker = Plan(
            reference="p", amount_minor=0, base_minor=0, units={}, taken_over={"mug": ((0, 2),)}
        )
        kept = captured(100_00)
        assert refunded_meanwhile(of, taker, ledger, kept) is None
        assert refunded_meanwhile(of, taker, ledger, None) is None
        assert refunded_meanwhile(of, taker, ledger, captured(100_00, refunded=33_34)) is None
        held = refunded_meanwhile(of, taker, ledger, captured(100_00, refunded=33_35))
        assert held.detail == {
            "refunded": "33.35 SEK", "captured": "100.00 SEK", "left": "66.65 SEK",
            "needed": "66.66 SEK",
        }  # fmt: skip

    def test_what_came_back_need_not_be_paid(self):
        of = order(MUGS)
        paid = charge(of, authorization(100_00))
        first = Plan(
            reference="p", amount_minor=0, base_minor=0, units={}, taken_over={"mug": ((0, 1),)}
        )
        taker = first.model_copy(update={"taken_over": {"mug": ((1, 3),)}})
        ledger = Ledger((Earlier("c", paid, captured=True, canceled=True), Earlier("F-1", first)))
        there = captured(100_00, refunded=33_33)
        assert isinstance(refunded_meanwhile(of, taker, ledger, there), Held)
        back = Fulfillment("F-9", 9, "RETURNED", CREATED, lines=(FulfillmentLine("mug", 1),))
        returned = replace(of, fulfillments=(back,))
        assert refunded_meanwhile(returned, taker, ledger, there) is None


class TestWords:
    def test_an_operations_id_follows_from_what_makes_it_one(self):
        one = operation_id("https://a", "O", ("D", "charge"))
        # Written out: Saleor knows operations by it, for ever.
        assert one == "9d96c39c-f677-5ca2-aefb-d4e227a8af93"
        assert one == operation_id("https://a", "O", ("D", "charge"))
        others = {
            operation_id("https://b", "O", ("D", "charge")),
            operation_id("https://a", "P", ("D", "charge")),
            operation_id("https://a", "O", ("D", "refund")),
            operation_id("https://a", "O", ("E", "charge")),
        }
        assert len(others | {one}) == 5

    def test_a_success_says_all_that_saleor_reads(self):
        plan = Plan(call=Call.REFUND, reference="r", amount_minor=82_33, base_minor=0, units={})
        at = datetime(2026, 11, 26, 12, tzinfo=UTC)
        assert succeeded(
            Kind.REFUND, plan, "SEK", "R-1", at=at, actions=("REFUND",), external_url="https://k"
        ) == {
            "result": "REFUND_SUCCESS",
            "amount": "82.33",
            "pspReference": "R-1",
            "message": "Refunded by Kustom: R-1",
            "actions": ["REFUND"],
            "time": "2026-11-26T12:00:00+00:00",
            "externalUrl": "https://k",
        }

    def test_a_failure_has_the_amount_that_was_asked_for_and_a_reference(self):
        request = Request(source=Source.BUTTON, amount=Decimal("1.50"), currency="SEK")
        assert failed(Kind.CANCEL, request, "op", "no") == {
            "result": "CANCEL_FAILURE",
            "amount": "1.50",
            "pspReference": "op",
            "message": "no",
        }
        nothing = request.model_copy(update={"amount": None})
        assert failed(Kind.CHARGE, nothing, "op", "no")["amount"] == "0"

    @pytest.mark.parametrize(
        ("waiting", "detail", "message"),
        [
            ("refused", {"reason": "not_linked"}, "No Kustom order is known for this order."),
            ("refused", {"reason": "of a later release"}, "There was nothing to do."),
            ("not_kustom", {}, "The order was not paid with Kustom."),
            ("taken_over", {}, "There was nothing to do."),
            (None, {}, "There was nothing to do."),
        ],
    )
    def test_why_it_failed_is_said_in_words(self, waiting, detail, message):
        assert failure_message(waiting, detail) == message
