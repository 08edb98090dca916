"""After the story there is something to look at, to ship, to approve and to solve."""

from saleor_kustom.sandbox.showcase import set_out
from saleor_kustom.sandbox.world import open_world


async def test_orders_stand_at_different_points(sqlite_url):
    async with open_world(sqlite_url) as world:
        await world.install()
        await set_out(world, world.settle)
        rows = await world.app.store.captures.list(world.saleor.api_url)
        marks = [row.held or row.waiting or row.state.value for row in reversed(rows)]
        assert marks == ["refused_by_kustom", "kustom_order_unknown", "link_refused"]
        statuses = [order["status"] for order in world.saleor.orders.values()]
        assert statuses.count("UNFULFILLED") == 2
