"""Each operation says to Kustom what the contract asks for, and understands what comes back."""

import asyncio
import base64
import json
import re

import httpx
import pytest

from saleor_kustom.capture.parties import Account
from saleor_kustom.errors import Refused, Unavailable
from saleor_kustom.kustom.client import KustomClient
from saleor_kustom.outbound import Outbound
from tests.kustom.conftest import ACCOUNT, HOSTS, ORDER

BODY = json.dumps({"captured_amount": 100_00, "reference": "17/1 å"}, ensure_ascii=False)
TRACKING = json.dumps({"shipping_info": [{"tracking_number": "SE1"}]})
BASE = f"https://playground.test/ordermanagement/v1/orders/{ORDER}"
#: call → method, path, does it bear a body
OPERATIONS = {
    "order": ({}, "GET", "", False),
    "captures": ({}, "GET", "/captures", False),
    "capture": ({"body": BODY, "key": "k"}, "POST", "/captures", True),
    "add_shipping_info": (
        {"capture_id": "C-1", "body": TRACKING, "key": "k"},
        "POST", "/captures/C-1/shipping-info", True,
    ),
    "refund": ({"body": BODY, "key": "k"}, "POST", "/refunds", True),
    "cancel": ({"key": "k"}, "POST", "/cancel", False),
    "release_remaining": ({"key": "k"}, "POST", "/release-remaining-authorization", False),
    "extend_authorization": ({"key": "k"}, "POST", "/extend-authorization-time", False),
    "set_merchant_references": (
        {"body": '{"merchant_reference2": "F-1"}', "key": "k"},
        "PATCH", "/merchant-references", True,
    ),
}  # fmt: skip


def answering(respond, **more):
    return KustomClient(Outbound(transport=httpx.MockTransport(respond)), hosts=HOSTS, **more)


async def asked_by(name, account=ACCOUNT):
    """Make one call and return the request that went out."""
    requests = []

    def refuse(request):
        requests.append(request)
        return httpx.Response(404, json={"error_code": "NO_SUCH_ORDER"})

    with pytest.raises(Refused):
        await getattr(answering(refuse), name)(account, ORDER, **OPERATIONS[name][0])
    [request] = requests
    return request


@pytest.mark.parametrize("name", OPERATIONS)
async def test_each_operation_goes_where_the_contract_says(name):
    options, method, path, has_body = OPERATIONS[name]
    request = await asked_by(name)
    assert (request.method, str(request.url)) == (method, BASE + path)
    assert request.content.decode() == (options["body"] if has_body else "")
    assert request.headers.get("content-type") == ("application/json" if has_body else None)
    assert request.headers["accept"] == "application/json"


@pytest.mark.parametrize("name", OPERATIONS)
async def test_every_write_bears_its_key_and_no_read_does(name):
    request = await asked_by(name)
    assert request.headers.get("klarna-idempotency-key") == OPERATIONS[name][0].get("key")
    assert ("key" in OPERATIONS[name][0]) == (request.method != "GET")


async def test_credentials_are_sent_as_kustom_wants_them():
    scheme, encoded = (await asked_by("order")).headers["authorization"].split()
    assert scheme == "Basic"
    assert base64.b64decode(encoded).decode() == "PM1-å:kco_test_api_hush:hush"


async def test_it_introduces_itself():
    assert re.match(r"saleor-kustom/\d", (await asked_by("order")).headers["user-agent"])


async def test_the_host_is_the_accounts_environments():
    live = Account("live", "PM1", "u", "p")
    assert str((await asked_by("order", live)).url).startswith("https://live.test/ordermanagement/")


@pytest.mark.parametrize(
    "odd",
    ["", ".", "..", "a/b", "../refunds", "%2e%2e", "a?b", "a#b", "a b", "a\nb", "å", "x" * 101,
     "\ud800", f"{ORDER}/cancel", f"{ORDER}\\", "a;b", "a:b@c"],
)  # fmt: skip
async def test_an_id_cannot_lead_anywhere_else(kustom, client, odd):
    calls = [client.order(ACCOUNT, odd), client.cancel(ACCOUNT, odd, key="k"),
             client.add_shipping_info(ACCOUNT, ORDER, odd, body=TRACKING, key="k")]  # fmt: skip
    for call in calls:
        with pytest.raises(Refused) as raised:
            await call
        assert raised.value.code == "INVALID_ORDER_ID"
        str(raised.value).encode()
    assert kustom.requests == []


async def test_an_order_is_read_as_it_stands(client, there, kustom):
    kustom.ledger.capture(there, {"captured_amount": 100_00, "reference": "17/1"}, None)
    found = await client.order(ACCOUNT, ORDER)
    assert (found.status, found.fraud_status, found.currency) == (
        "PART_CAPTURED",
        "ACCEPTED",
        "SEK",
    )
    assert (found.captured_amount_minor, found.remaining_minor) == (100_00, 249_00)
    assert (found.merchant_reference1, found.merchant_reference2) == ("17", None)
    assert found.expires_at == there.expires_at
    assert found.captures == await client.captures(ACCOUNT, ORDER)
    assert [c.capture_id for c in found.captures] == [there.captures[0].capture_id]


