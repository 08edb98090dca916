"""Who asks in the Dashboard's name: each check broken alone, at every endpoint behind the pages."""

import base64
import hashlib
import hmac
import json
import time

import pytest

from saleor_kustom.sandbox.signing import Signer
from tests.web.edge import APP_URL, open_edge
from tests.web.routes import guarded

STRANGER = Signer.new()
NEIGHBOUR = Signer.new()
NEIGHBOUR_URL = "http://neighbour.test/graphql/"
EVERYTHING = ("MANAGE_ORDERS", "HANDLE_PAYMENTS", "MANAGE_APPS")


@pytest.fixture
async def edge(sqlite_url):
    async with open_edge(sqlite_url) as edge:
        await edge.world.install()
        app = edge.saleor.installed.app["id"]
        jwks = json.dumps(NEIGHBOUR.jwks())
        await edge.store.shops.install(NEIGHBOUR_URL, app, "n", saleor_version="3.22.67", jwks=jwks)
        edge.fetched.clear()
        yield edge


async def ask(edge, route, token, *, shop=None, headers=None):
    """Ask one endpoint; its ids are made up, so that nothing but the token can be refused."""
    headers = [
        ("saleor-api-url", edge.api_url if shop is None else shop),
        ("authorization-bearer", token),
        *(headers or ()),
    ]
    return await edge.client.request(route.method, APP_URL + route.url(), headers=headers)


def claims(**changed):
    return lambda edge: edge.saleor.dashboard_token(EVERYTHING, **changed)


def parts(edge):
    return edge.saleor.dashboard_token(EVERYTHING).split(".")


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned(edge):
    return f"{encoded({'alg': 'none', 'kid': edge.saleor.signer.kid})}.{parts(edge)[1]}."


def hmac_with_the_public_key(edge):
    key = edge.saleor.signer.key
    signed = f"{encoded({'alg': 'HS256', 'kid': str(key.kid)})}.{parts(edge)[1]}"
    mac = hmac.new(key.as_pem(private=False), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def by(signer, kid=None):
    """Return the same token, signed by another key."""

    def make(edge):
        own = edge.saleor.signer
        edge.saleor.signer = signer
        token = edge.saleor.dashboard_token(EVERYTHING)
        edge.saleor.signer = own
        if kid is None:
            return token
        header = {"alg": "RS256", "kid": own.kid, "typ": "JWT"}
        return ".".join([encoded(header), *token.split(".")[1:]])

    return make


def more_permissions(edge):
    header, payload, signature = edge.saleor.dashboard_token([]).split(".")
    padded = payload + "=" * (-len(payload) % 4)
    claims = json.loads(base64.urlsafe_b64decode(padded))
    return f"{header}.{encoded(claims | {'user_permissions': list(EVERYTHING)})}.{signature}"


BROKEN = {
    "no token": (lambda _: "", 401),
    "no token at all in it": (lambda _: "Bearer x", 401),
    "not signed": (unsigned, 401),
    "the signature left out": (lambda e: ".".join(parts(e)[:2]) + ".", 401),
    "HS256 with the public key": (hmac_with_the_public_key, 401),
    "a stranger's key": (by(STRANGER), 401),
    "a stranger's key under the shop's key id": (by(STRANGER, kid="own"), 401),
    "another shop's key": (by(NEIGHBOUR), 401),
    "a webhook's signature": (lambda e: e.saleor.signer.sign(b"{}"), 401),
    "claims changed after signing": (more_permissions, 401),
    "expired": (claims(exp=int(time.time()) - 1), 401),
    "for ever": (claims(exp=None), 401),
    "another app": (claims(app="QXBwOjk5"), 401),
    "no app: a login token": (claims(app=None, type="access"), 401),
    "another issuer": (claims(iss=NEIGHBOUR_URL), 401),
    "another owner": (claims(owner="other"), 401),
    "an access token for the app": (claims(type="access"), 401),
    "a customer": (claims(is_staff=False), 401),
    "no permission": (lambda e: e.saleor.dashboard_token([]), 403),
    "permissions of the app alone": (claims(user_permissions=None), 403),
    "other permissions": (lambda e: e.saleor.dashboard_token(["MANAGE_PRODUCTS"]), 403),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_token_that_fails_one_check_opens_nothing(edge, name):
    make, status = BROKEN[name]
    for route in guarded(edge.world.app.web):
        answer = await ask(edge, route, make(edge))
        assert answer.status_code in (status, 503), route  # 503: the keys were fetched just now
        assert answer.status_code == status or "key" in name, route
        assert answer.json()["success"] is False, route
        assert set(answer.json()) == {"success", "error"}, route


async def test_the_right_token_opens_everything(edge):  # else the table above proves nothing
    for route in guarded(edge.world.app.web):
        answer = await ask(edge, route, edge.saleor.dashboard_token(EVERYTHING))
        assert answer.status_code not in (401, 403, 500, 503), route


async def test_there_are_endpoints(edge):
    assert len(guarded(edge.world.app.web)) >= 3


async def test_the_shop_is_looked_up_before_anything_is_fetched(edge):
    for shop in ("http://evil.test/graphql/", "", "x", f"{edge.api_url}?", edge.api_url.upper()):
        for route in guarded(edge.world.app.web):
            answer = await ask(edge, route, edge.saleor.dashboard_token(EVERYTHING), shop=shop)
            assert answer.status_code == 401, route
    assert edge.fetched == []


async def test_a_token_is_good_in_its_own_shop_alone(edge):
    for route in guarded(edge.world.app.web):
        token = edge.saleor.dashboard_token(EVERYTHING)
        assert (await ask(edge, route, token, shop=NEIGHBOUR_URL)).status_code in (401, 503)


@pytest.mark.parametrize("name", ["saleor-api-url", "authorization-bearer"])
async def test_a_header_that_comes_twice_is_none(edge, name):
    for route in guarded(edge.world.app.web):
        token = edge.saleor.dashboard_token(EVERYTHING)
        twice = {"saleor-api-url": edge.api_url, "authorization-bearer": token}[name]
        assert (await ask(edge, route, token, headers=[(name, twice)])).status_code == 401


async def test_made_up_keys_make_few_fetches(edge):
    [route, *_] = guarded(edge.world.app.web)
    for _ in range(20):
        assert (await ask(edge, route, by(Signer.new())(edge))).status_code in (401, 503)
    assert len(edge.fetched) == 1


async def test_the_token_of_an_earlier_installation_opens_nothing(edge):
    old = edge.saleor.dashboard_token(EVERYTHING)
    await edge.world.install()
    for route in guarded(edge.world.app.web):
        assert (await ask(edge, route, old)).status_code == 401


async def test_what_may_be_looked_at_may_not_be_done(edge):
    looks = edge.saleor.dashboard_token(["MANAGE_ORDERS"])
    writes = [r for r in guarded(edge.world.app.web) if r.method not in ("GET", "HEAD")]
    assert writes
    for route in writes:
        assert (await ask(edge, route, looks)).status_code == 403, route


async def test_no_cookie_and_no_other_header_opens_anything(edge):
    token = edge.saleor.dashboard_token(EVERYTHING)
    for route in guarded(edge.world.app.web):
        answer = await edge.client.request(
            route.method,
            f"{APP_URL}{route.url()}",
            headers={
                "saleor-api-url": edge.api_url,
                "authorization": f"Bearer {token}",
                "cookie": f"token={token}",
            },
            params={"token": token, "saleorApiUrl": edge.api_url},
        )
        assert answer.status_code == 401
