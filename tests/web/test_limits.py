"""Limits of every request: who, how long, how much. In front of all routes."""

import asyncio

import httpx
import pytest
from starlette.applications import Starlette

from saleor_kustom.web.clients import Clients, client_of
from saleor_kustom.web.limits import Limits, RequestLimits
from saleor_kustom.web.listen import listening
from tests.web.edge import APP_URL, HOOKS, open_edge


@pytest.fixture
async def edge(sqlite_url):
    async with open_edge(sqlite_url) as edge:
        await edge.world.install()
        yield edge


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def limited(app, clock=None, **limits):
    """Put an application behind limits; every client is told apart, also those on loopback."""
    clients = Clients(
        burst=20.0, per_second=1.0, monotonic=clock or Clock(), known_as=lambda host: host
    )
    return Limits(app, clients=clients, limits=RequestLimits(**limits))


def client(app, address="203.0.113.1"):
    transport = httpx.ASGITransport(app, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url=APP_URL)


# --- every answer


async def test_every_answer_says_that_it_is_what_it_says(edge):
    for path in ("/health/live", "/api/manifest", "/nothing", "/app", "/static/app.css"):
        answer = await edge.client.get(f"{APP_URL}{path}")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "cache-control" in answer.headers
        assert "strict-transport-security" not in answer.headers  # it is served on http here
        assert "set-cookie" not in answer.headers
        assert "server" not in answer.headers


async def test_https_is_for_ever(sqlite_url):
    async with open_edge(sqlite_url, app_url="https://app.test") as edge:
        answer = await client(edge.world.app.web).get("/health/live")
        assert answer.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize(
    "host", ["[", "a b", "a/b", "[::1", "é", "a@b", "a,b", "[::1]]", "a:99999999"]
)
async def test_a_host_that_is_none_is_refused(edge, host):
    for path in ("/app", "/health/live"):
        answer = await edge.client.get(f"{APP_URL}{path}", headers={"host": host.encode()})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "HOST_MALFORMED")


async def test_two_hosts_are_refused(edge):
    headers = [("host", "a.test"), ("host", "b.test")]
    assert (await edge.client.get(f"{APP_URL}/app", headers=headers)).status_code == 400


@pytest.mark.parametrize("host", ["", "a.test", "a.test:8080", "127.0.0.1", "[::1]:80"])
async def test_a_host_may_be_any_name_or_address(edge, host):
    answer = await edge.client.get(f"{APP_URL}/app", headers={"host": host})
    assert answer.status_code == 200


async def test_a_web_socket_is_refused(edge):
    sent = []

    async def send(message):
        sent.append(message)

    await edge.world.app.web({"type": "websocket", "path": "/app"}, None, send)
    assert sent == []


# --- how long


async def test_a_request_that_takes_too_long_is_asked_to_come_again():
    async def hangs(scope, receive, send):
        await asyncio.sleep(60)

    answer = await client(limited(hangs, answer_s=0.05)).post("/api/webhooks/saleor/x")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "TRY_AGAIN")


