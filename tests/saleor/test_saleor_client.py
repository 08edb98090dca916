"""Saleor over GraphQL: every answer has a verdict, and no report is believed unread."""

import datetime as dt
import json
from decimal import Decimal

import httpx
import pytest

from saleor_kustom.capture.parties import Shop
from saleor_kustom.capture.report import Report, TransactionReport
from saleor_kustom.errors import Refused, Unavailable
from saleor_kustom.outbound import Outbound
from saleor_kustom.saleor.client import AppIdentity, Reported, SaleorClient, release
from saleor_kustom.sandbox.saleor import SimulatedSaleor
from saleor_kustom.sandbox.saleor_orders import Line
from tests.saleor.answering import Answering, denied

TOKEN = "T0kenT0kenT0kenT0kenT0kenT0ken"
SHOP = Shop("https://shop.example/graphql/", "QXBwOjE=", TOKEN)
CHARGE = TransactionReport("VHJhbnM=", "capture-1", Decimal("82.33"), "Captured")
REPORT = Report(
    "T3JkZXI6MQ==", "RnVsOjE=", CHARGE, {"kustom.a": "1"}, {"kustom.b": "2"}, {"c": "3"}
)
FINE = {
    "event": {"alreadyProcessed": False, "errors": []},
    "fulfillmentPrivate": {"errors": []},
    "fulfillmentPublic": {"errors": []},
    "orderPrivate": {"errors": []},
}


def refusal(code):
    return {"errors": [{"field": "id", "message": f"because {code}", "code": code}]}


def client(answer):
    return SaleorClient(Answering(answer).outbound())


async def ask_order(saleor):
    return await saleor.order(SHOP, "T3JkZXI6MQ==")


async def ask_report(saleor):
    return await saleor.report(SHOP, REPORT)


async def ask_identity(saleor):
    return await saleor.identify(SHOP.api_url, TOKEN)


ASKED = [ask_order, ask_report, ask_identity]

# --- every failure is Unavailable, whatever was asked: all of it may be asked again


def every(error):
    return {error} | {sub for child in error.__subclasses__() for sub in every(child)}


@pytest.mark.parametrize("ask", ASKED)
@pytest.mark.parametrize("failure", sorted(every(httpx.TransportError), key=str))
async def test_every_way_httpx_can_fail_is_to_be_asked_again(failure, ask):
    with pytest.raises(Unavailable) as caught:
        await ask(client(failure("no luck")))
    assert caught.value.code in ("SALEOR_NOT_REACHED", "SALEOR_NO_ANSWER")


ANSWERS = [
    (httpx.Response(401), "TOKEN_REFUSED"),
    (httpx.Response(403, html="<h1>no</h1>"), "TOKEN_REFUSED"),
    (httpx.Response(429, headers={"Retry-After": "7"}), "SALEOR_BUSY"),
    (httpx.Response(500), "SALEOR_BUSY"),
    (httpx.Response(502, json={"data": {"order": None}}), "SALEOR_BUSY"),
    (httpx.Response(301, headers={"Location": "https://elsewhere.example"}), "SALEOR_NONSENSE"),
    (httpx.Response(200), "SALEOR_NONSENSE"),
    (httpx.Response(200, html="<h1>busy</h1>"), "SALEOR_NONSENSE"),
    (httpx.Response(200, json=[]), "SALEOR_NONSENSE"),
    (httpx.Response(200, json={}), "SALEOR_NONSENSE"),
    (httpx.Response(200, json={"data": None}), "SALEOR_NONSENSE"),
    (httpx.Response(200, json={"data": []}), "SALEOR_NONSENSE"),
    (httpx.Response(200, json={"data": {}, "errors": "no"}), "SALEOR_NONSENSE"),
    (httpx.Response(200, content=b"[" * 100_000), "SALEOR_NONSENSE"),
    (httpx.Response(400, json={"errors": [{"message": "limit of 4"}]}), "SALEOR_ERROR"),
    (httpx.Response(200, json={"errors": ["odd", None]}), "SALEOR_ERROR"),
    (httpx.Response(200, json={"errors": [denied("order")], "data": None}), "TOKEN_REFUSED"),
]


@pytest.mark.parametrize("ask", ASKED)
@pytest.mark.parametrize(("answer", "code"), ANSWERS)
async def test_an_answer_that_settles_nothing_is_to_be_asked_again(answer, code, ask):
    with pytest.raises(Unavailable) as caught:
        await ask(client(answer))
    assert caught.value.code == code


async def test_the_wait_that_saleor_asks_for_is_passed_on():
    with pytest.raises(Unavailable) as caught:
        await ask_order(client(httpx.Response(429, headers={"Retry-After": "7"})))
    assert caught.value.retry_after_s == 7.0


