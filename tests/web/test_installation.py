"""Manifest and installation, as Saleor asks for them."""

import asyncio
import json

import httpx
import pytest
from starlette.responses import RedirectResponse
from starlette.routing import Route

from saleor_kustom.sandbox.recordings import load_recordings
from tests.conftest import RECORDINGS
from tests.web.edge import APP_URL, open_edge

REGISTER = f"{APP_URL}/api/register"


@pytest.fixture
async def edge(database_url):
    async with open_edge(database_url) as edge:
        edge.saleor.trust(
            {
                "id": "QXBwOjE=",
                "identifier": "saleor-kustom",
                "permissions": [{"code": "MANAGE_ORDERS"}, {"code": "HANDLE_PAYMENTS"}],
            }
        )
        yield edge


async def register(edge, *, headers=None, content=None, **changed):
    headers = {"saleor-api-url": edge.api_url} if headers is None else headers
    body = json.dumps({"auth_token": "T" * 30} | changed) if content is None else content
    return await edge.client.post(REGISTER, headers=headers, content=body)


async def test_saleor_can_install_us(database_url):
    async with open_edge(database_url) as edge:
        await edge.world.install()
        shop = await edge.store.shops.get(edge.api_url)
        assert shop.app_id == edge.saleor.installed.app["id"]
        assert shop.token == edge.saleor.installed.token
        assert shop.saleor_version == edge.saleor.version


async def test_a_recorded_installation_is_taken(database_url):
    recorded = load_recordings(RECORDINGS)
    async with open_edge(database_url, saleor=recorded.saleor()) as edge:
        wire = json.loads((RECORDINGS / "install__05__post_register.json").read_text())
        answer = await edge.client.post(
            REGISTER,
            headers=[(name.encode(), value.encode()) for name, value in wire["headers"]],
            content=wire["body"],
        )
        assert answer.json() == {"success": True}
        assert (await edge.store.shops.get(recorded.api_url)).token == "R" * 30


async def test_installing_again_replaces_token_and_app(edge):
    await register(edge)
    edge.saleor._any_token["id"] = "QXBwOjI="
    await register(edge, auth_token="U" * 30)
    shop = await edge.store.shops.get(edge.api_url)
    assert (shop.app_id, shop.token) == ("QXBwOjI=", "U" * 30)


async def test_another_apps_token_does_not_take_our_place(edge):
    await register(edge)
    edge.saleor._any_token.update(id="QXBwOjk5", identifier="other.app")
    answer = await register(edge, auth_token="U" * 30)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNKNOWN_APP_ID")
    assert (await edge.store.shops.get(edge.api_url)).token == "T" * 30


async def refused(edge, status, code, **given):
    answer = await register(edge, **given)
    assert answer.status_code == status
    assert answer.json()["success"] is False
    assert answer.json()["error"]["code"] == code
    assert answer.json()["error"]["message"].endswith(".")
    assert await edge.store.shops.all() == []


@pytest.mark.parametrize(
    "headers",
    [{}, [("saleor-api-url", "http://a.test/"), ("saleor-api-url", "http://saleor.test/graphql/")]],
)
async def test_the_shop_must_be_named_once(edge, headers):
    await refused(edge, 400, "MISSING_API_URL", headers=headers)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[]",
        "null",
        '"x"',
        "{",
        '{"auth_token": ""}',
        '{"auth_token": null}',
        '{"auth_token": 5}',
        '{"auth_token": ["x"]}',
        '{"auth_token": "a\\r\\nX-Injected: 1"}',
        '{"auth_token": "å"}',
        json.dumps({"auth_token": "x" * 1001}),
        "[" * 60_000,
        b"\xff\xfe",
    ],
)
async def test_a_body_without_a_token_is_refused(edge, content):
    await refused(edge, 400, "MISSING_TOKEN", content=content)


async def test_a_body_that_is_too_large_is_refused(edge):
    await refused(edge, 413, "HTTP_ERROR", content=b"x" * (64 * 1024 + 1))


