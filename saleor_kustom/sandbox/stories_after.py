"""More of the story: charged before it ships, refunded, cancelled after its capture, closed."""

from saleor_kustom.capture.operation import Request, Source
from saleor_kustom.sandbox.stories import BREAD, JACKET, MUGS, Outcome, Settle
from saleor_kustom.sandbox.world import World

_PERSON = Request(source=Source.PERSON, who="demo", why="the story says so")


async def charged_before_shipping(world: World, settle: Settle) -> Outcome:
    """A shop that lets nobody fulfil unpaid orders: all is charged by the button, then shipped."""
    order, there = world.order((JACKET, MUGS))
    world.saleor.request_action(order["transactions"][0]["id"], "CHARGE")
    await settle()
    world.saleor.fulfill(order["id"])
    await settle()
    return Outcome("Charged, then shipped", order, there, (1441_09,), written=())


async def refunded_by_button(world: World, settle: Settle) -> Outcome:
    """A granted refund of one mug, paid back with its line."""
    order, there = world.order((MUGS,))
    world.saleor.fulfill(order["id"])
    await settle()
    granted = world.saleor.grant_refund(order["id"], "31.03", {order["lines"][0]["id"]: 1})
    world.saleor.request_action(order["transactions"][0]["id"], "REFUND", granted_refund=granted)
    await settle()
    return Outcome("Refunded by Saleor's button", order, there, (142_09,), refunds=(31_03,))


async def cancelled_parcel_refunded(world: World, settle: Settle) -> Outcome:
    """Cancelled after its capture: held for a person, who refunds exactly that parcel."""
    order, there = world.order((BREAD,))
    fulfillment = world.saleor.fulfill(order["id"])
    await settle()
    world.saleor.cancel_fulfillment(fulfillment["id"])
    await settle()
    store = world.app.store
    [parcel] = await store.captures.of_order(world.saleor.api_url, order["id"])
    await store.operations.refund(parcel, _PERSON)
    world.app.worker.wake()
    await settle()
    return Outcome("Cancelled, and refunded", order, there, (95_36,), refunds=(95_36,), written=())


async def closed(world: World, settle: Settle) -> Outcome:
    """One of three mugs ships, and nothing more will: the rest is given back."""
    order, there = world.order((MUGS,))
    world.saleor.fulfill(order["id"], {order["lines"][0]["id"]: 1})
    await settle()
    shop = await world.app.store.shops.get(world.saleor.api_url)
    if shop is None:
        raise AssertionError("the app is installed")
    await world.app.closing.close(
        shop, order["id"], charge_fee=False, who=_PERSON.who, why=_PERSON.why
    )
    world.app.worker.wake()
    await settle()
    if not there.released:
        raise AssertionError("the rest was not released")
    return Outcome("Closed after one of three", order, there, (80_03,))


AFTER = (charged_before_shipping, refunded_by_button, cancelled_parcel_refunded, closed)
