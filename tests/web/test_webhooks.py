"""Webhooks in: what is genuine is stored once and durably, what is not is refused for good."""

import asyncio
import base64
import gzip
import hashlib
import hmac
import json
from collections import Counter

import pytest
from starlette.routing import Mount

from saleor_kustom.intake.delivery import EVENTS
from saleor_kustom.saleor.keys import COOLDOWN_S
from saleor_kustom.sandbox.recordings import load_recordings
from saleor_kustom.sandbox.signing import Signer
from tests.conftest import RECORDINGS
from tests.web.edge import APP_URL, HOOKS, SALEOR_URL, open_edge

RECORDED = load_recordings(RECORDINGS)
STRANGER = Signer.new()
NEIGHBOUR = Signer.new()
NEIGHBOUR_URL = "http://neighbour.test/graphql/"


async def installed(edge):
    """Install the app in Saleor, and in a neighbour's."""
    await edge.world.install()
    jwks = json.dumps(NEIGHBOUR.jwks())
    app = edge.saleor.installed.app["id"]  # ids are small numbers: two shops may give the same
    await edge.store.shops.install(NEIGHBOUR_URL, app, "n", saleor_version="3.22.67", jwks=jwks)
    edge.fetched.clear()


@pytest.fixture
async def edge(database_url):
    async with open_edge(database_url) as edge:
        await installed(edge)
        yield edge


@pytest.fixture
async def lite(sqlite_url):
    """The same on one database, for what is refused before any is asked."""
    async with open_edge(sqlite_url) as edge:
        await installed(edge)
        yield edge


@pytest.fixture
async def recorded(database_url):
    async with open_edge(database_url, saleor=RECORDED.saleor()) as edge:
        answer = await edge.client.post(
            f"{APP_URL}/api/register",
            headers={"saleor-api-url": RECORDED.api_url},
            json={"auth_token": "R" * 30},
        )
        assert answer.json() == {"success": True}
        yield edge


# --- what a real Saleor sent


def own_headers(recording):
    # As sent; Host without a port, as Saleor sends it.
    return [(name.encode(), value.encode()) for name, value in recording.headers]


async def test_every_recording_posted_five_times_is_stored_once(recorded):
    answers = Counter()
    for recording in RECORDED.deliveries * 5:
        answer = await recorded.post(recording.event, own_headers(recording), recording.body)
        answers[recording.name, answer.status_code] += 1
    expected = Counter({(r.name, expected_status(r)): 5 for r in RECORDED.deliveries})
    assert answers == expected
    ours = {(r.event, r.body) for r in RECORDED.deliveries if expected_status(r) == 200}
    # The app's own metadata write came back to it: answered, not stored.
    kept = {(e, body) for e, body in ours if e != "fulfillment_metadata_updated"}
    assert await recorded.stored() == len(kept) == len(ours) - 1
    assert await recorded.store.deliveries.not_understood(RECORDED.api_url) == []


def expected_status(recording):
    if recording.event not in EVENTS:
        return 404
    return 401 if recording.name.startswith("w-hmac") else 200


async def test_a_recording_is_kept_as_it_was_signed(recorded):
    recording = next(r for r in RECORDED.deliveries if r.event == "fulfillment_created")
    await recorded.post(recording.event, own_headers(recording), recording.body)
    [row] = await recorded.store._db.read("select body from delivery")
    assert bytes(row["body"]) == recording.body


