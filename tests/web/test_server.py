"""The edge as a whole: routes, health, and answers that any program can read."""

import httpx
import pytest

from saleor_kustom.web.listen import listening
from tests.web.edge import APP_URL, open_edge


@pytest.fixture
async def edge(database_url):
    async with open_edge(database_url) as edge:
        yield edge


async def get(edge, path):
    return await edge.client.get(f"{APP_URL}{path}")


async def test_it_is_alive_and_ready(edge):
    for path in ("/health/live", "/health/ready"):
        assert (await get(edge, path)).status_code == 200


async def test_without_its_database_it_is_alive_but_not_ready(database_url):
    async with open_edge(database_url) as edge:
        await edge.store.close()
        assert (await get(edge, "/health/live")).status_code == 200
        answer = await get(edge, "/health/ready")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "STORE_UNAVAILABLE")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("logo.png", "image/png"), ("app.css", "text/css"), ("bridge.js", "text/javascript")],
)
async def test_static_files_say_what_they_are(edge, name, kind):
    answer = await get(edge, f"/static/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api",
        "/static/",
        "/static/server.py",
        "/static/..%2fserver.py",
        "/static/%2e%2e/server.py",
        "/api/webhooks/saleor/",
        "/api/webhooks/saleor/order_updated",
        "/health",
    ],
)
async def test_what_is_not_there_is_answered_in_json(edge, path):
    answer = await get(edge, path)
    assert answer.status_code in (404, 405)
    assert answer.json()["success"] is False


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/manifest"), ("GET", "/api/register"), ("DELETE", "/health/live")],
)
async def test_a_wrong_method_is_refused(edge, method, path):
    answer = await edge.client.request(method, f"{APP_URL}{path}")
    assert answer.status_code == 405


@pytest.mark.parametrize("size", [10_000, 4_000_000])
async def test_a_refusal_reaches_saleor_though_its_body_was_not_read(edge, size):
    # Over a real connection: the headers are judged while the body is still being sent.
    async with (
        listening(edge.world.app.web, "127.0.0.1", 0) as address,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        url = f"{address}/api/webhooks/saleor/fulfillment_created"
        for _ in range(3):
            answer = await client.post(url, content=b"x" * size)
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "NOT_INSTALLED")


async def test_a_delivery_over_a_real_connection_is_stored(edge):
    await edge.world.install()
    delivery = await edge.delivery()
    async with (
        listening(edge.world.app.web, "127.0.0.1", 0) as address,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        headers = {name.lower(): value for name, value in delivery.headers}
        answer = await client.post(
            f"{address}/api/webhooks/saleor/{delivery.event}",
            headers={**headers, "host": "127.0.0.1"},
            content=delivery.body,
        )
    assert answer.status_code == 200
    assert await edge.stored() == 1
