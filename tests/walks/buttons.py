"""What tests of Saleor's buttons press and look at."""

import httpx

from saleor_kustom.sandbox.saleor_orders import amount_of

_AMOUNTS = ("authorizedAmount", "chargedAmount", "refundedAmount", "canceledAmount")
_PENDING = ("chargePendingAmount", "refundPendingAmount", "cancelPendingAmount")


def the(order):
    [transaction] = order["transactions"]
    return transaction


def amounts(order):
    """Return what is authorized, charged, refunded and cancelled in Saleor, in minor units."""
    return [round(amount_of(the(order)[field]) * 100) for field in _AMOUNTS]


def pending(order):
    return [round(amount_of(the(order)[field]) * 100) for field in _PENDING]


def events(order):
    return [event["type"] for event in the(order)["events"]]


def private(item):
    return {pair["key"]: pair["value"] for pair in item["privateMetadata"]}


def press(world, order, action, amount=None, **more):
    """Press a button; the app is asked when the world delivers."""
    return world.saleor.request_action(the(order)["id"], action, amount, **more)


async def signed(world):
    """Return the request that is queued, signed and ready to be posted."""
    [queued] = world.saleor.queue
    world.saleor.queue.clear()
    delivery = await world.saleor.signed(queued.event, queued.value, queued.webhook)
    delivery.request = queued.request
    return delivery


async def post(world, delivery):
    transport = httpx.ASGITransport(world.app.web)
    async with httpx.AsyncClient(transport=transport) as client:
        return await client.post(delivery.target, headers=delivery.headers, content=delivery.body)
