"""The HTTP edge: routes and how errors are answered."""

import time
from collections.abc import Callable, Sequence
from importlib.resources import files

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from saleor_kustom.errors import StoreUnavailable
from saleor_kustom.outbound import Outbound
from saleor_kustom.saleor.client import SaleorClient
from saleor_kustom.saleor.keys import KeyRing
from saleor_kustom.settings import Settings
from saleor_kustom.store import Store
from saleor_kustom.web.bodies import refusal
from saleor_kustom.web.dashboard import Dashboard
from saleor_kustom.web.installation import Installations
from saleor_kustom.web.limits import Limits
from saleor_kustom.web.operations import Health
from saleor_kustom.web.traced import Traced
from saleor_kustom.web.webhooks import Webhooks

_STATIC = {
    "logo.png": "image/png",
    "app.css": "text/css; charset=utf-8",
    "bridge.js": "text/javascript; charset=utf-8",
    "order.js": "text/javascript; charset=utf-8",
}


def create_web(
    *,
    store: Store,
    keys: KeyRing,
    saleor: SaleorClient,
    strangers: Outbound,
    settings: Settings,
    wake: Callable[[], None],
    portal_url: Callable[..., str | None],
    health: Health,
    monotonic: Callable[[], float] = time.monotonic,
    extra_routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """Return the application. `wake` tells the worker that something was stored.

    `strangers` calls those who want to install us, within narrow limits.
    """
    webhooks = Webhooks(store, keys, saleor, wake, monotonic=monotonic)
    installations = Installations(
        store, SaleorClient(strangers), strangers, settings, webhooks.forget
    )
    dashboard = Dashboard(store, keys, settings, wake, portal_url)

    routes: list[BaseRoute] = [
        Route("/api/manifest", installations.manifest, methods=["GET"]),
        Route("/api/register", installations.register, methods=["POST"]),
        Route("/api/webhooks/saleor/{event}", webhooks.receive, methods=["POST"]),
        Route("/static/{name}", _static, methods=["GET"]),
        *health.routes(),
        *dashboard.routes(),
        *extra_routes,
    ]
    handlers = {HTTPException: _http_error, StoreUnavailable: _unavailable}
    limits = Middleware(Limits, https=settings.app_url.startswith("https:"))
    return Starlette(
        routes=routes,
        exception_handlers=handlers,  # type: ignore[arg-type]
        middleware=[limits, Middleware(Traced)],
    )


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _STATIC:
        raise HTTPException(404, "There is no such file.")
    content = (files("saleor_kustom.web") / "static" / name).read_bytes()
    headers = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type=_STATIC[name], headers=headers)


async def _http_error(_request: Request, error: HTTPException) -> Response:
    return refusal(error.status_code, "HTTP_ERROR", str(error.detail))


async def _unavailable(_request: Request, _error: StoreUnavailable) -> Response:
    return refusal(503, "STORE_UNAVAILABLE", "The app's database does not answer; try again.")
