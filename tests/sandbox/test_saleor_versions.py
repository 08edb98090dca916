"""The whole path with every version of Saleor that the manifest names."""

import pytest

from saleor_kustom.sandbox.saleor import SimulatedSaleor
from saleor_kustom.sandbox.saleor_orders import Line
from saleor_kustom.sandbox.world import SALEOR_URL, open_world

VERSIONS = ("3.21.69", "3.22.67", "3.23.28")
LINES = (Line("Jacket", "1299.00"), Line("Mug", "33.33", 3))


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_app_installs_captures_and_reports_with_that_version(database_url, version):
    saleor = SimulatedSaleor(f"{SALEOR_URL}/graphql/", version=version)
    async with open_world(database_url, saleor=saleor) as world:
        await world.install()
        assert saleor.installed.logo.startswith(b"\x89PNG")
        order, there = world.order(LINES)
        mug = order["lines"][1]["id"]
        first = saleor.fulfill(order["id"], {mug: 1}, tracking="SE1")
        await world.settle()
        saleor.fulfill(order["id"])
        saleor.update_tracking(first["id"], "SE2")
        await world.settle()
        assert [capture.amount for capture in there.captures] == [33_33 + 49_00, 1299_00 + 66_66]
        assert (order["chargeStatus"], order["status"]) == ("FULL", "FULFILLED")
        assert saleor.failed == []


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_gift_card_is_never_captured_whichever_way_saleor_keeps_it(database_url, version):
    saleor = SimulatedSaleor(f"{SALEOR_URL}/graphql/", version=version)
    async with open_world(database_url, saleor=saleor) as world:
        await world.install()
        order, there = world.order(LINES, gift_card="300.00")
        jacket, mug = (line["id"] for line in order["lines"])
        for parcel in ({jacket: 1}, {mug: 3}):
            saleor.fulfill(order["id"], parcel)
            await world.settle()
        assert there.captured == there.amount == 1447_99 - 300_00
        assert order["chargeStatus"] == "FULL"
        assert tenders_of(there) == [{"gift_card"}, {"gift_card"}]


def tenders_of(there):
    """The kinds of other payments that each capture's lines name."""
    kinds = [{line["type"] for line in capture.order_lines} for capture in there.captures]
    return [found & {"gift_card", "store_credit"} for found in kinds]


async def test_a_gift_card_is_known_once_the_shop_is_known_to_be_upgraded(database_url):
    saleor = SimulatedSaleor(f"{SALEOR_URL}/graphql/", version="3.22.67")
    async with open_world(database_url, saleor=saleor) as world:
        await world.install()
        saleor.version = "3.23.28"
        order, there = world.order(LINES, gift_card="300.00")
        jacket, mug = (line["id"] for line in order["lines"])
        saleor.fulfill(order["id"], {jacket: 1})
        await world.settle()
        await world.app.reconciler.tick(world.app.worker.parts.clock())
        assert (await world.app.store.shops.get(saleor.api_url)).saleor_version == "3.23.28"
        # What the first parcel called another payment is not taken off a second time.
        for _ in range(3):
            saleor.fulfill(order["id"], {mug: 1})
            await world.settle()
        assert tenders_of(there) == [{"store_credit"}, {"gift_card"}, {"gift_card"}, {"gift_card"}]
        assert there.captured == there.amount == 1447_99 - 300_00


async def test_a_shop_that_is_older_than_it_said_is_read_all_the_same(database_url):
    saleor = SimulatedSaleor(f"{SALEOR_URL}/graphql/", version="3.23.28")
    async with open_world(database_url, saleor=saleor) as world:
        await world.install()
        saleor.version = "3.21.69"
        order, there = world.order(LINES, gift_card="300.00")
        saleor.fulfill(order["id"])
        await world.settle()
        assert there.captured == there.amount == 1447_99 - 300_00


async def test_a_removed_app_is_forgotten_and_a_late_word_of_it_harms_no_new_one(database_url):
    saleor = SimulatedSaleor(f"{SALEOR_URL}/graphql/", version="3.23.28")
    async with open_world(database_url, saleor=saleor) as world:
        await world.install()
        await world.install()
        await saleor.deliver()  # the first one's removal comes after the second installation
        shop = await world.app.store.shops.get(saleor.api_url)
        assert shop.app_id == saleor.installed.app["id"]
        saleor.uninstall()
        await saleor.deliver()
        assert await world.app.store.shops.get(saleor.api_url) is None
