"""`refund` and `close` beside a running app, over real HTTP on this machine."""

import asyncio
import json

import pytest

from saleor_kustom.errors import SettingsError
from saleor_kustom.sandbox.theatre import served
from tests.test_link_command import Shell
from tests.walks.buttons import amounts
from tests.walks.conftest import MUGS


@pytest.fixture
async def shell(sqlite_url):
    async with served(sqlite_url) as (world, addresses):
        yield Shell(world, addresses, sqlite_url)


async def until(shell, true):
    """Deliver what happened, and wait for the running app."""
    for _ in range(500):
        await shell.world.saleor.deliver()
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come to that")


async def shipped(shell, units=3):
    order, there = shell.world.order([MUGS])
    shell.world.saleor.fulfill(order["id"], {order["lines"][0]["id"]: units})
    await until(shell, lambda: there.captures)
    return order, there


async def rows(shell, order):
    return await shell.world.app.store.captures.of_order(shell.shop, order["id"])


async def test_a_cancelled_parcel_is_refunded_with_who_and_why(shell):
    order, there = await shipped(shell)
    shell.world.saleor.cancel_fulfillment(order["fulfillments"][0]["id"])
    await until(shell, lambda: not shell.world.saleor.queue)
    while (await rows(shell, order))[0].held is None:
        await asyncio.sleep(0.02)
    result = await shell.run("refund", order["number"], "--who", "anna", "--why", "never left")
    assert "a running server carries it out" in result.stdout
    await until(shell, lambda: there.refunds)
    again = await shell.run("refund", there.captures[0].capture_id, "--why", "x", "--json")
    assert json.loads(again.stdout)["kind"] == "refund"
    assert there.refunded == 349_00
    history = await shell.world.app.store.captures.history(
        shell.shop, (await rows(shell, order))[1].id
    )
    assert history[0]["what"] == "asked"
    assert "anna" in str(history[0]["detail"])


async def test_nothing_but_a_cancelled_parcel_whose_money_moved_is_refunded(shell):
    order, there = await shipped(shell)
    with pytest.raises(SettingsError, match="only such are refunded"):
        await shell.run("refund", order["number"], "--why", "x")
    assert there.refunds == []


async def test_closing_shows_what_remains_and_releases_it(shell):
    order, there = await shipped(shell, units=1)
    result = await shell.run("close", shell.shop, order["number"], "--yes")
    assert "still authorized   200.00 SEK" in result.stdout
    assert "goes back          200.00 SEK" in result.stdout
    await until(shell, lambda: there.released)
    await until(shell, lambda: amounts(order) == [0, 149_00, 0, 200_00])
    result = await shell.run("close", shell.shop, order["id"])
    assert "nothing to close" in result.stdout
    assert len(await rows(shell, order)) == 2


async def test_a_fee_that_was_not_charged_is_named_and_charged_first(shell):
    await shell.world.app.store.policies.set(shell.shop, "", {"shipping_fee": "last"}, who="anna")
    order, there = await shipped(shell, units=1)
    result = await shell.run("close", shell.shop, order["number"], "--yes", "--json")
    assert "49.00 SEK, not charged yet: --charge-fee charges it first" in result.stderr
    assert json.loads(result.stdout)["kind"] == "release"
    await until(shell, lambda: there.released)
    order, there = await shipped(shell, units=1)
    result = await shell.run("close", shell.shop, order["number"], "--charge-fee", "--yes")
    assert "shipping fee       49.00 SEK, charged first" in result.stdout
    assert "goes back          200.00 SEK" in result.stdout
    await until(shell, lambda: there.released)
    assert [capture.amount for capture in there.captures] == [100_00, 49_00]


async def test_who_does_not_agree_closes_nothing(shell):
    order, there = shell.world.order([MUGS])
    await shell.run("close", shell.shop, order["number"])  # the question is not answered
    assert not there.cancelled
    assert await rows(shell, order) == []


async def test_an_order_that_nobody_knows_is_not_closed(shell):
    with pytest.raises(SettingsError, match="Saleor knows no order 4711"):
        await shell.run("close", shell.shop, "4711")
    with pytest.raises(SettingsError, match="is no order that was paid with Kustom"):
        await shell.run("close", shell.shop, "T3JkZXI6NDcxMQ==")
