"""One payload for each lesson about amounts or text, written out and read by eye.

The numbers of the rows are those of the lessons that eleven plugins elsewhere have taught.
"""

import json

from saleor_kustom.capture.body import NO_LINES
from saleor_kustom.capture.decide import reference
from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.plan import NothingWhy
from saleor_kustom.capture.policy import GiftCard, Policy, ShippingFee
from saleor_kustom.capture.shipping_info import entries
from tests.capture.examples import Parcels, authorization, line, order, parcel


def body(plan):
    return json.loads(plan.body)


def test_row_1_a_part_of_a_line_sends_the_part():
    parcels = Parcels(order(line("mug", 3, 300_00)))
    assert body(parcels(mug=1)) == {
        "captured_amount": 100_00,
        "reference": "1001/1/F-1",
        "order_lines": [
            {
                "type": "physical",
                "reference": "SKU-mug",
                "name": "Vara mug",
                "quantity": 1,
                "unit_price": 100_00,
                "tax_rate": 2500,
                "total_amount": 100_00,
                "total_tax_amount": 20_00,
            }
        ],
    }


def test_row_2_19_99_is_1999_and_minus_19_99_is_minus_1999():
    parcels = Parcels(
        order(line("mug", 1, 19_99), line("jacket", 1, 19_99), total_minor=19_99, gift_cards_used=1)
    )
    made = body(parcels(mug=1, jacket=1))
    assert made["captured_amount"] == 19_99
    assert [each["total_amount"] for each in made["order_lines"]] == [19_99, 19_99, -19_99]


def test_row_3_9_21_shipped_as_3_3_and_4_of_10():
    parcels = Parcels(order(line("mug", 10, 9_21)))
    amounts = [parcels(mug=n).amount_minor for n in (3, 3, 4)]
    assert amounts == [2_76, 2_76, 3_69]
    assert sum(amounts) == 9_21


def test_row_4_lines_sum_to_the_amount_and_parcels_to_the_order():
    parcels = Parcels(
        order(
            line("mug", 3, 93_09, undiscounted_total_minor=99_99),
            line("bread", 2, 46_36, undiscounted_total_minor=49_80, tax_rate=1200),
            shipping_minor=49_00,
        ),
    )
    first, second = body(parcels(mug=1, bread=1)), body(parcels(mug=2, bread=1))
    assert [(e["quantity"], e["unit_price"], e["total_amount"]) for e in first["order_lines"]] == [
        (1, 33_33, 31_03),
        (1, 24_90, 23_18),
        (1, 49_00, 49_00),
    ]
    assert [e.get("total_discount_amount") for e in first["order_lines"]] == [2_30, 1_72, None]
    assert [e["total_tax_amount"] for e in first["order_lines"]] == [6_21, 2_48, 9_80]
    assert first["captured_amount"] == 103_21
    assert second["captured_amount"] == 85_24
    assert first["captured_amount"] + second["captured_amount"] == 188_45


def test_row_5_49_00_and_three_shipments_are_charged_once():
    for policy, charged in (
        (ShippingFee.FIRST, [49_00, 0, 0]),
        (ShippingFee.LAST, [0, 0, 49_00]),
        (ShippingFee.PROPORTIONAL, [16_33, 16_33, 16_34]),
    ):
        parcels = Parcels(order(line("mug", 3, 99_99), shipping_minor=49_00), shipping_fee=policy)
        assert [parcels(mug=1).amount_minor - 33_33 for _ in range(3)] == charged


def test_row_9_three_parcels_are_three_captures_with_references_of_their_own():
    parcels = Parcels(order(line("mug", 3, 99_99)))
    assert [body(parcels(mug=1))["reference"] for _ in range(3)] == [
        "1001/1/F-1",
        "1001/2/F-2",
        "1001/3/F-3",
    ]


def test_row_15_and_16_long_texts_are_cut_by_code_points():
    of = order(line("mug", 1, 10_00, name="å" * 300, sku="ö" * 300), shipping_method_name="ä" * 300)
    shipped = parcel(1, {"mug": 1}, tracking_number="é" * 150)
    [tracking] = entries(of, shipped, Policy())
    assert tracking["tracking_number"] == "é" * 100
    plan = Parcels(of)(mug=1)
    [shown] = json.loads(plan.body.encode())["order_lines"]
    assert (shown["name"], shown["reference"]) == ("å" * 255, "ö" * 255)
    assert len(reference(order(number="1" * 300), shipped)) == 255


