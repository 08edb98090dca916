"""The process dies at every point of the whole path; what was begun is finished, once.

Dying here is raising what nothing of ours catches; then the memory is dropped and the database
opened again by a new process. tests/processes/test_killed.py does the same with SIGKILL.
"""

import contextlib

import pytest

from tests.walks.death import GUARDS, Died, Fuse, Story, TappedTransport, tap_store


async def live_and_die(database_url, dies_at, guard="both", story=Story):
    """Play the story, dying once on the way, and finish it in a new process."""
    story, fuse = story(), Fuse(dies_at)
    with contextlib.suppress(Died):
        async with story.world(
            database_url, tap=lambda inner: TappedTransport(inner, fuse), concurrency=1
        ) as world:
            await world.install()
            story.begin()
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


async def test_the_story_has_every_kind_of_point(database_url):
    fuse, story, rows = await live_and_die(database_url, 0)
    story.check(rows, "nowhere")
    kinds = {name.split("/")[0].strip() for name in fuse.names}
    assert kinds == {
        "before GET", "after GET", "before POST", "after POST",
        "before a commit", "after a commit", "after a claim",
    }  # fmt: skip
    assert fuse.points >= 60, fuse.points


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("tenth", range(10))
async def test_a_death_at_every_point_loses_nothing_and_doubles_nothing(
    memory_path, guard, tenth, points
):
    """All points, a tenth of them in each test so that they run side by side."""
    for index in points(tenth, 10, third=guard != "both"):
        url = f"sqlite:///{memory_path}/{index}.db"
        fuse, story, rows = await live_and_die(url, index, guard)
        if fuse.points < index:
            return
        story.check(rows, f"point {index}: {fuse.names[-1]}")


@pytest.mark.parametrize("quarter", range(4))
async def test_a_death_on_postgresql(server, quarter, points):
    for index in points(quarter, 4, third=True):
        url = server.create()
        fuse, story, rows = await live_and_die(url, index)
        server.drop(url)
        if fuse.points < index:
            return
        story.check(rows, f"point {index}: {fuse.names[-1]}")
