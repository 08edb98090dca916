"""The edge as a whole: routes, health, and answers that any program can read."""

import pytest

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
