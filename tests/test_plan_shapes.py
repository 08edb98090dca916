"""`saleor-kustom plan` and odd shapes: what is missing, null, unknown, deleted or nonsense."""

import json
from copy import deepcopy

import pytest

from tests.test_plan_command import amounts, bare, planned


def gross(amount):
    return {"gross": {"amount": amount}}


#: The least that a delivery can be planned from.
LEAST = {
    "fulfillment": {"id": "F-1", "lines": [{"quantity": 3, "orderLine": {"id": "mug"}}]},
    "order": {
        "id": "O-1",
        "total": {"gross": {"amount": 10.0, "currency": "SEK"}},
        "lines": [{"id": "mug", "quantity": 3, "totalPrice": gross(10.0)}],
    },
}


def changed(order=None, line=None, fulfillment=None, **delivery):
    body = deepcopy(LEAST) | delivery
    body["order"] |= order or {}
    body["order"]["lines"][0] |= line or {}
    body["fulfillment"] |= fulfillment or {}
    return body


def plan_one(tmp_path, body, *options):
    [line] = planned(bare(tmp_path, "one", body), options=options)
    return line


def lines_of(planned_line):
    return planned_line["body"]["order_lines"]


class TestWhatIsMissing:
    def test_the_least_is_enough(self, tmp_path):
        assert plan_one(tmp_path, LEAST) == {
            "fulfillment": "F-1",
            "order": "O-1",
            "body": {
                "captured_amount": 10_00,
                "reference": "/1/F-1",
                "order_lines": [
                    {
                        "type": "physical",
                        "name": "-",
                        "quantity": 3,
                        "unit_price": 334,
                        "tax_rate": 0,
                        "total_amount": 10_00,
                        "total_discount_amount": 2,
                        "total_tax_amount": 0,
                    }
                ],
            },
        }

    def test_null_is_the_same_as_missing(self, tmp_path):
        order = dict.fromkeys(
            ("number", "origin", "status", "languageCodeEnum", "channel", "subtotal", "metadata",
             "shippingPrice", "undiscountedShippingPrice", "shippingTaxRate", "shippingMethodName",
             "collectionPointName", "totalAuthorized", "totalCharged", "giftCards", "transactions",
             "privateMetadata", "fulfillments")
        )  # fmt: skip
        line = dict.fromkeys(
            ("productName", "variantName", "translatedProductName", "translatedVariantName",
             "productSku", "isShippingRequired", "isGift", "undiscountedTotalPrice", "taxRate",
             "thumbnail", "variant")
        )  # fmt: skip
        fulfillment = dict.fromkeys(
            ("fulfillmentOrder", "status", "created", "trackingNumber", "warehouse", "metadata",
             "privateMetadata")
        )  # fmt: skip
        nulls = changed(order, line, fulfillment, __typename=None)
        assert plan_one(tmp_path, nulls) == plan_one(tmp_path, LEAST)

    def test_a_fee_that_the_body_lacks_is_held_and_not_forgotten(self, tmp_path):
        body = changed({"total": {"gross": {"amount": 59.0, "currency": "SEK"}}})
        assert plan_one(tmp_path, body)["held"] == (
            "total_differs: The order's total is 59.00 SEK, its parts sum to 10.00 SEK."
        )

    @pytest.mark.parametrize("lines", ["absent", None])
    def test_a_parcel_of_unknown_contents_is_held_and_not_worth_nothing(self, tmp_path, lines):
        body = changed(fulfillment={"lines": lines})
        if lines == "absent":
            del body["fulfillment"]["lines"]
        held = plan_one(tmp_path, body)["held"]
        assert held.startswith("not_understood: ")
        assert held.endswith("the fulfillment has no lines")

    def test_a_transaction_may_be_bare(self, tmp_path):
        body = changed({"transactions": [{"pspReference": "K-1"}, {}]})
        assert amounts([plan_one(tmp_path, body)]) == [10_00]

    def test_what_the_order_lists_of_fulfillments_is_not_looked_at(self, tmp_path):
        body = changed({"fulfillments": [{"id": "F-1"}, {"id": "F-0", "status": "CANCELED"}]})
        assert amounts([plan_one(tmp_path, body)]) == [10_00]


