"""What shipped before the installation is captured when a person has seen the sum."""

import pytest

from tests.walks.conftest import MUGS
from tests.walks.test_reconcile import run


@pytest.fixture
async def previewed(world):
    async def preview():
        shop = await world.app.store.shops.get(world.saleor.api_url)
        found = await run(world, dry_run=True)
        return shop, await world.app.before_install.preview(shop, found.before_install)

    return preview


def shipped_long_ago(world, *quantities, **more):
    order, there = world.order([MUGS], **more)
    [line] = [entry["id"] for entry in order["lines"]]
    for month, quantity in enumerate(quantities, 1):
        fulfillment = world.saleor.fulfill(order["id"], {line: quantity})
        fulfillment["created"] = f"2020-{month:02}-01T00:00:00.000000+00:00"
    world.saleor.queue.clear()
    return order, there


async def test_each_parcel_is_planned_and_then_captured_as_planned(world, previewed):
    _, there = shipped_long_ago(world, 1, 2)
    shop, previews = await previewed()
    assert [one.amount_minor for one in previews] == [149_00, 200_00]
    await world.settle()
    assert there.captures == []
    assert await world.app.before_install.capture(shop, previews) == 2
    await world.settle()
    assert sorted(c.amount for c in there.captures) == [149_00, 200_00]
    assert await world.app.before_install.capture(shop, previews) == 0
    await world.settle()
    assert len(there.captures) == 2


async def test_what_was_captured_by_hand_is_not_captured_again(world, previewed, rows):
    order, there = shipped_long_ago(world, 3)
    world.kustom.ledger.capture(there, {"captured_amount": 349_00, "reference": "by hand"})
    _, [preview] = await previewed()
    assert preview.amount_minor is None
    assert preview.why
    assert await rows(order) == []


async def test_what_our_own_earlier_installation_captured_is_known(world, previewed):
    order, there = shipped_long_ago(world, 3)
    shop, previews = await previewed()
    await world.app.before_install.capture(shop, previews)
    await world.settle()
    for statement in ("delete from history", "delete from capture", "delete from delivery"):
        await world.app.store._db((statement, {}))
    order["chargeStatus"] = "PARTIAL"
    _, [again] = await previewed()
    assert (again.amount_minor, again.why) == (None, "Kustom has its capture already")
    assert len(there.captures) == 1


async def test_an_order_of_another_payment_is_said_to_be_one(world, previewed):
    order = world.saleor.add_order([MUGS], psp_reference="ch_123")
    fulfillment = world.saleor.fulfill(order["id"])
    fulfillment["created"] = "2020-01-01T00:00:00.000000+00:00"
    world.saleor.queue.clear()
    _, [preview] = await previewed()
    assert preview.amount_minor is None
    assert "not paid with Kustom" in preview.why
