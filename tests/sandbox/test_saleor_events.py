"""What the simulated Saleor fires, beside what a running one was seen to fire (observed, 3)."""

import copy
import json

import pytest

from saleor_kustom.sandbox.recordings import load_recordings
from saleor_kustom.sandbox.saleor import SimulatedSaleor
from saleor_kustom.sandbox.saleor_orders import Line, open_units, order_status
from saleor_kustom.sandbox.saleor_transactions import recalculate, settle
from tests.conftest import RECORDINGS
from tests.sandbox.an_app import ask, installed

RECORDED = load_recordings(RECORDINGS)
ORDERS = [
    (recording.name, json.loads(recording.body)["order"]) for recording in RECORDED.deliveries
]
#: A granted refund lowers what counts as fully paid; that is not simulated.
WITH_GRANTED_REFUND = next(o["number"] for name, o in ORDERS if name.startswith("k5"))
LINES = [Line("Jacket", "1299.00"), Line("Mug", "33.33", 3)]
TRACKING, CREATED = "fulfillment_tracking_number_updated", "fulfillment_created"
APPROVED, CANCELED = "fulfillment_approved", "fulfillment_canceled"
UPDATED, FULFILLED = "order_updated", "order_fulfilled"


@pytest.fixture
def saleor():
    return SimulatedSaleor()


@pytest.fixture
def order(saleor):
    return saleor.add_order(LINES, psp_reference="K-1", owner="nobody")


def fired(saleor):
    """Return the events since the last look."""
    events = [event for event, _ in saleor.fired]
    saleor.fired.clear()
    return events


def part(order, units=1):
    return {order["lines"][1]["id"]: units}


# --- in this order


def test_a_part_is_shipped(saleor, order):
    saleor.fulfill(order["id"], part(order))
    assert fired(saleor) == [CREATED, UPDATED]


def test_tracking_overtakes_the_shipment_that_it_came_with(saleor, order):
    saleor.fulfill(order["id"], part(order), tracking="SE1")
    assert fired(saleor) == [TRACKING, CREATED, UPDATED]


def test_the_last_part_is_created_and_approved(saleor, order):
    saleor.fulfill(order["id"])
    assert fired(saleor) == [CREATED, APPROVED, UPDATED, FULFILLED]


def test_what_waits_for_approval_is_not_created(saleor, order):
    saleor.fulfill(order["id"], tracking="SE1", auto_approve=False)
    assert fired(saleor) == [TRACKING, UPDATED]
    assert order["status"] == "UNFULFILLED"


def test_approval_creates_and_approves(saleor, order):
    waiting = saleor.fulfill(order["id"], part(order), auto_approve=False)
    fired(saleor)
    saleor.approve(waiting["id"])
    assert fired(saleor) == [CREATED, APPROVED, UPDATED]
    assert waiting["status"] == "FULFILLED"


def test_a_shop_without_automatic_approval_waits(saleor, order):
    saleor.auto_approve = False
    assert saleor.fulfill(order["id"])["status"] == "WAITING_FOR_APPROVAL"


def test_two_warehouses_ship_in_one_call(saleor, order):
    jacket, mug = (line["id"] for line in order["lines"])
    saleor.fulfill_from(order["id"], [{jacket: 1}, {mug: 3}], tracking="SE1")
    assert fired(saleor) == [
        TRACKING, TRACKING, CREATED, CREATED, APPROVED, APPROVED, UPDATED, FULFILLED,
    ]  # fmt: skip
    assert [f["fulfillmentOrder"] for f in order["fulfillments"]] == [1, 2]


@pytest.mark.parametrize("tracking", ["SE2", "SE1", ""])
def test_tracking_is_told_even_when_it_is_the_same(saleor, order, tracking):
    fulfillment = saleor.fulfill(order["id"], part(order), tracking="SE1")
    fired(saleor)
    saleor.update_tracking(fulfillment["id"], tracking)
    assert fired(saleor) == [TRACKING, UPDATED]


