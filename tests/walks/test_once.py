"""A fulfillment is captured exactly once, whatever the other side answers."""

import itertools

import pytest

from saleor_kustom.sandbox.kustom import FAULTS
from tests.walks.conftest import MUGS

AMOUNT = 300_00 + 49_00


@pytest.mark.parametrize("fault", sorted(FAULTS - {"hang", "401", "refused"}))
@pytest.mark.parametrize("on", ["capture", "order"])
async def test_any_fault_ends_in_one_capture(world, later, rows, fault, on):
    order, there = world.order([MUGS])
    world.kustom.fail_next(fault, times=2, on=on)
    world.saleor.fulfill(order["id"])
    await world.settle()
    await later()
    assert [c.amount for c in there.captures] == [AMOUNT]
    [row] = await rows(order)
    assert (str(row.state), row.capture_id) == ("reported", there.captures[0].capture_id)


async def test_the_look_suffices_when_kustom_forgot_the_key(world, later, rows):
    order, there = world.order([MUGS])
    world.kustom.fail_next("lost answer", on="capture")
    world.saleor.fulfill(order["id"])
    await world.settle()
    world.kustom.forget_keys()
    await later()
    assert len(there.captures) == 1
    [row] = await rows(order)
    assert row.capture_id == there.captures[0].capture_id


async def test_the_key_suffices_when_the_look_shows_nothing(world, later, rows):
    order, there = world.order([MUGS])
    world.kustom.fail_next("lost answer", on="capture")
    world.saleor.fulfill(order["id"])
    await world.settle()
    reference, there.captures[0].reference = there.captures[0].reference, "hidden"
    await later(seconds=600)
    there.captures[0].reference = reference
    await later()
    assert len(there.captures) == 1
    [row] = await rows(order)
    assert row.capture_id == there.captures[0].capture_id


async def test_after_a_day_only_a_look_decides_and_the_same_money_goes_out_once(
    world, clock, later, rows
):
    order, there = world.order([MUGS])
    world.kustom.fail_next("lost request", on="capture")
    world.kustom.fail_next("503", times=10_000, on="order")
    world.saleor.fulfill(order["id"])
    await world.settle()
    clock.pass_s(25 * 3600)
    world.kustom.heal()
    await later()
    assert [c.amount for c in there.captures] == [AMOUNT]


@pytest.mark.parametrize("order_of_events", list(itertools.permutations(range(3))))
async def test_deliveries_five_times_in_any_order_make_one_capture(world, rows, order_of_events):
    order, there = world.order([MUGS])
    fulfillment = world.saleor.fulfill(order["id"], tracking="UA123456789SE")
    world.saleor.update_metadata(fulfillment["id"], {"shipping_company": "PostNord SE"})
    events = list(world.saleor.queue)
    assert len(events) == 3
    world.saleor.queue.clear()
    for index in order_of_events:
        delivery = await world.saleor.signed(events[index].event, events[index].value)
        world.saleor.queue.extend([delivery] * 5)
    await world.settle()
    assert [c.amount for c in there.captures] == [AMOUNT]
    assert there.captures[0].shipping_info == [
        {
            "shipping_company": "PostNord SE",
            "tracking_number": "UA123456789SE",
            "tracking_uri": "https://tracking.postnord.com/se/?id=UA123456789SE",
        }
    ]
    assert len(await rows(order)) == 1


async def test_a_lost_ledger_adopts_what_kustom_has(world, tmp_path, rows):
    order, there = world.order([MUGS])
    fulfillment = world.saleor.fulfill(order["id"])
    await world.settle()
    # The database is restored from before the capture: nothing of it is known.
    db = world.app.store._db
    await db(
        ("delete from history", {}),
        ("delete from capture", {}),
        ("delete from binding", {}),
        ("delete from delivery", {}),
    )
    world.saleor.happened("fulfillment_created", order, fulfillment)
    await world.settle()
    assert len(there.captures) == 1
    [row] = await rows(order)
    assert (str(row.state), row.capture_id) == ("reported", there.captures[0].capture_id)


async def test_saleor_away_during_the_report_costs_no_second_capture(world, later, rows):
    order, there = world.order([MUGS])
    world.saleor.fulfill(order["id"])
    await world.saleor.deliver()
    world.saleor.fail_graphql.extend(["", "500", "lost answer", "html"])  # the first read succeeds
    await world.app.worker.drain()
    await later()
    assert len(there.captures) == 1
    [transaction] = order["transactions"]
    assert len(transaction["events"]) == 1
    [row] = await rows(order)
    assert str(row.state) == "reported"


async def test_a_capture_costs_four_requests(world):
    order, _ = world.order([MUGS])
    world.saleor.fulfill(order["id"])
    await world.saleor.deliver()
    world.saleor.requests.clear()
    await world.app.worker.drain()
    assert [method for method, _ in world.kustom.requests] == ["GET", "POST"]
    assert len(world.saleor.requests) == 2
