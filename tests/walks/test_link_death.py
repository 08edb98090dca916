"""A process that links dies at every point; the order is linked, captured, and told once."""

import contextlib
import uuid

import pytest

from saleor_kustom.capture.linking import How
from tests.walks.conftest import MUGS
from tests.walks.death import Died, Fuse, Story, TappedTransport, tap_store


class LinkStory(Story):
    """A parcel waits for its Kustom order; then somebody links it, again and again if need be."""

    def place(self, world):
        self.order = world.saleor.add_order([MUGS])
        self.there = world.kustom.add_order(str(uuid.uuid4()), 349_00)
        world.saleor.fulfill(self.order["id"])

    async def link(self, world):
        shop = await world.app.store.shops.get(self.saleor.api_url)
        return await world.app.linker.now(
            shop, self.order["id"], self.there.order_id, how=How.API, who="checkout"
        )


async def live_and_die(database_url, dies_at, *, asks_again):
    story, fuse = LinkStory(), Fuse(dies_at)
    with contextlib.suppress(Died):
        async with story.world(
            database_url, tap=lambda inner: TappedTransport(inner, fuse), concurrency=1
        ) as world:
            await world.install()
            story.place(world)
            await world.settle()
            tap_store(world.app.store, fuse)
            fuse.lit = True
            await story.link(world)
            await world.settle()
    fuse.lit = False
    async with story.world(database_url) as world:
        story.clock.pass_s(61)  # what the dead process had leased
        await world.app.store.captures.start()
        await world.app.store.links.start()
        kept = await world.app.store.links.get(story.saleor.api_url, story.order["id"])
        if asks_again or kept is None:  # nobody was answered, so they ask again
            await story.link(world)
        await world.settle()
        await story.hours_pass(world)
        link = await world.app.store.links.get(story.saleor.api_url, story.order["id"])
        rows = await world.app.store.captures.of_order(story.saleor.api_url, story.order["id"])
    return fuse, story, link, rows


def check(story, link, rows, died_at):
    [transaction] = story.order["transactions"]
    assert (link.state, link.transaction_id, link.open) == ("linked", transaction["id"], False)
    assert story.there.merchant_reference1 == story.order["number"], died_at
    assert [c.amount for c in story.there.captures] == [349_00], died_at
    assert [(str(r.state), r.report_problem) for r in rows] == [("reported", None)], died_at
    assert [e["type"] for e in transaction["events"]] == ["CHARGE_SUCCESS"], died_at


async def test_the_story_has_every_kind_of_point(database_url):
    fuse, story, link, rows = await live_and_die(database_url, 0, asks_again=False)
    check(story, link, rows, "nowhere")
    kinds = {name.split("/")[0].strip() for name in fuse.names}
    assert kinds >= {"before GET", "before POST", "after POST", "before PATCH", "before a commit"}
    assert fuse.points >= 40, fuse.points


@pytest.mark.parametrize("asks_again", [False, True])
@pytest.mark.parametrize("fifth", range(5))
async def test_a_death_at_every_point_links_once(memory_path, fifth, asks_again, points):
    for index in points(fifth, 5):
        url = f"sqlite:///{memory_path}/{index}.db"
        fuse, story, link, rows = await live_and_die(url, index, asks_again=asks_again)
        if fuse.points < index:
            return
        check(story, link, rows, f"point {index}: {fuse.names[-1]}")


@pytest.mark.parametrize("half", range(2))
async def test_a_death_on_postgresql(server, half, points):
    for index in points(half, 2, third=True):
        url = server.create()
        fuse, story, link, rows = await live_and_die(url, index, asks_again=False)
        server.drop(url)
        if fuse.points < index:
            return
        check(story, link, rows, f"point {index}: {fuse.names[-1]}")