async def test_saleors_401_does_not_look_like_one_of_kustoms():
    # A 401 with a status pauses the merchant account at Kustom (capture/retry.py).
    with pytest.raises(Unavailable) as caught:
        await ask_order(client(httpx.Response(401)))
    assert caught.value.status is None


@pytest.mark.parametrize("ask", ASKED)
@pytest.mark.parametrize("answer", [httpx.ReadError("x"), *(answer for answer, _ in ANSWERS)])
async def test_no_failure_shows_the_token(answer, ask):
    with pytest.raises(Unavailable) as caught:
        await ask(client(answer))
    error = caught.value
    while error is not None:
        assert TOKEN not in f"{error} {error!r}"
        error = error.__cause__ or error.__context__


# --- the order


async def test_an_order_that_saleor_does_not_know_is_none():
    assert await ask_order(client({"data": {"order": None}})) is None


NO_ID = {"message": "Invalid ID: x. Expected: Order.", "path": ["order"]}


async def test_an_id_that_is_none_of_saleors_is_no_order():
    assert await ask_order(client({"data": {"order": None}, "errors": [NO_ID]})) is None


@pytest.mark.parametrize(
    "answer",
    [
        {"data": {"order": None}, "errors": [NO_ID, {"message": "Broken", "path": ["order"]}]},
        {"data": {"order": None}, "errors": [NO_ID | {"path": ["order", "channel"]}]},
        {"data": {"order": {"id": "x"}}, "errors": [NO_ID]},
        {"errors": [{"message": "Invalid"}]},
    ],
)
async def test_any_other_error_may_be_asked_again(answer):
    with pytest.raises(Unavailable):
        await ask_order(client(answer))


async def test_an_order_is_read_to_the_last_minor_unit():
    saleor = SimulatedSaleor()
    saleor.trust({"id": "A", "identifier": "a", "permissions": [{"code": "MANAGE_ORDERS"}]})
    wire = saleor.add_order([Line("Mug", "33.33", 3), Line("Bread", "24.90", 2)])
    asked = SaleorClient(Outbound(transport=httpx.ASGITransport(saleor.app)))
    order = await asked.order(Shop(saleor.api_url, "A", TOKEN), wire["id"])
    assert [line.total_minor for line in order.lines] == [99_99, 49_80]


GIFT_CARD_IS_ASKED = "isSaleorGiftcard"


def saleor_of(version):
    saleor = SimulatedSaleor(version=version)
    permissions = [{"code": "MANAGE_ORDERS"}, {"code": "HANDLE_PAYMENTS"}]
    saleor.trust({"id": "A", "identifier": "a", "permissions": permissions})
    wire = saleor.add_order([Line("Mug", "100.00")], psp_reference="K-1", gift_card="30.00")
    return saleor, wire


@pytest.mark.parametrize(
    ("runs", "told", "asked"),
    [
        ("3.21.69", "3.21.69", [False]),
        ("3.22.67", "3.22.67", [False]),
        ("3.23.28", "3.23.28", [True]),
        ("3.23.28", "", [True]),
        ("3.23.28", "4.0.1", [True]),
        ("3.23.28", "3.22.67", [False]),  # upgraded since we were told
        ("3.22.67", "3.23.28", [True, False]),  # a backup was restored
        ("3.22.67", "", [True, False]),
        ("3.21.69", "next", [True, False]),
    ],
)
async def test_an_order_is_asked_for_as_the_shops_version_can_answer(runs, told, asked):
    saleor, wire = saleor_of(runs)
    shop = Shop(saleor.api_url, "A", TOKEN, told)
    client = SaleorClient(Outbound(transport=httpx.ASGITransport(saleor.app)))
    order = await client.order(shop, wire["id"])
    assert [GIFT_CARD_IS_ASKED in sent["query"] for sent in saleor.requests] == asked
    cards = [each.charged_minor for each in order.transactions if each.is_gift_card]
    assert cards == ([30_00] if runs == "3.23.28" and asked[-1] else [])


@pytest.mark.parametrize(
    "message",
    [
        'Cannot query field "paymentMethodDetails" on type "TransactionItem".',
        'Unknown type "GiftCardPaymentMethodDetails".',
    ],
)
async def test_only_a_field_that_saleor_does_not_know_is_left_out(message):
    def first(request):
        newest = GIFT_CARD_IS_ASKED.encode() in request.content
        refused = httpx.Response(400, json={"errors": [{"message": message}]})
        return refused if newest else {"data": {"order": None}}

    there = Answering(first)
    assert await ask_order(SaleorClient(there.outbound())) is None
    assert len(there.requests) == 2
    for answer in (
        {"data": {"order": {"id": "x"}}, "errors": [{"message": message}]},
        {"data": None, "errors": [{"message": "Internal Server Error"}]},
    ):
        there = Answering(answer)
        with pytest.raises(Unavailable):
            await ask_order(SaleorClient(there.outbound()))
        assert len(there.requests) == 1


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("3.22.67", (3, 22)),
        ("3.23", (3, 23)),
        ("3.9.1", (3, 9)),
        ("3.24.0-a.1", (3, 24)),
        ("", (0, 0)),
        ("3", (0, 0)),
        ("next", (0, 0)),
        ("3.x", (0, 0)),
    ],
)
def test_a_release_is_two_integers(version, expected):
    assert release(version) == expected


