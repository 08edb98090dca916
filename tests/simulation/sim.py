"""One seed: a shop, two instances of the app, weather; then calm, and the laws."""

import asyncio
import contextlib
import hashlib
import random
import shutil
import sqlite3
import tempfile
import uuid
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import httpx

from saleor_kustom.errors import StoreUnavailable
from saleor_kustom.sandbox.kustom import SimulatedKustom, Switches
from saleor_kustom.sandbox.saleor import SimulatedSaleor
from saleor_kustom.sandbox.saleor_orders import CLOCK
from saleor_kustom.sandbox.saleor_post import Queued
from tests.simulation import clockwork, laws
from tests.simulation.faults import CALM, KUSTOM, SALEOR, weather
from tests.simulation.instance import Died, Instance
from tests.simulation.merchant import BUSY_S, Merchant
from tests.simulation.portal import Portal
from tests.simulation.whims import Whims

_BEGINS = 1_800_000_000.0
_MEMORY = Path("/dev/shm")
_READ_S = 18.0  # Saleor waits so long for an answer


class Simulation:
    def __init__(self, seed, folder, weather_=None, presses=None):
        self.seed = seed
        self.rng = random.Random(seed)
        self.weather = weather_ or weather(self.rng)
        self.whims = Whims(self, presses)
        self.portal = Portal(self)
        self.folder = Path(folder)
        self.file = self.folder / "app.db"
        self.database_url = f"sqlite:///{self.file}"
        self.trace = []
        self.jumped_s = 0.0
        self.healed = False
        self._spawned = set()
        self.broken = None

    # ---- time and chance

    def wall(self):
        return _BEGINS + self.loop.time() + self.jumped_s

    def true_time(self):
        return datetime.fromtimestamp(_BEGINS + self.loop.time(), UTC)

    def rolls(self, chance):
        return not self.healed and self.rng.random() < chance

    def lag(self):
        if self.rolls(self.weather.slow):
            return self.rng.uniform(5.0, 50.0)
        return self.rng.uniform(0.01, 0.4)

    def flush(self):
        return self.rng.uniform(0.0, 0.02)

    def database_fault(self):
        if self.rolls(self.weather.database):
            return self.rng.choice(["before", "after"])
        return None

    def strike(self, to_kustom):
        """Let the request that is about to arrive go wrong, perhaps."""
        if to_kustom and self.rolls(self.weather.kustom):
            self.kustom.fail_next(self.rng.choice(KUSTOM))
        if not to_kustom and self.rolls(self.weather.saleor):
            self.saleor.fail_next(self.rng.choice(SALEOR))

    # ---- the laws

    def log(self, *words):
        self.trace.append((round(self.loop.time(), 3), *map(str, words)))

    def check_kustom(self, request, response, to_kustom):
        """Check after every request; remember the first law that broke."""
        try:
            for there in self.kustom.orders.values():
                laws.after_a_request(there)
            refused = response.status_code in (400, 403, 404, 422)
            refused = refused and b"error_code" in response.content
            # Only what somebody else does between our look and our call may be refused.
            refused = refused and not (self.weather.outside or self.portal.chance)
            if to_kustom and request.method != "GET" and refused:
                raise laws.LawError(f"{request.method} {request.url}: {response.text}")
        except laws.LawError as error:
            self.broken = self.broken or error

    def spawn(self, coroutine):
        task = self.loop.create_task(coroutine)
        self._spawned.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task):
        self._spawned.discard(task)
        if not task.cancelled():
            task.exception()  # its awaiter has it, or nobody wants it

    # ---- the run

    def play(self):
        """Run to the end, with ids that the seed determines: work is sorted by them."""
        ids = random.Random(f"ids {self.seed}")
        made = lambda: uuid.UUID(int=ids.getrandbits(128), version=4)  # noqa: E731
        with mock.patch("uuid.uuid4", made):
            clockwork.run(self.run())

    async def run(self):
        self.loop = asyncio.get_running_loop()
        CLOCK.set(self.true_time)
        random.seed(self.seed)
        hours = 0.0 if self.weather.forgets_keys else 24.0
        self.kustom = SimulatedKustom(switches=Switches(key_hours=hours), clock=self.true_time)
        self.saleor = SimulatedSaleor(version=self.rng.choice(["3.21.69", "3.22.67", "3.23.28"]))
        self.instances = [Instance(name, self) for name in ("one", "two")]
        for instance in self.instances:
            await instance.start()
        first = self.instances[0]
        first.alive = False  # the installation is not what this is about
        first.alive = True
        await self._install(first)
        merchant = Merchant(self)
        self.merchant = merchant
        for instance in self.instances:
            instance.work()
        busy = [
            self.spawn(self._post()),
            self.spawn(self.portal.post()),
            *map(self.spawn, self._troubles()),
        ]
        await merchant.run(orders=self.rng.randint(1, 6))
        await asyncio.sleep(max(0.0, BUSY_S - self.loop.time()))
        await self._heal()
        await asyncio.sleep(30 * 3600.0)
        await self._quiet()
        await self._judge()
        for task in busy:
            task.cancel()
        for instance in self.instances:
            await instance.die()
        for task in list(self._spawned):
            task.cancel()
        await asyncio.gather(*list(self._spawned), return_exceptions=True)
        if self.broken:
            raise self.broken

    async def _install(self, instance):
        calm, self.weather = self.weather, CALM
        await instance.world.install()
        if self.whims.any:
            await instance.world.app.store.policies.set(
                self.saleor.api_url, "", self.whims.policy, who="staff"
            )
        await self.portal.listen(instance.world)
        self.weather = calm

    # ---- deliveries

    async def _post(self):
        """Post what happened: late, in any order, twice or never."""
        while True:
            while self.saleor.queue:
                queued = self.saleor.queue.popleft()
                if not isinstance(queued, Queued):
                    continue
                if self.rolls(self.weather.delivery_lost):
                    self.log("never delivered", queued.event)
                    continue
                for _ in range(2 if self.rolls(self.weather.delivery_twice) else 1):
                    self.spawn(self._carry(queued))
            await asyncio.sleep(300.0 if self.healed else 5.0)

    async def _carry(self, queued):
        delivery = await self.saleor.signed(queued.event, queued.value, queued.webhook)
        delivery.request = queued.request
        await asyncio.sleep(self.rng.random() ** 4 * 120.0)
        for again_s in (10, 20, 40, 80, 160, None):
            status, content = await self._try(delivery)
            self.log("delivered", delivery.event, status)
            given_up = status is None and delivery.request is not None
            if given_up or (status is not None and status < 500):
                self.saleor.answered(delivery, content if status == 200 else None)
                break
            if again_s is None:
                self.saleor.failed.append(delivery)
                self.saleor.answered(delivery, None)
                break
            await asyncio.sleep(again_s)

    async def _try(self, delivery):
        alive = [i for i in self.instances if i.alive]
        if not alive:
            return None, None
        instance = self.rng.choice(alive)
        transport = httpx.ASGITransport(instance.world.app.web)
        request = httpx.Request(
            "POST", delivery.target, headers=delivery.headers, content=delivery.body
        )
        try:
            async with asyncio.timeout(_READ_S):
                answer = await transport.handle_async_request(request)
                return answer.status_code, await answer.aread()
        except (TimeoutError, Died, StoreUnavailable):
            return None, None

    # ---- troubles

    def _troubles(self):
        weather = self.weather
        kinds = [
            (weather.deaths, self._death),
            (weather.freezes, self._freeze),
            (weather.outages, self._outage),
            (weather.clock_jumps, self._jump),
            (weather.restores, self._restore),
            (int(weather.staging), self._staging),
            (int(weather.unauthorized), self._unauthorized),
        ]
        return [self._at_random(kind()) for times, kind in kinds for _ in range(times)]

    async def _at_random(self, trouble):
        await asyncio.sleep(self.rng.random() * BUSY_S * 0.9)
        await trouble

    async def _death(self):
        instance = self.rng.choice(self.instances)
        await self._reborn([instance], self.rng.choice([0.0, 5.0, 70.0, 600.0]))

    async def _reborn(self, instances, after_s):
        gone = [i for i in instances if i.alive]
        for instance in gone:
            await instance.die()
        await asyncio.sleep(after_s)
        for instance in gone:
            await self._start(instance)

    async def _start(self, instance):
        await instance.start()
        instance.work()

    async def _freeze(self):
        instance = self.rng.choice(self.instances)
        instance.freeze()
        self.log("frozen", instance.name)
        await asyncio.sleep(self.rng.choice([20.0, 61.0, 300.0]))
        instance.thaw()
        self.log("thawed", instance.name)

    async def _outage(self):
        self.kustom.reachable = False
        await asyncio.sleep(self.rng.random() * 1800.0)
        self.kustom.reachable = True

    async def _jump(self):
        self.jumped_s += self.rng.choice([-600.0, -30.0, 45.0, 90.0, 3600.0])
        self.log("clock jumped", self.jumped_s)

    async def _unauthorized(self):
        merchants, self.kustom.merchants = self.kustom.merchants, {}
        await asyncio.sleep(self.rng.random() * 1200.0)
        self.kustom.merchants = merchants

    async def _restore(self):
        """Put back the database as it was some minutes ago."""
        copy = self.folder / f"backup-{self.loop.time()}.db"
        with (
            contextlib.closing(sqlite3.connect(self.file)) as from_,
            contextlib.closing(sqlite3.connect(copy)) as to,
        ):
            from_.backup(to)
        await asyncio.sleep(self.rng.random() * 900.0)
        gone = [i for i in self.instances if i.alive]
        for instance in gone:
            await instance.die()
        self._put_back(copy)
        self.log("restored")
        for instance in gone:
            await self._start(instance)

    def _put_back(self, copy):
        for suffix in ("-wal", "-shm"):
            Path(f"{self.file}{suffix}").unlink(missing_ok=True)
        shutil.copy(copy, self.file)

    async def _staging(self):
        """A copy of the shop, with its key and URL, ships what the shop itself never shipped."""
        for placed in list(self.merchant.placed):
            if not placed.order["fulfillments"]:
                continue
            value = {
                "__typename": "FulfillmentCreated",
                "issuedAt": self.true_time().isoformat(),
                "version": self.saleor.version,
                "recipient": self.saleor.installed.app,
                "issuingPrincipal": None,
                "order": placed.order,
                "fulfillment": {
                    **placed.order["fulfillments"][-1],
                    "id": "RnVsZmlsbG1lbnQ6OTk5OQ==",
                },
            }
            delivery = await self.saleor.signed("fulfillment_created", value)
            self.log("staging", (await self._try(delivery))[0])

    # ---- calm

    async def _heal(self):
        self.healed = True
        self.kustom.heal()
        self.saleor.fail_graphql.clear()
        self.log("healed")
        await asyncio.sleep(2000.0)  # what was under way ends
        for instance in self.instances:
            instance.thaw()
            instance.hurry(calm=True)
            if not instance.alive:
                await self._start(instance)
        for placed in self.merchant.placed:
            for fulfillment in placed.order["fulfillments"]:
                if fulfillment["status"] == "WAITING_FOR_APPROVAL":
                    self.saleor.approve(fulfillment["id"])
        accounts = self.instances[0].world.app.store.accounts
        await accounts.resume("playground", "PM1", api_url=self.saleor.api_url)

    async def _quiet(self):
        await self.instances[0].world.app.worker.drain()

    async def _judge(self):
        captures = self.instances[0].world.app.store.captures
        for placed in self.merchant.placed:
            laws.after_a_request(placed.there)
            rows = await captures.of_order(self.saleor.api_url, placed.order["id"])
            binding = await captures.binding(self.saleor.api_url, placed.order["id"])
            placed.bound = binding is not None
            laws.in_the_end(placed, rows, self.weather)


def simulate(seed, weather_=None, presses=None):
    """Run a seed; return the simulation. Raises LawError with what broke."""
    with _folder() as folder:
        simulation = Simulation(seed, folder, weather_, presses)
        simulation.play()
        return simulation


def replay(seed, presses=None):
    """Run a seed and print all that happened."""
    with _folder() as folder:
        simulation = Simulation(seed, folder, presses=presses)
        try:
            simulation.play()
        finally:
            for line in simulation.trace:
                print(*line)
            print(simulation.weather)


def fingerprint(simulation):
    """Return a digest of everything that happened, in its order and at its time."""
    return hashlib.sha256(repr(simulation.trace).encode()).hexdigest()


def _folder():
    where = str(_MEMORY) if _MEMORY.is_dir() else None
    return tempfile.TemporaryDirectory(prefix="simulation-", dir=where)
