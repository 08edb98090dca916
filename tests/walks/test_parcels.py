"""Whole paths: Saleor fulfills, Kustom captures, Saleor knows."""

from saleor_kustom.capture.state import State
from saleor_kustom.sandbox.saleor_orders import Line
from saleor_kustom.sandbox.world import open_world

LINES = (Line("Jacket", "1299.00"), Line("Mug", "33.33", 3), Line("Bread", "24.90", 2))


async def test_three_parcels_are_captured_and_sum_to_the_order(database_url):
    async with open_world(database_url) as world:
        await world.install()
        order, there = world.order(LINES)
        jacket, mug, bread = (line["id"] for line in order["lines"])
        for parcel in ({jacket: 1, mug: 1}, {mug: 1, bread: 1}, {mug: 1, bread: 1}):
            world.saleor.fulfill(order["id"], parcel, tracking="UA123456789SE")
            await world.settle()
        assert [c.amount for c in there.captures] == [
            1299_00 + 33_33 + 49_00,
            33_33 + 24_90,
            33_33 + 24_90,
        ]
        assert there.captured == there.amount == 1497_79
        rows = await world.app.store.captures.of_order(world.saleor.api_url, order["id"])
        assert [row.state for row in rows] == [State.REPORTED] * 3
        assert [c.shipping_info[0]["tracking_number"] for c in there.captures] == [
            "UA123456789SE"
        ] * 3
        assert order["totalCharged"]["amount"] == 1497.79
