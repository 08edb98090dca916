"""Metrics and health: on an address of their own, exact, and true after a change."""

import asyncio
import re

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from saleor_kustom.capture.parties import Account
from saleor_kustom.sandbox.saleor_orders import Line
from saleor_kustom.store import OpenAuthorization, Scope
from tests.web.edge import APP_URL, open_edge


@pytest.fixture
async def edge(database_url):
    async with open_edge(database_url) as edge:
        await edge.world.install()
        yield edge


async def asked(edge, path):
    transport = httpx.ASGITransport(edge.world.app.operations)
    async with httpx.AsyncClient(transport=transport, base_url="http://inside.test") as client:
        return await client.get(path)


async def scraped(edge):
    """Return every sample: (name, labels) → value."""
    answer = await asked(edge, "/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(answer.text)
    return {
        (s.name.removeprefix("saleor_kustom_"), *sorted(s.labels.values())): s.value
        for family in families
        for s in family.samples
    }


async def test_the_world_sees_no_numbers(edge):
    for path in ("/metrics", "/metrics/"):
        assert (await edge.client.get(f"{APP_URL}{path}")).status_code == 404


async def test_a_scrape_shows_what_the_database_knows(edge):
    before = await scraped(edge)
    assert (before["queue_waiting",], before["queue_oldest_due_seconds",]) == (0, 0)
    assert before["database_up",] == 1
    await edge.deliver(await edge.delivery())
    await edge.store.pauses.set(Scope.SHOP, edge.api_url, who="me", why="a test")
    for number, (left, days) in enumerate([(100, 3), (50, 20), (0, 3), (70, -1)]):
        at = edge.world.app.worker.parts.clock() + days * 86400
        await edge.store.authorizations.put(
            OpenAuthorization(edge.api_url, f"O{number}", "1", "K", "SEK", left, at)
        )
    now = await scraped(edge)
    assert (now["queue_waiting",], now["queue_due",], now["queue_running",]) == (1, 1, 0)
    assert now["paused", "shop"] == 1
    assert now["waiting_minor_units", ""] == 0  # nobody has read yet what it is worth
    assert now["authorized_minor_units", "SEK"] == 150
    assert now["expiring_minor_units", "SEK"] == 100


async def test_what_is_held_shows_by_reason_and_goes_when_it_is_solved(edge):
    await edge.deliver(await edge.delivery())
    [row] = await edge.store.captures.list(edge.api_url)
    await edge.store.captures.hold(edge.api_url, row.id, "not_linked", {})
    assert (await scraped(edge))["held", "not_linked"] == 1
    await edge.store.captures.resume(edge.api_url, row.id, "me", "a test")
    assert ("held", "not_linked") not in await scraped(edge)


async def test_an_open_breaker_shows(edge):
    pace = edge.world.app.worker.parts.pace
    account = Account("live", "PM1", "PM1_u", "p")
    from saleor_kustom.errors import Unavailable

    for _ in range(5):
        pace.failed(account, Unavailable("NO_ANSWER"))
    assert (await scraped(edge))["breaker_open", "live"] == 1
    pace.succeeded(account)
    assert ("breaker_open", "live") not in await scraped(edge)


async def test_without_the_database_our_own_counts_are_still_there(edge):
    await edge.store.close()
    now = await scraped(edge)
    assert now["database_up",] == 0
    assert ("queue_waiting",) not in now
    assert any(name == "info" for name, *_ in now)


async def test_health_is_served_there_too(edge):
    assert (await asked(edge, "/health/live")).json() == {"status": "ok"}
    assert (await asked(edge, "/health/ready")).status_code == 200
    await edge.store.close()
    assert (await asked(edge, "/health/live")).status_code == 200
    assert (await asked(edge, "/health/ready")).status_code == 503


async def test_a_worker_whose_loop_hangs_is_not_ready(database_url):
    now = [0.0]
    async with open_edge(database_url, monotonic=lambda: now[0]) as edge:
        worker = edge.world.app.worker
        assert (await asked(edge, "/health/ready")).status_code == 200  # it does not work here
        hung = asyncio.Event()

        async def claim(*_args, **_more):
            hung.set()
            await asyncio.Event().wait()

        worker.parts.store.captures.claim = claim
        running = asyncio.create_task(worker.run(asyncio.Event()))
        await hung.wait()
        assert (await asked(edge, "/health/ready")).status_code == 200
        now[0] = 61.0
        answer = await asked(edge, "/health/ready")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "WORKER_HANGS")
        assert (await edge.client.get(f"{APP_URL}/health/ready")).status_code == 503
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_no_label_holds_what_a_stranger_made_up(edge):
    await edge.client.post(f"{APP_URL}/api/webhooks/saleor/{'x' * 50}", content=b"{}")
    await edge.client.post(f"{APP_URL}/api/webhooks/saleor/fulfillment_created", content=b"{}")
    text = (await asked(edge, "/metrics")).text
    assert "x" * 50 not in text
    assert re.search(r'deliveries_total\{event="fulfillment_created",outcome="not_genuine"\}', text)


async def test_an_ordered_line_is_no_label_either(edge):
    order = edge.saleor.add_order([Line("A secret mug", "1.00")])
    edge.saleor.fulfill(order["id"])
    await edge.world.settle()
    text = (await asked(edge, "/metrics")).text
    assert "secret" not in text
    assert edge.api_url not in text
