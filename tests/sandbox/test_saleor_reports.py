"""Reporting to the simulated Saleor, beside what was observed (saleor-core-observed, 5 and 7)."""

import pytest

from saleor_kustom.sandbox.saleor import SimulatedSaleor
from saleor_kustom.sandbox.saleor_orders import Line
from tests.sandbox.an_app import ask, installed, manifest

REPORT = """mutation($id: ID!, $type: TransactionEventTypeEnum!, $amount: PositiveDecimal,
    $psp: String!, $message: String, $actions: [TransactionActionEnum!]) {
  transactionEventReport(id: $id, type: $type, amount: $amount, pspReference: $psp,
      message: $message, availableActions: $actions) {
    alreadyProcessed
    errors { field code }
    transaction { actions events { type pspReference amount { amount } message } }
  } }"""
CREATE = """mutation($id: ID!, $transaction: TransactionCreateInput!) {
  transactionCreate(id: $id, transaction: $transaction) {
    errors { field code } transaction { id pspReference createdBy { ... on App { id } } } } }"""


@pytest.fixture
async def saleor():
    found, _ = await installed()
    return found


@pytest.fixture
def order(saleor):
    return saleor.add_order([Line("Mug", "232.33")], psp_reference="K-1")


def amounts(order):
    [transaction] = order["transactions"]
    names = ("authorizedAmount", "chargedAmount", "refundedAmount", "canceledAmount")
    return tuple(transaction[name]["amount"] for name in names)


async def report(saleor, order, kind, amount=None, psp="cap-1", **more):
    given = {"id": order["transactions"][-1]["id"], "type": kind, "amount": amount, "psp": psp}
    return (await ask(saleor, REPORT, given | more))["transactionEventReport"]


def codes(answer):
    return [error["code"] for error in answer["errors"]]


async def test_charges_move_the_authorized_amount(saleor, order):
    assert amounts(order) == (281.33, 0, 0, 0)
    await report(saleor, order, "CHARGE_SUCCESS", "82.33")
    assert amounts(order) == (199.0, 82.33, 0, 0)
    assert (order["authorizeStatus"], order["chargeStatus"]) == ("FULL", "PARTIAL")
    await report(saleor, order, "CHARGE_SUCCESS", "199", "cap-2")
    assert amounts(order) == (0, 281.33, 0, 0)
    assert (order["authorizeStatus"], order["chargeStatus"]) == ("FULL", "FULL")


async def test_a_repeated_report_is_already_processed_and_tells_nobody(saleor, order):
    first = await report(saleor, order, "CHARGE_SUCCESS", "82.33")
    saleor.fired.clear()
    again = await report(saleor, order, "CHARGE_SUCCESS", "82.330")
    assert (first["alreadyProcessed"], again["alreadyProcessed"]) == (False, True)
    assert again["errors"] == saleor.fired == []
    assert amounts(order) == (199.0, 82.33, 0, 0)


async def test_another_amount_is_refused_and_leaves_a_visible_failure(saleor, order):
    await report(saleor, order, "CHARGE_SUCCESS", "82.33")
    answer = await report(saleor, order, "CHARGE_SUCCESS", "50")
    assert answer["errors"] == [{"field": "pspReference", "code": "INCORRECT_DETAILS"}]
    [failed] = [e for e in order["transactions"][0]["events"] if e["type"] == "CHARGE_FAILURE"]
    assert failed["amount"]["amount"] == 50.0
    assert amounts(order) == (199.0, 82.33, 0, 0)
    await report(saleor, order, "CHARGE_SUCCESS", "199", "cap-2")
    assert amounts(order) == (0, 281.33, 0, 0)


async def test_events_are_listed_newest_first_with_the_authorization_last(saleor, order):
    await report(saleor, order, "CHARGE_SUCCESS", "82.33")
    answer = await report(saleor, order, "CHARGE_SUCCESS", "199", "cap-2")
    listed = [(e["type"], e["pspReference"]) for e in answer["transaction"]["events"]]
    assert listed == [
        ("CHARGE_SUCCESS", "cap-2"),
        ("CHARGE_SUCCESS", "cap-1"),
        ("AUTHORIZATION_SUCCESS", ""),
    ]


@pytest.mark.parametrize(("given", "kept"), [("82.334", 82.33), ("0", 0.0), ("500", 500.0)])
async def test_an_amount_is_cut_to_the_currency_and_not_to_the_authorization(
    saleor, order, given, kept
):
    await report(saleor, order, "CHARGE_SUCCESS", given)
    assert amounts(order)[:2] == (max(0.0, round(281.33 - kept, 2)), kept)


async def test_more_than_the_total_is_overcharged(saleor, order):
    await report(saleor, order, "CHARGE_SUCCESS", "500")
    assert order["chargeStatus"] == "OVERCHARGED"


