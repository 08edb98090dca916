"""What the stand-in page asks of the simulated Saleor. For loopback: nobody signs in here."""

import asyncio
import time
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from saleor_kustom.sandbox.saleor_orders import Line, Wire, amount_of, open_units
from saleor_kustom.sandbox.world import World

_FILES = {
    "index.html": "text/html; charset=utf-8",
    "dashboard.css": "text/css; charset=utf-8",
    "dashboard.js": "text/javascript; charset=utf-8",
    "frames.js": "text/javascript; charset=utf-8",
}
_PERMISSIONS = "MANAGE_ORDERS,HANDLE_PAYMENTS,MANAGE_APPS"
#: What a newcomer may order.
_GOODS = (
    Line("Fjällräven jacka", "1299.00", sku="JACKA-M", variant="M"),
    Line("Kaffemugg Ö", "33.33", 3, sku="MUGG-1"),
    Line("Knäckebröd", "24.90", 2, sku="BROD-1", tax_rate="0.12"),
)


class StandIn:
    """Routes below /dashboard, beside the simulated Saleor's own."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._posting: set[asyncio.Task[int]] = set()
        self._actions: Mapping[str, Callable[[Mapping[str, Any]], None]] = {
            "order": self._order,
            "fulfill": self._fulfill,
            "approve": lambda asked: self._world.saleor.approve(asked["fulfillment"]),
            "cancel": lambda asked: self._world.saleor.cancel_fulfillment(asked["fulfillment"]),
            "cancel-order": lambda asked: self._world.saleor.cancel_order(asked["order"]),
            "track": lambda asked: self._world.saleor.update_tracking(
                asked["fulfillment"], str(asked["tracking"])
            ),
            "settings": self._settings,
        }

    def routes(self) -> list[BaseRoute]:
        """Return the page and what it asks."""
        return [
            Route("/", lambda _: RedirectResponse("/dashboard/"), methods=["GET"]),
            Route("/dashboard/", self._file, methods=["GET"]),
            Route("/dashboard/files/{name}", self._file, methods=["GET"]),
            Route("/dashboard/api/state", self._state, methods=["GET"]),
            Route("/dashboard/api/token", self._token, methods=["GET"]),
            Route("/dashboard/api/{action}", self._act, methods=["POST"]),
        ]

    async def _file(self, request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        if name not in _FILES:
            raise HTTPException(404)
        content = (files("saleor_kustom.sandbox.dashboard") / name).read_bytes()
        return Response(content, media_type=_FILES[name], headers={"Cache-Control": "no-store"})

    async def _state(self, _request: Request) -> Response:
        saleor = self._world.saleor
        installed = saleor.installed
        return JSONResponse(
            {
                "apiUrl": saleor.api_url,
                "appId": installed.app["id"] if installed else "",
                "appUrl": installed.manifest["appUrl"] if installed else "",
                "allowUnpaid": saleor.allow_unpaid,
                "autoApprove": saleor.auto_approve,
                "orders": [_shown(order) for order in reversed(saleor.orders.values())],
            }
        )

    async def _token(self, request: Request) -> Response:
        """Return a token as the Dashboard gives it: none without the extension's permission."""
        listed = request.query_params.get("permissions", _PERMISSIONS).split(",")
        if "MANAGE_ORDERS" not in listed:
            return JSONResponse({"token": ""})
        expires = int(time.time()) + int(request.query_params.get("ttl", "300"))
        return JSONResponse({"token": self._world.saleor.dashboard_token(listed, exp=expires)})

    async def _act(self, request: Request) -> Response:
        act = self._actions.get(request.path_params["action"])
        if act is None:
            raise HTTPException(404)
        try:
            act(await request.json())
        except (ValueError, KeyError) as error:  # what Saleor would say to the person
            return JSONResponse({"error": str(error)}, status_code=400)
        task = asyncio.create_task(self._world.saleor.deliver())
        self._posting.add(task)
        task.add_done_callback(self._posting.discard)
        return JSONResponse({})

    def _order(self, _asked: Mapping[str, Any]) -> None:
        self._world.order(_GOODS)

    def _fulfill(self, asked: Mapping[str, Any]) -> None:
        wanted = asked.get("units")
        units = {line: int(n) for line, n in wanted.items() if int(n)} if wanted else None
        if wanted and not units:
            raise ValueError("Choose at least one unit.")
        self._world.saleor.fulfill(asked["order"], units, tracking=str(asked.get("tracking", "")))

    def _settings(self, asked: Mapping[str, Any]) -> None:
        self._world.saleor.allow_unpaid = bool(asked["allowUnpaid"])
        self._world.saleor.auto_approve = bool(asked["autoApprove"])


def _shown(order: Wire) -> Wire:
    left = open_units(order)
    return {
        "id": order["id"],
        "number": order["number"],
        "status": order["status"],
        "created": order["created"],
        "currency": order["channel"]["currencyCode"],
        "total": str(amount_of(order["total"]["gross"])),
        "chargeStatus": order["chargeStatus"],
        "lines": [
            {"id": line["id"], "name": f"{line['productName']} {line['variantName']}".strip(),
             "quantity": line["quantity"], "open": left.get(line["id"], 0)}
            for line in order["lines"]
        ],
        "fulfillments": [
            {"id": f["id"], "number": f["fulfillmentOrder"], "status": f["status"],
             "tracking": f["trackingNumber"],
             "lines": [f"{line['quantity']} \u00d7 {line['orderLine']['productName']}"
                       for line in f["lines"]]}
            for f in order["fulfillments"]
        ],
    }  # fmt: skip
