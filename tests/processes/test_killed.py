"""A real process is killed with SIGKILL at points of the whole path, and another one goes on.

The points are those of tests/walks/test_death.py, where the memory is dropped instead.
"""

import asyncio
import contextlib
import itertools
import random
import signal

import httpx
import pytest

from saleor_kustom.store import Store
from tests.databases import SECRET_KEY
from tests.processes.running import Process, Sandbox
from tests.walks.death import GUARDS, Story
from tests.walks.test_death import live_and_die

#: The sample is one of the first STRATUM points, one of the next, and so on; all are fewer than
#: test_the_points_are_the_same counts.
STRATA, STRATUM = 8, 8
#: Saleor repeats for 310 seconds; a process that is gone stays gone, so here it does so at once.
_AGAIN_S = 0.0


class Stage:
    """The story, told to processes on one database."""

    def __init__(self, sandbox, store, database_url, log):
        self.sandbox, self.store = sandbox, store
        self.story = Story(sandbox.saleor, sandbox.kustom)
        self.process = Process(database_url, sandbox, log, CONCURRENCY=1)

    async def begin(self, dies_at):
        """Start a process that dies at a point of the story, and install it."""
        await self.process.start(dies_at=dies_at)
        await self.sandbox.install(self.store, self.process.url)
        self.story.begin()
        await self._tell("light")

    async def play(self):
        """Go on with the story until it is over or the process has died."""
        while self.story.steps and self.process.alive:
            self.story.steps.pop(0)()
            await self.settle()

    async def settle(self):
        """Deliver and wait until nothing is due or running, or nobody is there to do it."""
        while self.process.alive:
            await self._tell("shut")  # all is delivered before any is worked on, as in test_death
            posted = await self.sandbox.saleor.deliver(pause_s=_AGAIN_S)
            await self._tell("open")
            while await self.store.captures.busy(within_s=60.0):
                if not self.process.alive:
                    return
                await asyncio.sleep(0.01)
            if not posted and not self.sandbox.saleor.queue:
                return

    async def go_on(self, guard):
        """Start a process on what the dead one left, and finish."""
        await self._leases_end()
        with self.story.without(guard):
            await self.process.start()
            self.sandbox.saleor.retry_failed()
            await self.settle()
        await self.play()
        shop, order = self.sandbox.saleor.api_url, self.story.order["id"]
        return await self.store.captures.of_order(shop, order)

    async def points(self):
        """Return the names of the points that the process has passed."""
        return (await self._tell("open")).json()

    async def _tell(self, what):
        with contextlib.suppress(httpx.TransportError):
            return await self.process.post(f"/test/{what}")

    async def _leases_end(self):
        """Let the minute pass after which another instance takes over (SQLite needs none)."""
        await self.store._db(
            ("update capture set due_at = due_at - 60 where worker is not null", {})
        )


@contextlib.asynccontextmanager
async def staged(database_url, log):
    store = await Store.open(database_url, secret_key=SECRET_KEY)
    async with Sandbox().served() as sandbox:
        stage = Stage(sandbox, store, database_url, log)
        try:
            yield stage
        finally:
            await stage.process.stop()
            await store.close()


@pytest.fixture(params=["sqlite", "postgres"])
def new_database(request, memory_path):
    """Makes databases of each kind; files are in memory, since the machine lives on."""
    server = request.getfixturevalue("server") if request.param == "postgres" else None

    @contextlib.contextmanager
    def made(name="app"):
        if server is None:
            yield f"sqlite:///{memory_path}/{name}.db"
            return
        url = server.create()
        yield url
        server.drop(url)

    return made


async def die_and_go_on(database_url, log, dies_at, guard):
    """Return False when the story was over before the point came."""
    async with staged(database_url, log) as stage:
        await stage.begin(dies_at)
        await stage.play()
        if stage.process.alive:
            return False
        assert await stage.process.ended() == -signal.SIGKILL, stage.process.logged
        rows = await stage.go_on(guard)
        stage.story.check(rows, f"point {dies_at}, {guard}: {stage.process.logged}")
    return True


async def test_the_points_are_the_same_as_where_the_memory_is_dropped(new_database, memory_path):
    fuse, _, _ = await live_and_die(f"sqlite:///{memory_path}/other.db", 0)
    with new_database() as url:
        async with staged(url, memory_path / "log") as stage:
            await stage.begin(0)
            await stage.play()
            assert await stage.points() == fuse.names
    assert fuse.points >= STRATA * STRATUM


@pytest.mark.parametrize("stratum", range(STRATA))
async def test_killed_at_a_sample_of_points(new_database, memory_path, stratum, testrun_uid):
    nth = random.Random(f"{testrun_uid} {stratum}").randint(1, STRATUM)
    guard = GUARDS[stratum % len(GUARDS)]
    with new_database() as url:
        assert await die_and_go_on(url, memory_path / "log", stratum * STRATUM + nth, guard)


@pytest.mark.long
@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("eighth", range(8))
async def test_killed_at_every_point(new_database, memory_path, eighth, guard, record_property):
    for index in itertools.count(eighth + 1, 8):
        with new_database(index) as url:
            if not await die_and_go_on(url, memory_path / f"log {index}", index, guard):
                break
    killed = len(range(eighth + 1, index, 8))
    kind = "PostgreSQL" if url.startswith("postgresql") else "SQLite"
    record_property("figure", f"killed with SIGKILL at {killed} points on {kind}, guards: {guard}")
