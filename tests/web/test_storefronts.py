"""The edge of what a storefront asks through Saleor: genuine, in time, and always an answer."""

import asyncio

import pytest

from saleor_kustom.capture.session import Result, SessionAnswer
from saleor_kustom.web.sessions import Storefronts, _told
from tests.web.edge import open_edge

EVENTS = ("payment_gateway_initialize_session", "transaction_initialize_session")


@pytest.fixture
async def edge(database_url):
    async with open_edge(database_url) as edge:
        await edge.world.install()
        yield edge


@pytest.mark.parametrize("event", EVENTS)
async def test_what_is_not_genuine_is_not_answered_and_nothing_is_asked(edge, event):
    delivery = await edge.delivery(event)
    body = delivery.body.replace(b"kustomOrderId", b"kustomOrderIt")
    body = body if body != delivery.body else delivery.body + b" "
    edge.saleor.requests.clear()
    edge.world.kustom.requests.clear()
    assert (await edge.post(event, delivery.headers, body)).status_code == 401
    assert edge.saleor.requests == []
    assert edge.world.kustom.requests == []
    assert await edge.stored() == 0


async def test_what_was_meant_for_another_app_is_refused(edge):
    for event in EVENTS:
        other = {**edge.saleor.installed.app, "id": "QXBwOjk5"}
        assert (await edge.deliver(await edge.delivery(event, recipient=other))).status_code == 403


async def test_a_request_that_takes_too_long_is_to_be_tried_again(edge):
    class Slow:
        async def environment(self, _shop, _source_id):
            await asyncio.sleep(3600)

        async def authorize(self, _shop, _session):
            await asyncio.sleep(3600)

    verifier = next(
        r for r in edge.world.app.web.routes if getattr(r, "path", "").endswith("{event}")
    )  # fmt: skip
    webhooks = verifier.endpoint
    slow = Storefronts(edge.store, Slow(), wake=lambda: None, patience_s=0.01)
    webhooks._answering = slow.answering()
    for event in EVENTS:
        answer = await edge.deliver(await edge.delivery(event))
        assert answer.status_code == 200
        data = answer.json()["data"]
        assert data.get("ready") is False or data["code"] == "TRY_AGAIN"


def test_a_link_that_is_none_is_left_out():
    from decimal import Decimal

    answer = SessionAnswer(Result.SUCCESS, "K", Decimal("12.30"))
    assert "externalUrl" not in _told(answer)
    assert _told(answer, (), "https://x")["externalUrl"] == "https://x"
    assert _told(answer)["amount"] == "12.30"
