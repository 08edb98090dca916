"""`saleor-kustom plan` on what a real Saleor sent: amounts read by eye from the recordings."""

import json
from decimal import Decimal

import pytest
from typer.testing import CliRunner

from saleor_kustom.capture.policy import GiftCard, Policy, ShippingFee
from saleor_kustom.cli import app
from saleor_kustom.cli.plan import planned
from saleor_kustom.errors import SettingsError
from tests.conftest import RECORDINGS

#: Orders whose recorded parcels ship all of the order, or the first parcels of it.
FULLY_SHIPPED = {
    "a-single-full": ("fulfillment_created__1",),
    "b-three-parcels": tuple(f"fulfillment_created__{i}" for i in (1, 2, 3)),
    "c1-voucher-order-fixed": ("fulfillment_created__1",),
    "d-free-shipping": ("fulfillment_created__1",),
    "e1-gift-card-part": ("fulfillment_created__1", "fulfillment_created__2"),
    "m-two-warehouses-one-call": ("fulfillment_created__1", "fulfillment_created__2"),
}
TOTALS = {
    "a-single-full": 1348_00,
    "b-three-parcels": 1397_79,
    "c1-voucher-order-fixed": 422_29,
    "d-free-shipping": 1348_80,
    "e1-gift-card-part": 1197_79,
}
PARTLY_SHIPPED = {
    "f1-digital-manual": (79_00, 1427_00),
    "h1-wait-then-approve": (115_66, 314_66),
    "p-no-transaction": (82_33, None),
    "w-hmac-secret-key": (82_33, None),
}


def files(name, parts):
    return [RECORDINGS / f"{name}__{part}.json" for part in parts]


def lines(paths, authorized=None, **choices):
    return [json.loads(line) for line in planned(paths, Policy(**choices), authorized)]


def amounts(answers):
    return [answer["body"]["captured_amount"] if "body" in answer else 0 for answer in answers]


def body(path):
    return json.loads(json.loads(path.read_text())["body"], parse_float=Decimal)


def recorded_total(path):
    return int(body(path)["order"]["total"]["gross"]["amount"] * 100)


def saved(path, wire):
    path.write_text(json.dumps(wire, default=float), encoding="utf-8")
    return path


@pytest.mark.parametrize("fee", ShippingFee)
@pytest.mark.parametrize("gift_card", GiftCard)
@pytest.mark.parametrize("name", sorted(TOTALS))
def test_the_parcels_of_a_fully_shipped_order_add_up_to_its_total(name, gift_card, fee):
    paths = files(name, FULLY_SHIPPED[name])
    answers = lines(paths, shipping_fee=fee, gift_card=gift_card)
    assert sum(amounts(answers)) == TOTALS[name] == recorded_total(paths[0])
    for answer in (answer for answer in answers if "body" in answer):
        sums = sum(line["total_amount"] for line in answer["body"]["order_lines"])
        assert sums == answer["body"]["captured_amount"]


@pytest.mark.parametrize("name", sorted(PARTLY_SHIPPED))
def test_a_partly_shipped_order_captures_its_parcel_and_not_its_total(name):
    parcel, total = PARTLY_SHIPPED[name]
    path = RECORDINGS / f"{name}__fulfillment_created__1.json"
    assert amounts(lines([path])) == [parcel]
    assert total is None or recorded_total(path) == total > parcel


def test_each_parcel_has_the_amount_that_was_read_by_eye():
    b, e1, m = "b-three-parcels", "e1-gift-card-part", "m-two-warehouses-one-call"
    assert amounts(lines(files(b, FULLY_SHIPPED[b]))) == [1289_37, 54_21, 54_21]
    last = lines(files(b, FULLY_SHIPPED[b]), shipping_fee=ShippingFee.LAST)
    assert amounts(last) == [1240_37, 54_21, 103_21]
    spread = lines(files(b, FULLY_SHIPPED[b]), shipping_fee=ShippingFee.PROPORTIONAL)
    assert amounts(spread) == [1256_70, 70_54, 70_55]
    assert amounts(lines(files(e1, FULLY_SHIPPED[e1]))) == [1078_01, 119_78]
    late = lines(files(e1, FULLY_SHIPPED[e1]), gift_card=GiftCard.LAST)
    assert amounts(late) == [1197_79, 0]
    assert amounts(lines(files(m, FULLY_SHIPPED[m]))) == [82_33, 116_46]


def test_a_duplicate_plans_nothing():
    path = RECORDINGS / "a-single-full__fulfillment_created__1.json"
    first, *again = lines([path, path, path])
    assert first["body"]["captured_amount"] == 1348_00
    assert [answer["nothing"] for answer in again] == [
        "duplicate: this fulfillment is planned already"
    ] * 2
    retried = files("x-retry-after-500", ("fulfillment_created__1", "fulfillment_created__2"))
    assert ["body" in answer for answer in lines(retried)] == [True, False]