class TestRecordingsOfOthers:
    def test_headers_may_be_an_object_and_the_body_too(self, tmp_path):
        recording = {"headers": {"Saleor-Api-Url": "https://a.example/graphql/"}, "body": LEAST}
        other = deepcopy(recording)
        other["headers"]["Saleor-Api-Url"] = "https://b.example/graphql/"
        lines = planned(
            bare(tmp_path, "a", recording), bare(tmp_path, "a2", recording),
            bare(tmp_path, "b", other),
        )  # fmt: skip
        assert amounts(lines) == [10_00, 10_00]
        assert lines[1]["nothing"] == "duplicate: seen before"

    @pytest.mark.parametrize(
        ("event", "nothing"),
        [
            ("fulfillment_created", None),
            ("fulfillment_canceled", "cancelled: nothing is captured"),
            ("fulfillment_approved", "FulfillmentApproved plans no capture"),
        ],
    )
    def test_the_header_tells_the_event_where_the_body_does_not(self, tmp_path, event, nothing):
        recording = {"headers": [["Saleor-Event", event]], "body": json.dumps(LEAST)}
        assert plan_one(tmp_path, recording).get("nothing") == nothing

    def test_the_signed_body_stands_above_the_header(self, tmp_path):
        body = json.dumps(LEAST | {"__typename": "FulfillmentCreated"})
        recording = {"headers": [["Saleor-Event", "fulfillment_canceled"]], "body": body}
        assert amounts([plan_one(tmp_path, recording)]) == [10_00]

    def test_a_canceled_fulfillment_cancels_where_no_event_is_named(self, tmp_path):
        parcel, canceled = LEAST, changed(fulfillment={"status": "CANCELED"})
        again = changed(fulfillment={"id": "F-2"})
        lines = planned(
            *(bare(tmp_path, f"{i}", b) for i, b in enumerate((parcel, canceled, again)))
        )
        assert lines[1]["held"].startswith("canceled_after_capture")
        assert lines[2]["nothing"].startswith("taken_over")

    @pytest.mark.parametrize("status", ["RETURNED", "WAITING_FOR_APPROVAL", "SENT_BY_DRONE"])
    def test_a_status_that_is_not_fulfilled_plans_nothing_and_is_named(self, tmp_path, status):
        body = changed(fulfillment={"status": status})
        assert plan_one(tmp_path, body)["nothing"] == f"the fulfillment is {status}"


