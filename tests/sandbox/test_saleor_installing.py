"""Installing in the simulated Saleor, as a running one was seen to install (observed, 4)."""

import json

import pytest
from joserfc import jwt
from starlette.responses import JSONResponse, RedirectResponse, Response

from saleor_kustom.sandbox.routed import Routed
from saleor_kustom.sandbox.saleor import SimulatedSaleor
from saleor_kustom.sandbox.saleor_manifest import problems, satisfied
from saleor_kustom.sandbox.saleor_orders import Line
from tests.sandbox.an_app import URL, AnApp, ask, installed, manifest, webhook

MANIFEST = f"{URL}/manifest"


async def test_the_token_is_handed_over_as_recorded():
    saleor, app = await installed()
    [(headers, body)] = app.registered
    assert body == json.dumps({"auth_token": saleor.installed.token}).encode()
    assert len(body) == 48
    for name, value in {
        "saleor-schema-version": "3.22",
        "saleor-api-url": saleor.api_url,
        "saleor-domain": "saleor.test",
        "x-saleor-domain": "saleor.test",
        "content-type": "application/json",
        "user-agent": "Saleor/3.22",
    }.items():
        assert headers[name] == value
    assert "saleor-signature" not in headers
    assert [asked["saleor-schema-version"] for asked in app.asked] == ["3.22"]


async def test_the_token_works_while_it_is_handed_over():
    app, saleor = AnApp(), SimulatedSaleor()
    saleor.reach(Routed({URL: app.asgi}))
    seen = []

    async def use(token):
        seen.append(await ask(saleor, "{ app { identifier } }", token=token))

    app.while_registering = use
    await saleor.install(MANIFEST)
    assert seen == [{"app": {"identifier": "listener"}}]


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (JSONResponse({"success": False, "error": {"message": "No."}}, status_code=403), r"^No\.$"),
        (Response("boom", status_code=500), r"^App internal error \(500\)"),
        (JSONResponse([], status_code=401), r"^App internal error \(401\)"),
    ],
)
async def test_a_refusal_is_shown_and_leaves_nothing(answer, shown):
    app, saleor = AnApp(), SimulatedSaleor()
    saleor.reach(Routed({URL: app.asgi}))
    app.on_register = answer
    with pytest.raises(ValueError, match=shown):
        await saleor.install(MANIFEST)
    token = json.loads(app.registered[0][1])["auth_token"]
    gone = await ask(saleor, "{ app { id } }", token=token, whole=True)
    assert gone.json()["data"] == {"app": None}


@pytest.mark.parametrize("answer", [Response(status_code=204), RedirectResponse("/elsewhere")])
async def test_a_redirection_counts_as_success(answer):
    app, saleor = AnApp(), SimulatedSaleor()
    saleor.reach(Routed({URL: app.asgi}))
    app.on_register = answer
    assert await saleor.install(MANIFEST)


@pytest.mark.parametrize("places", [{}, {URL: Response("no manifest")}])
async def test_an_app_without_manifest_is_not_installed(places):
    saleor = SimulatedSaleor()
    saleor.reach(Routed(places))
    with pytest.raises(ValueError, match="manifest"):
        await saleor.install(MANIFEST)


async def test_an_app_that_can_not_be_told_is_not_installed():
    away = manifest(tokenTargetUrl="http://away.test/register")
    with pytest.raises(ValueError, match="Failed to connect"):
        await installed(made=away)


async def test_the_same_app_is_installed_once():
    saleor, _ = await installed()
    with pytest.raises(ValueError, match="already installed"):
        await saleor.install(MANIFEST)


async def test_a_new_installation_has_a_new_id_and_token():
    saleor, _ = await installed()
    before = saleor.installed
    after = await saleor.reinstall(MANIFEST)
    assert before.app["id"] != after.app["id"]
    dead = await ask(saleor, "{ app { id } }", token=before.token, whole=True)
    assert dead.json()["data"] == {"app": None}


@pytest.mark.parametrize(
    ("version", "told"),
    [("3.21.69", []), ("3.22.67", []), ("3.23.4", []), ("3.23.28", ["AppDeleted"])],
)
async def test_an_app_hears_of_its_own_removal_from_3_23_5_on(version, told):
    saleor, app = await installed(version, manifest("APP_DELETED"))
    removed = saleor.installed.app["id"]
    saleor.uninstall()
    await saleor.deliver()
    assert app.events == told
    assert [body["recipient"]["id"] for body in app.bodies] == [removed for _ in told]


async def test_the_news_of_a_removal_may_come_after_the_next_installation():
    saleor, app = await installed("3.23.28", manifest("APP_DELETED"))
    before = saleor.installed.app["id"]
    await saleor.reinstall(MANIFEST)
    await saleor.deliver()
    assert [body["app"]["id"] for body in app.bodies] == [before]
    assert saleor.installed.app["id"] != before


def test_nothing_can_be_removed_twice():
    with pytest.raises(ValueError, match="no app"):
        SimulatedSaleor().uninstall()


