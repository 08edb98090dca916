"""What no delivery told is learned by comparing: cancellations, approvals, tracking, metadata."""

import json

import httpx
import pytest

from saleor_kustom.sandbox.routed import Routed
from saleor_kustom.sandbox.world import APP_URL
from saleor_kustom.worker import reconcile
from saleor_kustom.worker.reconcile import NIGHTLY_S, OFTEN_S, Found
from tests.walks.conftest import MUGS
from tests.walks.test_reconcile import run


async def night(world, clock):
    clock.pass_s(NIGHTLY_S + 1)
    await world.app.reconciler.tick(clock())
    await world.app.worker.drain()


async def shipped(world, **more):
    order, there = world.order([MUGS])
    fulfillment = world.saleor.fulfill(order["id"], **more)
    await world.settle()
    return order, there, fulfillment


async def test_a_cancellation_that_nobody_delivered_is_learned(world, rows, clock):
    order, _, fulfillment = await shipped(world)
    world.saleor.cancel_fulfillment(fulfillment["id"])
    world.saleor.queue.clear()
    found = await run(world, dry_run=True)
    assert [one.fulfillment_id for one in found.changed] == [fulfillment["id"]]
    await night(world, clock)
    [row] = await rows(order)
    assert (row.canceled, row.held) == (True, "canceled_after_capture")


async def test_a_cancelled_parcel_that_took_units_over_gives_them_back(world, rows, clock):
    order, there, first = await shipped(world)
    world.saleor.cancel_fulfillment(first["id"])
    await world.settle()
    second = world.saleor.fulfill(order["id"])
    await world.settle()
    assert [(str(r.state), r.held) for r in await rows(order)] == [
        ("reported", None),
        ("nothing", None),
    ]
    world.saleor.cancel_fulfillment(second["id"])
    world.saleor.queue.clear()
    await night(world, clock)
    assert [(str(r.state), r.held) for r in await rows(order)] == [
        ("reported", "canceled_after_capture"),
        ("withdrawn", None),
    ]
    assert [c.amount for c in there.captures] == [349_00]


async def test_an_approval_that_nobody_delivered_is_learned(world, clock):
    order, there = world.order([MUGS])
    fulfillment = world.saleor.fulfill(order["id"], auto_approve=False)
    await world.settle()
    world.saleor.approve(fulfillment["id"])
    world.saleor.queue.clear()
    await night(world, clock)
    assert [c.amount for c in there.captures] == [349_00]


async def test_tracking_that_nobody_delivered_reaches_kustom(world, clock):
    _, there, fulfillment = await shipped(world)
    world.saleor.update_tracking(fulfillment["id"], "370000000001")
    world.saleor.queue.clear()
    await night(world, clock)
    [capture] = there.captures
    assert [entry["tracking_number"] for entry in capture.shipping_info] == ["370000000001"]
    await night(world, clock)
    assert len(capture.shipping_info) == 1


async def often(world, clock):
    clock.pass_s(OFTEN_S + 1)
    await world.app.reconciler.tick(clock())
    await world.app.worker.drain()


async def deaf(world):
    """Let every try of what Saleor delivers fail."""
    world.saleor.reach(httpx.MockTransport(lambda _: httpx.Response(503)))
    await world.saleor.deliver(pause_s=0.0)
    world.saleor.reach(Routed({APP_URL: world.app.web}))


@pytest.mark.parametrize(
    "tell",
    [
        lambda saleor, parcel: saleor.update_tracking(parcel["id"], "370000000001"),
        lambda saleor, parcel: saleor.update_metadata(
            parcel["id"], {"tracking_number": "370000000001"}
        ),
    ],
    ids=["number", "metadata"],
)
async def test_tracking_whose_delivery_failed_is_taken_within_minutes_and_once(world, clock, tell):
    await night(world, clock)
    _, there, fulfillment = await shipped(world)
    await often(world, clock)  # the capture is compared, and not again for days
    tell(world.saleor, fulfillment)
    await deaf(world)
    assert world.saleor.failed
    [capture] = there.captures
    assert capture.shipping_info == []
    await often(world, clock)
    assert [entry["tracking_number"] for entry in capture.shipping_info] == ["370000000001"]
    asked = len(world.kustom.requests)
    world.saleor.queue.clear()
    clock.pass_s(OFTEN_S + 1)
    shop = await world.app.store.shops.get(world.saleor.api_url)
    await world.app.reconciler._failed(shop, Found())
    assert await world.app.worker.drain() == 0  # it stays listed, and is no news
    assert len(world.kustom.requests) == asked


