"""The process dies at every point of the whole path; what was begun is finished, once.

A point is before and after each statement batch at the database and each request to Kustom and
Saleor: every await at which something outside of the process's memory changes or is learned.
Dying is raising what nothing of ours catches; then the memory is dropped and the database opened
again by a new process.
"""

import contextlib
import itertools
from datetime import UTC, datetime

import httpx
import pytest

from saleor_kustom.sandbox.kustom import SimulatedKustom
from saleor_kustom.sandbox.saleor import SimulatedSaleor
from saleor_kustom.sandbox.signing import Signer
from saleor_kustom.sandbox.world import open_world
from tests.walks.conftest import MUGS, Clock

SIGNER = Signer.new()  # making a key costs as much as a story
GUARDS = ("both", "no look", "no key")


class Died(BaseException):
    """The process is gone."""


class Fuse:
    """Counts points and dies at the chosen one."""

    def __init__(self, dies_at):
        self.dies_at = dies_at
        self.points = 0
        self.names = []
        self.lit = False

    def point(self, name):
        if not self.lit:
            return
        self.points += 1
        self.names.append(name)
        if self.points == self.dies_at:
            raise Died(name)


class TappedTransport(httpx.AsyncBaseTransport):
    def __init__(self, inner, fuse):
        self._inner, self._fuse = inner, fuse

    async def handle_async_request(self, request):
        self._fuse.point(f"before {request.method} {request.url.path}")
        response = await self._inner.handle_async_request(request)
        await response.aread()
        self._fuse.point(f"after {request.method} {request.url.path}")
        return response


class TappedDatabase:
    def __init__(self, inner, fuse):
        self._inner, self._fuse = inner, fuse

    async def __call__(self, *statements, **more):
        self._fuse.point("before a commit")
        rows = await self._inner(*statements, **more)
        self._fuse.point("after a commit")
        return rows

    def __getattr__(self, name):
        return getattr(self._inner, name)


def tap_store(store, fuse):
    """Put the fuse between every repository and the database."""
    tapped = TappedDatabase(store._db, fuse)
    for repository in vars(store).values():
        for holder in (repository, *vars(repository).values()):
            if hasattr(holder, "_db"):
                holder._db = tapped


class Story:
    """Two parcels, and tracking that comes later; both sides survive the app's death."""

    def __init__(self):
        self.clock = Clock()
        self.kustom = SimulatedKustom(clock=lambda: datetime.fromtimestamp(self.clock.now, UTC))
        self.saleor = SimulatedSaleor("http://saleor.test/graphql/")
        self.saleor.signer = SIGNER
        self.order = self.there = None
        self.steps = [self.ship_one, self.ship_rest, self.track]

    def world(self, url, **more):
        return open_world(url, saleor=self.saleor, kustom=self.kustom, clock=self.clock, **more)

    def ship_one(self):
        line = self.order["lines"][0]["id"]
        self.saleor.fulfill(self.order["id"], {line: 1}, tracking="SE1")

    def ship_rest(self):
        self.saleor.fulfill(self.order["id"])

    def track(self):
        self.saleor.update_tracking(self.order["fulfillments"][1]["id"], "SE2")

    async def play(self, world):
        while self.steps:
            self.steps.pop(0)()
            await world.settle()

    async def hours_pass(self, world):
        for _ in range(3):
            self.clock.pass_s(3600)
            await world.settle()

    @contextlib.contextmanager
    def without(self, guard):
        """Take one of the two guards away: Kustom's key, or the look by reference."""
        if guard == "no key":
            self.kustom.forget_keys()
        hidden = list(self.there.captures) if guard == "no look" else []
        references = [capture.reference for capture in hidden]
        refunds = list(self.there.refunds) if guard == "no look" else []
        named = [refund["reference"] for refund in refunds]
        for capture in hidden:
            capture.reference = "hidden"
        for refund in refunds:
            refund["reference"] = "hidden"
        yield
        for capture, reference in zip(hidden, references, strict=True):
            capture.reference = reference
        for refund, reference in zip(refunds, named, strict=True):
            refund["reference"] = reference


async def live_and_die(database_url, dies_at, guard, story=Story):
    """Play the story, dying once on the way, and finish it in a new process."""
    story, fuse = story(), Fuse(dies_at)
    with contextlib.suppress(Died):
        async with story.world(
            database_url, tap=lambda inner: TappedTransport(inner, fuse), concurrency=1
        ) as world:
            await world.install()
            story.order, story.there = world.order([MUGS])
            tap_store(world.app.store, fuse)
            fuse.lit = True
            await story.play(world)
    fuse.lit = False
    async with story.world(database_url) as world:
        with story.without(guard):
            story.clock.pass_s(61)  # what the dead process had leased
            await world.app.store.captures.start()
            await world.settle()
        await story.hours_pass(world)
        await story.play(world)
        await story.hours_pass(world)
        rows = await world.app.store.captures.of_order(story.saleor.api_url, story.order["id"])
    return fuse, story, rows


def check(story, rows, died_at):
    order, there = story.order, story.there
    amounts = [capture.amount for capture in there.captures]
    assert amounts == [149_00, 200_00], died_at
    assert [row.capture_id for row in rows] == [c.capture_id for c in there.captures], died_at
    assert [str(row.state) for row in rows] == ["reported", "reported"], died_at
    tracking = [[e["tracking_number"] for e in c.shipping_info] for c in there.captures]
    assert tracking == [["SE1"], ["SE2"]], died_at
    [transaction] = order["transactions"]
    assert len(transaction["events"]) == 2, died_at


async def test_the_story_has_every_kind_of_point(database_url):
    fuse, story, rows = await live_and_die(database_url, 0, "both")
    check(story, rows, "nowhere")
    kinds = {name.split("/")[0].strip() for name in fuse.names}
    assert kinds >= {"before GET", "after GET", "before POST", "after POST", "before a commit"}
    assert fuse.points >= 60, fuse.points


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("tenth", range(10))
async def test_a_death_at_every_point_loses_nothing_and_doubles_nothing(tmp_path, guard, tenth):
    """All points, a tenth of them in each test so that they run side by side."""
    for index in itertools.count(tenth + 1, 10):
        url = f"sqlite:///{tmp_path}/{index}.db"
        fuse, story, rows = await live_and_die(url, index, guard)
        if fuse.points < index:
            return
        check(story, rows, f"point {index}: {fuse.names[-1]}")


@pytest.mark.parametrize("tenth", range(10))
async def test_a_death_at_every_point_on_postgresql(server, tenth):
    for index in itertools.count(tenth + 1, 10):
        url = server.create()
        fuse, story, rows = await live_and_die(url, index, "both")
        server.drop(url)
        if fuse.points < index:
            return
        check(story, rows, f"point {index}: {fuse.names[-1]}")
