"""Whatever bytes come, from strangers or from the two sides that we call: no 5xx but the documented
503, no hang, no exception but our own.

`make test` tries each property a few hundred times, `make test-long` twenty thousand times.
"""

import asyncio
import contextlib
import json
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from saleor_kustom.capture.parties import Account, Shop
from saleor_kustom.errors import CallError, KeysUnavailable
from saleor_kustom.intake.delivery import EVENTS
from saleor_kustom.kustom.client import KustomClient
from saleor_kustom.outbound import Outbound
from saleor_kustom.saleor.client import SaleorClient
from saleor_kustom.saleor.keys import fetch_jwks
from tests.web.edge import APP_URL, open_edge

RUNS = [pytest.param(300, id="300 runs"), pytest.param(20_000, id="20000", marks=pytest.mark.long)]
LONGEST_S = 20.0

ACCOUNT = Account("playground", "PM1", "PM1-x", "a password")
SHOP = Shop("https://shop.example/graphql/", "QXBwOjE=", "a token", "3.22.67")
ORDER = "37c5d807-277c-434f-95eb-5871b1c79748"


def tries(runs, **strategies):
    """Run a function so many times with what the strategies make."""

    def decorate(tried):
        settled = settings(
            max_examples=runs,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        settled(given(**strategies)(tried))()

    return decorate


@pytest.fixture(scope="module")
def loop():
    """One loop for all runs of a property: opening an app for each would take hours."""
    with asyncio.Runner() as runner:
        yield lambda coroutine: runner.run(asyncio.wait_for(coroutine, LONGEST_S))


@pytest.fixture(scope="module")
def edge(loop, tmp_path_factory):
    """An app that is installed in a simulated Saleor."""
    url = f"sqlite:///{tmp_path_factory.mktemp('fuzz')}/app.db"
    stack = contextlib.AsyncExitStack()

    async def enter():
        edge = await stack.enter_async_context(open_edge(url))
        await edge.world.install()
        return edge

    yield loop(enter())
    loop(stack.aclose())


# --- what strangers send

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=40)
    | st.sampled_from(["FulfillmentCreated", "QXBwOjE=", "1" * 400, "\0", "\ud800", "2026-11-23"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["__typename", "recipient", "id", "order", "fulfillment", "created", "app", "data"]
            )
            | st.text(max_size=10),
            inner,
            max_size=6,
        )
    ),
    max_leaves=15,
)
BODIES = st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode())
#: What a header may hold on the wire: anything but the bytes that end it.
VALUES = st.binary(max_size=200).map(
    lambda raw: bytes(b for b in raw if b not in b"\r\n\0").strip(b" \t")
)
NAMES = st.sampled_from(
    [
        *("saleor-api-url", "saleor-domain", "saleor-event", "saleor-signature"),
        *("authorization-bearer", "authorization", "content-type", "content-length", "host"),
        *("accept-language", "x-midnights", "traceparent", "x-forwarded-for", "expect"),
    ]
)
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=6)
PATHS = st.sampled_from(
    [
        *(f"/api/webhooks/saleor/{event}" for event in sorted(EVENTS)),
        *("/api/register", "/api/link", "/api/manifest", "/app", "/app/order"),
        *("/app/pages/order", "/app/pages/captures", "/app/export.csv", "/app/acts/retry"),
        *("/static/app.css", "/static/words/sv.json", "/health/ready"),
    ]
) | st.text(max_size=30).map(lambda text: "/" + text)


async def send(edge, method, path, headers, body):
    """Send what httpx would not: raw header bytes, an odd length, any path but for "#"."""
    raw = [(name.encode(), value) for name, value in headers]
    quoted = quote(path.encode("utf-8", "surrogatepass"), safe="/%?&=;")
    url = httpx.URL(APP_URL).copy_with(raw_path=quoted.encode())
    request = httpx.Request(method, url, headers=raw, content=body)
    return await edge.client.send(request)


def fine(answer):
    """Tell whether an answer is one that is documented."""
    return answer.status_code < 500 or (
        answer.status_code == 503 and answer.json()["success"] is False
    )


@pytest.mark.parametrize("runs", RUNS)
def test_no_request_of_a_stranger_is_too_much(edge, loop, runs):
    methods = st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"])

    @tries(runs, method=methods, path=PATHS, headers=HEADERS, body=BODIES)
    def tried(method, path, headers, body):
        assert fine(loop(send(edge, method, path, headers, body)))


@pytest.mark.parametrize("runs", RUNS)
def test_no_header_of_a_delivery_is_too_much(edge, loop, runs):
    genuine = loop(edge.delivery())
    own = {name.lower(): value.encode() for name, value in genuine.headers}

    @tries(runs, name=st.sampled_from(sorted(own)), value=VALUES, twice=st.booleans())
    def tried(name, value, twice):
        headers = [(n, v) for n, v in own.items() if twice or n != name] + [(name, value)]
        path = f"/api/webhooks/saleor/{genuine.event}"
        assert fine(loop(send(edge, "POST", path, headers, genuine.body)))


@pytest.mark.parametrize("runs", RUNS)
def test_any_body_that_the_shop_signed_is_stored_or_refused(edge, loop, runs):
    """Not believed, but never lost either: what makes no sense is kept for a person (rule 2)."""

    @tries(runs, event=st.sampled_from(sorted(EVENTS)), body=BODIES)
    def tried(event, body):
        headers = [(n.lower(), v.encode()) for n, v in edge.saleor.headers(event, body)]
        answer = loop(send(edge, "POST", f"/api/webhooks/saleor/{event}", headers, body))
        assert answer.status_code in (200, 400, 403), answer.text


