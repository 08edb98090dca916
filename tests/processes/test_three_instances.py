"""Three instances on one PostgreSQL, under load: one is killed, one is frozen and wakes after its
lease, and the server crashes and starts again. Nothing is lost and nothing happens twice.
"""

import asyncio
import itertools
import signal
import time

import httpx
import pytest

from saleor_kustom.sandbox.saleor_orders import Line
from saleor_kustom.sandbox.world import World
from saleor_kustom.store import Store
from tests.databases import SECRET_KEY
from tests.processes import child
from tests.processes.running import PATIENCE_S, Process, Sandbox, until
from tests.simulation import laws

ORDERS, PARCELS = 60, 3
#: Seconds; the usual lease is 60 s for calls of 40 s, which nobody wants to wait for here.
LEASE = (6.0, 3.0, 1.0)
SOCKS = Line("Socks", "33.33", PARCELS)


class Balancer(httpx.AsyncBaseTransport):
    """The proxy before the instances: posts to each that is up in turn, not for ever."""

    def __init__(self, processes):
        self.up = list(processes)
        self._turn = itertools.count()
        self._network = child.network()

    async def handle_async_request(self, request):
        for _ in list(self.up):
            process = self.up[next(self._turn) % len(self.up)]
            request.url = request.url.copy_with(host="127.0.0.1", port=process.port)
            try:
                async with asyncio.timeout(3.0):
                    return await self._network.handle_async_request(request)
            except httpx.ConnectError:
                continue
            except TimeoutError:
                return httpx.Response(504)
        return httpx.Response(502)

    async def aclose(self):
        pass  # each of Saleor's clients would close it

    async def end(self):
        await self._network.aclose()


class Shop:
    """Orders of some parcels each, shipped in waves."""

    def __init__(self, sandbox):
        self.saleor, self.kustom = sandbox.saleor, sandbox.kustom
        world = World(self.saleor, self.kustom, None)
        self.placed = [world.order([SOCKS]) for _ in range(ORDERS)]
        self.shipped = 0

    def ship(self):
        """Ship one parcel of each order."""
        for order, _ in self.placed:
            line = order["lines"][0]["id"]
            self.saleor.fulfill(order["id"], {line: 1}, tracking=f"SE{order['number']}")
        self.shipped += len(self.placed)

    @property
    def captured(self):
        return sum(len(there.captures) for _, there in self.placed)

    async def some_captured(self, share):
        """Wait until this share of the last wave is captured."""
        wanted = self.shipped - int((1 - share) * len(self.placed))

        async def captured():
            return self.captured >= wanted

        await until(captured)


async def posting(saleor):
    """Be Saleor's workers."""
    while True:
        await saleor.deliver(pause_s=0.1, at_once=8)
        await asyncio.sleep(0.02)


