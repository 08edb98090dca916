"""A parcel that ships what a cancelled one had paid sends its tracking to that capture."""

import json

import pytest

from saleor_kustom.sandbox.kustom import FAULTS
from saleor_kustom.sandbox.saleor_orders import Line
from tests.walks.buttons import press
from tests.walks.conftest import MUGS


def numbers(capture):
    return [entry.get("tracking_number") for entry in capture.shipping_info]


def posts(world):
    return [path for method, path in world.kustom.requests if method == "POST"]


@pytest.fixture
async def shipped_again(world):
    """An order whose parcel was captured and cancelled, and ships again in a new one."""

    async def ship(tracking="", first="", **more):
        order, there = world.order([MUGS])
        gone = world.saleor.fulfill(order["id"], tracking=first)
        await world.settle()
        world.saleor.cancel_fulfillment(gone["id"])
        await world.settle()
        world.kustom.requests.clear()
        again = world.saleor.fulfill(order["id"], tracking=tracking, **more)
        return order, there, again

    return ship


async def test_its_tracking_goes_to_the_capture_that_it_took_over(world, rows, shipped_again):
    order, there, again = await shipped_again("SE2", first="SE1")
    await world.settle()
    [capture] = there.captures
    assert numbers(capture) == ["SE1", "SE2"]
    assert len(posts(world)) == 1
    gone, row = await rows(order)
    assert (str(row.state), row.waiting, row.held) == ("nothing", "taken_over", None)
    assert (gone.held, gone.tracking_elsewhere) == (None, {})
    assert row.tracking == ({"tracking_number": "SE2"},)
    shown = {pair["key"]: pair["value"] for pair in again["metadata"]}
    assert shown == {"kustom.tracking": '[{"tracking_number": "SE2"}]'}


async def test_also_when_it_comes_late_or_changes(world, shipped_again):
    _, there, again = await shipped_again()
    await world.settle()
    assert posts(world) == []
    for tracking in ("SE2", "SE2", "SE2, SE3", ""):
        world.saleor.update_tracking(again["id"], tracking)
        await world.settle()
    assert numbers(there.captures[0]) == ["SE2", "SE3"]
    assert len(posts(world)) == 2


async def test_a_number_that_the_cancelled_parcel_had_is_not_sent_again(world, shipped_again):
    _, there, _ = await shipped_again("se 1, SE2", first="SE1")
    await world.settle()
    assert numbers(there.captures[0]) == ["SE1", "SE2"]


async def test_a_parcel_with_new_units_tells_both_captures(world):
    order, there = world.order([Line("Mug", "100.00", 3)])
    [line] = (line["id"] for line in order["lines"])
    gone = world.saleor.fulfill(order["id"], {line: 1})
    await world.settle()
    world.saleor.cancel_fulfillment(gone["id"])
    await world.settle()
    world.saleor.fulfill(order["id"], {line: 2}, tracking="SE2")
    await world.settle()
    assert [(c.amount, numbers(c)) for c in there.captures] == [
        (149_00, ["SE2"]),
        (100_00, ["SE2"]),
    ]


async def test_a_parcel_that_took_over_two_tells_both(world, rows):
    order, there = world.order([Line("Mug", "100.00", 2)])
    [line] = (line["id"] for line in order["lines"])
    gone = [world.saleor.fulfill(order["id"], {line: 1}) for _ in range(2)]
    await world.settle()
    for fulfillment in gone:
        world.saleor.cancel_fulfillment(fulfillment["id"])
    await world.settle()
    world.saleor.fulfill(order["id"], tracking="SE2")
    await world.settle()
    assert [numbers(capture) for capture in there.captures] == [["SE2"], ["SE2"]]
    row = (await rows(order))[-1]
    assert set(row.tracking_elsewhere) == {c.capture_id for c in there.captures}