async def test_a_success_needs_an_amount(saleor, order):
    answer = await report(saleor, order, "CHARGE_SUCCESS")
    assert answer["errors"] == [{"field": "amount", "code": "REQUIRED"}]


async def test_a_failure_takes_the_amount_of_its_request(saleor, order):
    assert codes(await report(saleor, order, "CHARGE_FAILURE")) == ["REQUIRED"]
    await report(saleor, order, "CHARGE_REQUEST", "82.33")
    [transaction] = order["transactions"]
    assert transaction["chargePendingAmount"]["amount"] == 82.33
    assert amounts(order) == (199.0, 0, 0, 0)
    await report(saleor, order, "CHARGE_FAILURE")
    assert transaction["chargePendingAmount"]["amount"] == 0
    assert amounts(order) == (281.33, 0, 0, 0)


async def test_a_note_is_never_a_repetition(saleor, order):
    for _ in range(2):
        assert (await report(saleor, order, "INFO"))["alreadyProcessed"] is False


async def test_a_cancellation_lowers_the_authorization(saleor, order):
    await report(saleor, order, "CANCEL_SUCCESS", "81.33", "can-1")
    assert amounts(order) == (200.0, 0, 0, 81.33)


async def test_a_refund_lowers_what_is_charged(saleor, order):
    await report(saleor, order, "CHARGE_SUCCESS", "281.33")
    await report(saleor, order, "REFUND_SUCCESS", "33.33", "ref-1")
    assert amounts(order) == (0, 248.0, 33.33, 0)


async def test_a_second_authorization_is_refused_and_an_adjustment_is_not(saleor, order):
    again = await report(saleor, order, "AUTHORIZATION_SUCCESS", "300", "auth-2")
    assert codes(again) == ["ALREADY_EXISTS"]
    await report(saleor, order, "AUTHORIZATION_ADJUSTMENT", "300", "auth-3")
    assert amounts(order) == (300.0, 0, 0, 0)


async def test_an_adjustment_is_the_whole_authorization_before_any_charge(saleor, order):
    await report(saleor, order, "CHARGE_SUCCESS", "100")
    await report(saleor, order, "CANCEL_SUCCESS", "20", "can-1")
    await report(saleor, order, "AUTHORIZATION_ADJUSTMENT", "300", "auth-2")
    await report(saleor, order, "CHARGE_SUCCESS", "50", "cap-2")
    assert amounts(order) == (130.0, 150.0, 0, 20.0)


async def test_a_message_is_cut(saleor, order):
    await report(saleor, order, "CHARGE_SUCCESS", "1", message="å" * 600)
    assert order["transactions"][0]["events"][-1]["message"] == "å" * 512


async def test_actions_change_when_they_are_passed_also_on_a_repetition(saleor, order):
    await report(saleor, order, "CHARGE_SUCCESS", "1")
    assert order["transactions"][0]["actions"] == ["CHARGE", "REFUND", "CANCEL"]
    await report(saleor, order, "CHARGE_SUCCESS", "1", actions=["REFUND"])
    assert order["transactions"][0]["actions"] == ["REFUND"]
    await report(saleor, order, "CHARGE_SUCCESS", "1", actions=[])
    assert order["transactions"][0]["actions"] == []


# --- who may


@pytest.mark.parametrize("owner", ["other", "staff"])
async def test_only_its_owner_reports_on_a_transaction(saleor, owner):
    order = saleor.add_order([Line("Mug", "1.00")], psp_reference="K-1", owner=owner)
    given = {"id": order["transactions"][0]["id"], "type": "CHARGE_SUCCESS", "amount": "1"}
    answer = await ask(saleor, REPORT, given | {"psp": "c"}, whole=True)
    assert answer.status_code == 200
    [error] = answer.json()["errors"]
    assert error["extensions"]["exception"]["code"] == "PermissionDenied"
    assert error["path"] == ["transactionEventReport"]
    assert amounts(order)[1] == 0


async def test_nobodys_transaction_belongs_to_the_first_who_reports(saleor):
    order = saleor.add_order([Line("Mug", "1.00")], psp_reference="K-1", owner="nobody")
    await report(saleor, order, "CHARGE_SUCCESS", "1")
    assert order["transactions"][0]["createdBy"]["id"] == saleor.installed.app["id"]


async def test_ownership_follows_the_identifier_through_a_new_installation(saleor, order):
    before = saleor.installed.app["id"]
    await saleor.reinstall("http://listener.test/manifest")
    assert saleor.installed.app["id"] != before
    assert codes(await report(saleor, order, "CHARGE_SUCCESS", "1")) == []


