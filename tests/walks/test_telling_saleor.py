"""Saleor shows what needs a person, and notes where a merchant wants them; and forgets in time."""

import pytest

from saleor_kustom.sandbox.saleor import SimulatedSaleor
from saleor_kustom.sandbox.world import SALEOR_URL, open_world
from saleor_kustom.store import OpenAuthorization
from tests.walks.conftest import MUGS


class Clock:
    def __init__(self):
        self.now = 1_900_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def ticking():
    return Clock()


@pytest.fixture(params=["3.23.28"])
def version(request):
    return request.param


@pytest.fixture
async def shop(sqlite_url, ticking, version):
    saleor = SimulatedSaleor(f"{SALEOR_URL}/graphql/", version=version)
    async with open_world(sqlite_url, saleor=saleor, clock=ticking) as world:
        await world.install()
        yield world


async def tick(world, ticking):
    ticking.now += 61
    await world.app.mirror.tick()


async def shipped(world, *, refused=False):
    order, _ = world.order([MUGS])
    if refused:
        world.kustom.fail_next("refused", on="capture")
    world.saleor.fulfill(order["id"])
    await world.settle()
    return order


def shown(world):
    problems = world.saleor.installed.app["problems"]
    return {one["key"]: one["message"] for one in problems if not one["dismissed"]}


async def test_a_problem_appears_is_told_once_and_goes_when_it_is_solved(shop, ticking):
    order = await shipped(shop, refused=True)
    for _ in range(3):
        await tick(shop, ticking)
    assert list(shown(shop)) == ["held:refused_by_kustom"]
    assert shop.saleor.installed.app["problems"][0]["count"] == 1
    [row] = await shop.app.store.captures.of_order(shop.saleor.api_url, order["id"])
    await shop.app.store.captures.resume(row.api_url, row.id, "anna", "mended")
    await shop.settle()
    await tick(shop, ticking)
    assert shown(shop) == {}


async def test_what_expires_and_accounts_that_are_paused_are_problems_too(shop, ticking):
    store, api_url = shop.app.store, shop.saleor.api_url
    await store.accounts.pause("playground", "PM1", "HTTP 401", api_url=api_url)
    await store.authorizations.put(
        OpenAuthorization(api_url, "O1", "1", "K1", "SEK", 5, ticking.now + 86_400)
    )
    await tick(shop, ticking)
    assert set(shown(shop)) == {"expiring", "account:playground/PM1"}


async def test_a_saleor_that_is_away_or_refuses_keeps_nothing_from_being_told_later(shop, ticking):
    await shipped(shop, refused=True)
    shop.saleor.fail_next("500")
    await tick(shop, ticking)
    assert shown(shop) == {}
    await tick(shop, ticking)
    assert list(shown(shop)) == ["held:refused_by_kustom"]


@pytest.mark.parametrize("version", ["3.21.69", "3.22.10"], indirect=True)
async def test_an_older_saleor_is_asked_nothing_that_it_does_not_know(shop, ticking):
    await shipped(shop, refused=True)
    before = len(shop.saleor.requests)
    await tick(shop, ticking)
    assert len(shop.saleor.requests) == before


async def test_no_notes_are_made_unless_a_merchant_wants_them(shop, ticking):
    await tick(shop, ticking)
    order = await shipped(shop)
    await tick(shop, ticking)
    assert order.get("notes", []) == []


async def test_notes_tell_of_captures_and_of_what_is_held_each_once(shop, ticking):
    await shop.app.store.policies.set(shop.saleor.api_url, "se", {"order_notes": True}, who="anna")
    await tick(shop, ticking)
    captured, held = await shipped(shop), await shipped(shop, refused=True)
    await shop.app.mirror.notes()  # too fresh: a line beside it may not be visible yet
    assert captured.get("notes", []) == []
    for _ in range(2):
        await tick(shop, ticking)
    [note] = captured["notes"]
    assert note == "Kustom: parcel 1 captured, 349.00 SEK."
    [note] = held["notes"]
    assert note.startswith("Kustom: parcel 1 needs a person. Kustom refused 349.00 SEK")


async def test_a_note_that_fails_is_not_tried_for_ever(shop, ticking):
    await shop.app.store.policies.set(shop.saleor.api_url, "se", {"order_notes": True}, who="anna")
    await tick(shop, ticking)
    order = await shipped(shop)
    shop.saleor.fail_next("500")
    for _ in range(2):
        await tick(shop, ticking)
    assert order.get("notes", []) == []


async def test_one_of_all_instances_tells(shop, ticking):
    await tick(shop, ticking)
    await shipped(shop, refused=True)
    await shop.app.mirror.tick()  # within the same minute
    assert shown(shop) == {}
