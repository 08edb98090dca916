"""The HTTP edge: routes and how errors are answered."""

import time
from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from saleor_kustom.capture.parties import Shop
from saleor_kustom.capture.policy import Policy
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
from saleor_kustom.web.genuine import Verifier
from saleor_kustom.web.installation import Installations
from saleor_kustom.web.kustom_hints import KustomHints
from saleor_kustom.web.limits import Limits
from saleor_kustom.web.linking import LinkApi, LinkNow
from saleor_kustom.web.operations import Health
from saleor_kustom.web.sessions import Asking, Storefronts
from saleor_kustom.web.traced import Traced
from saleor_kustom.web.transactions import PATIENCE_S, Transactions
from saleor_kustom.web.webhooks import Webhooks


def create_web(
    *,
    store: Store,
    keys: KeyRing,
    saleor: SaleorClient,
    strangers: Outbound,
    settings: Settings,
    wake: Callable[[], None],
    desk: Desk,
    health: Health,
    policy: Callable[[Shop, str], Policy],
    link_now: LinkNow,
    sessions: Asking,
    patience_s: float = PATIENCE_S,
    clock: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
    extra_routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """Return the application. `wake` tells the worker that something was stored.

    `strangers` calls those who want to install us, within narrow limits. `link_now` and
    `sessions` read and write at both sides, which the edge itself can't. `patience_s`: how long a
    request that Saleor waits for is waited for here.
    """
    verifier = Verifier(store, keys, monotonic=monotonic)
    transactions = Transactions(
        store, wake, desk.portal_url, patience_s=patience_s, monotonic=monotonic
    )
    storefronts = Storefronts(store, sessions, wake=wake)
    answering = {**transactions.answering(), **storefronts.answering()}
    webhooks = Webhooks(store, verifier, saleor, wake, policy, answering)
    links = LinkApi(store, link_now)
    installations = Installations(
        store, SaleorClient(strangers), strangers, settings, verifier.forget
    )
    dashboard = Dashboard(store, keys, settings, desk, clock)

    routes: list[BaseRoute] = [
        Route("/api/manifest", installations.manifest, methods=["GET"]),
        Route("/api/register", installations.register, methods=["POST"]),
        Route("/api/webhooks/saleor/{event}", webhooks, methods=["POST"]),
        Route("/api/kustom/{secret}", KustomHints(store).receive, methods=["POST"]),
        Route("/api/link", links.link, methods=["POST"]),
        *statics.routes(),
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


async def _http_error(_request: Request, error: HTTPException) -> Response:
    return refusal(error.status_code, "HTTP_ERROR", str(error.detail))


async def _unavailable(_request: Request, _error: StoreUnavailable) -> Response:
    return refusal(503, "STORE_UNAVAILABLE", "The app's database does not answer; try again.")