async def test_an_order_with_errors_beside_it_is_not_believed():
    answer = {"data": {"order": {"id": "x"}}, "errors": [{"message": "broken", "path": ["order"]}]}
    with pytest.raises(Unavailable, match="broken"):
        await ask_order(client(answer))


async def test_an_order_that_makes_no_sense_is_refused():
    with pytest.raises(Refused) as caught:
        await ask_order(client({"data": {"order": {"id": 5}}}))
    assert caught.value.code == "NOT_UNDERSTOOD"


async def test_the_token_goes_to_the_shops_own_address():
    there = Answering({"data": {"order": None}})
    await ask_order(SaleorClient(there.outbound()))
    [request] = there.requests
    assert str(request.url) == SHOP.api_url
    assert request.headers["authorization"] == f"Bearer {TOKEN}"


# --- the report


async def test_a_report_is_one_request():
    there = Answering({"data": FINE})
    assert await ask_report(SaleorClient(there.outbound())) == Reported()
    assert len(there.requests) == 1
    assert there.variables["amount"] == "82.33"
    assert there.variables["orderPrivate"] == [{"key": "c", "value": "3"}]


async def test_an_empty_report_asks_nothing():
    there = Answering({"data": {}})
    assert await SaleorClient(there.outbound()).report(SHOP, Report("o", "f")) == Reported()
    assert there.requests == []


@pytest.mark.parametrize(
    ("report", "asked"),
    [
        (Report("o", "f", CHARGE), "event"),
        (Report("o", "f", fulfillment_private={"a": "1"}), "fulfillmentPrivate"),
        (Report("o", "f", fulfillment_public={"a": "1"}), "fulfillmentPublic"),
        (Report("o", "f", order_private={"a": "1"}), "orderPrivate"),
    ],
)
async def test_only_what_a_report_has_is_asked(report, asked):
    there = Answering({"data": {asked: FINE[asked]}})
    await SaleorClient(there.outbound()).report(SHOP, report)
    switches = {name for name, value in there.variables.items() if value is True}
    assert len(switches) == 1
    with pytest.raises(Unavailable):  # an answer on another alias is none
        await client({"data": {"other": {"errors": []}}}).report(SHOP, report)


@pytest.mark.parametrize("alias", FINE)
@pytest.mark.parametrize("instead", [None, {}, [], "ok", {"errors": None}])
async def test_an_alias_without_an_answer_was_not_accepted(alias, instead):
    with pytest.raises(Unavailable) as caught:
        await ask_report(client({"data": {**FINE, alias: instead}}))
    assert alias in str(caught.value)


@pytest.mark.parametrize("alias", FINE)
async def test_an_alias_that_is_left_out_was_not_accepted(alias):
    with pytest.raises(Unavailable):
        await ask_report(client({"data": {k: v for k, v in FINE.items() if k != alias}}))


@pytest.mark.parametrize("alias", FINE)
async def test_an_error_on_any_alias_is_refused_with_its_code(alias):
    with pytest.raises(Refused) as caught:
        await ask_report(client({"data": {**FINE, alias: refusal("NOT_FOUND")}}))
    assert caught.value.code == "SALEOR_NOT_FOUND"
    assert caught.value.messages == (f"{alias}: because NOT_FOUND",)


async def test_all_aliases_errors_are_told_not_only_the_first():
    data = {**FINE, "event": refusal("INCORRECT_DETAILS"), "orderPrivate": refusal("NOT_FOUND")}
    with pytest.raises(Refused) as caught:
        await ask_report(client({"data": data}))
    assert caught.value.code == "SALEOR_INCORRECT_DETAILS"
    assert len(caught.value.messages) == 2


async def test_a_repeated_charge_is_a_success():
    data = {**FINE, "event": {"alreadyProcessed": True, "errors": []}}
    assert await ask_report(client({"data": data})) == Reported()


async def test_a_foreign_transaction_is_no_error():
    answer = {"data": {**FINE, "event": None}, "errors": [denied("event")]}
    assert await ask_report(client(answer)) == Reported(transaction_refused=True)