@pytest.mark.parametrize("auto_approve", [True, False])
def test_a_cancelled_fulfillment_stays_listed(saleor, order, auto_approve):
    fulfillment = saleor.fulfill(order["id"], auto_approve=auto_approve)
    fired(saleor)
    saleor.cancel_fulfillment(fulfillment["id"])
    assert fired(saleor) == [CANCELED, UPDATED]
    assert [f["status"] for f in order["fulfillments"]] == ["CANCELED"]
    assert order["status"] == "UNFULFILLED"
    again = saleor.fulfill(order["id"])
    assert again["id"] != fulfillment["id"]
    assert again["fulfillmentOrder"] == 2


def test_a_return_moves_units_and_tells_of_no_fulfillment(saleor, order):
    fulfillment = saleor.fulfill(order["id"])
    fired(saleor)
    saleor.return_lines(fulfillment["id"], part(order))
    assert fired(saleor) == [UPDATED]
    assert fulfillment in order["fulfillments"]
    assert order["status"] == "PARTIALLY_RETURNED"
    assert open_units(order) == {}


def test_an_emptied_fulfillment_is_deleted(saleor, order):
    fulfillment = saleor.fulfill(order["id"], part(order))
    returned = saleor.return_lines(fulfillment["id"], part(order))
    assert [f["id"] for f in order["fulfillments"]] == [returned["id"]]
    assert returned["fulfillmentOrder"] == 2


def test_more_units_than_were_shipped_do_not_come_back(saleor, order):
    fulfillment = saleor.fulfill(order["id"], part(order))
    with pytest.raises(ValueError, match="more units"):
        saleor.return_lines(fulfillment["id"], part(order, 2))
    assert [f["status"] for f in order["fulfillments"]] == ["FULFILLED"]


def test_a_replaced_unit_does_not_count_as_returned(saleor, order):
    fulfillment = saleor.fulfill(order["id"])
    saleor.return_lines(fulfillment["id"], part(order), replace=True)
    assert order["status"] == "FULFILLED"


def test_what_does_not_wait_is_not_approved(saleor, order):
    fulfillment = saleor.fulfill(order["id"])
    with pytest.raises(ValueError, match="waiting"):
        saleor.approve(fulfillment["id"])


@pytest.mark.parametrize("act", ["approve", "cancel_fulfillment"])
def test_a_fulfillment_that_is_not_there_is_a_mistake(saleor, act):
    with pytest.raises(KeyError):
        getattr(saleor, act)("RnVsZmlsbG1lbnQ6OTk=")


def test_metadata_of_nothing_is_a_mistake(saleor):
    with pytest.raises(KeyError):
        saleor.update_metadata("RnVsZmlsbG1lbnQ6OTk=", {"a": "1"})


def test_an_order_with_a_live_fulfillment_is_not_cancelled(saleor, order):
    fulfillment = saleor.fulfill(order["id"], part(order))
    with pytest.raises(ValueError, match="CANNOT_CANCEL_ORDER"):
        saleor.cancel_order(order["id"])
    saleor.cancel_fulfillment(fulfillment["id"])
    fired(saleor)
    saleor.cancel_order(order["id"])
    assert fired(saleor) == ["order_cancelled", UPDATED]
    assert order["totalAuthorized"] == order["total"]["gross"]


def test_more_units_than_are_left_are_not_shipped(saleor, order):
    with pytest.raises(ValueError, match="more units"):
        saleor.fulfill(order["id"], part(order, 4))


def test_a_shop_may_insist_on_payment_before_shipment(saleor, order):
    saleor.allow_unpaid = False
    with pytest.raises(ValueError, match="CANNOT_FULFILL_UNPAID_ORDER"):
        saleor.fulfill(order["id"])


def test_only_a_changed_status_moves_the_orders_time(saleor, order):
    saleor.fulfill(order["id"], part(order))
    at = order["updatedAt"]
    fulfillment = saleor.fulfill(order["id"], part(order))
    saleor.update_tracking(fulfillment["id"], "SE1")
    assert order["updatedAt"] == at


