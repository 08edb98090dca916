"""The HTTP edge: routes and how errors are answered."""

import time
from collections.abc import Callable, Sequence
from importlib.resources import files

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from saleor_kustom.capture.parties import Shop
from saleor_kustom.capture.policy import Policy
from saleor_kustom.errors import StoreUnavailable
from saleor_kustom.outbound import Outbound
from saleor_kustom.saleor.client import SaleorClient
from saleor_kustom.saleor.keys import KeyRing
from saleor_kustom.settings import Settings
from saleor_kustom.store import Store
from saleor_kustom.web.bodies import refusal
from saleor_kustom.web.dashboard import Dashboard
from saleor_kustom.web.genuine import Verifier
from saleor_kustom.web.installation import Installations
from saleor_kustom.web.linking import LinkApi, LinkNow
from saleor_kustom.web.sessions import Asking, Storefronts
from saleor_kustom.web.transactions import PATIENCE_S, Transactions
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
    outbound: Outbound,
    settings: Settings,
    wake: Callable[[], None],
    portal_url: Callable[..., str | None],
    policy: Callable[[Shop, str], Policy],
    link_now: LinkNow,
    sessions: Asking,
    patience_s: float = PATIENCE_S,
    monotonic: Callable[[], float] = time.monotonic,
    extra_routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """Return the application. `wake` tells the worker that something was stored.

    `link_now` and `sessions` read and write at both sides, which the edge itself can't.
    `patience_s`: how long a request that Saleor waits for is waited for here.
    """
    verifier = Verifier(store, keys, monotonic=monotonic)
    transactions = Transactions(store, wake, portal_url, patience_s=patience_s)
    storefronts = Storefronts(store, sessions, wake=wake)
    answering = {**transactions.answering(), **storefronts.answering()}
    webhooks = Webhooks(store, verifier, wake, answering, policy)
    links = LinkApi(store, link_now)
    installations = Installations(store, saleor, outbound, settings, verifier.forget)
    dashboard = Dashboard(store, keys, settings, wake, portal_url)

    async def live(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(_request: Request) -> Response:
        await store.ping()
        return JSONResponse({"status": "ok"})

    routes: list[BaseRoute] = [
        Route("/api/manifest", installations.manifest, methods=["GET"]),
        Route("/api/register", installations.register, methods=["POST"]),
        Route("/api/webhooks/saleor/{event}", webhooks.receive, methods=["POST"]),
        Route("/api/link", links.link, methods=["POST"]),
        Route("/static/{name}", _static, methods=["GET"]),
        Route("/health/live", live, methods=["GET"]),
        Route("/health/ready", ready, methods=["GET"]),
        *dashboard.routes(),
        *extra_routes,
    ]
    handlers = {HTTPException: _http_error, StoreUnavailable: _unavailable}
    return Starlette(routes=routes, exception_handlers=handlers)  # type: ignore[arg-type]


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
