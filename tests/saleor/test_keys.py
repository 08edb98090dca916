"""Public keys: fetched from the installed shop alone, seldom, and never lost to an outage."""

import asyncio
import json

import httpx
import pytest

from saleor_kustom.errors import KeysUnavailable, NotGenuine
from saleor_kustom.saleor.keys import COOLDOWN_S, KeyRing, fetch_jwks, parse_keys
from saleor_kustom.sandbox.signing import Signer
from saleor_kustom.store import Store
from tests.saleor.answering import Answering

API_URL = "https://shop.example:8443/graphql/"
FIRST, SECOND = Signer.new(), Signer.new()
EMPTY = {"keys": []}


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Ring:
    """A key ring over a real store, with a Saleor whose answer can be changed."""

    def __init__(self, store):
        self.store = store
        self.saleor = Answering(FIRST.jwks())
        self.clock = Clock()
        self.start()

    def start(self):
        self.keys = KeyRing(self.store.shops, self.saleor.outbound(), monotonic=self.clock)

    @property
    def fetches(self):
        return len(self.saleor.requests)

    async def kids(self, kid):
        return {key.kid for key in (await self.keys.keys_for(API_URL, kid)).keys}

    def later(self):
        self.clock.now += COOLDOWN_S


@pytest.fixture
async def ring(database_url):
    store = await Store.open(database_url, secret_key="a-secret-of-the-tests-0123456789abcdef")
    await store.shops.install(
        API_URL, "A", "t", saleor_version="3.22.67", jwks=json.dumps(FIRST.jwks())
    )
    yield Ring(store)
    await store.close()


async def test_the_keys_of_the_installation_need_no_fetch(ring):
    assert await ring.kids(FIRST.kid) == {FIRST.kid}
    assert ring.fetches == 0


async def test_an_unknown_key_is_fetched_from_the_installed_origin(ring):
    ring.saleor.answer = SECOND.jwks()
    assert await ring.kids(SECOND.kid) == {SECOND.kid}
    assert str(ring.saleor.requests[0].url) == "https://shop.example:8443/.well-known/jwks.json"


async def test_fetched_keys_are_kept_for_the_next_start(ring):
    ring.saleor.answer = SECOND.jwks()
    await ring.kids(SECOND.kid)
    ring.start()
    assert await ring.kids(SECOND.kid) == {SECOND.kid}
    assert ring.fetches == 1


async def test_a_key_that_the_shop_does_not_have_is_refused(ring):
    with pytest.raises(NotGenuine) as caught:
        await ring.kids("made-up")
    assert caught.value.code == "SIGNATURE_KEY_UNKNOWN"


async def test_made_up_keys_make_one_fetch_in_a_cooldown(ring):
    with pytest.raises(NotGenuine):
        await ring.kids("made-up")
    ring.clock.now += 0.001
    for number in range(100):
        # Not refused: this arrived after the last fetch, and the shop may have a new key.
        with pytest.raises(KeysUnavailable):
            await ring.kids(f"made-up-{number}")
    assert ring.fetches == 1


async def test_a_rotation_within_the_cooldown_is_asked_again_then_taken(ring):
    with pytest.raises(NotGenuine):
        await ring.kids("made-up")
    ring.saleor.answer = SECOND.jwks()
    ring.clock.now += COOLDOWN_S / 2
    with pytest.raises(KeysUnavailable):
        await ring.kids(SECOND.kid)
    ring.later()
    assert await ring.kids(SECOND.kid) == {SECOND.kid}


async def test_known_keys_are_served_within_the_cooldown(ring):
    with pytest.raises(NotGenuine):
        await ring.kids("made-up")
    ring.clock.now += 0.001
    assert await ring.kids(FIRST.kid) == {FIRST.kid}


def test_the_cooldown_ends_before_saleor_comes_again():
    assert COOLDOWN_S < 10  # saleor-core-observed, section 2: the first retry is after 10 s


async def test_a_withdrawn_key_is_not_believed_once_the_new_one_was_seen(ring):
    await ring.kids(FIRST.kid)
    ring.saleor.answer = SECOND.jwks()
    await ring.kids(SECOND.kid)
    ring.later()
    with pytest.raises(NotGenuine):
        await ring.kids(FIRST.kid)


NO_KEYS = [
    httpx.ConnectError("away"),
    httpx.ReadTimeout("slow"),
    httpx.Response(500),
    httpx.Response(404, json=FIRST.jwks()),
    httpx.Response(302, headers={"Location": "https://elsewhere.example/jwks.json"}),
    httpx.Response(200, html="<h1>busy</h1>"),
    httpx.Response(200, content=b"\xff\xfe"),
    httpx.Response(200, content=b"[" * 100_000),
    EMPTY,
    {"keys": None},
    {"keys": {"a": 1}},
    {"keys": "abc"},
    {"keys": [None, 5, "x", {}]},
    [],
    None,
]