async def test_an_answer_that_has_begun_may_take_its_time():
    async def long(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(0.2)
        await send({"type": "http.response.body", "body": b"done"})

    assert (await client(limited(long, answer_s=0.05)).get("/app/export")).text == "done"


async def test_a_time_limit_of_the_applications_own_is_not_ours_to_hide():
    async def fails(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await client(limited(fails)).get("/")


# --- how much


async def test_the_bodies_of_all_requests_together_have_a_limit():
    reading, go = asyncio.Semaphore(0), asyncio.Event()

    async def reads(scope, receive, send):
        await receive()
        reading.release()
        await go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    web = client(limited(reads, bodies_bytes=1000))
    first = asyncio.create_task(web.post("/", content=b"x" * 900))
    await reading.acquire()
    assert (await web.post("/", content=b"x" * 101)).status_code == 503
    second = asyncio.create_task(web.post("/", content=b"x" * 100))
    await reading.acquire()
    go.set()
    assert [(await one).status_code for one in (first, second)] == [200, 200]
    assert (await web.post("/", content=b"x" * 1000)).status_code == 200  # all is free again


# --- who


async def answers(app, path, count, address="203.0.113.1"):
    return [(await client(app, address).get(path)).status_code for _ in range(count)]


def routed(status):
    async def app(scope, receive, send):
        given = status(scope["path"]) if callable(status) else status
        await send({"type": "http.response.start", "status": given, "headers": []})
        await send({"type": "http.response.body"})

    return app


async def test_a_client_that_asks_too_much_waits_and_others_do_not():
    clock = Clock()
    app = limited(routed(200), clock)
    assert await answers(app, "/app", 25) == [200] * 20 + [429] * 5
    assert await answers(app, "/app", 1, "203.0.113.2") == [200]
    answer = await client(app).get("/app")
    assert answer.headers["retry-after"] == "2"
    clock.now += 3.0
    assert await answers(app, "/app", 4) == [200] * 3 + [429]


async def test_a_refusal_costs_more():
    assert await answers(limited(routed(401)), "/app/api/order", 6) == [401] * 4 + [429] * 2


async def test_a_failed_installation_costs_most():
    assert await answers(limited(routed(401)), "/api/register", 2) == [401, 429]


async def test_garbage_is_asked_to_come_again_since_it_may_be_a_delivery():
    answered = await answers(limited(routed(401)), "/api/webhooks/saleor/x", 6)
    assert answered == [401] * 4 + [503] * 2


async def test_what_is_verified_costs_nothing():
    assert await answers(limited(routed(200)), "/api/webhooks/saleor/x", 100) == [200] * 100


async def test_where_genuine_deliveries_come_from_none_is_turned_away():
    clock = Clock()
    app = limited(routed(lambda path: 200 if path.endswith("good") else 401), clock)
    bad, good = "/api/webhooks/saleor/bad", "/api/webhooks/saleor/good"
    assert await answers(app, good, 1) == [200]
    assert await answers(app, bad, 50) == [401] * 50
    assert await answers(app, good, 1) == [200]
    assert await answers(app, "/app", 1) == [429]  # but for nothing else
    clock.now += 3601.0
    assert await answers(app, bad, 5) == [401] * 4 + [503]  # it has to prove itself anew


async def test_nobody_is_shut_out_for_long():
    clock = Clock()
    app = limited(routed(401), clock)
    await answers(app, "/api/register", 1)
    clock.now += 50.0
    assert await answers(app, "/app", 1) == [401]


async def test_buckets_are_not_kept_for_everybody_for_ever():
    clients = Clients(known_as=lambda host: host)
    for number in range(10_500):
        clients.answered(f"client {number}", "/", 200)
    assert len(clients._buckets) == 10_000


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("8.8.8.8", "8.8.8.8"),
        ("2a00:1450:4001:81b::200e", "2a00:1450:4001:81b::/64"),
        ("127.0.0.1", None),
        ("10.1.2.3", None),
        ("fd00::1", None),
        ("::1", None),
        ("", None),
        ("unknown", None),
    ],
)
def test_a_client_is_known_by_its_public_address(host, known):
    assert client_of(host) == known


async def test_behind_a_trusted_proxy_clients_are_told_apart():
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["client"][0])
        await routed(200)(scope, receive, send)

    headers = {"x-forwarded-for": "1.1.1.1, 8.8.8.8"}
    for proxies in ((), ("127.0.0.0/8",)):
        async with (
            listening(app, "127.0.0.1", 0, trusted_proxies=proxies) as address,
            httpx.AsyncClient(trust_env=False) as web,
        ):
            await web.get(address, headers=headers)
    assert seen == ["127.0.0.1", "8.8.8.8"]  # the last one: what the proxy itself has seen


async def test_the_environment_names_no_proxies(monkeypatch):
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    await test_behind_a_trusted_proxy_clients_are_told_apart()


async def test_limits_stand_in_front_of_every_route(edge):
    web = edge.world.app.web
    assert isinstance(web, Starlette)
    assert web.user_middleware[0].cls is Limits  # before anything else looks at a request
    public = client(web, "8.8.8.8")
    delivery = await edge.delivery()
    good = await public.post(
        f"{HOOKS}/{delivery.event}", headers=delivery.headers, content=delivery.body
    )
    assert good.status_code == 200
    answered = [(await public.post("/api/register")).status_code for _ in range(40)]
    assert set(answered) == {400, 429}
    good = await public.post(
        f"{HOOKS}/{delivery.event}", headers=delivery.headers, content=delivery.body
    )
    assert good.status_code == 200
