"""Recorded deliveries of a real Saleor, posted with their own headers and bytes."""

import json
from collections import Counter

import httpx
import pytest

from saleor_kustom.sandbox.kustom import SimulatedKustom
from saleor_kustom.sandbox.recordings import load_recordings
from saleor_kustom.sandbox.routed import Routed
from saleor_kustom.sandbox.world import APP_URL, MERCHANT, open_world
from tests.conftest import RECORDINGS

#: What each recorded order captures, parcel by parcel, read by eye from the recordings.
CAPTURES = {
    "a-single-full": [1348_00],
    "b-three-parcels": [1289_37, 54_21, 54_21],
    "d-free-shipping": [1348_80],
    "e1-gift-card-part": [1078_01, 119_78],
    "c1-voucher-order-fixed": [422_29],
    "f1-digital-manual": [79_00],
    "h1-wait-then-approve": [115_66],
    "j-fulfillment-cancel": [115_66],
    "m-two-warehouses-one-call": [82_33, 165_46 - 49_00],
    "x-retry-after-500": [82_33],
}


async def register(world, recorded):
    """Install as Saleor does it, with the recorded address."""
    world.saleor.installed = None
    async with httpx.AsyncClient(transport=Routed({APP_URL: world.app.web})) as client:
        answer = await client.post(
            f"{APP_URL}/api/register",
            headers={"saleor-api-url": recorded.api_url},
            json={"auth_token": "R" * 30},
        )
    assert answer.json() == {"success": True}
    await world.app.store.accounts.set(recorded.api_url, None, MERCHANT)


async def post(client, recording):
    return await client.post(
        f"{APP_URL}/api/webhooks/saleor/{recording.event}",
        headers=[(k, v) for k, v in recording.headers if k != "Host"],
        content=recording.body,
    )


@pytest.fixture
async def played(database_url):
    """Every recorded delivery, five times each, in the order in which they came."""
    recorded = load_recordings(RECORDINGS)
    kustom = SimulatedKustom()
    recorded.authorize(kustom, MERCHANT.merchant_id)
    async with open_world(database_url, saleor=recorded.saleor(), kustom=kustom) as world:
        await register(world, recorded)
        answers = Counter()
        async with httpx.AsyncClient(transport=Routed({APP_URL: world.app.web})) as client:
            for recording in recorded.deliveries:
                for _ in range(5):
                    answer = await post(client, recording)
                    answers[recording.name, answer.status_code] += 1
                await world.app.worker.drain()
        yield world, recorded, answers


OURS = (
    "fulfillment_created", "fulfillment_canceled", "fulfillment_metadata_updated",
    "fulfillment_tracking_number_updated", "order_cancelled",
)  # fmt: skip


async def test_every_recording_leads_to_what_it_should(played):
    """One story, told once on each database."""
    world, recorded, answers = played
    every_delivery_of_our_events_is_taken_but_the_hmac_one(recorded, answers)
    for scenario, amounts in CAPTURES.items():
        await captured_once_and_exactly(world, recorded, scenario, amounts)
    await a_cancelled_one_captures_nothing(world, recorded)
    await an_order_without_a_kustom_order_waits_and_captures_nothing(world, recorded)


def every_delivery_of_our_events_is_taken_but_the_hmac_one(recorded, answers):
    for recording in recorded.deliveries:
        if recording.event not in OURS:
            assert answers[recording.name, 404] == 5
        elif recording.name.startswith("w-hmac"):
            assert answers[recording.name, 401] == 5
        else:
            assert answers[recording.name, 200] == 5, recording.name


async def captured_once_and_exactly(world, recorded, scenario, amounts):
    recording = next(
        r
        for r in recorded.deliveries
        if r.name.startswith(scenario) and r.event == "fulfillment_created"
    )
    order = json.loads(recording.body)["order"]
    [transaction] = order["transactions"]
    there = world.kustom.orders[transaction["pspReference"]]
    assert [c.amount for c in there.captures] == amounts, scenario
    rows = await world.app.store.captures.of_order(recorded.api_url, order["id"])
    captured = [row for row in rows if row.capture_id]
    assert {row.capture_id for row in captured} == {c.capture_id for c in there.captures}
    assert {str(row.state) for row in captured} <= {"reported"}


async def a_cancelled_one_captures_nothing(world, recorded):
    recording = next(r for r in recorded.deliveries if r.name.startswith("h2-wait"))
    order_id = json.loads(recording.body)["order"]["id"]
    [row] = await world.app.store.captures.of_order(recorded.api_url, order_id)
    assert (str(row.state), row.capture_id) == ("withdrawn", None)


async def an_order_without_a_kustom_order_waits_and_captures_nothing(world, recorded):
    recording = next(r for r in recorded.deliveries if r.name.startswith("p-no"))
    order_id = json.loads(recording.body)["order"]["id"]
    [row] = await world.app.store.captures.of_order(recorded.api_url, order_id)
    assert (row.waiting, row.capture_id) == ("kustom_order_unknown", None)
