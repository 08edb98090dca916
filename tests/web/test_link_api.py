"""POST /api/link: who may link, what is asked, and what a checkout's server is told."""

import asyncio
import json
import uuid

import pytest

from saleor_kustom.capture.parties import Mode
from saleor_kustom.sandbox.saleor_orders import Line
from tests.web.edge import APP_URL, open_edge

URL = f"{APP_URL}/api/link"
OTHER_SHOP = "http://other.test/graphql/"
UNKNOWN = "11111111-2222-4333-8444-555555555555"
MUGS = Line("Mug", "100.00", 3)


@pytest.fixture
async def edge(database_url):
    async with open_edge(database_url) as edge:
        await edge.world.install()
        edge.token = await edge.store.link_tokens.make(edge.api_url)
        edge.order = edge.saleor.add_order([MUGS])
        edge.there = edge.world.kustom.add_order(str(uuid.uuid4()), 349_00)
        edge.saleor.requests.clear()
        edge.world.kustom.requests.clear()
        yield edge


def body(edge, **changed):
    asked = {
        "saleorApiUrl": edge.api_url,
        "orderId": edge.order["id"],
        "kustomOrderId": edge.there.order_id,
    }
    return {key: value for key, value in (asked | changed).items() if value is not ...}


async def post(edge, contents=None, *, token=None, content=None, **changed):
    headers = {"Authorization": f"Bearer {edge.token if token is None else token}"}
    sent = content if content is not None else json.dumps(contents or body(edge, **changed))
    return await edge.client.post(URL, headers=headers, content=sent)


def nothing_happened(edge):
    asked = (edge.saleor.requests, edge.world.kustom.requests, edge.order["transactions"])
    return asked == ([], [], [])


async def test_an_order_is_linked_by_one_call(edge):
    answer = await post(edge)
    [transaction] = edge.order["transactions"]
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "success": True,
            "status": "linked",
            "orderId": edge.order["id"],
            "orderNumber": edge.order["number"],
            "kustomOrderId": edge.there.order_id,
            "transactionId": transaction["id"],
        },
    )
    assert transaction["pspReference"] == edge.there.order_id


async def test_the_same_call_again_is_answered_the_same(edge):
    first = await post(edge)
    again = await asyncio.gather(*(post(edge) for _ in range(4)))
    assert {(a.status_code, a.text) for a in again} == {(200, first.text)}
    assert len(edge.order["transactions"]) == 1


# ---- who may


@pytest.mark.parametrize("scheme", ["", "Basic abc", "Bearer", "Bearer ", "bearer"])
async def test_without_a_token_it_says_how_to_send_one(edge, scheme):
    headers = {"Authorization": scheme} if scheme else {}
    answer = await edge.client.post(URL, headers=headers, json=body(edge))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["error"]["code"] == "UNAUTHORIZED"
    assert nothing_happened(edge)


async def test_a_wrong_token_and_an_unknown_shop_are_answered_alike(edge):
    other = await edge.store.link_tokens.make(OTHER_SHOP)  # of a shop that is not installed
    old = edge.token
    edge.token = await edge.store.link_tokens.make(edge.api_url)
    answers = [
        await post(edge, token="wrong"),
        await post(edge, token=old),
        await post(edge, token=other),
        await post(edge, token=edge.token + "x"),
        await post(edge, saleorApiUrl="https://unknown.example/graphql/"),
        await post(edge, saleorApiUrl=OTHER_SHOP, token=other),
        await post(edge, saleorApiUrl=edge.api_url.rstrip("/")),
    ]
    assert {(a.status_code, a.text) for a in answers} == {(401, answers[0].text)}
    assert nothing_happened(edge)
    assert await edge.stored("link") == 0


async def test_another_shops_token_links_nothing_here(edge):
    await edge.store.shops.install(OTHER_SHOP, "A", "t", saleor_version="3.22.1", jwks="{}")
    other = await edge.store.link_tokens.make(OTHER_SHOP)
    assert (await post(edge, token=other)).status_code == 401
    assert nothing_happened(edge)


async def test_two_authorization_headers_are_none(edge):
    headers = [("Authorization", f"Bearer {edge.token}")] * 2
    answer = await edge.client.post(URL, headers=headers, json=body(edge))
    assert answer.status_code == 401


async def test_a_removed_shop_links_nothing(edge):
    edge.saleor.uninstall()
    await edge.saleor.deliver()
    assert (await post(edge)).status_code == 401