@pytest.mark.parametrize("runs", RUNS)
def test_no_installation_is_too_much(edge, loop, runs):
    @tries(runs, url=VALUES | st.just(edge.api_url.encode()), body=BODIES)
    def tried(url, body):
        answer = loop(send(edge, "POST", "/api/register", [("saleor-api-url", url)], body))
        assert answer.status_code in (400, 401, 403, 413)


@pytest.mark.parametrize("runs", RUNS)
def test_no_act_of_a_persons_browser_is_too_much(edge, loop, runs):
    """Staff are let in, but what their browser sends is believed no more for that."""
    paths = [
        *("account", "account-test", "mode", "policy", "policy-preview", "retry", "retry-all"),
        *("look-again", "pause", "unpause"),
    ]

    @tries(runs, path=st.sampled_from(paths), body=BODIES)
    def tried(path, body):
        token = edge.saleor.dashboard_token(["MANAGE_ORDERS", "HANDLE_PAYMENTS", "MANAGE_APPS"])
        headers = [
            ("saleor-api-url", edge.api_url.encode()),
            ("authorization-bearer", token.encode()),
        ]
        assert fine(loop(send(edge, "POST", f"/app/acts/{path}", headers, body)))


# --- what the two sides answer

STATUSES = st.sampled_from(
    [200, 201, 204, 202, 301, 302, 400, 401, 403, 404, 409, 413, 422, 429]
) | (st.integers(100, 599))
ANSWER_HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("content-type", "content-encoding", "retry-after", "capture-id", "refund-id"),
                *("location", "klarna-correlation-id", "date", "x-ratelimit-reset"),
            ]
        ),
        VALUES,
    ),
    max_size=5,
)
KUSTOM = {
    "order_id": ORDER, "status": "AUTHORIZED", "fraud_status": "ACCEPTED",
    "order_amount": 100, "original_order_amount": 100, "captured_amount": 0,
    "refunded_amount": 0, "remaining_authorized_amount": 100, "purchase_currency": "SEK",
    "captures": [], "error_code": "NO_SUCH_ORDER", "error_messages": ["no"],
}  # fmt: skip
SALEOR = {
    "id": "T3JkZXI6MQ==", "number": "1", "origin": "CHECKOUT", "status": "FULFILLED",
    "total": {"gross": {"amount": 1.0, "currency": "SEK"}}, "lines": [], "fulfillments": [],
    "transactions": [], "metadata": [], "privateMetadata": [],
}  # fmt: skip


def like(whole):
    """Return values like `whole` with some of its fields replaced by anything."""
    some = st.dictionaries(st.sampled_from(sorted(whole)), JSON, max_size=4)
    return some.map(lambda changed: whole | changed)


def outbound(status, headers, body):
    """Return calls that are all answered like this."""

    def answer(request):
        return httpx.Response(status, headers=list(headers), stream=httpx.ByteStream(body))

    return Outbound(transport=httpx.MockTransport(answer))


async def outcome(call):
    """Return whether a call ended as ours do: with a value, or with a verdict."""
    with contextlib.suppress(CallError, KeysUnavailable):
        await call


@pytest.mark.parametrize("runs", RUNS)
def test_every_answer_of_kustom_is_a_value_or_a_verdict(loop, runs):
    body = json.dumps({"captured_amount": 1, "reference": "1/1/F"})

    @tries(
        runs,
        status=STATUSES,
        headers=ANSWER_HEADERS,
        answer=BODIES | like(KUSTOM).map(lambda value: json.dumps(value).encode()),
    )
    def tried(status, headers, answer):
        client = KustomClient(outbound(status, headers, answer), hosts={"playground": "https://k"})
        loop(outcome(client.order(ACCOUNT, ORDER)))
        loop(outcome(client.captures(ACCOUNT, ORDER)))
        loop(outcome(client.capture(ACCOUNT, ORDER, body=body, key="k")))
        loop(outcome(client.refund(ACCOUNT, ORDER, body=body, key="k")))
        loop(outcome(client.add_shipping_info(ACCOUNT, ORDER, "C1", body="{}", key="k")))


@pytest.mark.parametrize("runs", RUNS)
def test_every_answer_of_saleor_is_a_value_or_a_verdict(loop, runs):
    data = st.fixed_dictionaries({"data": st.fixed_dictionaries({"order": like(SALEOR)}) | JSON})
    graphql = data | st.fixed_dictionaries({"data": JSON, "errors": JSON})

    @tries(
        runs,
        status=STATUSES,
        headers=ANSWER_HEADERS,
        answer=BODIES | graphql.map(lambda value: json.dumps(value).encode()),
    )
    def tried(status, headers, answer):
        client = SaleorClient(outbound(status, headers, answer))
        loop(outcome(client.order(SHOP, "T3JkZXI6MQ==")))
        loop(outcome(client.identify(SHOP.api_url, SHOP.token)))


@pytest.mark.parametrize("runs", RUNS)
def test_every_key_set_is_taken_or_not(loop, runs):
    keys = st.fixed_dictionaries({"keys": st.lists(JSON, max_size=4) | JSON})

    @tries(
        runs,
        status=STATUSES,
        headers=ANSWER_HEADERS,
        answer=BODIES | keys.map(lambda value: json.dumps(value).encode()),
    )
    def tried(status, headers, answer):
        loop(outcome(fetch_jwks(outbound(status, headers, answer), SHOP.api_url)))
