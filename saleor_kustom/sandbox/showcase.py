"""Orders for somebody who looks around after the story: to ship, to approve, and to solve."""

from saleor_kustom.sandbox.stories import BREAD, JACKET, MUGS, Settle
from saleor_kustom.sandbox.world import World


async def set_out(world: World, settle: Settle) -> None:
    """Place orders that stand at different points, and let the app take them as far as it can."""
    await _refused(world, settle)
    await _unlinked(world, settle)
    await _cancelled_there(world, settle)
    waiting, _ = world.order((BREAD,))
    world.saleor.fulfill(waiting["id"], auto_approve=False)
    world.order((JACKET, MUGS))  # to be shipped in parcels


async def _refused(world: World, settle: Settle) -> None:
    """Kustom says no once: it needs a person, and a retry solves it."""
    order, _ = world.order((MUGS, BREAD))
    world.kustom.fail_next("refused", on="capture")
    world.saleor.fulfill(order["id"], tracking="SE77")
    await settle()


async def _unlinked(world: World, settle: Settle) -> None:
    """The checkout has not written the Kustom order id yet."""
    order = world.saleor.add_order((JACKET,))
    world.saleor.fulfill(order["id"])
    await settle()


async def _cancelled_there(world: World, settle: Settle) -> None:
    """Somebody cancelled the Kustom order in its portal."""
    order, there = world.order((JACKET, BREAD))
    world.kustom.ledger.cancel(there)
    world.saleor.fulfill(order["id"])
    await settle()