@pytest.mark.parametrize(
    "switch", ["writes_lower_case", "writes_offsets", "sends_nulls", "sends_correlation_id"]
)
async def test_an_order_is_the_same_however_kustom_writes_it(client, there, kustom, switch):
    kustom.ledger.capture(there, {"captured_amount": 100_00}, None)
    before = await client.order(ACCOUNT, ORDER)
    setattr(kustom.switches, switch, not getattr(kustom.switches, switch))
    assert await client.order(ACCOUNT, ORDER) == before


CAPTURES = [{"capture_id": c, "captured_amount": 100, "reference": c} for c in ("a", "b")]


@pytest.mark.parametrize(
    "shown", [{}, {"captures": None}, {"captures": []}, {"captures": CAPTURES[:1]}]
)
async def test_captures_that_the_order_does_not_show_are_listed(shown):
    order = {
        "order_id": ORDER,
        "status": "PART_CAPTURED",
        "purchase_currency": "SEK",
        "order_amount": 300,
        "captured_amount": 200,
        "remaining_authorized_amount": 100,
    }

    def respond(request):
        listing = request.url.path.endswith("/captures")
        return httpx.Response(200, json=CAPTURES if listing else order | shown)

    found = await answering(respond).order(ACCOUNT, ORDER)
    assert [c.reference for c in found.captures] == ["a", "b"]


async def test_an_order_with_all_its_captures_costs_one_request(client, there, kustom):
    kustom.ledger.capture(there, {"captured_amount": 100_00}, None)
    await client.order(ACCOUNT, ORDER)
    assert len(kustom.requests) == 1


async def test_another_orders_answer_is_not_taken():
    other = {"order_id": "another", "status": "AUTHORIZED", "purchase_currency": "SEK",
             "order_amount": 1, "captured_amount": 0, "remaining_authorized_amount": 1}  # fmt: skip
    with pytest.raises(Unavailable) as raised:
        await answering(lambda _: httpx.Response(200, json=other)).order(ACCOUNT, ORDER)
    assert raised.value.code == "NONSENSE"


async def test_a_capture_takes_effect_once_and_names_itself(client, there):
    made = await client.capture(ACCOUNT, ORDER, body=BODY, key="k")
    assert made.capture_id == there.captures[0].capture_id
    assert made.correlation_id
    again = await client.capture(ACCOUNT, ORDER, body=BODY, key="k")
    assert again.capture_id == made.capture_id
    assert [(c.amount, c.reference) for c in there.captures] == [(100_00, "17/1 å")]


async def test_the_other_operations_take_effect(client, there, clock):
    made = await client.capture(ACCOUNT, ORDER, body=BODY, key="1")
    await client.add_shipping_info(ACCOUNT, ORDER, made.capture_id, body=TRACKING, key="2")
    assert there.captures[0].shipping_info == [{"tracking_number": "SE1"}]
    refunded = await client.refund(ACCOUNT, ORDER, body='{"refunded_amount": 100}', key="3")
    assert refunded.refund_id == there.refunds[0]["refund_id"]
    clock.pass_h(24)
    before = there.expires_at
    await client.extend_authorization(ACCOUNT, ORDER, key="4")
    assert there.expires_at > before
    await client.set_merchant_references(
        ACCOUNT, ORDER, body='{"merchant_reference1": "", "merchant_reference2": "F-1"}', key="5"
    )
    assert (there.merchant_reference1, there.merchant_reference2) == ("", "F-1")
    await client.release_remaining(ACCOUNT, ORDER, key="6")
    assert (await client.order(ACCOUNT, ORDER)).remaining_minor == 0


@pytest.mark.parametrize("status", [204, 200])
async def test_an_empty_200_is_as_good_as_a_204(client, there, kustom, status):
    kustom.switches.empty_success_status = status
    await client.cancel(ACCOUNT, ORDER, key="k")
    assert (await client.order(ACCOUNT, ORDER)).status == "CANCELLED"


async def test_two_merchants_calls_at_once_are_never_mixed_up(kustom, client):
    accounts = [Account("playground", f"PM{n}", f"PM{n}-x", f"password-{n}") for n in (7, 8)]
    for account in accounts:
        kustom.add_merchant(account.username, account.password, account.merchant_id)
    calls = []
    for n in range(300):
        account = accounts[n % 2]
        order_id = f"{n:08d}-6116-4073-ab96-e330819e2c07"
        kustom.add_order(order_id, n + 1, merchant_id=account.merchant_id)
        body = json.dumps({"captured_amount": n + 1})
        calls.append(client.capture(account, order_id, body=body, key=f"k{n}"))
    made = await asyncio.gather(*calls)
    held = [order.captures[0].capture_id for order in kustom.orders.values() if order.captures]
    assert [capture.capture_id for capture in made] == held
    with pytest.raises(Refused):
        await client.order(accounts[0], "00000001-6116-4073-ab96-e330819e2c07")
