"""Kustom's own webhooks: hints by a secret URL, attacked."""

import json
import uuid

import pytest

from saleor_kustom.sandbox.saleor import SimulatedSaleor
from saleor_kustom.sandbox.saleor_orders import Line
from saleor_kustom.sandbox.world import APP_URL
from saleor_kustom.store.outside import MOST_DISPUTES
from saleor_kustom.web.bodies import nesting
from tests.web.edge import open_edge

OTHER = "http://other-saleor.test/graphql/"


@pytest.fixture
async def edge(sqlite_url):
    async with open_edge(sqlite_url) as made:
        await made.world.install()
        yield made


@pytest.fixture
async def order(edge):
    """An order that we know: its first parcel is captured."""
    order, there = edge.world.order([Line("Mug", "100.00", 3)])
    edge.saleor.fulfill(order["id"], {order["lines"][0]["id"]: 1})
    await edge.world.settle()
    return order, there


@pytest.fixture
async def secret(edge):
    return await edge.store.kustom_webhooks.rotate(edge.api_url, who="test")


def told(kustom_order_id, event="capture.created", **ids):
    data = {"order_id": kustom_order_id, **ids}
    return json.dumps({"id": "kevt_1", "merchant_id": "PM1", "type": event, "data": data}).encode()


async def post(edge, secret, body, **headers):
    url = f"{APP_URL}/api/kustom/{secret}"
    return await edge.client.post(url, content=body, headers=headers)


async def hints(edge):
    return await edge.store._db.read("select * from hint")


async def test_a_known_order_is_due_for_a_look_and_the_rest_is_ignored(edge, order, secret):
    answer = await post(edge, secret, told(order[1].order_id))
    assert (answer.status_code, answer.json()) == (200, {"success": True, "known": True})
    unknown = await post(edge, secret, told(str(uuid.uuid4())))
    assert (unknown.status_code, unknown.json()) == (200, {"success": True, "known": False})
    [hint] = await hints(edge)
    assert hint["order_id"] == order[0]["id"]


@pytest.mark.parametrize(
    "wrong",
    ["x", "A" * 43, "A" * 199, "A" * 5000, "%00", "å" * 20, "null"],
)
async def test_a_wrong_secret_is_answered_as_a_path_that_is_not_there(edge, order, secret, wrong):
    answer = await post(edge, wrong, told(order[1].order_id))
    nowhere = await edge.client.post(f"{APP_URL}/api/nowhere", content=b"")
    assert (answer.status_code, answer.json()) == (404, nowhere.json())
    assert await hints(edge) == []


async def test_almost_the_secret_and_an_older_one_are_wrong(edge, order, secret):
    new = await edge.store.kustom_webhooks.rotate(edge.api_url, who="test")
    for wrong in (secret, new[:-1], new + "A", new.swapcase(), f" {new}"):
        assert (await post(edge, wrong, told(order[1].order_id))).status_code == 404
    assert (await post(edge, new, told(order[1].order_id))).status_code == 200


async def test_a_secret_is_long_and_kept_as_a_hash_alone(edge, secret):
    assert len(secret) >= 43  # 256 bits in base64
    rows = await edge.store._db.read("select * from kustom_webhook")
    history = await edge.store.history.of_shop(edge.api_url)
    assert secret not in repr(rows) + repr(history)


async def test_anothers_secret_reaches_no_order_of_ours(edge, order, secret):
    other = SimulatedSaleor(OTHER)
    await edge.store.shops.install(
        OTHER, "QXBwOjE=", "token", saleor_version=other.version, jwks="{}"
    )
    theirs = await edge.store.kustom_webhooks.rotate(OTHER, who="test")
    answer = await post(edge, theirs, told(order[1].order_id))
    assert answer.json() == {"success": True, "known": False}
    assert await hints(edge) == []


