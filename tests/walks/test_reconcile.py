"""What deliveries or crashes lost is found by looking, and captured once."""

from saleor_kustom.worker.reconcile import NIGHTLY_S
from tests.walks.conftest import MUGS


async def run(world, **more):
    shop = await world.app.store.shops.get(world.saleor.api_url)
    now = world.app.worker.parts.clock()
    return await world.app.reconciler.run(shop, since=None, now=now, **more)


async def test_a_fulfillment_whose_delivery_never_came_is_captured(world, rows):
    order, there = world.order([MUGS])
    world.saleor.fulfill(order["id"])
    world.saleor.queue.clear()
    found = await run(world, dry_run=True)
    assert len(found.missing) == 1
    assert await rows(order) == []
    await run(world)
    await world.settle()
    assert [c.amount for c in there.captures] == [349_00]
    assert (await run(world)).missing == []
    assert len(await rows(order)) == 1


async def test_a_delivery_that_also_comes_later_makes_no_second_capture(world):
    order, there = world.order([MUGS])
    world.saleor.fulfill(order["id"])
    await run(world)
    await world.app.worker.drain()
    await world.settle()
    assert len(there.captures) == 1


async def test_fulfillments_from_before_the_installation_are_only_listed(world, rows):
    order, there = world.order([MUGS])
    fulfillment = world.saleor.fulfill(order["id"])
    world.saleor.queue.clear()
    fulfillment["created"] = "2020-01-01T00:00:00.000000+00:00"
    found = await run(world)
    await world.settle()
    assert [one.fulfillment_id for one in found.before_install] == [fulfillment["id"]]
    assert there.captures == []


async def test_a_capture_that_kustom_does_not_have_is_held_with_both_sides(world, rows):
    order, there = world.order([MUGS])
    world.saleor.fulfill(order["id"])
    await world.settle()
    there.captures.clear()
    found = await run(world)
    assert len(found.differing) == 1
    [row] = await rows(order)
    assert (row.held, row.held_detail) == (
        "capture_differs",
        {"kustom": "0.00 SEK", "planned": "349.00 SEK"},
    )


async def test_one_of_all_instances_looks_when_it_is_due(world, clock, rows):
    now = clock()
    await world.app.reconciler.tick(now)
    order, there = world.order([MUGS])
    world.saleor.fulfill(order["id"])
    world.saleor.queue.clear()
    await world.app.reconciler.tick(now)  # the nightly turn is taken; the frequent one is not
    await world.settle()
    captured = len(there.captures)
    clock.pass_s(NIGHTLY_S + 1)
    await world.app.reconciler.tick(clock())
    await world.settle()
    assert captured <= len(there.captures) == 1


async def test_a_look_learns_which_saleor_it_is_by_now(world):
    async def known():
        shop = await world.app.store.shops.get(world.saleor.api_url)
        lines = await world.app.store.history.of_shop(world.saleor.api_url)
        return shop.saleor_version, [line["what"] for line in lines]

    before = await known()
    await run(world)
    assert await known() == before
    world.saleor.version = "3.23.28"
    await run(world, dry_run=True)
    assert await known() == before
    await run(world)
    assert await known() == ("3.23.28", ["upgraded", *before[1]])
    await run(world)
    assert await known() == ("3.23.28", ["upgraded", *before[1]])


async def test_a_saleor_that_is_away_stops_nothing(world):
    world.saleor.fail_graphql.extend(["500"] * 3)
    await world.app.reconciler.tick(world.app.worker.parts.clock())