async def test_a_foreign_transaction_hides_no_other_error():
    data = {**FINE, "event": None, "fulfillmentPublic": refusal("NOT_FOUND")}
    with pytest.raises(Refused, match="fulfillmentPublic"):
        await ask_report(client({"data": data, "errors": [denied("event")]}))


async def test_a_token_denied_everywhere_is_refused_as_a_token():
    answer = {"data": dict.fromkeys(FINE), "errors": [denied(alias) for alias in FINE]}
    with pytest.raises(Unavailable) as caught:
        await ask_report(client(answer))
    assert caught.value.code == "TOKEN_REFUSED"


async def test_an_error_on_the_charge_that_is_no_denial_is_not_a_foreign_transaction():
    error = {"message": "Internal Server Error", "path": ["event"]}
    with pytest.raises(Unavailable) as caught:
        await ask_report(client({"data": {**FINE, "event": None}, "errors": [error]}))
    assert caught.value.code == "SALEOR_ERROR"


async def test_available_actions_are_passed_only_when_they_change():
    there = Answering({"data": FINE})
    saleor = SaleorClient(there.outbound())
    await saleor.report(SHOP, REPORT)
    assert "availableActions" not in there.variables
    cleared = TransactionReport("T", "c", Decimal(1), "m", available_actions=())
    await saleor.report(SHOP, Report("o", "f", cleared, {"a": "1"}, {"b": "1"}, {"c": "1"}))
    assert there.variables["availableActions"] == []


async def test_a_message_is_cut_where_saleor_would_cut_it():
    there = Answering({"data": FINE})
    at = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
    charge = TransactionReport("T", "c", Decimal("1E+3"), "å" * 600, time=at)
    report = Report("o", "f", charge, {"a": "1"}, {"b": "1"}, {"c": "1"})
    await SaleorClient(there.outbound()).report(SHOP, report)
    assert there.variables["message"] == "å" * 512
    assert there.variables["amount"] == "1000"
    assert there.variables["time"] == "2026-11-23T12:00:00+00:00"


async def test_reporting_twice_charges_saleors_transaction_once():
    saleor = SimulatedSaleor()
    permissions = [{"code": "MANAGE_ORDERS"}, {"code": "HANDLE_PAYMENTS"}]
    saleor.trust({"id": "A", "identifier": "a", "permissions": permissions})
    order = saleor.add_order([Line("Mug", "82.33")], psp_reference="K-1", owner="nobody")
    fulfillment = saleor.fulfill(order["id"])
    charge = TransactionReport(
        order["transactions"][0]["id"], "capture-1", Decimal("82.33"), "Captured"
    )
    report = Report(order["id"], fulfillment["id"], charge, {"kustom.capture_id": "capture-1"})
    asked = SaleorClient(Outbound(transport=httpx.ASGITransport(saleor.app)))
    for _ in range(2):
        assert await asked.report(Shop(saleor.api_url, "A", TOKEN), report) == Reported()
    assert order["totalCharged"]["amount"] == 82.33
    assert {"key": "kustom.capture_id", "value": "capture-1"} in fulfillment["privateMetadata"]


# --- who we are


async def test_a_token_tells_whose_it_is():
    answer = {
        "data": {
            "app": {
                "id": "QXBwOjE=",
                "identifier": "x",
                "permissions": [{"code": "MANAGE_ORDERS"}],
            },
            "shop": {"version": "3.22.67"},
        }
    }
    identity = await ask_identity(client(answer))
    assert identity == AppIdentity("QXBwOjE=", "x", frozenset({"MANAGE_ORDERS"}), "3.22.67")


@pytest.mark.parametrize("app", [None, {}, {"id": 5}, {"id": ""}, "app", []])
async def test_a_token_that_is_nobodys_is_refused(app):
    with pytest.raises(Refused) as caught:
        await ask_identity(client({"data": {"app": app, "shop": {"version": "3.22.67"}}}))
    assert caught.value.code == "UNKNOWN_APP"


async def test_permissions_that_saleor_does_not_tell_are_not_known():
    identity = await ask_identity(client({"data": {"app": {"id": "A", "permissions": None}}}))
    assert identity.permissions is None


@pytest.mark.parametrize("permissions", [5, "all", [None, {"code": 5}]])
async def test_odd_permissions_are_none(permissions):
    answer = {"data": {"app": {"id": "A", "permissions": permissions}, "shop": "x"}}
    assert await ask_identity(client(answer)) == AppIdentity("A", "", frozenset(), "")


async def test_documents_are_sent_as_they_stand():
    there = Answering({"data": {"order": None}})
    await ask_order(SaleorClient(there.outbound()))
    sent = json.loads(there.requests[0].content)
    assert sent["query"].startswith("query OrderToCapture(")
    assert sent["variables"] == {"id": "T3JkZXI6MQ=="}
