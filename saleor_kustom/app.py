"""The one place where the parts are joined: store, clients, worker and web edge."""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

import httpx
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from saleor_kustom.capture.parties import Shop
from saleor_kustom.capture.plan import Binding
from saleor_kustom.capture.policy import Policy
from saleor_kustom.errors import StoreUnavailable
from saleor_kustom.kustom.client import KustomClient
from saleor_kustom.outbound import Outbound
from saleor_kustom.saleor.client import SaleorClient
from saleor_kustom.saleor.keys import KeyRing
from saleor_kustom.saleor.listing import Listing
from saleor_kustom.settings import Settings
from saleor_kustom.store import Store
from saleor_kustom.web.server import create_web
from saleor_kustom.worker import Parts, Worker
from saleor_kustom.worker.before_install import BeforeInstall
from saleor_kustom.worker.compare import Compare
from saleor_kustom.worker.expiry import Expiry
from saleor_kustom.worker.lease import Lease
from saleor_kustom.worker.pace import Pace
from saleor_kustom.worker.reconcile import Reconciler

_log = logging.getLogger(__name__)

#: How often an instance asks whether a reconciliation is due.
_LOOK_EVERY_S = 60.0

#: A call to Saleor; less than Kustom's, since it answers from its own database.
_SALEOR_S = 20.0

#: The manifest's id, fixed for ever: Saleor's transactions belong to it (domain rule 27).
APP_IDENTIFIER = "saleor-kustom"


@dataclass(frozen=True, slots=True)
class App:
    """Everything that runs, joined."""

    settings: Settings
    store: Store
    kustom: KustomClient
    saleor: SaleorClient
    keys: KeyRing
    worker: Worker
    reconciler: Reconciler
    before_install: BeforeInstall
    web: Starlette


@contextlib.asynccontextmanager
async def open_app(
    settings: Settings,
    *,
    kustom_transport: httpx.AsyncBaseTransport | None = None,
    saleor_transport: httpx.AsyncBaseTransport | None = None,
    clock: Callable[[], float] | None = None,
    monotonic: Callable[[], float] | None = None,
    extra_routes: Sequence[BaseRoute] = (),
    lease: Lease | None = None,
) -> AsyncIterator[App]:
    """Open store and clients and join the parts; close them in the end.

    A `transport` stands for the network (tests, the sandbox); `clock` (unix seconds) replaces
    the database's time, `monotonic` (default: that clock) the process's own; `lease` is other
    than the usual one in tests alone. Raises
    StoreUnavailable when the database can't be opened.
    """
    lease = lease or Lease()
    store = await Store.open(settings.database_url, secret_key=settings.secret_key, clock=clock)
    to_kustom = Outbound(
        transport=kustom_transport, deadline_s=lease.call_s, user_agent=settings.user_agent
    )
    to_saleor = Outbound(
        transport=saleor_transport,
        deadline_s=min(_SALEOR_S, lease.call_s),
        allow_private_hosts=settings.allow_private_hosts,
        user_agent=settings.user_agent,
    )
    try:
        yield _join(
            settings,
            store,
            to_kustom,
            to_saleor,
            clock or time.time,
            monotonic or clock or time.monotonic,
            extra_routes,
            lease,
        )
    finally:
        await to_kustom.aclose()
        await to_saleor.aclose()
        await store.close()


def _join(
    settings: Settings,
    store: Store,
    to_kustom: Outbound,
    to_saleor: Outbound,
    clock: Callable[[], float],
    monotonic: Callable[[], float],
    extra_routes: Sequence[BaseRoute],
    lease: Lease,
) -> App:
    kustom = KustomClient(to_kustom, hosts=settings.kustom_hosts, second_call_s=lease.second_call_s)
    saleor = SaleorClient(to_saleor)
    keys = KeyRing(store.shops, to_saleor, monotonic=monotonic)
    parts = Parts(
        store=store,
        kustom=kustom,
        saleor=saleor,
        policy=_policy(settings),
        portal_url=_portal_url(settings),
        app_identifier=APP_IDENTIFIER,
        pace=Pace(store, per_second=settings.rate_per_second, monotonic=monotonic),
        clock=clock,
        monotonic=monotonic,
        chance=random.random,
        lease=lease,
    )
    worker = Worker(parts, slots=settings.concurrency)
    web = create_web(
        store=store,
        keys=keys,
        saleor=saleor,
        outbound=to_saleor,
        settings=settings,
        wake=worker.wake,
        portal_url=parts.portal_url,
        extra_routes=extra_routes,
    )
    listing = Listing(saleor)
    expiry = Expiry(parts, listing, extend=settings.extend_authorizations)
    compare = Compare(store, saleor, kustom, parts.pace)
    reconciler = Reconciler(store, listing, compare, expiry)
    before = BeforeInstall(parts)
    return App(settings, store, kustom, saleor, keys, worker, reconciler, before, web)


def _policy(settings: Settings) -> Callable[[Shop, str], Policy]:
    policy = Policy(
        extra_currencies=frozenset(settings.extra_currencies),
        product_url=settings.product_url or None,
        kustom_order_id_key=settings.kustom_order_id_key,
    )
    return lambda _shop, _channel: policy


def _portal_url(settings: Settings) -> Callable[[Binding], str | None]:
    """Return how to link to an order in Kustom's portal (contract, section 11: unverified)."""

    def portal_url(binding: Binding) -> str | None:
        template = settings.kustom_portals.get(binding.environment)
        if not template:
            return None
        return template.format(order_id=binding.kustom_order_id, merchant_id=binding.merchant_id)

    return portal_url


async def work(app: App, stop: asyncio.Event) -> None:
    """Hold the worker role (on SQLite only one process may) and work until told to stop."""
    with app.store.worker_lock():
        await app.store.captures.start()
        looking = asyncio.create_task(_reconcile(app, stop))
        try:
            await app.worker.run(stop)
        finally:
            looking.cancel()  # it may take minutes, and goes on where it was at the next turn
            await asyncio.wait({looking})


async def _reconcile(app: App, stop: asyncio.Event) -> None:
    """Look for what was lost: on start, and then whenever a turn is due."""
    while not stop.is_set():
        try:
            await app.reconciler.tick(app.worker.parts.clock())
            app.worker.wake()
        except StoreUnavailable as error:
            _log.warning("could not reconcile now: %s", error)
        except Exception:  # noqa: BLE001 - what goes wrong here must not stop captures
            _log.exception("a bug stopped a reconciliation")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _LOOK_EVERY_S)
