"""Requests of Saleor's buttons at the edge: believed as any delivery, stored, and answered."""

import pytest

from saleor_kustom.intake.transaction_request import KINDS
from saleor_kustom.sandbox.signing import Signer
from tests.web.edge import open_edge

EVENTS = sorted(KINDS)


@pytest.fixture
async def edge(database_url):
    async with open_edge(database_url) as edge:
        await edge.world.install()
        yield edge


async def operations(edge):
    return await edge.store._db.read("select * from capture order by id")


@pytest.mark.parametrize("event", EVENTS)
async def test_a_request_is_stored_with_its_operation_and_answered(edge, event):
    posted = await edge.delivery(event)
    answer = await edge.deliver(posted)
    assert answer.status_code == 200
    [row] = await operations(edge)
    assert (row["kind"], row["answer"]) == (KINDS[event].value, "later")
    [delivery] = await edge.store._db.read("select * from delivery")
    assert row["fulfillment_id"] == delivery["id"]
    assert answer.json() == {"pspReference": await operation_id(edge)}
    again = await edge.post(delivery["event"], posted.headers, bytes(delivery["body"]))
    assert again.json() == answer.json()
    assert len(await operations(edge)) == 1


async def operation_id(edge):
    rows = await operations(edge)
    found = await edge.store.captures.get(edge.api_url, rows[0]["id"])
    return found.operation_id


async def test_a_forged_request_is_refused_for_good_and_leaves_nothing(edge):
    delivery = await edge.delivery("transaction_charge_requested")
    headers = dict(delivery.headers) | {"Saleor-Signature": Signer.new().sign(delivery.body)}
    answer = await edge.post(delivery.event, list(headers.items()), delivery.body)
    assert answer.status_code in (401, 503)
    assert (await edge.stored(), await edge.stored("capture")) == (0, 0)


async def test_a_request_of_another_app_is_refused(edge):
    delivery = await edge.delivery(
        "transaction_charge_requested", recipient={"id": "QXBwOjk5", "permissions": []}
    )
    assert (await edge.deliver(delivery)).status_code == 403
    assert await edge.stored("capture") == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"transaction": None},
        {"action": {"actionType": "CHARGE", "amount": 1, "currency": None}},
    ],
)
async def test_what_is_not_understood_is_kept_and_said_to_have_failed(edge, changed):
    posted = await edge.delivery("transaction_charge_requested", **changed)
    answer = await edge.deliver(posted)
    assert answer.status_code == 200
    given = answer.json()
    assert given == {
        "result": "CHARGE_FAILURE",
        "pspReference": given["pspReference"],
        "message": "The app does not understand this request; it was not carried out.",
    }
    assert (await edge.stored(), await edge.stored("capture")) == (1, 0)


async def test_each_failure_of_one_transaction_has_a_reference_of_its_own(edge):
    """Saleor takes a second failure without a reference for the first, over another amount."""
    posted = await edge.delivery("transaction_charge_requested", transaction=None)
    reference = (await edge.deliver(posted)).json()["pspReference"]
    assert (await edge.deliver(posted)).json()["pspReference"] == reference
    later = {"transaction": None, "issuedAt": "2026-11-23T12:00:01+00:00"}
    other = await edge.delivery("transaction_charge_requested", **later)
    assert (await edge.deliver(other)).json()["pspReference"] != reference


async def test_a_new_request_wakes_the_worker(edge):
    woken = edge.world.app.worker._woken
    woken.clear()
    await edge.deliver(await edge.delivery("transaction_refund_requested"))
    assert woken.is_set()