async def test_two_parcels_with_one_number_tell_it_once(world):
    order, there = world.order([Line("Mug", "100.00", 2)])
    [line] = (line["id"] for line in order["lines"])
    gone = world.saleor.fulfill(order["id"])
    await world.settle()
    world.saleor.cancel_fulfillment(gone["id"])
    await world.settle()
    world.saleor.fulfill_from(order["id"], [{line: 1}, {line: 1}], tracking="SE2")
    await world.settle()
    assert [numbers(capture) for capture in there.captures] == [["SE2"]]


async def test_tracking_of_what_ships_after_a_charge_goes_to_the_charge(world, later, rows):
    order, there = world.order([Line("Mug", "100.00", 2)])
    [line] = (line["id"] for line in order["lines"])
    press(world, order, "CHARGE")
    await later(seconds=120)
    world.saleor.fulfill(order["id"], {line: 1}, tracking="SE1")
    second = world.saleor.fulfill(order["id"], {line: 1})
    await world.settle()
    world.saleor.update_tracking(second["id"], "SE1, SE2")
    await world.settle()
    assert [(c.amount, numbers(c)) for c in there.captures] == [(249_00, ["SE1", "SE2"])]
    charge, *parcels = await rows(order)
    assert charge.kind == "charge"
    assert [(str(row.state), row.waiting) for row in parcels] == [("nothing", "taken_over")] * 2
    assert [len(row.tracking) for row in parcels] == [1, 1]


async def test_what_is_cancelled_again_sends_no_more(world, rows, shipped_again):
    order, there, again = await shipped_again("SE2")
    await world.settle()
    world.saleor.cancel_fulfillment(again["id"])
    world.saleor.update_tracking(again["id"], "SE3")
    await world.settle()
    assert numbers(there.captures[0]) == ["SE2"]
    gone, row = await rows(order)
    assert (gone.held, str(row.state)) == ("canceled_after_capture", "withdrawn")


@pytest.mark.parametrize("fault", sorted(FAULTS - {"hang", "401", "refused"}))
async def test_any_fault_ends_in_one_number(world, later, rows, shipped_again, fault):
    order, there, _ = await shipped_again("SE2")
    world.kustom.fail_next(fault, times=2, on="tracking")
    await world.settle()
    await later(seconds=3600.0)
    assert numbers(there.captures[0]) == ["SE2"]
    row = (await rows(order))[-1]
    assert (str(row.state), row.waiting, row.tracking_pending) == ("nothing", "taken_over", None)


async def test_the_look_suffices_when_kustom_forgot_the_key(world, later, shipped_again):
    _, there, _ = await shipped_again("SE2")
    world.kustom.fail_next("lost answer", on="tracking")
    await world.settle()
    world.kustom.forget_keys()
    await later()
    assert numbers(there.captures[0]) == ["SE2"]


async def test_the_key_suffices_when_the_look_shows_nothing(world, later, shipped_again):
    _, there, _ = await shipped_again("SE2")
    world.kustom.fail_next("lost answer", on="tracking")
    await world.settle()
    capture = there.captures[0]
    hidden, capture.shipping_info = capture.shipping_info, []
    await later()
    assert (len(hidden), capture.shipping_info) == (1, [])


async def test_refused_tracking_holds_no_money(world, rows, shipped_again):
    order, there, again = await shipped_again("SE2")
    world.kustom.switches.refuses_tracking = True
    await world.settle()
    gone, row = await rows(order)
    assert (row.held, gone.held, row.waiting) == (None, None, "taken_over")
    assert row.tracking_problem
    asked = len(posts(world))
    world.saleor.update_metadata(again["id"], {"unrelated": "x"})
    await world.settle()
    assert len(posts(world)) == asked  # the same is not asked again
    world.kustom.switches.refuses_tracking = False
    world.saleor.update_tracking(again["id"], "SE3")
    await world.settle()
    assert numbers(there.captures[0]) == ["SE3"]
    assert (await rows(order))[-1].tracking_problem is None