def test_only_a_created_fulfillment_plans_a_capture():
    others = sorted(
        path
        for path in RECORDINGS.glob("*__*.json")
        if "fulfillment_created" not in path.name and not path.name.startswith("install")
    )
    answers = lines(others)
    assert len(answers) > 10
    assert all("nothing" in answer for answer in answers)


def test_a_fulfillment_cancelled_before_it_is_seen_is_never_captured(tmp_path):
    created = RECORDINGS / "a-single-full__fulfillment_created__1.json"
    canceled = saved(tmp_path / "c.json", {**body(created), "__typename": "FulfillmentCanceled"})
    before, after = lines([canceled, created])
    assert before["nothing"] == "cancelled: nothing is captured for it"
    assert after["nothing"].startswith("cancelled: this fulfillment was cancelled")


def test_units_that_ship_again_after_their_parcel_was_cancelled_capture_nothing(tmp_path):
    created = RECORDINGS / "a-single-full__fulfillment_created__1.json"
    canceled = saved(tmp_path / "c.json", {**body(created), "__typename": "FulfillmentCanceled"})
    wire = body(created)
    wire["fulfillment"]["id"] = "RnVsZmlsbG1lbnQ6OTk="
    again = saved(tmp_path / "again.json", wire)
    first, gone, anew = lines([created, canceled, again])
    assert first["body"]["captured_amount"] == 1348_00
    assert gone["nothing"].startswith("cancelled after its capture")
    assert anew["nothing"].startswith("taken_over: ")


def test_what_waits_for_approval_plans_nothing_and_may_come_again(tmp_path):
    created = RECORDINGS / "h1-wait-then-approve__fulfillment_created__1.json"
    wire = body(created)
    wire["fulfillment"]["status"] = "WAITING_FOR_APPROVAL"
    waiting = saved(tmp_path / "waiting.json", wire)
    first, then = lines([waiting, created])
    assert first["nothing"] == "the fulfillment is WAITING_FOR_APPROVAL"
    assert then["body"]["captured_amount"] == 115_66


def test_a_replacement_order_plans_nothing(tmp_path):
    wire = body(RECORDINGS / "a-single-full__fulfillment_created__1.json")
    wire["order"]["origin"] = "REISSUE"
    (answer,) = lines([saved(tmp_path / "reissue.json", wire)])
    assert answer["nothing"].startswith("replacement: ")


def test_a_bare_body_gives_the_same_line_as_its_recording(tmp_path):
    recording = RECORDINGS / "b-three-parcels__fulfillment_created__1.json"
    bare = tmp_path / "bare.json"
    bare.write_text(json.loads(recording.read_text())["body"], encoding="utf-8")
    assert list(planned([bare], Policy(), None)) == list(planned([recording], Policy(), None))


def test_a_bare_body_may_lack_what_only_identity_needs(tmp_path):
    wire = body(RECORDINGS / "a-single-full__fulfillment_created__1.json")
    del wire["__typename"], wire["fulfillment"]["created"]
    del wire["fulfillment"]["status"], wire["fulfillment"]["fulfillmentOrder"]
    assert amounts(lines([saved(tmp_path / "bare.json", wire)])) == [1348_00]


def test_more_than_was_authorized_is_held_with_both_numbers():
    path = RECORDINGS / "a-single-full__fulfillment_created__1.json"
    (answer,) = lines([path], authorized=100_00)
    assert "1348.00 SEK" in answer["held"]
    assert "100.00 SEK" in answer["held"]


def test_a_delivery_without_an_order_is_held_and_names_the_fields(tmp_path):
    (answer,) = lines([saved(tmp_path / "empty.json", {})])
    assert answer["held"].startswith("not understood: ")
    assert "the order's id" in answer["held"]


@pytest.mark.parametrize(
    "text", ["", "no JSON", "[]", '"text"', "7", "null", '{"body": "no JSON"}', '{"body": "[1]"}']
)
def test_a_file_that_is_no_delivery_is_named(tmp_path, text):
    path = tmp_path / "wrong.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"wrong\.json"):
        list(planned([path], Policy(), None))


def test_a_file_that_is_not_there_or_not_text_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"absent\.json"):
        list(planned([tmp_path / "absent.json"], Policy(), None))
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"binary\.json"):
        list(planned([tmp_path / "binary.json"], Policy(), None))


def test_the_command_prints_a_line_of_json_for_each_file():
    b = files("b-three-parcels", FULLY_SHIPPED["b-three-parcels"])
    done = CliRunner().invoke(app, ["plan", *map(str, b), "--shipping-fee", "last"])
    assert done.exit_code == 0
    assert amounts(map(json.loads, done.stdout.splitlines())) == [1240_37, 54_21, 103_21]
