"""Kustom is away for two hours while parcels are shipped: probes, not a storm, and nothing lost."""

import asyncio
import random
import time
from collections import Counter

import httpx
import pytest

from saleor_kustom.sandbox.saleor_orders import Line
from saleor_kustom.sandbox.world import open_world
from tests.simulation import clockwork

HOURS_2 = 7200.0
RATE = 10.0
#: Before the breaker opens: calls that are under way, one of each slot.
SLOTS = 20


class Wire(httpx.AsyncBaseTransport):
    """Counts requests by second of virtual time; while `away`, Kustom gives no answer."""

    def __init__(self, inner):
        self._inner = inner
        self.away = None  # or "refused", "silent"
        self.tried = []  # times of requests that got no answer
        self.answered = []

    async def handle_async_request(self, request):
        now = asyncio.get_running_loop().time()
        if "kustom" not in request.url.host:
            return await self._inner.handle_async_request(request)
        if self.away:
            self.tried.append(now)
            await asyncio.sleep(0.01 if self.away == "refused" else 3600.0)
            raise httpx.ConnectError("refused", request=request)
        self.answered.append(now)
        await asyncio.sleep(0.2)
        return await self._inner.handle_async_request(request)


class Counted:
    """The database as deliveries see it, counting transactions."""

    def __init__(self, inner):
        self._inner = inner
        self.transactions = 0

    async def __call__(self, *statements, **more):
        self.transactions += 1
        return await self._inner(*statements, **more)

    def __getattr__(self, name):
        return getattr(self._inner, name)


async def acknowledge(world, order, counted):
    """Ship and deliver; that costs one transaction and waits for nothing, however long Kustom
    has been away and however many parcels wait for it.
    """
    loop = asyncio.get_running_loop()
    world.saleor.fulfill(order["id"])
    began, before = loop.time(), counted.transactions
    assert await world.saleor.deliver() == 1
    assert world.saleor.pending == []
    assert counted.transactions == before + 1
    assert loop.time() == began


async def outage(world, wire, kind, parcels):
    """Sell, ship during the outage, and work on until all is captured; return what was seen."""
    loop = asyncio.get_running_loop()
    counted = world.app.store.deliveries._db = Counted(world.app.store._db)
    await world.install()
    orders = [world.order([Line("Mug", "100.00")], shipping="0.00") for _ in range(parcels)]
    stop = asyncio.Event()
    working = asyncio.create_task(world.app.worker.run(stop))
    began = loop.time()
    wire.away = kind
    for order, _ in orders:
        await acknowledge(world, order, counted)
        await asyncio.sleep(0.75 * HOURS_2 / parcels)
    await asyncio.sleep(began + HOURS_2 - loop.time())
    wire.away = None
    back = loop.time()
    while not all(there.captures for _, there in orders):
        await asyncio.sleep(5.0)
        assert loop.time() - back < 4 * HOURS_2, "not all captured"
    took_s = loop.time() - back
    await asyncio.sleep(600.0)
    stop.set()
    await working
    for _, there in orders:
        assert [capture.amount for capture in there.captures] == [100_00]
    return took_s


@pytest.mark.parametrize(
    "parcels", [150, pytest.param(5000, marks=pytest.mark.long)], ids="{} parcels".format
)
@pytest.mark.parametrize("kind", ["refused", "silent"])
def test_an_outage_of_two_hours_costs_probes_and_no_parcel(
    memory_path, kind, parcels, record_property
):
    random.seed(20261124)
    wires = []

    def tap(inner):
        wires.append(Wire(inner))
        return wires[-1]

    async def main():
        loop = asyncio.get_running_loop()
        async with open_world(
            f"sqlite:///{memory_path}/app.db",
            clock=lambda: 1_800_000_000.0 + loop.time(),
            monotonic=loop.time,
            tap=tap,
            rate_per_second=RATE,
            concurrency=SLOTS,
        ) as world:
            took_s = await outage(world, wires[0], kind, parcels)
            lines = await world.app.store._db.read("select count(*) as n from history")
            return took_s, lines[0]["n"]

    began = time.process_time()
    took_s, lines = clockwork.run(main())
    cost_s = time.process_time() - began
    wire = wires[0]
    # Opening takes what was under way; then one probe at most per 2, 4, 8 … 60 seconds.
    assert 60 <= len(wire.tried) <= SLOTS + HOURS_2 / 60 + 10
    # No second may have more requests than the rate allows, though all of them are waiting.
    busiest = max(Counter(int(at) for at in wire.answered).values())
    assert busiest <= 2 * RATE
    # Two calls each at the shared rate, and the wait until the next probe.
    assert took_s <= 60 + 1.5 * 2 * parcels / RATE + 60
    assert lines <= 12 * parcels
    record_property(
        "figure",
        f"Kustom {kind} for 2 h, {parcels} parcels shipped: {len(wire.tried)} calls in vain, then "
        f"{took_s:.0f} s until all were captured at {RATE:g} calls/s (at most {busiest} in a "
        f"second), {lines / parcels:.1f} lines of history each, {cost_s:.1f} s of CPU",
    )