# ---- what is asked


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "no JSON"),
        ("{", "no JSON"),
        ("[" * 5000, "no JSON"),
        (b"\xff\xfe", "no JSON"),
        ("[]", "must be an object with saleorApiUrl, orderId, kustomOrderId"),
        ("null", "must be an object"),
        ('"x"', "must be an object"),
    ],
)
async def test_what_is_no_object_is_refused(edge, content, words):
    answer = await post(edge, content=content)
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]
    assert nothing_happened(edge)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"orderId": ...}, "orderId is missing"),
        ({"kustomOrderId": None}, "kustomOrderId is missing"),
        ({"saleorApiUrl": ["x"]}, "saleorApiUrl is missing"),
        ({"orderId": " "}, "orderId is missing"),
        ({"orderId": 7}, "orderId is missing"),
        ({"orderId": "1001"}, "orderId must be Saleor's id"),
        ({"orderId": "Q2hlY2tvdXQ6eA=="}, "orderId must be Saleor's id"),
        ({"kustomOrderId": "K4MADNY"}, "kustomOrderId must be the Kustom order's id"),
        ({"kustomOrderId": "{11111111-2222-4333-8444-555555555555}"}, "must be the Kustom"),
        ({"orderId": "x" * 501}, "longer than 500"),
        ({"orderId": "T3JkZXI6MQ==\n\0"}, "not plain text"),
        ({"orderId": "Ö"}, "not plain text"),
        ({"checkoutToken": "x"}, "Unknown fields: checkoutToken"),
    ],
)
async def test_what_is_wrong_with_a_field_is_said_with_what_is_right(edge, changed, words):
    answer = await post(edge, **changed)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "MALFORMED")
    assert words in answer.json()["error"]["message"]
    assert nothing_happened(edge)


async def test_a_body_that_is_too_large_is_not_read(edge):
    answer = await post(edge, content=b"{" + b" " * 17_000)
    assert answer.status_code == 413
    assert answer.json()["error"]["message"] == "The body is too large."


async def test_only_posts_are_answered(edge):
    assert (await edge.client.get(URL)).status_code == 405


# ---- what is refused, and why


async def refused(edge, status, code, **changed):
    answer = await post(edge, **changed)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    return answer.json()["error"]["message"]


@pytest.mark.parametrize("order_id", ["T3JkZXI6OTk5", "T3JkZXI6eA=="], ids=["gone", "no id"])
async def test_an_order_that_saleor_does_not_know(edge, order_id):
    words = await refused(edge, 404, "ORDER_UNKNOWN", orderId=order_id)
    assert order_id in words


async def test_a_kustom_order_that_is_unknown_or_a_foreign_merchants(edge):
    foreign = edge.world.kustom.add_order(str(uuid.uuid4()), 349_00, merchant_id="PM2")
    for kustom_id in (UNKNOWN, foreign.order_id):
        words = await refused(edge, 422, "KUSTOM_ORDER_UNKNOWN", kustomOrderId=kustom_id)
        assert kustom_id in words


@pytest.mark.parametrize(
    ("more", "words"),
    [({"currency": "EUR"}, "it is in EUR, the order in SEK"),
     ({"amount": 1_00}, "it was placed over 1.00 SEK, the order asks for 349.00 SEK")],
)  # fmt: skip
async def test_wrong_currency_or_amount(edge, more, words):
    other = edge.world.kustom.add_order(str(uuid.uuid4()), **{"amount": 349_00} | more)
    assert words in await refused(edge, 422, "DOES_NOT_FIT", kustomOrderId=other.order_id)
    assert edge.order["transactions"] == []


async def test_a_kustom_order_that_is_bound_already_and_an_order_that_is(edge):
    await post(edge)
    edge.there.merchant_reference1 = ""
    second = edge.saleor.add_order([MUGS])
    words = await refused(edge, 409, "KUSTOM_ORDER_BOUND", orderId=second["id"])
    assert edge.order["id"] in words
    words = await refused(edge, 409, "ORDER_BOUND", kustomOrderId=UNKNOWN)
    assert edge.there.order_id in words
    assert UNKNOWN in words


async def test_a_kustom_order_that_a_checkout_is_paid_with(edge):
    checkout = edge.saleor.add_checkout([MUGS])
    await edge.saleor.initialize_transaction(
        checkout["id"], "saleor-kustom", {"kustomOrderId": edge.there.order_id}
    )
    words = await refused(edge, 409, "KUSTOM_ORDER_IN_USE")
    assert checkout["id"] in words


# ---- what is kept


async def test_with_kustom_away_it_is_accepted_and_says_what_it_waits_for(edge):
    edge.world.kustom.fail_next("503")
    answer = await post(edge)
    assert answer.status_code == 202
    told = answer.json()
    assert (told["success"], told["status"], told["code"]) == (True, "kept", "HTTP_503")
    assert "tried again by itself" in told["message"]
    done = await post(edge)
    assert (done.status_code, done.json()["status"]) == (200, "linked")


async def test_an_observing_shop_is_told_so(edge):
    await edge.store.shops.set_mode(edge.api_url, Mode.OBSERVE)
    answer = await post(edge)
    assert (answer.status_code, answer.json()["code"]) == (202, "OBSERVE")
    assert edge.order["transactions"] == []


async def test_a_database_that_is_away_is_a_503_and_nothing_is_lost(edge):
    from saleor_kustom.errors import StoreUnavailable

    async def away(*_args, **_more):
        raise StoreUnavailable("away")

    ask, edge.store.links.ask = edge.store.links.ask, away
    answer = await post(edge)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "STORE_UNAVAILABLE")
    edge.store.links.ask = ask
    assert (await post(edge)).status_code == 200


async def test_no_answer_and_no_log_shows_the_token(edge, caplog):
    caplog.set_level("DEBUG")
    answers = [await post(edge), await post(edge, orderId="1"), await post(edge, token="no")]
    assert edge.token not in caplog.text + "".join(a.text for a in answers)
