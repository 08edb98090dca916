"""One process of the app, which can die at any await, stand still, and come back."""

import asyncio
import contextlib

import httpx

from saleor_kustom.errors import StoreUnavailable
from saleor_kustom.sandbox.world import open_world


class Died(BaseException):
    """The process is gone; nothing of it may go on."""


class Instance:
    """`sim` has the loop's clock, the random generator and the other sides."""

    def __init__(self, name, sim):
        self.name, self.sim = name, sim
        self.world = None
        self.alive = False
        self._moves = asyncio.Event()
        self._moves.set()
        self._tasks = []
        self._stack = None

    async def start(self):
        sim = self.sim
        self._stack = contextlib.AsyncExitStack()
        self.world = await self._stack.enter_async_context(
            open_world(
                sim.database_url,
                saleor=sim.saleor,
                kustom=sim.kustom,
                clock=sim.wall,
                monotonic=sim.loop.time,
                tap=lambda inner: _Wire(inner, self),
                concurrency=4,
                rate_per_second=20.0,
                patience_s=8.0,
            )
        )
        _tap(self.world.app.store, self)
        self.alive = True

    def work(self):
        """Work as `serve` does: captures, links, hints and reconciliation, each in a loop."""
        app = self.world.app
        self.hurry(calm=self.sim.healed)
        self._tasks = [
            asyncio.create_task(app.worker.run(asyncio.Event())),
            asyncio.create_task(app.linker.run(asyncio.Event())),
            asyncio.create_task(app.hints.run(asyncio.Event())),
            asyncio.create_task(self._reconcile()),
        ]
        for task in self._tasks:
            task.add_done_callback(self._ended)

    def _ended(self, task):
        """No loop may ever end while the process lives."""
        if self.alive and not task.cancelled():
            self.sim.broken = self.sim.broken or task.exception() or AssertionError(repr(task))

    async def _reconcile(self):
        while True:
            with contextlib.suppress(StoreUnavailable):
                await self.world.app.reconciler.tick(self.sim.wall())
                self.world.app.worker.wake()
            await asyncio.sleep(self._look_every_s)

    def hurry(self, *, calm):
        """Poll less when only waiting is left: hours are long, and each look costs real time."""
        self.world.app.worker._poll_s = 1800.0 if calm else 30.0
        self.world.app.linker._poll_s = 1800.0 if calm else 30.0
        self.world.app.hints.poll_s = 1800.0 if calm else 20.0
        self._look_every_s = 3600.0 if calm else 240.0

    async def die(self):
        """End as by SIGKILL: what was not committed or sent never is."""
        if not self.alive:
            return
        self.alive = False
        self._moves.set()
        tasks = [*self._tasks, *self.world.app.worker._running]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._stack.aclose()
        self.sim.log("died", self.name)

    def freeze(self):
        self._moves.clear()

    def thaw(self):
        self._moves.set()

    async def gate(self):
        """Pass only while this process lives and moves. Everything outside goes through here."""
        if not self.alive:
            raise Died(self.name)
        await self._moves.wait()
        if not self.alive:
            raise Died(self.name)


class _Wire(httpx.AsyncBaseTransport):
    """The network: slow at times, and a request goes on when its sender has given up or died."""

    def __init__(self, inner, instance):
        self._inner, self._instance = inner, instance

    async def handle_async_request(self, request):
        if not self._instance.alive:  # while it starts
            return await self._inner.handle_async_request(request)
        await self._instance.gate()
        task = self._instance.sim.spawn(self._exchange(request))
        response = await asyncio.shield(task)
        await self._instance.gate()
        return response

    async def _exchange(self, request):
        sim = self._instance.sim
        to_kustom = "kustom" in request.url.host
        lag_s = sim.lag()
        await asyncio.sleep(lag_s)
        sim.strike(to_kustom)
        response = await self._inner.handle_async_request(request)
        await response.aread()
        sim.log("call", request.method, request.url.path.split("/")[-1], response.status_code)
        sim.check_kustom(request, response, to_kustom)
        await asyncio.sleep(sim.lag())
        return response


class _Database:
    def __init__(self, inner, instance):
        self._inner, self._instance = inner, instance

    async def __call__(self, *statements, **more):
        sim = self._instance.sim
        await self._instance.gate()
        fault = sim.database_fault()
        if fault == "before":
            raise StoreUnavailable("simulated: refused")
        await asyncio.sleep(sim.flush())
        await self._instance.gate()
        rows = await self._inner(*statements, **more)
        await asyncio.sleep(sim.flush())
        await self._instance.gate()
        if fault == "after":
            raise StoreUnavailable("simulated: committed and not answered")
        return rows

    async def read(self, *args):
        await self._instance.gate()
        rows = await self._inner.read(*args)
        await asyncio.sleep(self._instance.sim.flush())
        await self._instance.gate()
        return rows

    def __getattr__(self, name):
        return getattr(self._inner, name)


def _tap(store, instance):
    tapped = _Database(store._db, instance)
    for repository in vars(store).values():
        for holder in (repository, *vars(repository).values()):
            if hasattr(holder, "_db"):
                holder._db = tapped