class Takeover:
    """What one process ran at a moment, and when others had taken it over."""

    @classmethod
    async def of(cls, store, process, number):
        """Send the signal at a moment at which the process runs something."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                while not await _running(store, process):
                    await asyncio.sleep(0.01)
                process.signal(number)
                takeover = cls(store, process)
                takeover.rows = await _running(store, process)
                if takeover.rows:
                    return takeover
                assert number == signal.SIGSTOP
                process.signal(signal.SIGCONT)

    def __init__(self, store, process):
        self._store, self._process = store, process
        self._began = time.monotonic()
        self.rows = {}
        self.took_s = []

    async def over(self):
        """Wait until each has been claimed by another process.

        Or let go by this one: what it wrote may have been under way when it was stopped.
        """
        left = dict(self.rows)
        async with asyncio.timeout(PATIENCE_S):
            while left:
                await asyncio.sleep(0.02)
                now = await self._store._db.read("select id, attempts from capture")
                attempts = {row["id"]: row["attempts"] for row in now}
                held = await _running(self._store, self._process)
                for row in [row for row in left if attempts[row] > left[row]]:
                    del left[row]
                    self.took_s.append(time.monotonic() - self._began)
                left = {row: number for row, number in left.items() if row in held}

    def __str__(self):
        if not self.took_s:
            return "nothing"
        return f"{len(self.took_s)} parcels in {min(self.took_s):.1f} to {max(self.took_s):.1f} s"


async def _running(store, process):
    """Return what a process has claimed: its attempts by row."""
    sql = "select id, attempts from capture where worker like :pid"
    rows = await store._db.read(sql, {"pid": f"%-{process.pid}-%"})
    return {row["id"]: row["attempts"] for row in rows}


async def quiet(store, shop):
    async def settled():
        if shop.captured < shop.shipped or shop.saleor.queue:
            return False
        return not await store.captures.busy(within_s=60.0)

    await until(settled)


@pytest.fixture
async def store(own_cluster):
    store = await Store.open(own_cluster.url, secret_key=SECRET_KEY)
    yield store
    await store.close()


@pytest.fixture
async def sandbox():
    async with Sandbox().served() as sandbox:
        sandbox.app_url = "http://127.0.0.1:19999"  # the proxy's, which stands in this process
        yield sandbox


@pytest.fixture
async def processes(own_cluster, store, sandbox, tmp_path):
    made = [
        # Few at a time: all of them talk to this one process.
        Process(own_cluster.url, sandbox, tmp_path / f"log {n}", RATE_PER_SECOND=200, CONCURRENCY=6)
        for n in range(3)
    ]
    await asyncio.gather(*(process.start(lease=LEASE) for process in made))
    yield made
    for process in made:
        await process.stop()


async def test_nothing_is_lost_and_nothing_happens_twice(
    own_cluster, store, sandbox, processes, record_property
):
    _, killed, frozen = processes
    balancer = Balancer(processes)
    sandbox.saleor.reach(balancer)
    await sandbox.install(store, sandbox.app_url)
    shop = Shop(sandbox)
    sandbox.kustom.delay_s = 0.1  # so that there is always something under way
    post = asyncio.create_task(posting(sandbox.saleor))
    began = time.monotonic()

    shop.ship()
    await shop.some_captured(0.3)
    after_kill = await Takeover.of(store, killed, signal.SIGKILL)
    balancer.up.remove(killed)
    await after_kill.over()

    shop.ship()
    await shop.some_captured(0.3)
    after_freeze = await Takeover.of(store, frozen, signal.SIGSTOP)
    balancer.up.remove(frozen)
    await after_freeze.over()
    frozen.signal(signal.SIGCONT)
    balancer.up.append(frozen)

    shop.ship()
    await shop.some_captured(0.3)
    await asyncio.to_thread(own_cluster.stop, "immediate")
    away = time.monotonic()
    await asyncio.to_thread(own_cluster.start, durable=True)
    back = time.monotonic()

    await quiet(store, shop)
    took_s = time.monotonic() - began
    post.cancel()
    await balancer.end()
    assert frozen.alive
    assert "another instance has it" in frozen.logged
    await nothing_lost_nothing_twice(store, shop)
    record_property(
        "figure",
        f"{shop.shipped} parcels of {ORDERS} orders on three instances in {took_s:.0f} s; with a "
        f"lease of {LEASE[0]:g} s: taken over from the killed one {after_kill}, from the frozen "
        f"one {after_freeze}; PostgreSQL away for {back - away:.1f} s",
    )


async def nothing_lost_nothing_twice(store, shop):
    """Check both sides and our ledger, order by order."""
    for order, there in shop.placed:
        laws.after_a_request(there)
        assert there.captured == there.amount
        assert len(there.captures) == PARCELS
        rows = await store.captures.of_order(shop.saleor.api_url, order["id"])
        ids = {capture.capture_id for capture in there.captures}
        assert {row.capture_id for row in rows} == ids
        assert [str(row.state) for row in rows] == ["reported"] * PARCELS
        [transaction] = order["transactions"]
        told = [event["pspReference"] for event in transaction["events"]]
        assert sorted(told) == sorted(ids)
        assert all(capture.shipping_info for capture in there.captures)
