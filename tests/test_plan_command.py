"""`saleor-kustom plan` shows what would be sent, from recordings, and sends nothing."""

import json
from copy import deepcopy

import pytest
from typer.testing import CliRunner

from saleor_kustom.cli import app
from saleor_kustom.errors import SettingsError
from tests.conftest import RECORDINGS

#: What each recorded order captures, parcel by parcel, read by eye from the recordings.
#: The first group has shipped in full: its parcels add up to the order's total.
WHOLE = {
    "a-single-full": [1348_00],
    "b-three-parcels": [1289_37, 54_21, 54_21],
    "c1-voucher-order-fixed": [422_29],
    "d-free-shipping": [1348_80],
    "e1-gift-card-part": [1078_01, 119_78],
    "m-two-warehouses-one-call": [82_33, 116_46],
    "p-no-transaction": [82_33],
    "w-hmac-secret-key": [82_33],
}
PARTLY = {
    "f1-digital-manual": [79_00],
    "h1-wait-then-approve": [115_66],
    "j-fulfillment-cancel": [115_66],
    "x-retry-after-500": [82_33],
}


def planned(*files, options=()):
    result = CliRunner().invoke(app, ["plan", *map(str, files), *options])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return [json.loads(text) for text in result.stdout.splitlines()]


def created(scenario):
    return sorted(RECORDINGS.glob(f"{scenario}__fulfillment_created__*.json"))


def body_of(path):
    return json.loads(json.loads(path.read_text(encoding="utf-8"))["body"])


def bare(tmp_path, name, body):
    path = tmp_path / f"{name}.json"
    path.write_text(json.dumps(body), encoding="utf-8")
    return path


def amounts(lines):
    return [line["body"]["captured_amount"] for line in lines if "body" in line]


class TestRecordings:
    @pytest.mark.parametrize(("scenario", "expected"), (WHOLE | PARTLY).items())
    def test_each_recorded_order_is_planned_exactly(self, scenario, expected):
        lines = planned(*created(scenario))
        assert amounts(lines) == expected
        for line in lines:
            if "body" in line:
                parts = [each["total_amount"] for each in line["body"]["order_lines"]]
                assert sum(parts) == line["body"]["captured_amount"]

    @pytest.mark.parametrize("scenario", WHOLE)
    def test_an_order_that_shipped_in_full_adds_up_to_its_total(self, scenario):
        files = created(scenario)
        total = body_of(files[-1])["order"]["total"]["gross"]["amount"]
        assert sum(amounts(planned(*files))) == round(total * 100)

    def test_every_recorded_fulfillment_is_accounted_for(self):
        scenarios = {path.name.split("__")[0] for path in created("*")}
        assert scenarios == WHOLE.keys() | PARTLY.keys()

    def test_all_recordings_together_plan_the_same(self):
        files = [path for scenario in WHOLE | PARTLY for path in created(scenario)]
        assert amounts(planned(*files)) == [a for each in (WHOLE | PARTLY).values() for a in each]

    def test_the_same_recording_under_another_name_of_the_shop_is_another_parcel(self, tmp_path):
        path = created("a-single-full")[0]
        recording = json.loads(path.read_text(encoding="utf-8"))
        recording["headers"] = [["Saleor-Api-Url", "https://other.example/graphql/"]]
        other = bare(tmp_path, "other", recording)
        assert amounts(planned(path, other)) == [1348_00, 1348_00]


class TestTheLine:
    def test_it_names_fulfillment_and_order_and_holds_the_exact_body(self):
        path = created("f1-digital-manual")[0]
        result = CliRunner().invoke(app, ["plan", str(path)])
        assert result.stdout == (
            '{"fulfillment": "RnVsZmlsbG1lbnQ6MjE=", '
            '"order": "T3JkZXI6NDJhYTI4MzctMWZkZC00OWY2LWIzMTItZDAzMTMxMDc3NGY3", '
            '"body": {"captured_amount":7900,"reference":"32/1/RnVsZmlsbG1lbnQ6MjE=",'
            '"order_lines":[{"type":"digital","reference":"DL-1","name":"Nedladdning (PDF)",'
            '"quantity":1,"unit_price":7900,"tax_rate":2500,"total_amount":7900,'
            '"total_tax_amount":1580}]}}\n'
        )

    def test_a_duplicate_plans_nothing(self):
        path = created("a-single-full")[0]
        first, second = planned(path, path)
        assert "body" in first
        assert second["nothing"] == "duplicate: seen before"

    def test_a_retry_of_saleors_own_is_a_duplicate(self):
        first, second = planned(*created("x-retry-after-500"))
        assert ("body" in first, "nothing" in second) == (True, True)

    @pytest.mark.parametrize(
        "name", ["a-single-full__fulfillment_approved__1", "a-single-full__order_updated__1"]
    )
    def test_other_events_plan_nothing(self, name):
        [line] = planned(RECORDINGS / f"{name}.json")
        assert line["nothing"].endswith("plans no capture")

    def test_tracking_goes_along(self, tmp_path):
        body = body_of(created("a-single-full")[0])
        body["fulfillment"]["trackingNumber"] = "UA123456789SE"
        [line] = planned(bare(tmp_path, "tracked", body))
        assert line["body"]["shipping_info"] == [{"tracking_number": "UA123456789SE"}]


