"""The handshake: an unauthenticated door, so nothing is believed that was not asked."""

import json

import httpx
import pytest

from saleor_kustom.capture.parties import Shop as Known
from saleor_kustom.errors import NotGenuine
from saleor_kustom.saleor.client import SaleorClient
from saleor_kustom.saleor.install import check_address, handshake, same_place
from saleor_kustom.sandbox.signing import Signer
from tests.saleor.answering import Answering, denied

API_URL = "https://shop.example/graphql/"
TOKEN = "T0kenT0kenT0kenT0kenT0kenT0ken"
JWKS = Signer.new().jwks()
APP = {
    "id": "QXBwOjE=",
    "identifier": "saleor-kustom",
    "permissions": [{"code": "MANAGE_ORDERS"}, {"code": "HANDLE_PAYMENTS"}],
}


class Shop:
    """A Saleor: GraphQL and keys."""

    def __init__(self):
        self.graphql = {"data": {"app": APP, "shop": {"version": "3.22.67"}}}
        self.jwks = JWKS
        self.older = {"data": {"app": None}}  # what the installation so far is told
        self.there = Answering(self._answer)

    def _answer(self, request):
        if "jwks" in request.url.path:
            return self.jwks
        own = request.headers["authorization"] == f"Bearer {TOKEN}"
        return self.graphql if own else self.older

    async def install(self, api_url=API_URL, allowed=("*",), **changed):
        outbound = self.there.outbound()
        given = {
            "identifier": "saleor-kustom",
            "known": None,
            "allow_private_hosts": False,
            **changed,
        }
        return await handshake(
            SaleorClient(outbound), outbound, api_url=api_url, token=TOKEN, allowed=allowed, **given
        )

    async def refusal(self, *args, **changed):
        with pytest.raises(NotGenuine) as caught:
            await self.install(*args, **changed)
        return caught.value


async def test_a_right_installation_is_what_was_asked_of_saleor():
    made = await Shop().install()
    assert (made.api_url, made.app_id, made.token) == (API_URL, "QXBwOjE=", TOKEN)
    assert made.saleor_version == "3.22.67"
    assert json.loads(made.jwks) == JWKS


async def test_an_installation_does_not_show_its_token():
    assert TOKEN not in repr(await Shop().install())


async def test_only_the_address_that_installs_is_asked():
    shop = Shop()
    await shop.install()
    assert {str(request.url) for request in shop.there.requests} == {
        API_URL,
        "https://shop.example/.well-known/jwks.json",
    }


PROHIBITED = (
    "",
    "shop.example",
    "ftp://shop.example/graphql/",
    "http://shop.example/graphql/",
    "https:///graphql/",
    "https://localhost/graphql/",
    "https://shop.localhost/graphql/",
    "https://saleor.internal/graphql/",
    "https://printer.local/graphql/",
    "https://127.0.0.1/graphql/",
    "https://10.0.0.1/graphql/",
    "https://192.168.1.1:8000/graphql/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::1]/graphql/",
    "https://[::ffff:127.0.0.1]/graphql/",
    "https://[fd00::1]/graphql/",
    "https://0.0.0.0/graphql/",
    "https://user:pass@shop.example/graphql/",
    "https://:pass@shop.example/graphql/",
    "https://shop.example\\@127.0.0.1/graphql/",
    "https://shop.example/graphql/?x=1",
    "https://shop.example/graphql/?",
    "https://shop.example/graphql/#x",
    "https://shop.example:port/graphql/",
    "https://shop.example:99999/graphql/",
    "https://shop.example /graphql/",
    "https://shöp.example/graphql/",
    "https://shop.example/\r\nHost: other/",
    "https://[::1/graphql/",
    "https://shop.example/" + "x" * 500,
)


@pytest.mark.parametrize("api_url", PROHIBITED)
async def test_an_address_that_we_may_not_call_is_not_called(api_url):
    shop = Shop()
    assert (await shop.refusal(api_url)).code == "SALEOR_URL_PROHIBITED"
    assert shop.there.requests == []
    # Nor when it is listed: a list of the operator's is no leave for a private address.
    with pytest.raises(NotGenuine):
        check_address(api_url, (api_url,), allow_private_hosts=False)


@pytest.mark.parametrize(
    "api_url", ["http://127.0.0.1:8000/graphql/", "http://localhost:8000/graphql/"]
)
async def test_private_hosts_are_for_those_who_allow_them(api_url):
    assert (await Shop().install(api_url, allow_private_hosts=True)).api_url == api_url


ALLOWED = ("https://shop.example/graphql/", "https://b.example:8443")


@pytest.mark.parametrize(
    "api_url",
    [
        API_URL,
        "https://SHOP.example/graphql/",
        "https://shop.example:443/graphql/",
        "https://b.example:8443/graphql/",
    ],
)
def test_a_listed_shop_may_install(api_url):
    check_address(api_url, ALLOWED, allow_private_hosts=False)


@pytest.mark.parametrize(
    "api_url",
    [
        "https://shop.example.evil.example/graphql/",
        "https://evilshop.example/graphql/",
        "https://a.shop.example/graphql/",
        "https://shop.example:8443/graphql/",
        "https://shop.example/graphql/../evil/",
        "https://shop.example/other/",
        "https://b.example/graphql/",
        "http://b.example:8443/graphql/",
    ],
)
async def test_a_shop_that_is_not_listed_is_not_called(api_url):
    shop = Shop()
    refused = await shop.refusal(api_url, ALLOWED, allow_private_hosts=True)
    assert refused.code == "SALEOR_URL_PROHIBITED"
    assert "SALEOR_KUSTOM_ALLOWED_SALEOR_URLS" in str(refused)
    assert shop.there.requests == []