async def test_reporting_needs_handle_payments():
    only_orders = manifest(permissions=["MANAGE_ORDERS"])
    saleor, _ = await installed(made=only_orders)
    order = saleor.add_order([Line("Mug", "1.00")], psp_reference="K-1")
    given = {"id": order["transactions"][0]["id"], "type": "INFO", "psp": "c"}
    answer = await ask(saleor, REPORT, given, whole=True)
    assert "HANDLE_PAYMENTS" in answer.json()["errors"][0]["message"]


# --- a transaction of our own


async def test_a_transaction_of_our_own_carries_charges_without_authorization(saleor):
    order = saleor.add_order([Line("Mug", "51.00")], psp_reference="K-1", owner="other")
    wanted = {"name": "Kustom", "availableActions": ["REFUND"]}
    made = await ask(saleor, CREATE, {"id": order["id"], "transaction": wanted})
    assert made["transactionCreate"]["errors"] == []
    ours = made["transactionCreate"]["transaction"]
    assert ours["createdBy"] == {"id": saleor.installed.app["id"]}
    await report(saleor, order, "CHARGE_SUCCESS", "100")
    assert order["chargeStatus"] == "FULL"
    # The first charge names a transaction that has no reference.
    assert order["transactions"][-1]["pspReference"] == "cap-1"


async def test_a_transaction_in_another_currency_is_refused(saleor, order):
    wanted = {"amountCharged": {"amount": "1", "currency": "EUR"}}
    made = await ask(saleor, CREATE, {"id": order["id"], "transaction": wanted})
    assert codes(made["transactionCreate"]) == ["INCORRECT_CURRENCY"]


async def test_a_charged_transaction_pays_at_once_and_keeps_what_it_is_given(saleor, order):
    wanted = {
        "amountCharged": {"amount": "281.33", "currency": "SEK"},
        "externalUrl": "https://portal.example/o/1",
        "metadata": [{"key": "a", "value": "1"}],
    }
    await ask(saleor, CREATE, {"id": order["id"], "transaction": wanted})
    made = order["transactions"][-1]
    assert order["chargeStatus"] == "FULL"
    assert made["metadata"] == [{"key": "a", "value": "1"}]
    assert ("order_fully_paid", order["id"]) in saleor.fired


async def test_a_link_that_is_none_is_refused(saleor, order):
    wanted = {"externalUrl": "portal.example"}
    made = await ask(saleor, CREATE, {"id": order["id"], "transaction": wanted})
    assert codes(made["transactionCreate"]) == ["INVALID"]


async def test_what_is_not_there_is_not_found(saleor):
    nothing = "T3JkZXI6MQ=="
    made = await ask(saleor, CREATE, {"id": nothing, "transaction": {}})
    assert codes(made["transactionCreate"]) == ["NOT_FOUND"]
    given = {"id": nothing, "type": "INFO", "psp": "c"}
    assert codes((await ask(saleor, REPORT, given))["transactionEventReport"]) == ["NOT_FOUND"]


async def test_metadata_of_a_transaction_needs_handle_payments(saleor, order):
    write = """mutation($id: ID!) { updateMetadata(id: $id, input: [{key: "a", value: "1"}]) {
      errors { code } } }"""
    item = {"id": order["transactions"][0]["id"]}
    assert (await ask(saleor, write, item))["updateMetadata"] == {"errors": []}
    assert order["transactions"][0]["metadata"] == [{"key": "a", "value": "1"}]
    saleor.denied.add("HANDLE_PAYMENTS")
    answer = await ask(saleor, write, item, whole=True)
    assert "HANDLE_PAYMENTS" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("kind", "left"), [("CHARGE_BACK", (0, 181.33, 0, 0)), ("REFUND_REVERSE", (0, 281.33, 0, 0))]
)
async def test_money_that_goes_back_by_itself_is_counted(saleor, order, kind, left):
    await report(saleor, order, "CHARGE_SUCCESS", "281.33")
    if kind == "REFUND_REVERSE":
        await report(saleor, order, "REFUND_SUCCESS", "100", "ref-1")
    await report(saleor, order, kind, "100", "ref-1")
    assert amounts(order) == left


# --- gift cards


def test_a_gift_card_lowers_the_total_until_3_22():
    order = _with_gift_card("3.22.67")
    assert order["total"]["gross"]["amount"] == 1048.0
    assert [t["pspReference"] for t in order["transactions"]] == ["K-1"]


def test_a_gift_card_is_a_transaction_of_nobody_we_can_name_from_3_23():
    order = _with_gift_card("3.23.28")
    card, kustom = order["transactions"]
    assert order["total"]["gross"]["amount"] == 1348.0
    assert (card["name"], card["createdBy"]) == ("", None)
    assert card["chargedAmount"]["amount"] == 300.0
    assert kustom["authorizedAmount"]["amount"] == 1048.0


def _with_gift_card(version):
    saleor = SimulatedSaleor(version=version)
    return saleor.add_order([Line("Jacket", "1299.00")], psp_reference="K-1", gift_card="300.00")
