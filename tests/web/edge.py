"""The whole edge over ASGI, with a Saleor that has installed it, and a count of what it stored."""

import contextlib

import httpx

from saleor_kustom.sandbox.routed import Routed
from saleor_kustom.sandbox.saleor import SimulatedSaleor
from saleor_kustom.sandbox.saleor_orders import Line
from saleor_kustom.sandbox.world import APP_URL, SALEOR_URL, open_world

HOOKS = f"{APP_URL}/api/webhooks/saleor"
PSP_REFERENCE = "8c9e2c4e-3b0c-4f6c-9f1d-0a1f6f1f2f3d"
ACTIONS = {"charge": "CHARGE", "refund": "REFUND", "cancelation": "CANCEL"}


class Edge:
    """Posts to the app, and looks at its database."""

    def __init__(self, world, client, fetched):
        self.world = world
        self.saleor = world.saleor
        self.store = world.app.store
        self.client = client
        self.fetched = fetched  # every address that the app called, in order
        self.api_url = world.saleor.api_url

    async def post(self, event, headers, body):
        url = event if event.startswith("http") else f"{HOOKS}/{event}"
        return await self.client.post(url, headers=headers, content=body)

    async def deliver(self, delivery):
        return await self.post(delivery.event, delivery.headers, delivery.body)

    async def delivery(self, event="fulfillment_created", **changed):
        """Return a signed delivery of a new fulfillment, as our own document makes it."""
        order = self.saleor.add_order([Line("Mug", "33.33")], psp_reference=PSP_REFERENCE)
        fulfillment = self.saleor.fulfill(order["id"])
        typename = "".join(word.capitalize() for word in event.split("_"))
        value = {
            "__typename": typename,
            "issuedAt": "2026-11-23T12:00:00+00:00",
            "version": self.saleor.version,
            "recipient": self.saleor.installed.app,
            "issuingPrincipal": {"__typename": "User", "id": "VXNlcjox"},
            "fulfillment": fulfillment,
            "order": order,
            "app": self.saleor.installed.app,
            "transaction": order["transactions"][0],
            "action": {
                "actionType": ACTIONS.get(event.split("_")[1], "CHARGE"),
                "amount": 33.33,
                "currency": "SEK",
            },
            "grantedRefund": None,
            "sourceObject": order | {"__typename": "Order"},
            "data": {"kustomOrderId": PSP_REFERENCE},
            **changed,
        }
        return await self.saleor.signed(event, value)

    async def stored(self, what="delivery"):
        return len(await self.store._db.read(f"select 1 as one from {what}"))  # noqa: S608 - ours


@contextlib.asynccontextmanager
async def open_edge(database_url, *, saleor=None, **settings):
    """Open the app with an installed Saleor (one with recordings installs itself)."""
    version = {"version": "3.23.28"}  # the only one that tells an app of its removal
    saleor = saleor or SimulatedSaleor(f"{SALEOR_URL}/graphql/", **version)
    fetched = []

    def tap(transport):
        return Tapped(transport, fetched)

    async with open_world(database_url, saleor=saleor, tap=tap, **settings) as world:
        client = httpx.AsyncClient(transport=Routed({APP_URL: world.app.web}))
        async with client:
            yield Edge(world, client, fetched)


class Tapped(httpx.AsyncBaseTransport):
    """Keeps the address of every request that passes; nobody is at any other shop's address."""

    def __init__(self, inner, fetched):
        self._inner, self._fetched = inner, fetched

    async def handle_async_request(self, request):
        self._fetched.append(str(request.url))
        if request.url.host == "neighbour.test":
            raise httpx.ConnectError("nobody is there", request=request)
        return await self._inner.handle_async_request(request)
