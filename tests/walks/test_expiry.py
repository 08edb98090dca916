"""An authorization that will expire is told of days before, and extended where that is wanted."""

import dataclasses
from datetime import timedelta

import pytest

from saleor_kustom.worker.expiry import DAY_S
from saleor_kustom.worker.reconcile import NIGHTLY_S
from tests.walks.conftest import MUGS


@pytest.fixture
def nights(world, clock):
    async def pass_(count):
        for _ in range(count):
            clock.pass_s(NIGHTLY_S + 1)
            await world.app.reconciler.tick(clock())
            await world.app.worker.drain()

    return pass_


@pytest.fixture
def expiring(world, clock):
    async def list_(days=7.0):
        authorizations = world.app.store.authorizations
        found = await authorizations.expiring(world.saleor.api_url, clock() + days * DAY_S)
        return [(one.order_number, one.remaining_minor) for one in found]

    return list_


async def test_what_never_shipped_is_told_of_a_week_before(world, nights, expiring):
    order, there = world.order([MUGS])
    await nights(20)
    assert await expiring() == []
    await nights(2)
    assert await expiring() == [(order["number"], 349_00)]
    assert await expiring(days=5.0) == []
    assert world.kustom.orders[there.order_id].captures == []


async def test_of_what_shipped_in_part_the_rest_is_told(world, nights, expiring):
    order, _ = world.order([MUGS])
    [line] = [entry["id"] for entry in order["lines"]]
    world.saleor.fulfill(order["id"], {line: 1})
    await world.settle()
    await nights(22)
    assert await expiring() == [(order["number"], 200_00)]


async def test_it_is_forgotten_when_it_shipped(world, nights, expiring):
    order, _ = world.order([MUGS])
    [line] = [entry["id"] for entry in order["lines"]]
    await nights(22)
    assert len(await expiring()) == 1
    world.saleor.fulfill(order["id"], {line: 3})
    await world.settle()
    await nights(1)
    assert await expiring() == []


async def test_an_order_of_another_payment_is_nobodys_business(world, nights, expiring):
    world.saleor.add_order([MUGS], psp_reference="ch_123")
    order = world.saleor.add_order([MUGS], psp_reference="0f1c8a5e-35c7-4f1c-9a41-5d7d5a9d7f11")
    assert order["authorizeStatus"] == "FULL"
    await nights(22)
    assert await expiring() == []


async def test_looking_binds_nothing(world, nights, rows):
    order, _ = world.order([MUGS])
    await nights(22)
    assert await world.app.store.captures.binding(world.saleor.api_url, order["id"]) is None
    assert await rows(order) == []


@pytest.fixture
async def extending(world):
    chosen = {"extend_authorizations": True}
    await world.app.store.policies.set(world.saleor.api_url, "", chosen, who="test")


@pytest.mark.usefixtures("extending")
async def test_it_is_extended_where_the_merchant_wants_that(world, nights, expiring):
    _, there = world.order([MUGS])
    before = there.expires_at
    await nights(24)
    assert there.expires_at == before
    await nights(2)
    assert (there.expires_at - before).days >= 24
    assert await expiring() == []
    again = there.expires_at
    await nights(1)
    assert there.expires_at == again


@pytest.mark.usefixtures("extending")
async def test_what_cannot_be_extended_says_why(world, nights, clock):
    _, there = world.order([MUGS])
    there.country = "FR"
    await nights(26)
    [one] = await world.app.store.authorizations.expiring(world.saleor.api_url, clock() + 7 * DAY_S)
    assert "cannot be extended" in one.problem


async def test_without_the_setting_nothing_is_extended(world, nights):
    _, there = world.order([MUGS])
    before = there.expires_at
    await nights(27)
    assert there.expires_at == before


async def test_shops_see_their_own_alone(world, nights, clock):
    world.order([MUGS])
    await nights(22)
    authorizations = world.app.store.authorizations
    [one] = await authorizations.expiring(world.saleor.api_url, clock() + 7 * DAY_S)
    other = "https://other.example/graphql/"
    assert await authorizations.expiring(other, clock() + 7 * DAY_S) == []
    assert await authorizations.get(other, one.order_id) is None
    await authorizations.put(dataclasses.replace(one, api_url=other, remaining_minor=1))
    [same] = await authorizations.expiring(world.saleor.api_url, clock() + 7 * DAY_S)
    assert same.remaining_minor == 349_00


async def test_a_person_extends_it_whenever_they_want_and_only_once(world, nights, expiring):
    order, there = world.order([MUGS])
    shop = await world.app.store.shops.get(world.saleor.api_url)
    await nights(22)
    before = there.expires_at
    world.kustom.fail_next("lost answer", on="extend")
    first = await world.app.expiry.extend(shop, order["id"], who="cashier")
    until = there.expires_at
    assert until > before
    assert abs(first.until - until) < timedelta(seconds=1)  # looked up: the answer was lost
    assert await expiring() == []
    told = await world.app.store.history.of_shop(world.saleor.api_url)
    asked = [line["detail"] for line in told if line["what"] == "extension_asked"]
    assert asked == [{"order": order["number"], "who": "cashier"}]


async def test_what_kustom_does_not_extend_says_why_to_who_asked(world, nights, clock):
    order, there = world.order([MUGS])
    shop = await world.app.store.shops.get(world.saleor.api_url)
    there.country = "FR"
    await nights(22)
    found = await world.app.expiry.extend(shop, order["id"], who="cashier")
    assert found.until is None
    assert "cannot be extended" in found.problem
    [one] = await world.app.store.authorizations.expiring(world.saleor.api_url, clock() + 7 * DAY_S)
    assert one.problem == found.problem


async def test_what_is_captured_in_full_needs_no_more_time(world):
    order, there = world.order([MUGS])
    world.saleor.fulfill(order["id"])
    await world.settle()
    shop = await world.app.store.shops.get(world.saleor.api_url)
    before = there.expires_at
    found = await world.app.expiry.extend(shop, order["id"], who="cashier")
    assert (found.until, there.expires_at) == (None, before)
    assert "nothing of it can be captured" in found.problem