async def test_a_dashboard_token_is_of_this_app_and_for_what_both_may():
    saleor, _ = await installed(made=manifest(permissions=["MANAGE_ORDERS"]))
    token = saleor.dashboard_token(["MANAGE_ORDERS", "MANAGE_APPS"], email=None, exp=5)
    claims = jwt.decode(token, saleor.signer.key, algorithms=["RS256"]).claims
    assert claims["permissions"] == ["MANAGE_ORDERS"]
    assert claims["user_permissions"] == ["MANAGE_ORDERS", "MANAGE_APPS"]
    assert (claims["app"], claims["exp"]) == (saleor.installed.app["id"], 5)
    assert (claims["iss"], claims["type"]) == (saleor.api_url, "thirdparty")
    assert "email" not in claims


def test_no_token_without_an_app():
    with pytest.raises(ValueError, match="no app"):
        SimulatedSaleor().dashboard_token()


async def test_a_recorded_app_is_trusted_with_any_token():
    saleor = SimulatedSaleor()
    saleor.trust({"id": "QXBwOjE=", "identifier": "lab.kustom", "permissions": []})
    answer = await ask(saleor, "{ app { id } }", token="R" * 30)
    assert answer == {"app": {"id": "QXBwOjE="}}


# --- what a manifest must be

WIDGET = {"label": "K", "mount": "ORDER_DETAILS_WIDGETS", "target": "WIDGET", "url": f"{URL}/w"}
POPUP = {"label": "K", "mount": "ORDER_DETAILS_MORE_ACTIONS", "url": f"{URL}/w"}
WRONG = [
    {"id": ""},
    {"tokenTargetUrl": "/register"},
    {"permissions": ["MANAGE_EVERYTHING"]},
    {"permissions": ["MANAGE_APPS"]},
    {"author": " "},
    {"requiredSaleorVersion": ">=3.23"},
    {"brand": {"logo": {"default": f"{URL}/logo.jpg"}}},
    {"extensions": [POPUP | {"mount": "ORDER_SIDEBAR"}]},
    {"extensions": [POPUP | {"target": "SCREEN"}]},
    {"extensions": [POPUP | {"target": "WIDGET"}]},
    {"extensions": [POPUP | {"target": "APP_PAGE"}]},
    {"extensions": [POPUP | {"label": ""}]},
    {"extensions": [POPUP | {"url": "w"}]},
    {"extensions": [POPUP | {"permissions": ["MANAGE_USERS"]}]},
    {"extensions": [WIDGET | {"url": "http://other.test/w",
                              "options": {"widgetTarget": {"method": "POST"}}}]},
    {"webhooks": [webhook("ORDER_CANCELLED", query="")]},
    {"webhooks": [webhook("ORDER_CANCELLED", targetUrl="/hook")]},
    {"webhooks": [webhook("ORDER_CANCELLED", asyncEvents=["ORDER_EATEN"])]},
    {"webhooks": [webhook("ORDER_CANCELLED", customHeaders={"Cookie": "a"})]},
    {"webhooks": [webhook("ORDER_CANCELLED", query="subscription { event { nonsense } }")]},
    {"webhooks": [webhook("ORDER_CANCELLED",
                          query="subscription { event { __typename } } fragment F on App { id }")]},
]  # fmt: skip


@pytest.mark.parametrize("changed", WRONG, ids=str)
def test_a_wrong_manifest_is_not_installed(changed):
    assert problems(manifest("ORDER_CANCELLED", **changed), "3.22.67")


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"extensions": [WIDGET, POPUP, POPUP | {"url": "/w", "target": "APP_PAGE"}]},
        {"webhooks": [webhook("ORDER_CANCELLED", customHeaders={"X-A": "1"})]},
        {"requiredSaleorVersion": ">=3.21 <4", "author": "Somebody"},
    ],
    ids=str,
)
def test_a_right_manifest_is_installed(changed):
    assert problems(manifest("ORDER_CANCELLED", **changed), "3.22.67") == []


def test_3_21_knows_no_widget():
    assert problems(manifest(extensions=[WIDGET]), "3.21.69")
    assert problems(manifest(extensions=[POPUP]), "3.21.69") == []


@pytest.mark.parametrize(
    ("range_", "version", "right"),
    [
        (">=3.21 <4", "3.22.67", True),
        (">=3.21 <4", "4.0.0", False),
        (">=3.21 <4", "3.20.99", False),
        ("^3.21.0", "3.23.1", True),
        ("^3.21.0", "4.0.0", False),
        ("~3.21.0", "3.21.5", True),
        ("~3.21.0", "3.22.0", False),
        ("3.22", "3.22.67", True),
        ("=3.22.1", "3.22.2", False),
        (">3.21 <=3.23", "3.22.0", True),
        ("newest", "3.22.0", False),
    ],
)
def test_a_range_of_versions_is_read(range_, version, right):
    assert satisfied(range_, version) is right


# --- what the real app's path needs of it


async def test_shipping_before_the_installation_tells_nobody():
    saleor = SimulatedSaleor()
    order = saleor.add_order([Line("Mug", "1.00")])
    saleor.fulfill(order["id"])
    assert await saleor.deliver() == 0
    with pytest.raises(ValueError, match="listens"):
        await saleor.signed("fulfillment_created", {})