@pytest.mark.parametrize("answer", NO_KEYS)
async def test_no_keys_never_replace_good_ones(ring, answer):
    ring.saleor.answer = answer
    with pytest.raises(KeysUnavailable):
        await ring.kids("unknown")
    assert await ring.kids(FIRST.kid) == {FIRST.kid}
    ring.start()
    assert await ring.kids(FIRST.kid) == {FIRST.kid}


async def test_requests_that_come_together_share_one_fetch(ring):
    ring.saleor.answer = SECOND.jwks()
    found = await asyncio.gather(*(ring.kids(SECOND.kid) for _ in range(50)))
    assert found == [{SECOND.kid}] * 50
    assert ring.fetches == 1


async def test_requests_that_come_together_share_a_failure(ring):
    ring.saleor.answer = httpx.ConnectError("away")
    found = await asyncio.gather(
        *(ring.kids(SECOND.kid) for _ in range(50)), return_exceptions=True
    )
    assert {type(error) for error in found} == {KeysUnavailable}
    assert ring.fetches == 1


async def test_those_who_wait_for_a_slow_fetch_do_not_repeat_it(ring):
    def slow(_request):
        ring.clock.now += COOLDOWN_S + 1
        return SECOND.jwks()

    ring.saleor.answer = slow
    found = await asyncio.gather(*(ring.kids("made-up") for _ in range(5)), return_exceptions=True)
    assert {type(error) for error in found} == {NotGenuine}
    assert ring.fetches == 1


async def test_one_shops_garbage_does_not_delay_anothers_fetch(ring):
    other = "https://other.example/graphql/"
    await ring.store.shops.install(
        other, "A", "t", saleor_version="", jwks=json.dumps(FIRST.jwks())
    )
    with pytest.raises(NotGenuine):
        await ring.kids("made-up")
    ring.saleor.answer = SECOND.jwks()
    assert await ring.keys.keys_for(other, SECOND.kid)


async def test_a_new_installations_keys_are_read_again(ring):
    await ring.kids(FIRST.kid)
    await ring.store.shops.install(
        API_URL, "B", "t", saleor_version="", jwks=json.dumps(SECOND.jwks())
    )
    ring.keys.forget(API_URL)
    assert await ring.kids(SECOND.kid) == {SECOND.kid}
    assert ring.fetches == 0


# --- reading a key set


def entry(**changed):
    return {k: v for k, v in {**FIRST.jwks()["keys"][0], **changed}.items() if v is not None}


USELESS = {
    "another type": entry(kty="EC"),
    "a secret": {"kty": "oct", "kid": "a", "k": "c2VjcmV0"},
    "without id": entry(kid=None),
    "an empty id": entry(kid=""),
    "a number as id": entry(kid=5),
    "for encryption": entry(use="enc"),
    "another algorithm": entry(alg="RS512"),
    "a short modulus": entry(n=entry()["n"][:100]),
    "a huge modulus": entry(n="A" * 1_000_000),
    "a modulus that is no base64": entry(n="*" * 342),
    "a huge exponent": entry(e="AQAB" * 1000),
    "no exponent": entry(e=None),
    "an even exponent": entry(e="AAAA"),
}


@pytest.mark.parametrize("name", USELESS)
def test_a_useless_key_does_not_take_the_others_with_it(name):
    assert parse_keys(json.dumps({"keys": [USELESS[name]]})) is None
    keys = parse_keys(json.dumps({"keys": [USELESS[name], *SECOND.jwks()["keys"]]}))
    assert {key.kid for key in keys.keys} == {SECOND.kid}


def test_a_private_key_in_a_public_set_is_read_as_public():
    keys = parse_keys(json.dumps({"keys": [FIRST.key.as_dict(private=True)]}))
    assert [key.is_private for key in keys.keys] == [False]


def test_of_very_many_keys_only_the_first_are_read():
    listed = [entry(kid=str(number)) for number in range(500)]
    assert len(parse_keys(json.dumps({"keys": listed})).keys) == 50


async def test_what_a_host_answers_is_not_passed_on():
    there = Answering(httpx.Response(200, text="internal: hunter2"))
    with pytest.raises(KeysUnavailable) as caught:
        await fetch_jwks(there.outbound(), API_URL)
    assert "hunter2" not in str(caught.value)