async def test_twenty_at_once_are_stored_once(recorded):
    recording = next(r for r in RECORDED.deliveries if r.event == "fulfillment_created")
    answers = await asyncio.gather(
        *(recorded.post(recording.event, own_headers(recording), recording.body) for _ in range(20))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert (await recorded.stored(), await recorded.stored("capture")) == (1, 1)


# --- our own documents


#: The first tells that nothing is to be stored for, the second asks and changes nothing.
NOT_STORED = {"app_deleted", "payment_gateway_initialize_session"}


@pytest.mark.parametrize("event", sorted(set(EVENTS) - NOT_STORED))
async def test_a_delivery_of_our_own_document_is_stored(edge, event):
    assert (await edge.deliver(await edge.delivery(event))).status_code == 200
    assert await edge.stored() == 1
    assert await edge.store.deliveries.not_understood(edge.api_url) == []


async def test_a_new_delivery_wakes_the_worker(edge):
    delivery = await edge.delivery()
    woken = edge.world.app.worker._woken
    woken.clear()
    await edge.deliver(delivery)
    assert woken.is_set()
    woken.clear()
    await edge.deliver(delivery)  # nothing new
    assert not woken.is_set()


async def test_our_own_metadata_write_is_not_stored(edge):
    ours = {"__typename": "App", "id": edge.saleor.installed.app["id"]}
    delivery = await edge.delivery("fulfillment_metadata_updated", issuingPrincipal=ours)
    assert (await edge.deliver(delivery)).status_code == 200
    assert await edge.stored() == 0


async def test_another_apps_metadata_write_is_stored(edge):
    others = {"__typename": "App", "id": "QXBwOjk5"}
    delivery = await edge.delivery("fulfillment_metadata_updated", issuingPrincipal=others)
    await edge.deliver(delivery)
    assert await edge.stored() == 1


async def test_what_is_genuine_and_makes_no_sense_is_kept_for_a_person(edge):
    for body in (b"", b"<html>", b"[1]", b'{"__typename": "FulfillmentCreated"}', b"\xff"):
        headers = edge.saleor.headers("fulfillment_created", body)
        assert (await edge.post("fulfillment_created", headers, body)).status_code == 200
    assert len(await edge.store.deliveries.not_understood(edge.api_url)) == 5
    assert await edge.stored("capture") == 0


async def test_errors_of_saleor_are_shown_and_the_fulfillment_is_looked_at(edge):
    delivery = await edge.delivery()
    body = json.dumps({**json.loads(delivery.body), "errors": [{"message": "x"}]}).encode()
    await edge.post("fulfillment_created", edge.saleor.headers("fulfillment_created", body), body)
    assert len(await edge.store.deliveries.not_understood(edge.api_url)) == 1
    assert await edge.stored("capture") == 1


async def test_a_large_delivery_is_taken(edge):
    delivery = await edge.delivery()
    body = delivery.body[:-1] + b', "metadata": "' + b"x" * 1_000_000 + b'"}'
    headers = edge.saleor.headers("fulfillment_created", body)
    assert (await edge.post("fulfillment_created", headers, body)).status_code == 200
    assert await edge.stored("capture") == 1


# --- forgeries: a genuine delivery with one thing changed


class Forgery:
    """A genuine delivery to change. Headers in lower case; a list for one that comes twice."""

    def __init__(self, edge, delivery):
        self.edge = edge
        self.event = delivery.event
        self.headers = {name.lower(): value for name, value in delivery.headers}
        self.body = delivery.body
        self.genuine = delivery

    def sign(self, body=None, signer=None, **header):
        signer = signer or self.edge.saleor.signer
        self.headers["saleor-signature"] = signer.sign(
            self.genuine.body if body is None else body, **header
        )

    def contents(self, **changed):
        """Change the body and sign it with the shop's own key."""
        self.body = json.dumps({**json.loads(self.body), **changed}).encode()
        self.sign(self.body)

    async def post(self):
        headers = []
        for name, value in self.headers.items():
            for one in value if isinstance(value, list) else [value]:
                raw = one if isinstance(one, bytes) else one.encode()
                headers.append((name.encode(), raw))
        return await self.edge.post(self.event, headers, self.body)


def header(name, value):
    def change(forgery):
        forgery.headers[name] = value(forgery.headers[name]) if callable(value) else value

    return change


def without(name):
    return lambda forgery: forgery.headers.pop(name)


def body(change):
    def changed(forgery):
        forgery.body = change(forgery.body)

    return changed


def signed(**kwargs):
    return lambda forgery: forgery.sign(**kwargs)


def contents(**changed):
    return lambda forgery: forgery.contents(**changed)


def at(event):
    def change(forgery):
        forgery.event = event

    return change


def as_another_event(forgery):
    forgery.event = forgery.headers["saleor-event"] = "fulfillment_canceled"


def to_another_shop(forgery):
    forgery.headers["saleor-api-url"] = "http://other.test/graphql/"
    forgery.headers["saleor-domain"] = "other.test"
    forgery.sign(signer=STRANGER)


def a_dashboard_token(forgery):
    forgery.headers["saleor-signature"] = forgery.edge.saleor.dashboard_token(["MANAGE_ORDERS"])


def by_the_neighbour(**header):
    """Sign with the key of another shop that installed us too."""
    return signed(signer=NEIGHBOUR, **header)


def raw_header(value):
    """Put any JSON text, or bytes, in the place of the protected header; sign with the own key."""

    def change(forgery):
        raw = value(forgery) if callable(value) else value
        text = raw if isinstance(raw, str) else json.dumps(raw)
        encoded = base64.urlsafe_b64encode(text.encode()).rstrip(b"=")
        key = forgery.edge.saleor.signer
        signature = key.sign(forgery.genuine.body).rpartition(".")[2]
        forgery.headers["saleor-signature"] = f"{encoded.decode()}..{signature}"

    return change


def right(forgery, **changed):
    """Return the header that Saleor would sign, with something changed (None: left out)."""
    own = {"alg": "RS256", "b64": False, "crit": ["b64"], "kid": forgery.edge.saleor.signer.kid}
    return {name: value for name, value in (own | changed).items() if value is not None}


def hmac_with_the_public_key(forgery):
    """The confusion of the two kinds of key: HS256, keyed with what everybody knows."""
    key = forgery.edge.saleor.signer.key
    head = json.dumps(right(forgery, alg="HS256")).encode()
    encoded = base64.urlsafe_b64encode(head).rstrip(b"=")
    mac = hmac.new(key.as_pem(private=False), encoded + b"." + forgery.body, hashlib.sha256)
    tag = base64.urlsafe_b64encode(mac.digest()).rstrip(b"=")
    forgery.headers["saleor-signature"] = f"{encoded.decode()}..{tag.decode()}"


def attached(forgery):
    """The payload inside the signature, as a token has it, and signed as one."""
    token = forgery.edge.saleor.signer.token(json.loads(forgery.genuine.body))
    forgery.headers["saleor-signature"] = token


def named_in_another_spelling(spelled):
    def change(forgery):
        url = forgery.headers["saleor-api-url"]
        forgery.headers["saleor-api-url"] = spelled(url)

    return change


#: What may be fetched: the keys of shops that installed us.
INSTALLED = {f"{origin}/.well-known/jwks.json" for origin in (SALEOR_URL, "http://neighbour.test")}

FORGERIES = {
    "the neighbour's signature": by_the_neighbour(),
    "the neighbour's signature under the shop's key id": lambda f: f.sign(
        signer=NEIGHBOUR, kid=f.edge.saleor.signer.kid
    ),
    "the neighbour's delivery in the shop's name": lambda f: (
        f.contents(order={"id": "neighbour"}),
        f.sign(f.body, signer=NEIGHBOUR),
    ),
    "an older header alone": lambda f: f.headers.update(
        {"x-saleor-signature": f.headers.pop("saleor-signature")}
    ),
    "HS256 with the public key": hmac_with_the_public_key,
    "keys to be fetched elsewhere": signed(signer=STRANGER, jku="http://evil.test/jwks.json"),
    "a certificate to be fetched": signed(signer=STRANGER, x5u="http://evil.test/cert.pem"),
    "a key id that is an address": signed(signer=STRANGER, kid="http://evil.test/jwks.json"),
    "a key id that is a path": signed(signer=STRANGER, kid="../../../../etc/passwd"),
    "a key id that is SQL": signed(signer=STRANGER, kid="' or 1=1 --"),
    "a key id that is no text": raw_header(lambda f: right(f, kid=1)),
    "a key id that is null": raw_header(lambda f: {**right(f), "kid": None}),
    "a key id that is a list": raw_header(lambda f: right(f, kid=[f.edge.saleor.signer.kid])),
    "a long key id": raw_header(lambda f: right(f, kid="x" * 3000)),
    "no crit": raw_header(lambda f: right(f, crit=None)),
    "crit that is text": raw_header(lambda f: right(f, crit="b64")),
    "crit without b64": raw_header(lambda f: right(f, crit=[])),
    "no b64": raw_header(lambda f: right(f, b64=None)),
    "b64 that is text": raw_header(lambda f: right(f, b64="false")),
    "b64 that is 0": raw_header(lambda f: right(f, b64=0)),
    "no alg": raw_header(lambda f: right(f, alg=None)),
    "alg in small letters": raw_header(lambda f: right(f, alg="rs256")),
    "alg RS512": raw_header(lambda f: right(f, alg="RS512")),
    "alg that is a list": raw_header(lambda f: right(f, alg=["RS256"])),
    "alg twice": raw_header(lambda f: '{"alg":"RS256",' + json.dumps(right(f, alg="none"))[1:]),
    "another header, signed by nobody": raw_header(lambda f: right(f, typ="JWS")),
    "a deep header": raw_header("[" * 2000),
    "a deep header that is an object": raw_header(lambda _: '{"a":' * 500 + "1" + "}" * 500),
    "a header that is a list": raw_header("[]"),
    "a header that is null": raw_header("null"),
    "a header that is a number of many digits": raw_header("1" * 3000),
    "a header that is no JSON": raw_header("{"),
    "a header that is no base64": header("saleor-signature", "!!!..AAAA"),
    "a header that is not UTF-8": header("saleor-signature", "_w.." + "A" * 342),
    "a payload inside": attached,
    "an empty payload kept": header("saleor-signature", lambda v: v.replace("..", ".e30.")),
    "a dot too many": header("saleor-signature", lambda value: value.replace("..", "...")),
    "JSON form": header("saleor-signature", lambda v: json.dumps({"signature": v})),
    "a signature of zeros": header(
        "saleor-signature", lambda v: v[: v.rindex(".") + 1] + "A" * 342
    ),
    "an older body under a new signature": lambda f: f.sign(body=f.genuine.body + b"\n"),
    "a mark before the body": body(lambda b: b"\xef\xbb\xbf" + b),
    "the body in UTF-16": body(lambda b: b.decode().encode("utf-16")),
    "the body compressed": lambda f: (
        f.headers.update({"content-encoding": "gzip"}),
        setattr(f, "body", gzip.compress(f.body)),
    ),
    "the body twice": body(lambda b: b + b),
    "a user in the shop's address": named_in_another_spelling(
        lambda url: url.replace("//", "//evil@")
    ),
    "a query behind the shop's address": named_in_another_spelling(lambda url: url + "?x=1"),
    "two shops in one header": named_in_another_spelling(lambda url: f"{url}, {NEIGHBOUR_URL}"),
    "an address far too long": named_in_another_spelling(lambda url: url + "x" * 20_000),
    "a method in a header": lambda f: (
        f.headers.pop("saleor-signature"),
        f.headers.update({"x-http-method-override": "GET", "x-original-url": "/health/live"}),
    ),
    "no signature": without("saleor-signature"),
    "an empty signature": header("saleor-signature", ""),
    "only the older header": header("saleor-signature", "x"),
    "an HMAC": header("saleor-signature", "36f314a4501ba2c524ce61fbad48ac6aac1406dc24e4cf1c5d48"),
    "two signatures": header("saleor-signature", lambda value: [value, value]),
    "a signature and garbage": header("saleor-signature", lambda value: ["x", value]),
    "a signature that is not ASCII": header("saleor-signature", b"\xff..\xfe"),
    "a long signature": header("saleor-signature", lambda value: value + "A" * 10_000),
    "a cut signature": header("saleor-signature", lambda value: value[:-6]),
    "a signature of nothing": signed(body=b""),
    "a signature of another body": signed(body=b"{}"),
    "a stranger's signature": signed(signer=STRANGER),
    "a stranger's signature under the shop's key id": lambda f: f.sign(
        signer=STRANGER, kid=f.edge.saleor.signer.kid
    ),
    "a stranger's key in the header": signed(
        signer=STRANGER, jwk=STRANGER.key.as_dict(private=False)
    ),
    "alg none": signed(alg="none"),
    "alg HS256": signed(alg="HS256"),
    "alg PS256": signed(alg="PS256"),
    "b64 true": signed(b64=True),
    "crit of another": signed(crit=["exp"]),
    "crit with more": signed(crit=["b64", "exp"]),
    "no key id": signed(kid=""),
    "a Dashboard token": a_dashboard_token,
    "one byte more": body(lambda b: b + b" "),
    "one byte less": body(lambda b: b[:-1]),
    "no body": body(lambda _: b""),
    "another order": body(lambda b: b.replace(b'"number": "1"', b'"number": "2"')),
    "the same in another form": body(lambda b: json.dumps(json.loads(b), indent=1).encode()),
    "a shop that did not install us": to_another_shop,
    "no shop": without("saleor-api-url"),
    "two shops": header("saleor-api-url", lambda value: [value, value]),
    "two different shops": header("saleor-api-url", lambda v: [v, "http://other.test/graphql/"]),
    "the shop in another spelling": header("saleor-api-url", lambda value: value.upper()),
    "the shop without its slash": header("saleor-api-url", lambda value: value.rstrip("/")),
    "a shop that is no text": header("saleor-api-url", b"http://saleor.test/\xff/"),
    "no domain": without("saleor-domain"),
    "another domain": header("saleor-domain", "other.test"),
    "two domains": header("saleor-domain", lambda value: [value, value]),
    "no event": without("saleor-event"),
    "another event in the header": header("saleor-event", "fulfillment_canceled"),
    "two events": header("saleor-event", lambda value: [value, "fulfillment_canceled"]),
    "another event in the path": at("fulfillment_canceled"),
    "another event in path and header": as_another_event,
    "an event that is not ours": at("order_updated"),
    "an event that is a path": at("..%2f..%2fregister"),
    "another app's delivery": contents(recipient={"id": "QXBwOjk5"}),
    "an older installation's delivery": contents(recipient={"id": "QXBwOjA="}),
    "another type": contents(__typename="FulfillmentCanceled"),
}


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forgery_is_refused_for_good_and_leaves_nothing(lite, name):
    edge = lite
    forgery = Forgery(edge, await edge.delivery())
    FORGERIES[name](forgery)
    answer = await forgery.post()
    assert 400 <= answer.status_code < 500  # final for Saleor; and no crash
    assert answer.json()["success"] is False
    assert (await edge.stored(), await edge.stored("capture")) == (0, 0)
    assert set(edge.fetched) <= INSTALLED
    assert len(edge.fetched) <= 1
    # The genuine one is taken all the same.
    assert (await edge.deliver(forgery.genuine)).status_code == 200


def test_there_are_many_forgeries():
    assert len(FORGERIES) >= 90


async def test_the_genuine_delivery_under_all_forgeries_is_taken(edge):
    forgery = Forgery(edge, await edge.delivery())
    forgery.contents()
    assert (await forgery.post()).status_code == 200


async def test_a_stranger_makes_us_fetch_nothing(database_url):
    async with open_edge(database_url) as edge:  # not installed
        fetched = []
        edge.saleor.app.router.routes.insert(0, Mount("/.well-known", fetched.append))
        headers = edge.saleor.headers("fulfillment_created", b"{}")
        answer = await edge.post("fulfillment_created", headers, b"{}")
        assert answer.json()["error"]["code"] == "NOT_INSTALLED"
        assert fetched == edge.saleor.requests == []


class Clock:
    """The process's own time, moved by hand."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


GARBAGE_S, EACH_S = 120, 20  # as many pieces of garbage each second


async def test_a_rotation_in_the_middle_of_garbage_is_taken_and_fetches_stay_few(sqlite_url):
    """Saleor's own schedule: a delivery that is answered 503 comes again after 10, 20, 40 s."""
    clock = Clock()
    async with open_edge(sqlite_url, monotonic=clock) as edge:
        await installed(edge)
        waiting, taken, posted = {}, [], 0
        for second in range(GARBAGE_S):
            for number in range(EACH_S):
                forgery = Forgery(edge, await edge.delivery())
                forgery.sign(signer=STRANGER, kid=f"made-up-{second}-{number}")
                assert (await forgery.post()).status_code in (401, 503)
                posted += 1
                clock.now += 1 / EACH_S
            if second % 30 == 10:
                edge.saleor.rotate_key()
                waiting[second] = await edge.delivery()
            for first in [at for at in waiting if second - at in (0, 10, 30, 70)]:
                if (await edge.deliver(waiting[first])).status_code == 200:
                    taken.append(second - first)
                    del waiting[first]
        assert posted == GARBAGE_S * EACH_S
        assert len(taken) == 4
        assert waiting == {}
        assert max(taken) <= 10  # at once, or when it came again for the first time
        assert await edge.stored() == 4
        assert set(edge.fetched) == {f"{SALEOR_URL}/.well-known/jwks.json"}
        assert len(edge.fetched) <= GARBAGE_S / COOLDOWN_S + 1


async def test_a_delivery_in_another_shops_name_waits_for_that_shops_keys(lite):
    forgery = Forgery(lite, await lite.delivery())
    forgery.headers |= {"saleor-api-url": NEIGHBOUR_URL, "saleor-domain": "neighbour.test"}
    assert (await forgery.post()).status_code == 503  # its keys can't be asked for just now
    assert (await lite.stored(), await lite.stored("capture")) == (0, 0)


async def test_garbage_for_one_shop_fetches_nothing_for_another(lite):
    for number in range(50):
        forgery = Forgery(lite, await lite.delivery())
        forgery.headers |= {"saleor-api-url": NEIGHBOUR_URL, "saleor-domain": "neighbour.test"}
        forgery.sign(signer=STRANGER, kid=f"made-up-{number}")
        assert (await forgery.post()).status_code in (401, 503)
    assert lite.fetched == ["http://neighbour.test/.well-known/jwks.json"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_only_a_post_is_a_delivery(edge, method):
    answer = await edge.client.request(method, f"{HOOKS}/fulfillment_created")
    assert answer.status_code == 405


# --- size


def changed_headers(delivery, name, value):
    return {key.lower(): had for key, had in delivery.headers} | {name: value}


async def test_a_body_that_says_it_is_too_large_is_not_read(edge):
    delivery = await edge.delivery()
    headers = changed_headers(delivery, "content-length", str(2 * 1024 * 1024 + 1))
    assert (await edge.post("fulfillment_created", headers, delivery.body)).status_code == 413


@pytest.mark.parametrize("length", ["-1", "1e3", "x", "9" * 5000])
async def test_an_odd_length_is_refused(edge, length):
    delivery = await edge.delivery()
    headers = changed_headers(delivery, "content-length", length)
    answer = await edge.post("fulfillment_created", headers, delivery.body)
    assert answer.status_code in (400, 413)


async def test_a_body_without_length_is_cut_off_at_the_limit(edge):
    given = 0

    async def endless():
        nonlocal given
        while True:
            given += 1
            yield b"x" * 1024 * 1024

    headers = (await edge.delivery()).headers
    answer = await edge.client.post(
        f"{HOOKS}/fulfillment_created", headers=headers, content=endless()
    )
    assert answer.status_code == 413
    assert given <= 4


async def test_an_unknown_shops_body_is_not_read(edge):
    async def unread():
        raise AssertionError("the body was read")
        yield b""

    headers = {"saleor-api-url": "http://other.test/graphql/"}
    answer = await edge.client.post(
        f"{HOOKS}/fulfillment_created", headers=headers, content=unread()
    )
    assert answer.status_code == 401


# --- when we can't judge or can't store, it must come again


async def test_without_our_database_it_comes_again(edge):
    delivery = await edge.delivery()
    await edge.store._db(("alter table delivery rename to away", {}))
    assert (await edge.deliver(delivery)).status_code == 503
    await edge.store._db(("alter table away rename to delivery", {}))
    assert (await edge.deliver(delivery)).status_code == 200
    assert await edge.stored() == 1


async def test_a_rotated_key_that_can_not_be_fetched_comes_again(edge):
    delivery = await edge.delivery()
    edge.saleor.signer = Signer.new()
    edge.saleor.jwks_override = "<html>busy</html>"
    rotated = dict(delivery.headers) | dict(edge.saleor.headers(delivery.event, delivery.body))
    assert (await edge.post(delivery.event, rotated, delivery.body)).status_code == 503
    assert await edge.stored() == 0


async def test_a_rotated_key_is_taken(edge):
    await edge.deliver(await edge.delivery())
    edge.saleor.signer = Signer.new()
    assert (await edge.deliver(await edge.delivery())).status_code == 200
    assert await edge.stored() == 2


async def test_a_repeated_delivery_after_a_503_is_stored_once(edge):
    edge.saleor.queue.clear()
    order = edge.saleor.add_order([])
    await edge.store._db(("alter table delivery rename to away", {}))
    edge.saleor.fulfill(order["id"])
    [queued] = edge.saleor.queue
    delivery = await edge.saleor.signed(queued.event, queued.value)
    assert (await edge.deliver(delivery)).status_code == 503
    await edge.store._db(("alter table away rename to delivery", {}))
    for _ in range(3):
        assert (await edge.deliver(delivery)).status_code == 200
    assert await edge.stored() == 1


# --- installed again, removed


async def test_after_a_new_installation_its_deliveries_are_taken_and_old_ones_are_not(edge):
    old = await edge.delivery()
    assert (await edge.deliver(old)).status_code == 200
    await edge.world.install()
    late = await edge.delivery(recipient={"id": json.loads(old.body)["recipient"]["id"]})
    assert (await edge.deliver(late)).status_code == 403
    assert (await edge.deliver(await edge.delivery())).status_code == 200


async def test_an_installation_taken_by_another_instance_is_seen_at_once(edge):
    await edge.deliver(await edge.delivery())  # the shop is cached now
    app = {**edge.saleor.installed.app, "id": "QXBwOjc3"}
    keys = (await edge.store.shops.keys(edge.api_url)).jwks
    await edge.store.shops.install(
        edge.api_url, app["id"], "t", saleor_version="3.22.67", jwks=keys
    )
    assert (await edge.deliver(await edge.delivery(recipient=app))).status_code == 200


async def test_a_removal_removes_the_shop(edge):
    removal = await edge.delivery("app_deleted")
    edge.saleor.uninstall()  # its token is dead at once
    assert (await edge.deliver(removal)).status_code == 200
    assert await edge.store.shops.get(edge.api_url) is None
    answer = await edge.deliver(removal)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "NOT_INSTALLED")


async def test_a_removal_from_a_copy_of_the_shop_removes_nothing(edge, caplog):
    """A staging copy signs with the same key and bears the same ids; there we were removed."""
    assert (await edge.deliver(await edge.delivery("app_deleted"))).status_code == 200
    assert await edge.store.shops.get(edge.api_url) is not None
    assert "knows us" in caplog.text
    assert (await edge.deliver(await edge.delivery())).status_code == 200


async def test_a_removal_that_can_not_be_confirmed_comes_again(edge):
    removal = await edge.delivery("app_deleted")
    edge.saleor.uninstall()
    edge.saleor.fail_next("500")
    assert (await edge.deliver(removal)).status_code == 503
    assert await edge.store.shops.get(edge.api_url) is not None
    assert (await edge.deliver(removal)).status_code == 200
    assert await edge.store.shops.get(edge.api_url) is None


async def test_another_apps_removal_removes_nothing(edge):
    delivery = await edge.delivery("app_deleted", app={"id": "QXBwOjk5"})
    assert (await edge.deliver(delivery)).status_code == 200
    assert await edge.store.shops.get(edge.api_url) is not None


async def test_a_late_removal_of_an_older_installation_removes_nothing(edge):
    removal = await edge.delivery("app_deleted")
    await edge.world.install()
    assert (await edge.deliver(removal)).status_code == 403
    assert await edge.store.shops.get(edge.api_url) is not None


async def test_nothing_of_a_delivery_or_its_keys_is_logged(edge, caplog):
    caplog.set_level("DEBUG")
    forgery = Forgery(edge, await edge.delivery())
    forgery.headers["saleor-signature"] = "hunter2"
    await forgery.post()
    await edge.deliver(forgery.genuine)
    assert "SIGNATURE_MALFORMED" in caplog.text
    assert "hunter2" not in caplog.text
    assert edge.saleor.installed.token not in caplog.text


async def test_the_host_header_is_not_believed(edge):
    delivery = await edge.delivery()
    headers = changed_headers(delivery, "host", "evil.example")
    answer = await edge.post(delivery.event, headers, delivery.body)
    assert answer.status_code == 200