def test_row_17_rates_are_exact():
    rates = (550, 810, 2550)
    lines = [line(f"at-{rate}", 1, 100_00, tax_rate=rate) for rate in rates]
    made = body(Parcels(order(*lines))(**{each.id: 1 for each in lines}))
    shown = [(e["tax_rate"], e["total_tax_amount"]) for e in made["order_lines"]]
    assert shown == [(550, 5_21), (810, 7_49), (2550, 20_32)]


def test_row_18_free_items_and_free_shipping_divide_nothing_by_zero():
    sample = line("sample", 3, 0, undiscounted_total_minor=0)
    parcels = Parcels(order(sample, line("mug", 1, 10_00), undiscounted_shipping_minor=49_00))
    assert parcels(sample=1).why is NothingWhy.WORTH_ZERO
    made = body(parcels(sample=2, mug=1))
    assert made["captured_amount"] == 10_00
    assert made["order_lines"][0] == {
        "type": "physical",
        "reference": "SKU-sample",
        "name": "Vara sample",
        "quantity": 2,
        "unit_price": 0,
        "tax_rate": 2500,
        "total_amount": 0,
        "total_tax_amount": 0,
    }


def test_row_19_and_20_stored_amounts_and_names_serve_when_the_product_is_gone():
    gone = line("mug", 2, 66_66, name="Kaffemugg Ö (Blå)", sku="MUGG-1", product_slug=None)
    [shown] = body(Parcels(order(gone), product_url="https://shop.example/{slug}")(mug=2))[
        "order_lines"
    ]
    assert shown == {
        "type": "physical",
        "reference": "MUGG-1",
        "name": "Kaffemugg Ö (Blå)",
        "quantity": 2,
        "unit_price": 33_33,
        "tax_rate": 2500,
        "total_amount": 66_66,
        "total_tax_amount": 13_33,
    }


def test_row_22_never_more_than_remains_and_both_numbers_are_shown():
    there = authorization(100_00, remaining_minor=40_00)
    decision = Parcels(order(line("mug", 1, 100_00)), there)(mug=1)
    assert isinstance(decision, Held)
    assert decision.reason is Reason.ABOVE_REMAINING
    assert decision.problem == (
        "100.00 SEK is to be captured, but only 40.00 SEK remains authorized."
    )


def test_row_31_empty_fields_are_absent_and_lines_are_a_list():
    plan = Parcels(order(line("mug", 1, 10_00, sku="", image_url="", product_slug="")))(mug=1)
    assert plan.body == (
        '{"captured_amount":1000,"reference":"1001/1/F-1","order_lines":[{"type":"physical",'
        '"name":"Vara mug","quantity":1,"unit_price":1000,"tax_rate":2500,"total_amount":1000,'
        '"total_tax_amount":200}]}'
    )


def test_row_34_partial_cancelled_and_last():
    parcels = Parcels(order(line("mug", 3, 10_00), shipping_minor=5_00))
    assert parcels(captured=False, mug=1).amount_minor == 3_33 + 5_00
    assert parcels(mug=1).amount_minor == 3_33
    parcels.withdraw(1)
    # The unit that was cancelled ships again at its own price, and the fee with it.
    assert parcels(mug=1).amount_minor == 3_33 + 5_00
    assert parcels(mug=1).amount_minor == 3_34


def test_row_34_gift_card_over_several_rates():
    of = order(
        line("jacket", 1, 1299_00),
        line("mug", 3, 99_99, tax_rate=1200),
        line("bread", 2, 49_80, tax_rate=600),
        shipping_minor=49_00,
        total_minor=1197_79,
        gift_cards_used=1,
    )
    for policy, expected in (
        (GiftCard.PROPORTIONAL, [(269_99, 1078_01), (30_01, 119_78)]),
        (GiftCard.LAST, [(150_21, 1197_79), (149_79, 0)]),
    ):
        parcels = Parcels(of, gift_card=policy)
        parcels(jacket=1)
        parcels(mug=3, bread=2)
        plans = [earlier.plan for earlier in parcels.ledger]
        assert [(p.gift_card_minor, p.amount_minor) for p in plans] == expected


def test_row_34_a_thousand_lines_are_sent_and_with_the_fee_only_the_amount():
    lines = [line(f"n{i}", 1, 1_00) for i in range(1000)]
    everything = {each.id: 1 for each in lines}
    plan = Parcels(order(*lines))(**everything)
    assert (len(body(plan)["order_lines"]), plan.notes) == (1000, ())
    plan = Parcels(order(*lines, shipping_minor=5_00))(**everything)
    assert body(plan) == {"captured_amount": 1005_00, "reference": "1001/1/F-1"}
    assert plan.notes == (NO_LINES,)