class TestCancellations:
    def parcel(self, tmp_path, number, typename="FulfillmentCreated", **units):
        """A bare body: 3 units for 10.00, a fee of 5.00, nothing that a plan can do without."""
        ids = {"mug": 3}
        return bare(
            tmp_path,
            f"{number}-{typename}",
            {
                "__typename": typename,
                "fulfillment": {
                    "id": f"F-{number}",
                    "lines": [{"quantity": n, "orderLine": {"id": i}} for i, n in units.items()],
                },
                "order": {
                    "id": "O-1",
                    "number": "1001",
                    "channel": {"slug": "se", "currencyCode": "SEK"},
                    "total": {"gross": {"amount": 15.0}},
                    "shippingPrice": {"gross": {"amount": 5.0}},
                    "lines": [
                        {"id": i, "quantity": n, "totalPrice": {"gross": {"amount": 10.0}}}
                        for i, n in ids.items()
                    ],
                },
            },
        )

    def test_a_parcel_that_ships_again_takes_over_what_was_captured(self, tmp_path):
        lines = planned(
            self.parcel(tmp_path, 1, mug=1),
            self.parcel(tmp_path, 1, "FulfillmentCanceled", mug=1),
            self.parcel(tmp_path, 2, mug=1),
            self.parcel(tmp_path, 3, mug=2),
        )
        assert amounts(lines) == [3_33 + 5_00, 6_67]
        assert lines[1]["held"] == (
            "canceled_after_capture: The fulfillment was cancelled in Saleor after 8.33 SEK had "
            "been captured."
        )
        assert lines[2]["nothing"] == (
            "taken_over: a cancelled parcel's capture pays these units already (F-1)"
        )

    def test_a_cancellation_that_comes_first_leaves_a_tombstone(self, tmp_path):
        cancel = self.parcel(tmp_path, 1, "FulfillmentCanceled", mug=1)
        lines = planned(cancel, self.parcel(tmp_path, 1, mug=1), self.parcel(tmp_path, 2, mug=3))
        assert [line.get("nothing") for line in lines] == [
            "cancelled: nothing is captured",
            "cancelled: nothing is captured",
            None,
        ]
        assert amounts(lines) == [15_00]

    def test_a_second_cancellation_is_a_duplicate(self, tmp_path):
        cancel = self.parcel(tmp_path, 1, "FulfillmentCanceled", mug=1)
        lines = planned(self.parcel(tmp_path, 1, mug=1), cancel, cancel)
        assert lines[2]["nothing"] == "duplicate: cancelled before"

    def test_a_held_parcel_frees_its_units_when_it_is_cancelled(self, tmp_path):
        lines = planned(
            self.parcel(tmp_path, 1, mug=4),
            self.parcel(tmp_path, 1, "FulfillmentCanceled", mug=4),
            self.parcel(tmp_path, 2, mug=3),
        )
        assert lines[0]["held"] == (
            "units_missing: 4 units of mug are shipped, but only 3 are not captured yet."
        )
        assert lines[1]["nothing"] == "cancelled: nothing is captured"
        assert amounts(lines) == [15_00]

    def test_a_parcel_that_a_gift_card_paid_frees_its_units_when_it_is_cancelled(self, tmp_path):
        paths = [
            self.parcel(tmp_path, 1, mug=2),
            self.parcel(tmp_path, 2, mug=1),
            self.parcel(tmp_path, 2, "FulfillmentCanceled", mug=1),
            self.parcel(tmp_path, 3, mug=1),
        ]
        for path in paths:
            body = json.loads(path.read_text(encoding="utf-8"))
            body["order"]["total"] = {"gross": {"amount": 11.66}}
            body["order"]["giftCards"] = [{"id": "G"}]
            path.write_text(json.dumps(body), encoding="utf-8")
        lines = planned(*paths, options=["--gift-card", "last"])
        assert amounts(lines) == [11_66]
        assert [line.get("nothing", "").split(":")[0] for line in lines] == [
            "",
            "paid_by_others",
            "cancelled",
            "paid_by_others",
        ]

    def test_the_same_id_with_another_order_is_held_and_never_merged(self, tmp_path):
        first = self.parcel(tmp_path, 1, mug=1)
        body = json.loads(first.read_text(encoding="utf-8"))
        body["order"]["id"] = "O-2"
        lines = planned(first, bare(tmp_path, "restored", body))
        assert lines[1]["held"].startswith("identity_changed: Fulfillment F-1 came before")

    def test_the_same_id_with_another_time_is_held_and_never_merged(self, tmp_path):
        path = created("a-single-full")[0]
        body = body_of(path)
        later = deepcopy(body)
        later["fulfillment"]["created"] = "2027-01-01T00:00:00+00:00"
        lines = planned(bare(tmp_path, "a", body), bare(tmp_path, "b", later))
        assert lines[1]["held"].startswith("identity_changed")

    def test_a_replacement_order_plans_nothing(self, tmp_path):
        path = self.parcel(tmp_path, 1, mug=1)
        body = json.loads(path.read_text(encoding="utf-8"))
        body["order"]["origin"] = "REISSUE"
        [line] = planned(bare(tmp_path, "reissue", body))
        assert line["nothing"].startswith("replacement: ")

    def test_a_parcel_that_waits_for_approval_is_planned_when_it_is_approved(self, tmp_path):
        path = self.parcel(tmp_path, 1, mug=3)
        body = json.loads(path.read_text(encoding="utf-8"))
        body["fulfillment"]["status"] = "WAITING_FOR_APPROVAL"
        lines = planned(bare(tmp_path, "waiting", body), path)
        assert lines[0]["nothing"] == "the fulfillment is WAITING_FOR_APPROVAL"
        assert amounts(lines) == [15_00]


