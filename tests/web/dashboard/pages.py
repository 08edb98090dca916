"""A merchant's browser without a browser: it fetches the pages' fragments and presses buttons."""

import contextlib

from saleor_kustom.sandbox.saleor_orders import Line
from tests.web.edge import APP_URL, open_edge

MUG = Line("Kaffemugg Ö", "100.00", 3)
ALL = ("MANAGE_ORDERS", "HANDLE_PAYMENTS", "MANAGE_APPS")


class Pages:
    """`shop` defaults to the installed one, `token` to one with every permission."""

    mug, dear, free = MUG, Line("Soffa", "12345.50"), Line("Gratis", "0.00")
    monkeypatch = None  # set by the fixture

    def __init__(self, edge):
        self.edge, self.world = edge, edge.world
        self.saleor, self.kustom, self.store = edge.saleor, edge.world.kustom, edge.store

    def headers(self, *, shop=None, token=None, permissions=ALL, language="en", **more):
        token = self.saleor.dashboard_token(permissions) if token is None else token
        return {
            "saleor-api-url": shop or self.saleor.api_url,
            "authorization-bearer": token,
            "accept-language": language,
            **more,
        }

    async def get(self, path, **more):
        path = path if path.startswith("/") else f"/app/pages/{path}"
        return await self.edge.client.get(f"{APP_URL}{path}", headers=self.headers(**more))

    async def html(self, path, **more):
        answer = await self.get(path, **more)
        assert answer.status_code == 200, answer.text
        return answer.text

    async def post(self, act, body, **more):
        url = f"{APP_URL}/app/acts/{act}"
        return await self.edge.client.post(url, json=body, headers=self.headers(**more))

    async def did(self, act, body, **more):
        """Press a button and return what it said."""
        answer = await self.post(act, body, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()["said"]["title"]

    async def sql(self, query, **params):
        return await self.store._db((query, params))

    async def shipped(self, lines=(MUG,), *, settle=True, **more):
        """Place an order, ship all of it, and work until nothing is due; return order and row."""
        order, there = self.world.order(lines, **more)
        self.saleor.fulfill(order["id"], tracking="SE1")
        if settle:
            await self.world.settle()
        else:
            await self.saleor.deliver()
        rows = await self.store.captures.of_order(self.saleor.api_url, order["id"])
        return order, there, rows[-1]

    async def held(self, **more):
        """Return an order whose parcel Kustom refused."""
        self.kustom.fail_next("refused", on="capture")
        return await self.shipped(**more)


@contextlib.asynccontextmanager
async def open_pages(database_url, **settings):
    async with open_edge(database_url, **settings) as edge:
        await edge.world.install()
        yield Pages(edge)