async def test_a_refused_look_holds_no_money_either(world, later, rows, shipped_again):
    order, there, again = await shipped_again()
    await world.settle()
    there.merchant_id = "PM2"  # 404: another merchant's
    world.saleor.update_tracking(again["id"], "SE2")
    await world.settle()
    row = (await rows(order))[-1]
    assert (row.held, row.waiting) == (None, "taken_over")
    assert row.tracking_problem
    there.merchant_id = "PM1"
    world.saleor.update_tracking(again["id"], "SE2")
    await world.settle()
    row = (await rows(order))[-1]
    assert (numbers(there.captures[0]), row.tracking_problem) == (["SE2"], None)


async def test_without_credentials_it_waits_for_them(world, rows, shipped_again):
    order, there, again = await shipped_again()
    await world.settle()
    db = world.app.store._db
    await db(("delete from channel_account", {}), ("delete from account", {}))
    world.saleor.update_tracking(again["id"], "SE2")
    await world.settle()
    row = (await rows(order))[-1]
    assert (row.held, str(row.state), row.waiting) == ("no_credentials", "nothing", "taken_over")
    await world.install()
    await world.settle()
    assert numbers(there.captures[0]) == ["SE2"]
    assert (await rows(order))[-1].held is None


async def test_a_delivery_that_is_lost_is_made_good_by_comparing(world, clock, shipped_again):
    _, there, again = await shipped_again()
    await world.settle()
    again["trackingNumber"] = "SE2"  # and nobody told
    clock.pass_s(24 * 3600)
    await world.app.reconciler.tick(clock.now)
    await world.settle()
    assert numbers(there.captures[0]) == ["SE2"]


async def test_a_restored_database_sends_nothing_again(world, shipped_again):
    _, there, again = await shipped_again("SE2")
    await world.settle()
    db = world.app.store._db
    await db(("update capture set tracking_elsewhere = '{}', tracking_sent = '[]'", {}))
    world.saleor.update_tracking(again["id"], "SE2, SE3")
    await world.settle()
    assert numbers(there.captures[0]) == ["SE2", "SE3"]


@pytest.fixture
async def two_again(world):
    """A captured parcel is cancelled, and its units ship again in two."""

    async def ship(tracking=""):
        order, there = world.order([Line("Mug", "100.00", 2)])
        [line] = (line["id"] for line in order["lines"])
        gone = world.saleor.fulfill(order["id"])
        await world.settle()
        world.saleor.cancel_fulfillment(gone["id"])
        await world.settle()
        made = world.saleor.fulfill_from(order["id"], [{line: 1}, {line: 1}], tracking=tracking)
        return order, there.captures[0], made

    return ship


async def test_a_request_of_another_parcel_that_is_under_way_is_waited_for(
    world, later, rows, two_again
):
    order, capture, _ = await two_again("SE2")
    world.kustom.fail_next("lost request", times=2, on="tracking")
    await world.settle()
    assert len([path for path in posts(world) if path.endswith("shipping-info")]) == 1
    _, one, other = await rows(order)
    assert one.tracking_pending
    assert (other.tracking_pending, other.waiting) == (None, "taken_over")
    assert other.due_at
    await later()
    assert numbers(capture) == ["SE2"]


async def test_a_part_that_another_parcel_has_sent_is_not_sent_again(world, clock, rows, two_again):
    order, capture, (first, second) = await two_again()
    await world.settle()
    world.kustom.fail_next("lost request", on="tracking")
    world.saleor.update_tracking(second["id"], "SE2, SE4")
    await world.settle()
    row = (await rows(order))[2]
    db, of = world.app.store._db, {"id": row.id}
    await db(("update capture set due_at = :now + 100000 where id = :id", of))
    clock.pass_s(61)
    world.saleor.update_tracking(first["id"], "SE2")
    await world.settle()
    assert numbers(capture) == ["SE2"]
    pending = json.loads(row.tracking_pending) | {"last_at": clock.now - 10}
    set_ = "update capture set tracking_pending = :pending where id = :id"
    await db((set_, of | {"pending": json.dumps(pending)}))
    world.saleor.update_tracking(second["id"], "SE2, SE4")
    await world.settle()
    assert numbers(capture) == ["SE2"]  # what was sent ten seconds ago may still arrive
    clock.pass_s(60)
    await world.settle()
    assert numbers(capture) == ["SE2", "SE4"]