class TestOddContents:
    def test_unknown_values_of_enums_change_nothing(self, tmp_path):
        body = changed(
            {"origin": "MARKETPLACE", "status": "TELEPORTED", "languageCodeEnum": "TLH"},
            {"variant": {"product": {"slug": "mug", "productType": {"kind": "NFT"}}}},
        )
        assert plan_one(tmp_path, body) == plan_one(tmp_path, LEAST)

    @pytest.mark.parametrize(
        ("order", "line", "field"),
        [
            ({}, {"taxRate": -1}, "lines.0.taxRate"),
            ({}, {"taxRate": float("nan")}, "lines.0.taxRate"),
            ({"shippingTaxRate": -0.25}, {}, "shippingTaxRate"),
            ({"total": gross(1e300)}, {}, "total.gross.amount"),
            ({"transactions": [{"chargedAmount": {"amount": -1e300}}]}, {},
             "transactions.0.chargedAmount.amount"),
            ({"metadata": ["kustom_order_id"]}, {}, "metadata"),
            ({"metadata": [{"key": "a"}]}, {}, "metadata"),
            ({"lines": [None]}, {}, "lines.0"),
            ({"lines": {}}, {}, "lines"),
        ],
    )  # fmt: skip
    def test_what_makes_no_sense_is_held_with_the_field_named(self, tmp_path, order, line, field):
        body = changed(line=line)
        body["order"] |= order
        assert plan_one(tmp_path, body)["held"].endswith(f"the order's {field}")

    @pytest.mark.parametrize("amount", [10.005, 0.001])
    def test_an_amount_finer_than_the_currency_is_held(self, tmp_path, amount):
        held = plan_one(tmp_path, changed(line={"totalPrice": gross(amount)}))["held"]
        assert held.endswith(f"{amount} SEK is finer than the currency")

    def test_a_deleted_variant_leaves_stored_name_and_sku(self, tmp_path):
        stored = {"productName": "Mugg", "variantName": "Blå", "productSku": "M-1"}
        body = changed(line=stored | {"variant": None, "thumbnail": None})
        [line] = lines_of(plan_one(tmp_path, body, "--product-url", "https://shop.example/{slug}"))
        assert (line["name"], line["reference"]) == ("Mugg (Blå)", "M-1")
        assert not {"product_url", "image_url"} & line.keys()

    def test_the_product_is_linked_by_the_template(self, tmp_path):
        body = changed(line={"variant": {"product": {"slug": "blå-mugg"}}})
        [line] = lines_of(plan_one(tmp_path, body, "--product-url", "https://shop.example/{slug}"))
        assert line["product_url"] == "https://shop.example/bl%C3%A5-mugg"

    @pytest.mark.parametrize(
        ("names", "shown"),
        [
            (("Mug", "Blue", "Mugg", "Blå"), "Mugg (Blå)"),
            (("Mug", "Blue", "Mugg", ""), "Mugg (Blue)"),
            (("Mug", "Blue", "", "Blå"), "Mug (Blå)"),
            (("Mug", "Mug", "Mugg", ""), "Mugg"),  # the variant only repeats the product
            (("Mug", "Mug", "Mugg", "Mugg"), "Mugg"),
            (("Mug", "M-1", "Mugg", ""), "Mugg"),
            (("", "", "", ""), "M-1"),
            (("", "", " \n", ""), "M-1"),
        ],
    )
    def test_names_are_translated_as_far_as_they_are(self, tmp_path, names, shown):
        fields = ("productName", "variantName", "translatedProductName", "translatedVariantName")
        body = changed(line=dict(zip(fields, names, strict=True)) | {"productSku": "M-1"})
        assert lines_of(plan_one(tmp_path, body))[0]["name"] == shown

    def test_a_gift_is_shown_with_its_price_taken_off(self, tmp_path):
        gift = {"id": "gift", "quantity": 2, "isGift": True, "taxRate": 0.25,
                "totalPrice": gross(0.0), "undiscountedTotalPrice": gross(49.8)}  # fmt: skip
        body = changed()
        body["order"]["lines"].append(gift)
        body["fulfillment"]["lines"].append({"quantity": 2, "orderLine": {"id": "gift"}})
        line = lines_of(plan_one(tmp_path, body))[1]
        assert (line["quantity"], line["unit_price"], line["total_discount_amount"]) == (
            2,
            24_90,
            49_80,
        )
        assert (line["total_amount"], line["total_tax_amount"], line["tax_rate"]) == (0, 0, 2500)
        alone = changed(fulfillment={"lines": [{"quantity": 2, "orderLine": {"id": "gift"}}]})
        alone["order"]["lines"].append(gift)
        assert plan_one(tmp_path, alone)["nothing"] == "worth_zero: the parcel is worth nothing"

    def test_a_line_for_two_stocks_and_a_deleted_line(self, tmp_path):
        twice = [{"quantity": n, "orderLine": {"id": "mug"}} for n in (1, 2, 0)]
        line = plan_one(tmp_path, changed(fulfillment={"lines": twice}))
        assert lines_of(line)[0]["quantity"] == 3
        gone = changed(fulfillment={"lines": [{"quantity": 1, "orderLine": None}]})
        assert plan_one(tmp_path, gone)["held"] == (
            "units_missing: 1 units of a deleted line are shipped, but only 0 are not captured yet."
        )
