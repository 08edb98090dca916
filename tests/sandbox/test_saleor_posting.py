"""How the simulated Saleor posts: bytes, headers, signature, repetitions (observed, 1 and 2)."""

import asyncio
import json

import httpx
import pytest

from saleor_kustom.intake.signature import verify
from saleor_kustom.saleor.keys import parse_keys
from saleor_kustom.sandbox import saleor_post
from saleor_kustom.sandbox.recordings import load_recordings
from saleor_kustom.sandbox.routed import Routed
from saleor_kustom.sandbox.saleor_orders import Line
from tests.conftest import RECORDINGS
from tests.sandbox.an_app import URL, ask, installed, manifest

FAILED = """{ app { webhooks { eventDeliveries(first: 100, filter: {status: FAILED}) {
  edges { node { id eventType status createdAt payload } } } } } }"""


async def listening(version="3.22.67", **more):
    """Return a Saleor, its app, which hears of nothing but creations, and an order."""
    saleor, app = await installed(version, manifest("FULFILLMENT_CREATED"), **more)
    return saleor, app, saleor.add_order([Line("Kaffemugg Ö", "33.33", 3)])


async def failed(saleor):
    [webhook] = (await ask(saleor, FAILED))["app"]["webhooks"]
    return [edge["node"] for edge in webhook["eventDeliveries"]["edges"]]


def keys_of(saleor):
    return parse_keys(json.dumps(saleor.signer.jwks()))


async def test_a_delivery_looks_like_a_recorded_one():
    recorded = next(
        r for r in load_recordings(RECORDINGS).deliveries if r.event == "fulfillment_created"
    )
    saleor, app, order = await listening()
    saleor.fulfill(order["id"])
    await saleor.deliver()
    [(headers, body)] = app.deliveries
    names = [name.decode() for name, _ in headers.raw]
    assert names == [name.lower() for name, _ in recorded.headers]
    for name in ("user-agent", "accept-encoding", "accept", "content-type", "saleor-event"):
        assert headers[name] == recorded.header(name)
    assert headers["host"] == "listener.test"
    assert list(json.loads(body))[:2] == ["__typename", "issuedAt"]
    assert body == json.dumps(json.loads(body)).encode()
    assert body.startswith(b'{"__typename": "FulfillmentCreated", ')


async def test_its_casing_is_that_of_a_recorded_one():
    recorded = load_recordings(RECORDINGS).deliveries[0]
    saleor, _, order = await listening()
    saleor.fulfill(order["id"])
    [queued] = saleor.queue
    delivery = await saleor.signed(queued.event, queued.value)
    names = [name for name, _ in delivery.headers]
    assert [*names, "Content-Length", "Host"] == [name for name, _ in recorded.headers]


async def test_a_signature_is_like_a_recorded_one_and_verifies():
    recorded = load_recordings(RECORDINGS).deliveries[0]
    saleor, app, order = await listening()
    saleor.fulfill(order["id"])
    await saleor.deliver()
    [(headers, body)] = app.deliveries
    signature = headers["saleor-signature"]
    assert verify(body, signature, keys_of(saleor)) == body
    # The same protected header up to the key id: "alg", "b64" and "crit" in this order.
    start = len("eyJhbGciOiJSUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il0s")
    assert signature[:start] == recorded.header("saleor-signature")[:start]


# --- what comes again


async def test_no_answer_for_310_seconds_is_given_up(monkeypatch):
    pauses = []

    async def pause(seconds):
        pauses.append(round(seconds))

    monkeypatch.setattr(saleor_post.asyncio, "sleep", pause)
    saleor, app, order = await listening(time_scale=1.0)
    app.answers = [503] * 9
    saleor.fulfill(order["id"])
    assert await saleor.deliver() == 6
    assert [seconds for seconds in pauses if seconds] == [10, 20, 40, 80, 160]
    assert len({body for _, body in app.deliveries}) == 1
    [node] = await failed(saleor)
    assert (node["eventType"], node["status"]) == ("FULFILLMENT_CREATED", "FAILED")
    assert json.loads(node["payload"]) == app.bodies[0]


@pytest.mark.parametrize("status", [302, 400, 401, 404, 408, 410, 422, 429])
async def test_any_other_refusal_is_final(status):
    saleor, app, order = await listening()
    app.answers = [status] * 9
    saleor.fulfill(order["id"])
    assert await saleor.deliver() == 1
    assert len(await failed(saleor)) == 1


async def test_an_app_that_is_away_is_asked_again():
    saleor, app, order = await listening()
    saleor.reach(Routed({}))
    saleor.fulfill(order["id"])
    assert await saleor.deliver() == 6
    assert [d.status for d in saleor.failed] == [None]
    saleor.reach(Routed({URL: app.asgi}))
    assert saleor.retry_failed() == 1
    assert await saleor.deliver() == 1
    assert app.events == ["FulfillmentCreated"]
    assert await failed(saleor) == []


