"""The HTTP edge: routes and how errors are answered."""

import time
from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from saleor_kustom.errors import StoreUnavailable
from saleor_kustom.outbound import Outbound
from saleor_kustom.saleor.client import SaleorClient
from saleor_kustom.saleor.keys import KeyRing
from saleor_kustom.settings import Settings
from saleor_kustom.store import Store
from saleor_kustom.web import statics
from saleor_kustom.web.bodies import refusal
from saleor_kustom.web.dashboard import Dashboard
from saleor_kustom.web.dashboard.desk import Desk
from saleor_kustom.web.installation import Installations
from saleor_kustom.web.webhooks import Webhooks


def create_web(
    *,
    store: Store,
    keys: KeyRing,
    saleor: SaleorClient,
    outbound: Outbound,
    settings: Settings,
    wake: Callable[[], None],
    desk: Desk,
    clock: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
    extra_routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """Return the application. `wake` tells the worker that something was stored."""
    webhooks = Webhooks(store, keys, wake, monotonic=monotonic)
    installations = Installations(store, saleor, outbound, settings, webhooks.forget)
    dashboard = Dashboard(store, keys, settings, desk, clock)

    async def live(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(_request: Request) -> Response:
        await store.ping()
        return JSONResponse({"status": "ok"})

    routes: list[BaseRoute] = [
        Route("/api/manifest", installations.manifest, methods=["GET"]),
        Route("/api/register", installations.register, methods=["POST"]),
        Route("/api/webhooks/saleor/{event}", webhooks.receive, methods=["POST"]),
        *statics.routes(),
        Route("/health/live", live, methods=["GET"]),
        Route("/health/ready", ready, methods=["GET"]),
        *dashboard.routes(),
        *extra_routes,
    ]
    handlers = {HTTPException: _http_error, StoreUnavailable: _unavailable}
    return Starlette(routes=routes, exception_handlers=handlers)  # type: ignore[arg-type]


async def _http_error(_request: Request, error: HTTPException) -> Response:
    return refusal(error.status_code, "HTTP_ERROR", str(error.detail))


async def _unavailable(_request: Request, _error: StoreUnavailable) -> Response:
    return refusal(503, "STORE_UNAVAILABLE", "The app's database does not answer; try again.")
