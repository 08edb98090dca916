"""The process dies at every point of charges, refunds and a release; each happens once, or never.

As in test_death.py; but what a person pressed while the process died may never have been stored.
Then Saleor has recorded a failure, and nothing has happened at Kustom.
"""

import pytest

from saleor_kustom.capture.operation import Request, Source
from tests.walks.buttons import amounts, pending, press
from tests.walks.death import Story
from tests.walks.test_death import live_and_die

PERSON = Request(source=Source.PERSON, who="anna")


class Operations(Story):
    """A charge, a parcel, its cancellation and refund, a refund by the button, a release."""

    def __init__(self):
        super().__init__()
        self.steps = [self.charge, self.ship_one, self.cancel, self.refund, self.give, self.release]
        self.worlds = None

    def charge(self):
        press(self, self.order, "CHARGE", "100.00")

    def cancel(self):
        self.saleor.cancel_fulfillment(self.order["fulfillments"][0]["id"])

    async def refund(self):
        captures = self.worlds.app.store.captures
        rows = await captures.of_order(self.saleor.api_url, self.order["id"])
        [parcel] = [row for row in rows if row.is_parcel]
        await self.worlds.app.store.operations.refund(parcel, PERSON)

    def give(self):
        press(self, self.order, "REFUND", "50.00")

    def release(self):
        press(self, self.order, "CANCEL")

    async def play(self, world):
        self.worlds = world
        while self.steps:
            step = self.steps[0]
            if step == self.refund:  # a person whose page shows an error asks again
                await step()
                self.steps.pop(0)
            else:
                self.steps.pop(0)()
            await world.settle()


def check(story, rows, died_at):
    there, order = story.there, story.order
    captures = [capture.reference for capture in there.captures]
    refunds = [refund["reference"] for refund in there.refunds]
    assert len(set(captures)) == len(captures), died_at
    assert len(set(refunds)) == len(refunds), died_at
    assert {str(row.state) for row in rows} <= {"reported", "nothing"}, died_at
    assert [row.held for row in rows] == [None] * len(rows), died_at
    done = [row for row in rows if str(row.state) == "reported"]
    assert sum(str(row.kind) in ("fulfillment", "charge") for row in done) == len(captures)
    assert sum(str(row.kind) == "refund" for row in done) == len(refunds), died_at
    assert there.refunded >= 149_00, died_at
    left = 0 if there.released else there.amount - there.captured
    kustoms = [left, there.captured - there.refunded, there.refunded]
    assert amounts(order)[:3] == kustoms, died_at
    assert pending(order) == [0, 0, 0], died_at


async def test_undisturbed_everything_happens(sqlite_url):
    fuse, story, rows = await live_and_die(sqlite_url, 0, "both", Operations)
    check(story, rows, "nowhere")
    assert [capture.amount for capture in story.there.captures] == [100_00, 149_00]
    assert [refund["refunded_amount"] for refund in story.there.refunds] == [149_00, 50_00]
    assert story.there.released
    assert len(rows) == 5
    assert fuse.points >= 120, fuse.points


async def die_at(indices, url_of, guard):
    for index in indices:
        fuse, story, rows = await live_and_die(url_of(index), index, guard, Operations)
        if fuse.points < index:
            return
        check(story, rows, f"point {index}: {fuse.names[-1]}")


@pytest.mark.parametrize("part", range(6))
async def test_a_death_at_any_point_loses_nothing_and_doubles_nothing(memory_path, part, points):
    indices = points(part, 6, third=True)
    await die_at(indices, lambda index: f"sqlite:///{memory_path}/{index}.db", "both")


@pytest.mark.parametrize("guard", ["no look", "no key"])
@pytest.mark.parametrize("part", range(4))
async def test_each_guard_suffices_alone(memory_path, guard, part, points):
    """With half as many points each as with both guards above."""
    indices = points(part, 8, third=True)
    await die_at(indices, lambda index: f"sqlite:///{memory_path}/{index}.db", guard)


@pytest.mark.parametrize("part", range(3))
async def test_a_death_on_postgresql(server, part, points):
    """With fewer points, each on a database of its own."""
    made = []

    def url_of(_index):
        made.append(server.create())
        return made[-1]

    try:
        await die_at(points(part, 9, third=True), url_of, "both")
    finally:
        for url in made:
            server.drop(url)