async def test_what_succeeds_is_not_listed():
    saleor, app, order = await listening()
    app.answers = [503]
    saleor.fulfill(order["id"])
    assert await saleor.deliver() == 2
    assert await failed(saleor) == saleor.pending == []


async def test_a_failing_delivery_is_overtaken():
    saleor, app, order = await listening()
    app.answers = [503]
    line = order["lines"][0]["id"]
    first, second = (saleor.fulfill(order["id"], {line: 1}) for _ in range(2))
    await saleor.deliver()
    came = [body["fulfillment"]["id"] for body in app.bodies]
    assert came == [first["id"], second["id"], first["id"]]


async def test_a_repetition_is_signed_anew_and_goes_where_the_webhook_points_by_then():
    saleor, _, order = await listening()
    seen = []

    async def changes(request):
        seen.append(request)
        if len(seen) == 1:
            saleor.rotate_key()
            webhook_id = saleor.installed.webhooks[0]["id"]
            saleor.webhook_update(webhook_id, {"targetUrl": f"{URL}/moved"})
        return httpx.Response(503 if len(seen) == 1 else 200)

    saleor.reach(httpx.MockTransport(changes))
    saleor.fulfill(order["id"])
    await saleor.deliver()
    first, second = seen
    assert (first.url.path, second.url.path) == ("/hook", "/moved")
    assert first.content == second.content
    assert first.headers["saleor-signature"] != second.headers["saleor-signature"]
    assert verify(second.content, second.headers["saleor-signature"], keys_of(saleor))


async def test_a_repetition_has_the_same_signature_and_another_trace():
    saleor, app, order = await listening()
    app.answers = [500]
    saleor.fulfill(order["id"])
    await saleor.deliver()
    (first, _), (second, _) = app.deliveries
    assert first["saleor-signature"] == second["saleor-signature"]
    assert first["traceparent"] != second["traceparent"]


async def test_several_may_travel_at_once():
    saleor, _, order = await listening()
    line = order["lines"][0]["id"]
    together, most = 0, 0

    async def slow(_request):
        nonlocal together, most
        together += 1
        most = max(most, together)
        await asyncio.sleep(0)
        together -= 1
        return httpx.Response(200)

    saleor.reach(httpx.MockTransport(slow))
    for _ in range(3):
        saleor.fulfill(order["id"], {line: 1})
    assert await saleor.deliver(at_once=3) == 3
    assert most == 3


# --- an app's own webhooks


async def test_an_app_brings_its_webhooks_up_to_date():
    saleor, app, order = await listening()
    listed = """{ app { webhooks { id name targetUrl isActive subscriptionQuery
      asyncEvents { eventType } } } }"""
    [webhook] = (await ask(saleor, listed))["app"]["webhooks"]
    assert webhook["asyncEvents"] == [{"eventType": "FULFILLMENT_CREATED"}]
    update = """mutation($id: ID!, $input: WebhookUpdateInput!) {
      webhookUpdate(id: $id, input: $input) {
        errors { field code } webhook { targetUrl name } } }"""
    moved = {"id": webhook["id"], "input": {"targetUrl": f"{URL}/moved"}}
    made = (await ask(saleor, update, moved))["webhookUpdate"]
    assert made == {"errors": [], "webhook": {"targetUrl": f"{URL}/moved", "name": webhook["name"]}}
    off = {"id": webhook["id"], "input": {"isActive": False}}
    await ask(saleor, update, off)
    saleor.fulfill(order["id"])
    assert await saleor.deliver() == 0
    create = """mutation($input: WebhookCreateInput!) { webhookCreate(input: $input) {
      errors { field code } webhook { id } } }"""
    query = "subscription { event { ... on FulfillmentCanceled { order { id } } } }"
    given = {"name": "new", "targetUrl": f"{URL}/new", "query": query}
    given["asyncEvents"] = ["FULFILLMENT_CANCELED"]
    new = (await ask(saleor, create, {"input": given}))["webhookCreate"]["webhook"]
    saleor.cancel_fulfillment(order["fulfillments"][0]["id"])
    assert await saleor.deliver() == 1
    assert app.bodies == [{"order": {"id": order["id"]}}]
    delete = "mutation($id: ID!) { webhookDelete(id: $id) { errors { code } } }"
    await ask(saleor, delete, {"id": new["id"]})
    again = await ask(saleor, delete, {"id": new["id"]})
    assert again["webhookDelete"]["errors"] == [{"code": "NOT_FOUND"}]


async def test_a_query_that_saleor_does_not_know_is_refused():
    saleor, _, _ = await listening()
    create = """mutation($input: WebhookCreateInput!) { webhookCreate(input: $input) {
      errors { field code } } }"""
    given = {"query": "subscription { event { nonsense } }"}
    answer = (await ask(saleor, create, {"input": given}))["webhookCreate"]
    assert answer["errors"] == [{"field": "query", "code": "INVALID"}]
