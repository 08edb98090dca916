"""A person says of a held parcel that its money came another way; and may take that back."""

import pytest

from tests.walks.conftest import MUGS

WHO = {"who": "cashier", "why": "paid by invoice"}


@pytest.fixture
def by_hand(world):
    return world.app.store.by_hand


@pytest.fixture
def shop(world):
    return world.saleor.api_url


async def held(world, rows):
    """Return an order, its Kustom order and its only row, held since too little is authorized."""
    order, there = world.order([MUGS])
    there.amount = 100_00
    world.saleor.fulfill(order["id"])
    await world.settle()
    [row] = await rows(order)
    assert row.held
    return order, there, row


async def test_nothing_is_captured_for_it_whatever_news_come(world, rows, by_hand, shop):
    order, there, row = await held(world, rows)
    assert await by_hand.settle(shop, row.id, **WHO)
    await world.settle()
    there.amount = 349_00  # now it could be captured
    world.saleor.update_tracking(order["fulfillments"][0]["id"], "SE1")
    await world.app.store.captures.wake_order(shop, order["id"])
    await world.settle()
    [row] = await rows(order)
    assert (str(row.state), row.held, row.waiting) == ("nothing", None, "settled_outside")
    assert (row.plan, row.amount_minor, there.captures) == (None, None, [])
    lines = await world.app.store.captures.history(shop, row.id)
    [line] = [line for line in lines if line["what"] == "settled"]
    assert line["detail"] == WHO
    assert [line["what"] for line in lines].count("nothing") == 1


async def test_it_can_be_taken_back(world, rows, by_hand, shop):
    order, there, row = await held(world, rows)
    await by_hand.settle(shop, row.id, **WHO)
    await world.settle()
    there.amount = 349_00
    assert await by_hand.reopen(shop, row.id, who="cashier", why="it was another order")
    assert not await by_hand.reopen(shop, row.id, who="cashier", why="twice")
    await world.settle()
    [row] = await rows(order)
    assert str(row.state) == "reported"
    assert [capture.amount for capture in there.captures] == [349_00]


async def test_its_cancellation_withdraws_it(world, rows, by_hand, shop):
    order, _, row = await held(world, rows)
    await by_hand.settle(shop, row.id, **WHO)
    await world.settle()
    world.saleor.cancel_fulfillment(order["fulfillments"][0]["id"])
    await world.settle()
    [row] = await rows(order)
    assert str(row.state) == "withdrawn"
    assert not await by_hand.reopen(shop, row.id, who="cashier", why="too late")


async def test_what_is_not_held_or_may_have_moved_money_is_left(world, rows, by_hand, shop, later):
    order, _ = world.order([MUGS])
    world.kustom.fail_next("lost answer", on="capture")
    world.saleor.fulfill(order["id"])
    await world.saleor.deliver()
    await world.app.worker.drain()
    [row] = await rows(order)
    assert str(row.state) == "sending"
    assert not await by_hand.settle(shop, row.id, **WHO)
    await later(seconds=600)
    [row] = await rows(order)
    assert str(row.state) == "reported"
    assert not await by_hand.settle(shop, row.id, **WHO)
    assert not await by_hand.reopen(shop, row.id, **WHO)


async def test_another_shops_parcel_is_left(world, rows, by_hand):
    order, _, row = await held(world, rows)
    assert not await by_hand.settle("https://other.example/graphql/", row.id, **WHO)
    assert await rows(order) == [row]
