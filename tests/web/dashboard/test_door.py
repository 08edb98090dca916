"""Who is let in: every endpoint behind the pages, every reason to refuse."""

import pytest

from saleor_kustom.sandbox.saleor import SimulatedSaleor
from saleor_kustom.sandbox.signing import Signer
from saleor_kustom.web.dashboard.door import ACT, CONFIGURE, LOOK
from tests.web.dashboard.pages import ALL
from tests.web.edge import APP_URL

SHELLS = {"/app", "/app/", "/app/order"}
OPEN = {"/api/manifest", "/api/register", "/api/webhooks/saleor/{event}"}


def guarded(pages):
    """Return method and path of everything below /app that is no shell."""
    return [
        (next(m for m in route.methods if m != "HEAD"), route.path.replace("{id:int}", "1"))
        for route in pages.world.app.web.routes
        if route.path.startswith("/app") and route.path not in SHELLS
    ]


async def ask(pages, method, path, **more):
    url = f"{APP_URL}{path}"
    return await pages.edge.client.request(method, url, headers=pages.headers(**more), json={})


async def codes(pages, **more):
    """Return the status and code with which each endpoint answers."""
    found = set()
    for method, path in guarded(pages):
        answer = await ask(pages, method, path, **more)
        found.add((answer.status_code, answer.json()["error"]["code"]))
    return found


async def test_there_are_endpoints_and_every_route_is_known(pages):
    paths = {route.path for route in pages.world.app.web.routes if hasattr(route, "path")}
    below = {path for path in paths if path.startswith("/app/") and path not in SHELLS}
    assert len(below) >= 20
    assert paths >= OPEN


async def test_nobody_without_a_token_is_let_in_anywhere(pages):
    assert await codes(pages, token="") == {(401, "TOKEN_MISSING")}
    assert await codes(pages, token="e30.e30.e30") == {(401, "TOKEN_MALFORMED")}


async def test_a_shop_that_has_not_installed_the_app_is_let_in_nowhere(pages):
    url = "http://other.test/graphql/"
    assert await codes(pages, shop=url) == {(401, "NOT_INSTALLED")}


async def test_another_keys_token_is_good_nowhere(pages):
    pages.saleor.jwks_override = None
    genuine = pages.saleor.signer
    pages.saleor.signer = Signer.new()
    forged = pages.saleor.dashboard_token(ALL)
    pages.saleor.signer = genuine
    assert {code for _, code in await codes(pages, token=forged)} <= {
        "SIGNATURE_KEY_UNKNOWN", "TOKEN_WRONG", "TRY_AGAIN"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": 1}, "TOKEN_EXPIRED"),
        ({"iss": "http://other.test/graphql/"}, "TOKEN_WRONG"),
        ({"app": "QXBwOjk5"}, "TOKEN_WRONG"),
        ({"type": "access"}, "TOKEN_WRONG"),
        ({"owner": "somebody"}, "TOKEN_WRONG"),
        ({"is_staff": False}, "TOKEN_WRONG"),
    ],
)
async def test_a_token_with_a_wrong_claim_is_good_nowhere(pages, claims, code):
    assert await codes(pages, token=pages.saleor.dashboard_token(ALL, **claims)) == {(401, code)}


@pytest.mark.parametrize("needs", [LOOK, ACT, CONFIGURE])
async def test_each_endpoint_refuses_whoever_lacks_the_permission_that_it_names(pages, needs):
    having = tuple(permission for permission in ALL if permission != needs)
    refused = 0
    for method, path in guarded(pages):
        answer = await ask(pages, method, path, permissions=having)
        if answer.status_code == 403:
            refused += 1
            assert answer.json()["error"]["code"] == "PERMISSION_MISSING"
            assert needs in answer.json()["error"]["message"]
    assert refused >= 5


async def test_reading_never_needs_more_than_looking_and_changing_always_more(pages):
    for method, path in guarded(pages):
        answer = await ask(pages, method, path, permissions=(LOOK,))
        configures = path.endswith(("/settings", "/shop-check"))
        assert (answer.status_code == 403) is (method == "POST" or configures), path


async def test_a_refusal_speaks_the_askers_language(pages):
    answer = await pages.get("needs", permissions=(), language="sv-SE")
    assert "kräver behörigheten MANAGE_ORDERS" in answer.json()["error"]["message"]
    expired = pages.saleor.dashboard_token(ALL, exp=1)
    answer = await pages.get("needs", token=expired, language="sv")
    assert "gått ut" in answer.json()["error"]["message"]


async def test_keys_that_cannot_be_had_are_asked_for_again(pages):
    await pages.store.shops.keep_keys(pages.saleor.api_url, '{"keys": []}')
    pages.saleor.fail_next("500", 9, on="jwks")
    answer = await pages.get("needs")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "TRY_AGAIN")


async def test_two_headers_of_a_name_are_none(pages):
    headers = [*pages.headers().items(), ("saleor-api-url", pages.saleor.api_url)]
    answer = await pages.edge.client.get(f"{APP_URL}/app/pages/needs", headers=headers)
    assert answer.json()["error"]["code"] == "NOT_INSTALLED"


async def test_no_shop_sees_or_moves_anothers_capture(pages):
    """A second shop, with a genuine token of its own, asks for the first one's ids."""
    order, there, row = await pages.held()
    other = SimulatedSaleor("http://other.test/graphql/")
    await pages.store.shops.install(
        other.api_url, "QXBwOjE=", "token", saleor_version="3.23.28",
        jwks=__import__("json").dumps(other.signer.jwks()),
    )  # fmt: skip
    other.installed = pages.saleor.installed
    as_other = {"shop": other.api_url, "token": other.dashboard_token(ALL, app="QXBwOjE=")}
    for path in (f"capture/{row.id}", f"preview/{row.id}"):
        assert (await pages.get(path, **as_other)).status_code == 404
    for path in ("captures", "needs", f"order?orderId={order['id']}", "health", "/app/export.csv"):
        answer = await pages.get(path, **as_other)
        assert answer.status_code == 200
        for secret in (there.order_id, row.fulfillment_id, "349.00"):
            assert secret not in answer.text, path
    answer = await pages.post("retry", {"capture": row.id, "act": "retry"}, **as_other)
    assert answer.status_code == 404
    body = {"reason": "refused_by_kustom", "until": 10**9}
    assert (await pages.post("retry-all", body, **as_other)).json()["done"] == 0
    answer = await pages.post("look-again", {"order": order["id"]}, **as_other)
    assert answer.status_code == 409
    assert (await pages.post("refund", {"capture": row.id}, **as_other)).status_code == 404
    body = {"order": order["id"], "why": "x"}
    assert (await pages.post("close", body, **as_other)).status_code == 409
    asked = {"environment": "playground", "merchant_id": "PM1"}
    assert (await pages.post("account-test", asked, **as_other)).status_code == 404
    assert (await pages.store.captures.get(pages.saleor.api_url, row.id)).held