async def test_a_token_that_saleor_does_not_know_is_refused(edge):
    edge.saleor._any_token = None
    await refused(edge, 401, "UNKNOWN_APP_ID")


async def test_missing_permissions_are_refused(edge):
    edge.saleor._any_token["permissions"] = [{"code": "MANAGE_ORDERS"}]
    await refused(edge, 401, "MISSING_PERMISSIONS")


async def test_without_public_keys_it_is_refused(edge):
    edge.saleor.jwks_override = '{"keys": []}'
    await refused(edge, 401, "JWKS_NOT_AVAILABLE")


async def test_a_saleor_that_fails_is_refused(edge):
    edge.saleor.fail_graphql.append("500")
    await refused(edge, 401, "UNKNOWN_APP_ID")


async def test_without_our_database_saleor_is_not_asked(edge):
    await edge.store._db(("alter table shop rename to away", {}))
    answer = await register(edge)
    await edge.store._db(("alter table away rename to shop", {}))
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "STORE_UNAVAILABLE")
    assert edge.saleor.requests == []


async def test_a_shop_that_is_not_listed_is_refused(database_url):
    listed = ("https://shop.example/graphql/",)
    async with open_edge(database_url, allowed_saleor_urls=listed) as edge:
        await refused(edge, 403, "SALEOR_URL_PROHIBITED")
        assert edge.saleor.requests == []


async def test_a_private_host_is_refused_unless_allowed(database_url):
    async with open_edge(database_url, allow_private_hosts=False) as edge:
        headers = {"saleor-api-url": "https://127.0.0.1/graphql/"}
        await refused(edge, 403, "SALEOR_URL_PROHIBITED", headers=headers)


async def test_saleor_shows_our_message_to_the_merchant(database_url):
    listed = ("https://shop.example/graphql/",)
    async with open_edge(database_url, allowed_saleor_urls=listed) as edge:
        with pytest.raises(ValueError, match="SALEOR_KUSTOM_ALLOWED_SALEOR_URLS"):
            await edge.world.install()


async def test_no_token_is_logged(edge, caplog):
    caplog.set_level("DEBUG")
    await register(edge)
    edge.saleor._any_token = None
    await register(edge)
    assert "refused an installation" in caplog.text
    assert "T" * 30 not in caplog.text


@pytest.mark.parametrize(("version", "widget"), [("3.21", False), ("3.22", True), ("3.23", True)])
async def test_the_manifest_is_what_the_asking_saleor_can_read(edge, version, widget):
    answer = await edge.client.get(
        f"{APP_URL}/api/manifest", headers={"Saleor-Schema-Version": version}
    )
    made = answer.json()
    assert ("WIDGET" in {e["target"] for e in made["extensions"]}) is widget
    assert made["tokenTargetUrl"] == REGISTER


async def test_a_recorded_manifest_request_is_answered(edge):
    wire = json.loads((RECORDINGS / "install__02__get_manifest.json").read_text())
    answer = await edge.client.get(
        f"{APP_URL}/api/manifest", headers=[(k, v) for k, v in wire["headers"]]
    )
    assert answer.json()["id"] == "saleor-kustom"


# --- a failed installation leaves nothing, and nobody takes a known shop over


async def everything(edge):
    """Return all that the database holds."""
    tables = ("shop", "installation", "account", "channel_account", "history", "meta", "pause")
    return [await edge.store._db.read(f"select * from {table}") for table in tables]  # noqa: S608


FAILURES = {
    "a token of nobody": lambda edge: setattr(edge.saleor, "_any_token", None),
    "no permissions": lambda edge: edge.saleor._any_token.update(permissions=[]),
    "no keys": lambda edge: setattr(edge.saleor, "jwks_override", '{"keys": []}'),
    "Saleor away": lambda edge: edge.saleor.fail_next("500"),
    "keys away": lambda edge: edge.saleor.fail_next("500", on="jwks"),
    "a page in place of an answer": lambda edge: edge.saleor.fail_next("html"),
    "half an answer": lambda edge: edge.saleor.fail_next("not json"),
    "another app": lambda edge: edge.saleor._any_token.update(id="QXBwOjk5", identifier="other"),
}