@pytest.mark.parametrize(
    "differs",
    [
        {"__typename": "FulfillmentCreated"},
        {"recipient": {"id": "QXBwOjk5"}},
        {"issuingPrincipal": {"__typename": "App", "id": "QXBwOjE="}},
    ],
)
async def test_a_failed_delivery_that_is_not_for_us_or_our_own_is_left(world, clock, differs):
    _, _, fulfillment = await shipped(world)
    world.saleor.update_tracking(fulfillment["id"], "370000000001")
    await deaf(world)
    [failed] = world.saleor.failed
    failed.body = json.dumps(json.loads(failed.body) | differs).encode()
    shop = await world.app.store.shops.get(world.saleor.api_url)
    assert shop.app_id == "QXBwOjE="
    await world.app.reconciler._failed(shop, Found())
    assert await world.app.worker.drain() == 0


async def test_metadata_that_saleor_lost_is_written_again(world, clock):
    order, there, _ = await shipped(world)
    capture_id = there.captures[0].capture_id
    order["privateMetadata"][:] = []
    await night(world, clock)
    assert capture_id in [entry["value"] for entry in order["privateMetadata"]]
    assert len(there.captures) == 1
    events = [e["type"] for t in order["transactions"] for e in t["events"]]
    assert events.count("CHARGE_SUCCESS") == 1


async def test_a_restored_ledger_adopts_what_it_had_captured(world, rows):
    order, there = world.order([MUGS])
    [line] = [entry["id"] for entry in order["lines"]]
    world.saleor.fulfill(order["id"], {line: 1})
    world.saleor.fulfill(order["id"], {line: 1})  # one is left: the order stays unsettled
    await world.settle()
    before = {r.fulfillment_id: (r.capture_id, r.amount_minor) for r in await rows(order)}
    for statement in ("delete from history", "delete from capture", "delete from delivery"):
        await world.app.store._db((statement, {}))
    world.saleor.queue.clear()
    await run(world)
    await world.settle()
    after = {r.fulfillment_id: (r.capture_id, r.amount_minor) for r in await rows(order)}
    assert after == before
    assert len(there.captures) == 2


async def test_an_order_that_is_linked_by_metadata_alone_is_found(world):
    order, there = world.order([MUGS])
    order["transactions"].clear()
    order["authorizeStatus"] = "NONE"
    world.saleor.update_metadata(order["id"], {"kustom_order_id": there.order_id})
    world.saleor.fulfill(order["id"])
    world.saleor.queue.clear()
    await run(world)
    await world.settle()
    assert [c.amount for c in there.captures] == [349_00]


async def test_a_long_night_goes_on_where_it_stopped(world, rows, clock, monkeypatch):
    monkeypatch.setattr(reconcile, "_MOST_PAGES", 1)
    orders = [world.order([MUGS]) for _ in range(70)]  # more than a page
    for order, _ in orders:
        world.saleor.fulfill(order["id"])
    world.saleor.queue.clear()
    await night(world, clock)
    first = [len(await rows(order)) for order, _ in orders]
    assert 0 < sum(first) < len(orders)
    for _ in range(len(orders) // sum(first)):
        clock.pass_s(reconcile.TICK_S + 1)
        await world.app.reconciler.tick(clock())
    assert [len(await rows(order)) for order, _ in orders] == [1] * len(orders)


async def test_what_saleor_refused_for_want_of_a_permission_is_told_when_it_is_back(
    world, rows, clock
):
    world.saleor.denied.add("HANDLE_PAYMENTS")
    order, there, _ = await shipped(world)
    [row] = await rows(order)
    assert (str(row.state), row.report_problem) == ("reported", "foreign_transaction")
    [transaction] = order["transactions"]
    await run(world)  # still missing
    await world.app.worker.drain()
    assert transaction["events"] == []
    world.saleor.denied.clear()
    await night(world, clock)
    [event] = transaction["events"]
    assert (event["type"], event["pspReference"]) == (
        "CHARGE_SUCCESS",
        there.captures[0].capture_id,
    )
    [row] = await rows(order)
    assert row.report_problem is None
    asked = len(world.kustom.requests)
    await world.app.worker.drain()
    assert len(world.kustom.requests) == asked
    history = await world.app.store.history.of_capture(world.saleor.api_url, row.id)
    assert [line["what"] for line in history].count("reported_late") == 1
