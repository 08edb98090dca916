"""The handshake: an unauthenticated door, so nothing is believed that was not asked."""

import json

import httpx
import pytest

from saleor_kustom.errors import NotGenuine
from saleor_kustom.saleor.client import SaleorClient
from saleor_kustom.saleor.install import check_address, handshake
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
        self.there = Answering(lambda r: self.jwks if "jwks" in r.url.path else self.graphql)

    async def install(self, api_url=API_URL, allowed=(), **changed):
        outbound = self.there.outbound()
        given = {
            "identifier": "saleor-kustom",
            "known_app_id": None,
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


OTHER = {**APP, "id": "QXBwOjI=", "identifier": "other.app"}


@pytest.mark.parametrize("app", [OTHER, {**OTHER, "identifier": None}])
async def test_another_apps_token_does_not_take_over_a_known_shop(app):
    shop = Shop()
    shop.graphql = {"data": {"app": app, "shop": None}}
    assert (await shop.refusal(known_app_id="QXBwOjE=")).code == "UNKNOWN_APP_ID"


@pytest.mark.parametrize(
    "app", [{**APP, "id": "QXBwOjI="}, {**OTHER, "id": "QXBwOjE="}], ids=["new id", "same id"]
)
async def test_a_known_shop_may_install_us_again(app):
    shop = Shop()
    shop.graphql = {"data": {"app": app, "shop": None}}
    assert (await shop.install(known_app_id="QXBwOjE=")).app_id == app["id"]


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