# --- metadata


async def test_an_apps_own_write_comes_back_to_it_once_a_change():
    saleor, app = await installed()
    order = saleor.add_order(LINES)
    fulfillment = saleor.fulfill(order["id"])
    await saleor.deliver()
    app.deliveries.clear()
    for value in ("1", "1", "2"):
        query = """mutation($id: ID!, $input: [MetadataInput!]!) {
          updatePrivateMetadata(id: $id, input: $input) { errors { code } } }"""
        given = {"id": fulfillment["id"], "input": [{"key": "kustom.a", "value": value}]}
        await ask(saleor, query, given)
    await saleor.deliver()
    assert app.events == ["FulfillmentMetadataUpdated"] * 2
    ours = {"__typename": "App", "id": saleor.installed.app["id"]}
    assert [body["issuingPrincipal"] for body in app.bodies] == [ours] * 2


def test_metadata_is_merged_and_of_an_order_told_as_the_orders(saleor, order):
    saleor.update_metadata(order["id"], {"a": "1"})
    saleor.update_metadata(order["id"], {"b": "2"})
    assert order["metadata"] == [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]
    assert fired(saleor) == ["order_metadata_updated"] * 2


# --- what a delivery shows


@pytest.mark.parametrize(
    ("version", "event", "shown"),
    [
        ("3.22.67", "FulfillmentTrackingNumberUpdated", "SE1"),  # as it was when it happened
        ("3.23.28", "FulfillmentTrackingNumberUpdated", "SE2"),  # as it is when a worker looks
        ("3.23.28", "FulfillmentCreated", "SE1"),  # this one is never put off
    ],
)
async def test_a_newer_saleor_fills_in_some_deliveries_late(version, event, shown):
    saleor, app = await installed(version)
    order = saleor.add_order(LINES)
    fulfillment = saleor.fulfill(order["id"], tracking="SE1")
    fulfillment["trackingNumber"] = "SE2"
    await saleor.deliver()
    [body] = [body for body in app.bodies if body["__typename"] == event]
    assert body["fulfillment"]["trackingNumber"] == shown


@pytest.mark.parametrize(("version", "told"), [("3.22.67", True), ("3.23.28", False)])
async def test_what_is_gone_before_it_is_filled_in_is_never_delivered(version, told):
    saleor, app = await installed(version)
    order = saleor.add_order(LINES)
    fulfillment = saleor.fulfill(order["id"], part(order), tracking="SE1")
    saleor.return_lines(fulfillment["id"], part(order))
    await saleor.deliver()
    assert ("FulfillmentTrackingNumberUpdated" in app.events) is told
    assert "FulfillmentCreated" in app.events


async def test_an_app_without_the_permission_hears_of_nothing():
    saleor, app = await installed()
    saleor.denied.add("MANAGE_ORDERS")
    saleor.fulfill(saleor.add_order(LINES)["id"])
    assert await saleor.deliver() == 0
    assert app.deliveries == []


# --- beside the recordings: what a running Saleor made of its own orders


@pytest.mark.parametrize(("name", "order"), ORDERS, ids=[name for name, _ in ORDERS])
def test_a_recorded_orders_status_follows_from_its_fulfillments(name, order):
    if order["status"] != "CANCELED":
        assert order_status(order) == order["status"]


@pytest.mark.parametrize("order_id", RECORDED.orders)
def test_a_recorded_orders_amounts_follow_from_its_events(order_id):
    order = load_recordings(RECORDINGS).orders[order_id]
    before = copy.deepcopy(order)
    for transaction in order["transactions"]:
        recalculate(transaction)
    settle(order)
    if order["number"] == WITH_GRANTED_REFUND:
        for status in ("chargeStatus", "authorizeStatus"):
            assert (order.pop(status), before.pop(status)) == ("PARTIAL", "FULL")
    assert order == before