async def test_a_removed_shops_secret_is_wrong(edge, order, secret):
    await edge.store.shops.uninstall(edge.api_url, edge.saleor.installed.app["id"])
    assert (await post(edge, secret, told(order[1].order_id))).status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"null", 400),
        (b"[]", 400),
        (b'"text"', 400),
        (b"\xff\xfe", 400),
        (b"<html>", 400),
        (b"[" * 10_000, 400),
        (b'{"data":' * 1500 + b"1" + b"}" * 1500, 400),
        (b"x" * 17_000, 413),
        (b"{}", 200),
        (b'{"data": null}', 200),
        (b'{"data": []}', 200),
        (b'{"data": {"order_id": null}}', 200),
        (b'{"data": {"order_id": 1e999}}', 200),
        (b'{"data": {"order_id": ["a"]}}', 200),
        (b'{"data": {"order_id": "\\u0000"}}', 200),
        (b'{"data": {"order_id": "\' or 1=1 --"}}', 200),
        (b'{"data": {"order_id": "' + b"a" * 10_000 + b'"}}', 200),
        (b'{"type": {}, "data": {"order_id": "x", "capture_id": {}}}', 200),
    ],
)
async def test_garbage_stores_nothing(edge, order, secret, body, status):
    answer = await post(edge, secret, body)
    assert answer.status_code == status
    assert await hints(edge) == []


async def test_nothing_in_a_body_is_believed(edge, order, secret, monkeypatch):
    """An amount, a status or an id that Kustom does not have changes nothing."""
    saleor_order, there = order
    body = json.loads(told(there.order_id, "refund.created", refund_id="ref-forged"))
    body["data"] |= {"refunded_amount": 14900, "captured_amount": 1, "status": "CANCELLED"}
    assert (await post(edge, secret, json.dumps(body).encode())).status_code == 200
    await edge.store._db(("update hint set due_at = 0", {}))
    before = json.dumps(saleor_order["transactions"], default=str)
    assert await edge.world.app.hints.drain() == 1
    assert json.dumps(saleor_order["transactions"], default=str) == before
    assert await edge.store.outside.of_order(edge.api_url, saleor_order["id"]) == []


async def test_a_thousand_hints_for_one_order_make_one_row_and_one_look(edge, order, secret):
    edge.world.kustom.requests.clear()
    for n in range(1000):
        body = told(order[1].order_id, "capture.created", capture_id=f"forged-{n}")
        # As from Kustom's many machines: the limits for one client are another's test.
        await edge.world.app.store.hints.take(edge.api_url, order[0]["id"], f"forged-{n}")
        if n % 100 == 0:
            assert (await post(edge, secret, body)).status_code == 200
    assert len(await hints(edge)) == 1
    await edge.store._db(("update hint set due_at = 0", {}))
    assert await edge.world.app.hints.drain() == 1
    assert len(edge.world.kustom.requests) == 1
    for _ in range(10):  # at once again: not before the next interval
        await post(edge, secret, told(order[1].order_id))
    assert await edge.world.app.hints.drain() == 0
    assert len(edge.world.kustom.requests) == 1


async def test_disputes_that_nobody_can_check_are_few(edge, order, secret):
    for n in range(50):
        body = told(order[1].order_id, "dispute.created", dispute_id=f"d-{n}")
        assert (await post(edge, secret, body)).status_code == 200
    kept = await edge.store.outside.of_order(edge.api_url, order[0]["id"])
    assert len(kept) == MOST_DISPUTES


async def test_only_a_post_is_taken(edge, secret):
    answer = await edge.client.get(f"{APP_URL}/api/kustom/{secret}")
    assert answer.status_code == 405


async def test_the_database_is_away(edge, order, secret, monkeypatch):
    from saleor_kustom.errors import StoreUnavailable

    async def away(*_args, **_more):
        raise StoreUnavailable("simulated")

    monkeypatch.setattr(edge.store.hints, "take", away)
    assert (await post(edge, secret, told(order[1].order_id))).status_code == 503


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        ("1", 0),
        ("[]", 1),
        ('{"a": [1, {"b": 2}]}', 3),
        ('"[[["', 0),
        (r'["\"[[", 1]', 1),
        (r'["\\", [1]]', 2),
        ("[1], [2], [3]", 1),
        ("]]]][", 0),
    ],
)
def test_nesting_counts_what_is_not_quoted(text, depth):
    assert nesting(text.encode()) == depth