class TestOptions:
    def test_the_fee_policy_is_chosen(self):
        files = created("b-three-parcels")
        first = [1289_37, 54_21, 54_21]
        last = [1240_37, 54_21, 103_21]
        proportional = [1256_70, 70_54, 70_55]
        for policy, expected in (("first", first), ("last", last), ("proportional", proportional)):
            assert amounts(planned(*files, options=["--shipping-fee", policy])) == expected

    def test_the_gift_card_policy_is_chosen(self):
        files = created("e1-gift-card-part")
        lines = planned(*files, options=["--gift-card", "last"])
        assert amounts(lines) == [1197_79]
        assert lines[1]["nothing"] == "paid_by_others: gift cards or other payments pay all of it"

    def test_the_authorization_is_the_orders_total_unless_it_is_said(self):
        files = created("b-three-parcels")
        lines = planned(*files, options=["--authorized", "134358"])
        assert amounts(lines) == [1289_37, 54_21]
        assert lines[2]["held"] == (
            "above_remaining: 54.21 SEK is to be captured, but only 0.00 SEK remains authorized."
        )

    def test_another_payment_is_credit_when_the_authorization_is_the_rest(self, tmp_path):
        body = body_of(created("a-single-full")[0])
        other = deepcopy(body["order"]["transactions"][0])
        other |= {"id": "T-2", "pspReference": "SC-1"}
        other["authorizedAmount"]["amount"], other["chargedAmount"]["amount"] = 0.0, 348.0
        body["order"]["transactions"].insert(0, other)
        path = bare(tmp_path, "credit", body)
        [line] = planned(path, options=["--authorized", "100000"])
        assert line["body"]["captured_amount"] == 1000_00
        assert line["body"]["order_lines"][-1]["type"] == "store_credit"
        [line] = planned(path)
        assert line["held"].startswith("other_tender: Other payments of 348.00 SEK stand beside")


class TestWhatIsNoDelivery:
    @pytest.mark.parametrize("text", ["", "[]", '"x"', "{", '{"body": "<html>"}', '{"body": "[]"}'])
    def test_a_file_that_is_none_stops_with_its_name(self, tmp_path, text):
        path = tmp_path / "odd.json"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(SettingsError, match=r"odd\.json: "):
            planned(path)

    def test_a_file_that_is_not_there_stops_with_its_name(self, tmp_path):
        with pytest.raises(SettingsError, match=r"none\.json: no delivery in JSON"):
            planned(tmp_path / "none.json")

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"fulfillment": None, "order": None},
            {"fulfillment": {"id": "F-1"}, "order": None},
            {"fulfillment": [], "order": "x"},
            {
                "fulfillment": {"id": "F-1"},
                "order": {"id": "O-1", "total": {"gross": {"amount": "x"}}},
            },
        ],
    )
    def test_contents_that_make_no_sense_are_held_and_the_next_goes_on(self, tmp_path, body):
        odd = bare(tmp_path, "odd", body)
        lines = planned(odd, created("a-single-full")[0])
        assert lines[0]["held"].startswith("not_understood: A genuine delivery from Saleor")
        assert amounts(lines) == [1348_00]
