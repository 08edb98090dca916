"""The process dies at every point while tracking is sent; each number arrives once."""

import contextlib

import pytest

from saleor_kustom.sandbox.saleor_orders import Line
from tests.walks.death import GUARDS, Died, Fuse, Story, TappedTransport, tap_store


class Again(Story):
    """A captured parcel is cancelled and ships again with a new unit: two captures to tell."""

    def __init__(self):
        super().__init__()
        self.steps = [self.ship_again, self.change]

    async def begin(self, world):
        await world.install()
        self.order, self.there = world.order([Line("Mug", "100.00", 3)])
        line = self.order["lines"][0]["id"]
        gone = self.saleor.fulfill(self.order["id"], {line: 1})
        await world.settle()
        self.saleor.cancel_fulfillment(gone["id"])
        await world.settle()

    def ship_again(self):
        line = self.order["lines"][0]["id"]
        self.saleor.fulfill(self.order["id"], {line: 2})

    def change(self):
        self.saleor.update_tracking(self.order["fulfillments"][1]["id"], "SE2, SE3")

    @contextlib.contextmanager
    def without(self, guard):
        if guard == "no key":
            self.kustom.forget_keys()
        hidden = [(c, c.shipping_info) for c in self.there.captures if guard == "no look"]
        for capture, _ in hidden:
            capture.shipping_info = []
        yield
        for capture, before in hidden:
            capture.shipping_info = before + capture.shipping_info


async def live_and_die(database_url, dies_at, guard):
    story, fuse = Again(), Fuse(dies_at)
    with contextlib.suppress(Died):
        async with story.world(
            database_url, tap=lambda inner: TappedTransport(inner, fuse), concurrency=1
        ) as world:
            await story.begin(world)
            tap_store(world.app.store, fuse)
            story.steps.pop(0)()
            await world.settle()
            fuse.lit = True
            await story.play(world)
    fuse.lit = False
    async with story.world(database_url) as world:
        with story.without(guard):
            story.clock.pass_s(61)
            await world.app.store.captures.start()
            await world.settle()
        await story.hours_pass(world)
    return fuse, story.there


def check(there, died_at):
    assert [capture.amount for capture in there.captures] == [149_00, 100_00], died_at
    tracking = [[e["tracking_number"] for e in c.shipping_info] for c in there.captures]
    assert tracking == [["SE2", "SE3"]] * 2, died_at


async def test_the_story_has_both_calls(database_url):
    fuse, there = await live_and_die(database_url, 0, "both")
    check(there, "nowhere")
    calls = [name for name in fuse.names if name.startswith("before POST") and "shipping" in name]
    assert len(calls) == 2


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("third", range(3))
async def test_a_death_at_every_point_loses_no_number_and_doubles_none(
    memory_path, guard, third, points
):
    for index in points(third, 3, third=guard != "both"):
        url = f"sqlite:///{memory_path}/{index}.db"
        fuse, there = await live_and_die(url, index, guard)
        if fuse.points < index:
            return
        check(there, f"point {index}: {fuse.names[-1]}")


async def test_a_death_on_postgresql(server, points):
    for index in points(0, 1, third=True):
        url = server.create()
        fuse, there = await live_and_die(url, index, "both")
        server.drop(url)
        if fuse.points < index:
            return
        check(there, f"point {index}: {fuse.names[-1]}")