@pytest.mark.parametrize("known", [False, True], ids=["a new shop", "a known shop"])
@pytest.mark.parametrize("name", FAILURES)
async def test_a_failed_installation_leaves_nothing(edge, name, known):
    if known:
        await register(edge)
    before = await everything(edge)
    FAILURES[name](edge)
    if name == "another app" and not known:
        return  # whose id is stored then; the deliveries of our own app are refused (below)
    answer = await register(edge, auth_token="U" * 30)
    assert answer.status_code in (401, 403)
    assert await everything(edge) == before


async def test_a_stolen_token_does_not_replace_an_installation_that_works(edge):
    edge.saleor._any_token = None
    await edge.world.install()
    before = await everything(edge)
    made = edge.saleor.installed
    tokens = {made.token: made.app, "S" * 30: made.app}  # an app may have a second token
    edge.saleor._caller = lambda request: tokens.get(request.headers["authorization"][7:])
    answer = await register(edge, auth_token="S" * 30)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "ALREADY_INSTALLED")
    assert await everything(edge) == before
    spelled = {"saleor-api-url": "http://SALEOR.test:80/graphql/"}
    answer = await register(edge, headers=spelled, auth_token=made.token)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "ALREADY_INSTALLED")
    assert await everything(edge) == before
    assert (await edge.deliver(await edge.delivery())).status_code == 200


@pytest.mark.parametrize("token", ["made-up", "U" * 30])
async def test_a_made_up_token_replaces_nothing(edge, token):
    edge.saleor._any_token = None
    await edge.world.install()
    before = await everything(edge)
    assert (await register(edge, auth_token=token)).status_code == 401
    assert await everything(edge) == before
    assert (await edge.deliver(await edge.delivery())).status_code == 200


async def test_who_came_first_with_a_stolen_token_of_another_app_keeps_nobody_out(edge):
    edge.saleor._any_token = None
    other = {**edge.saleor.created({"id": "other", "name": "x", "version": "1"}).app}
    other["permissions"] = [{"code": "MANAGE_ORDERS"}, {"code": "HANDLE_PAYMENTS"}]
    usual = edge.saleor._caller
    edge.saleor._caller = lambda request: (
        other if request.headers["authorization"] == "Bearer stolen" else usual(request)
    )
    await register(edge, auth_token="stolen")
    await edge.world.install()
    shop = await edge.store.shops.get(edge.api_url)
    assert shop.app_id == edge.saleor.installed.app["id"]


async def test_few_installations_are_under_way_at_once(edge):
    go = asyncio.Event()

    async def late(_request):
        await go.wait()
        raise httpx.ConnectError("too late")

    routes = edge.world.app.web.routes
    installations = next(r.endpoint.__self__ for r in routes if r.path == "/api/register")
    installations._saleor._outbound._transport = httpx.MockTransport(late)
    under_way = [asyncio.create_task(register(edge)) for _ in range(4)]
    while not installations._places.locked():
        await asyncio.sleep(0.01)
    answer = await register(edge)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "TRY_AGAIN")
    go.set()
    assert {(await one).status_code for one in under_way} == {401}


async def test_a_stranger_gets_little_of_our_memory_and_time(edge):
    routes = edge.world.app.web.routes
    installations = next(r.endpoint.__self__ for r in routes if r.path == "/api/register")
    for outbound in (installations._saleor._outbound, installations._outbound):
        assert outbound._max_answer_bytes <= 256 * 1024
        assert outbound._deadline_s * 3 <= 18  # three calls within the time that Saleor waits
        assert outbound._allow_private_hosts is edge.world.app.settings.allow_private_hosts


async def test_a_redirect_leads_an_installation_nowhere(edge):
    async def elsewhere(request):
        return RedirectResponse("http://169.254.169.254/latest/meta-data/", 307)

    edge.saleor.app.router.routes.insert(0, Route("/graphql/", elsewhere, methods=["POST"]))
    assert (await register(edge)).status_code == 401
    assert edge.fetched == [edge.api_url]
    assert await edge.store.shops.all() == []
