"""Recordings, served and posted again."""

import json
import re

import httpx
import pytest
from graphql import print_ast

from saleor_kustom.saleor.client import document
from saleor_kustom.sandbox.kustom import SimulatedKustom
from saleor_kustom.sandbox.recordings import load_recordings
from saleor_kustom.sandbox.routed import Routed
from tests.conftest import RECORDINGS
from tests.sandbox.an_app import URL, AnApp, ask


@pytest.fixture
def recorded():
    return load_recordings(RECORDINGS)


def order_of(recorded, name):
    recording = next(r for r in recorded.deliveries if r.name.startswith(name))
    return json.loads(recording.body)["order"]["id"]


def test_address_app_and_version_are_the_recorded_ones(recorded):
    assert recorded.api_url == "http://127.0.0.1:8000/graphql/"
    assert (recorded.app_id, recorded.app_identifier) == ("QXBwOjE=", "lab.kustom")
    assert recorded.version == "3.22.67"


async def test_every_recorded_order_answers_our_query_whole(recorded):
    saleor = recorded.saleor()
    query = print_ast(document("order"))
    for order_id, recorded_order in recorded.orders.items():
        order = (await ask(saleor, query, {"id": order_id}, token="any"))["order"]
        assert order["number"] == recorded_order["number"]
        assert len(order["fulfillments"]) == len(recorded_order["fulfillments"])


def test_an_order_has_every_fulfillment_in_its_latest_state(recorded):
    order = recorded.orders[order_of(recorded, "j-fulfillment")]
    states = {f["fulfillmentOrder"]: f["status"] for f in order["fulfillments"]}
    assert states == {1: "CANCELED", 2: "FULFILLED"}


def test_what_is_authorized_and_what_was_charged_exist_at_kustom(recorded):
    kustom = SimulatedKustom()
    recorded.authorize(kustom, "PM1")
    charged = recorded.orders[order_of(recorded, "o-capture")]["transactions"][0]
    assert kustom.orders[charged["pspReference"]].amount == 281_33
    unpaid = recorded.orders[order_of(recorded, "p-no")]
    assert unpaid["transactions"] == []
    assert len(kustom.orders) == len(list(recorded.authorized()))


async def test_its_keys_are_served(recorded):
    saleor = recorded.saleor()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(saleor.app)) as client:
        answer = await client.get("http://127.0.0.1:8000/.well-known/jwks.json")
    assert answer.text == (RECORDINGS / "jwks.json").read_text()


async def test_a_recording_is_posted_with_its_own_headers_and_bytes(recorded):
    app = AnApp()
    app.asgi.router.routes[-1].path_regex = re.compile(".*")
    recording = recorded.deliveries[0]
    async with httpx.AsyncClient(transport=Routed({URL: app.asgi})) as client:
        assert (await recording.post(client, f"{URL}/")).status_code == 200
    [(headers, body)] = app.deliveries
    assert body == recording.body
    names = [name.lower() for name, _ in recording.headers]
    assert [name.decode() for name, _ in headers.raw] == names
    assert headers["host"] == "127.0.0.1"


def test_a_directory_without_recordings_is_said_to_be_one(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no recorded deliveries"):
        load_recordings(tmp_path)
