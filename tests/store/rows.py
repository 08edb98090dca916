"""What the store's tests put into it."""

import json

from saleor_kustom.capture.delivery import Delivery
from saleor_kustom.capture.parties import Account
from saleor_kustom.capture.plan import Binding
from saleor_kustom.capture.state import State

SHOP = "https://shop.example/graphql/"
OTHER_SHOP = "https://other.example/graphql/"
CREATED = "2026-01-01T12:00:00.000000+00:00"
LEASE_S = 60.0

ACCOUNT = Account("playground", "PM1", "PM1_user", "correct horse battery staple")
BINDING = Binding("playground", "PM1", "11111111-2222-3333-4444-555555555555")


def delivery(order="O1", fulfillment="F1", *, event="fulfillment_created", created=CREATED, **more):
    return Delivery(event, "APP1", None, order, fulfillment, created, **more)


def body(*parts):
    return json.dumps(parts).encode()


async def receive(store, order="O1", fulfillment="F1", *, shop=SHOP, news="1", **more):
    """Take a delivery in; deliveries with other `news` are others."""
    told = delivery(order, fulfillment, **more)
    return await store.deliveries.receive(shop, told, body(order, fulfillment, news))


async def claim(store, worker="worker", limit=10, lease_s=LEASE_S):
    return await store.captures.claim(worker, limit, lease_s)


async def claim_one(store, worker="worker", **more):
    [capture] = await claim(store, worker, **more)
    return capture


async def rest(store, capture, **more):
    """Let a capture go, as a run does at its end."""
    return await store.captures.save(capture, what="rests", keep=False, **more)


async def captured(store, capture, capture_id="C1", state=State.CAPTURED, **more):
    """Take a claimed capture to where its money has moved."""
    return await store.captures.save(
        capture, what="captured", state=state, plan="{}", idempotency_key="key",
        amount_minor=19_90, capture_id=capture_id, **more,
    )  # fmt: skip


async def sql(store, query, **params):
    """Ask the database itself."""
    return await store._db((query, params))


PUT = "insert into meta (name, value, at) values (:name, :value, :now)"
NAMES = "select name from meta order by name"


def put(name, value="x"):
    """Return a statement that writes, where it does not matter what."""
    return (PUT, {"name": name, "value": value})