async def test_an_empty_list_lets_nobody_in_but_where_private_hosts_may():
    shop = Shop()
    refused = await shop.refusal(allowed=())
    assert (refused.code, shop.there.requests) == ("SALEOR_URL_PROHIBITED", [])
    assert await shop.install(allowed=(), allow_private_hosts=True)


GRAPHQL = {
    "a token of nobody": {"data": {"app": None, "shop": {"version": "3.22.67"}}},
    "a denied token": {"errors": [denied("shop", "version")], "data": None},
    "no such token": httpx.Response(401),
    "not Saleor at all": httpx.Response(200, html="internal: hunter2"),
    "away": httpx.ConnectError("connection to 10.1.2.3 hunter2 refused"),
    "slow": httpx.ReadTimeout("hunter2"),
}


@pytest.mark.parametrize("name", GRAPHQL)
async def test_a_token_that_saleor_does_not_confirm_is_refused(name):
    shop = Shop()
    shop.graphql = GRAPHQL[name]
    refused = await shop.refusal()
    assert refused.code == "UNKNOWN_APP_ID"
    assert str(refused).endswith(".")
    assert "hunter2" not in str(refused)  # an unknown caller learns nothing of a host behind us
    assert TOKEN not in str(refused)


# --- who may take the place of an installation that is known

OLD = "t0kent0kent0kent0kent0kent0ken"
KNOWN = Known(API_URL, "QXBwOjE=", OLD)
NEW_APP = {**APP, "id": "QXBwOjI="}
OTHER = {**NEW_APP, "identifier": "other.app"}
AWAY = {
    "away": httpx.ConnectError("no"),
    "busy": httpx.Response(503),
    "nonsense": httpx.Response(200, html="x"),
}


def told(app):
    return {"data": {"app": app, "shop": None}}


async def test_a_shop_that_removed_us_may_install_us_again():
    shop = Shop()
    shop.graphql = told(NEW_APP)
    for shop.older in (told(None), {"errors": [denied("app")], "data": None}, httpx.Response(401)):
        assert (await shop.install(known=KNOWN)).app_id == NEW_APP["id"]


@pytest.mark.parametrize("app", [OTHER, {**OTHER, "identifier": None}])
async def test_another_apps_token_does_not_take_over_a_known_shop(app):
    shop = Shop()
    shop.graphql = told(app)
    assert (await shop.refusal(known=KNOWN)).code == "UNKNOWN_APP_ID"


@pytest.mark.parametrize("app", [APP, NEW_APP], ids=["same app", "an app of the same name"])
async def test_a_stolen_token_of_ours_does_not_replace_one_that_works(app):
    shop = Shop()
    shop.graphql, shop.older = told(app), told(APP)
    refused = await shop.refusal(known=KNOWN)
    assert (refused.code, API_URL in str(refused)) == ("ALREADY_INSTALLED", True)


async def test_under_another_spelling_it_is_the_same_shop():
    shop = Shop()
    shop.older = told(APP)
    spelled = "https://SHOP.example:443/graphql/"
    assert (await shop.refusal(spelled, known=KNOWN)).code == "ALREADY_INSTALLED"
    assert (await shop.refusal(spelled, known=Known(API_URL, "QXBwOjE=", TOKEN))).code == (
        "ALREADY_INSTALLED"
    )


@pytest.mark.parametrize("older", AWAY.values(), ids=AWAY)
async def test_nothing_is_replaced_while_it_is_not_known_whether_it_works(older):
    shop = Shop()
    shop.older = older
    assert (await shop.refusal(known=KNOWN)).code == "UNKNOWN_APP_ID"


async def test_the_same_installation_told_of_twice_is_one():
    assert (await Shop().install(known=Known(API_URL, "QXBwOjE=", TOKEN))).app_id == "QXBwOjE="


async def test_the_token_of_another_app_that_came_first_keeps_nobody_out():
    shop = Shop()
    shop.older = told({**OTHER, "id": "QXBwOjk="})  # registered with a stolen token of another app
    squatted = Known(API_URL, "QXBwOjk=", OLD)
    assert (await shop.install(known=squatted)).app_id == "QXBwOjE="


async def test_a_token_that_meanwhile_belongs_to_another_app_is_not_ours_any_more():
    shop = Shop()
    shop.graphql, shop.older = told(NEW_APP), told(NEW_APP)
    assert (await shop.install(known=KNOWN)).app_id == NEW_APP["id"]


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("https://SHOP.example/graphql/", True),
        ("https://shop.example:443/graphql", True),
        ("https://shop.example:8443/graphql/", False),
        ("http://shop.example/graphql/", False),
        ("https://shop.example/other/", False),
        ("https://shop.example.evil.example/graphql/", False),
        ("nonsense", False),
    ],
)
def test_spellings_of_one_place(other, same):
    assert same_place(API_URL, other) is same
    assert same_place(other, API_URL) is same


async def test_missing_permissions_are_named():
    shop = Shop()
    shop.graphql = {"data": {"app": {**APP, "permissions": [{"code": "MANAGE_ORDERS"}]}}}
    refused = await shop.refusal()
    assert (refused.code, "HANDLE_PAYMENTS" in str(refused)) == ("MISSING_PERMISSIONS", True)


@pytest.mark.parametrize("jwks", [{"keys": []}, httpx.Response(404), httpx.ConnectError("x")])
async def test_without_public_keys_there_is_no_installation(jwks):
    shop = Shop()
    shop.jwks = jwks
    assert (await shop.refusal()).code == "JWKS_NOT_AVAILABLE"
