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

from saleor_kustom.breaker import Breakers
from saleor_kustom.capture.linking import How
from saleor_kustom.capture.parties import Shop
from saleor_kustom.capture.plan import Binding
from saleor_kustom.capture.policy import Policy, merged
from saleor_kustom.kustom.client import KustomClient
from saleor_kustom.outbound import Outbound
from saleor_kustom.saleor.client import SaleorClient
from saleor_kustom.saleor.keys import KeyRing
from saleor_kustom.saleor.listing import Listing
from saleor_kustom.settings import Settings
from saleor_kustom.store import Link, Store
from saleor_kustom.web.linking import LinkNow
from saleor_kustom.web.operations import Health, create_operations
from saleor_kustom.web.server import create_web
from saleor_kustom.web.transactions import PATIENCE_S
from saleor_kustom.worker import Parts, Worker
from saleor_kustom.worker.before_install import BeforeInstall
from saleor_kustom.worker.compare import Compare
from saleor_kustom.worker.desk import Desk
from saleor_kustom.worker.expiry import Expiry
from saleor_kustom.worker.hints import HintWorker
from saleor_kustom.worker.hooks import Hooks
from saleor_kustom.worker.lease import Lease
from saleor_kustom.worker.linker import Linker
from saleor_kustom.worker.mirror import Mirror
from saleor_kustom.worker.operations.closing import Closing
from saleor_kustom.worker.outside import OutsideLook
from saleor_kustom.worker.pace import Pace
from saleor_kustom.worker.reconcile import Reconciler
from saleor_kustom.worker.retention import strip_old
from saleor_kustom.worker.sessions import Sessions
from saleor_kustom.worker.turns import every
from saleor_kustom.worker.webhooks import WebhookSync

_log = logging.getLogger(__name__)


#: A call to Saleor; less than Kustom's, since it answers from its own database.
_SALEOR_S = 20.0

#: Each call of an installation; Saleor waits 18 s for all of them together.
_STRANGERS_S = 5.0
_STRANGERS_BYTES = 256 * 1024

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
    linker: Linker
    webhooks: WebhookSync
    mirror: Mirror
    reconciler: Reconciler
    before_install: BeforeInstall
    hints: HintWorker
    closing: Closing
    expiry: Expiry
    web: Starlette
    operations: Starlette  # metrics and health, for the operator's own network


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
    patience_s: float = PATIENCE_S,
    hooks: Hooks | None = None,
) -> AsyncIterator[App]:
    """Open store and clients and join the parts; close them in the end.

    A `transport` stands for the network (tests, the sandbox); `clock` (unix seconds) replaces
    the database's time, `monotonic` (default: that clock) the process's own; `lease` and
    `patience_s` (of a request that Saleor waits for) are other than usual in tests alone;
    `hooks`: those of the installed packages. Raises
    StoreUnavailable when the database can't be opened.
    """
    lease = lease or Lease()
    store = await Store.open(
        settings.database_url,
        secret_key=settings.secret_key,
        previous_key=settings.secret_key_previous,
        clock=clock,
    )
    to_kustom = Outbound(
        transport=kustom_transport, deadline_s=lease.call_s, user_agent=settings.user_agent
    )
    to_saleor = Outbound(
        transport=saleor_transport,
        deadline_s=min(_SALEOR_S, lease.call_s),
        allow_private_hosts=settings.allow_private_hosts,
        user_agent=settings.user_agent,
    )
    to_strangers = Outbound(
        transport=saleor_transport,
        deadline_s=_STRANGERS_S,
        max_answer_bytes=_STRANGERS_BYTES,
        allow_private_hosts=settings.allow_private_hosts,
        user_agent=settings.user_agent,
    )
    try:
        yield _join(
            settings,
            store,
            to_kustom=to_kustom,
            to_saleor=to_saleor,
            to_strangers=to_strangers,
            clock=clock or time.time,
            monotonic=monotonic or clock or time.monotonic,
            extra_routes=extra_routes,
            lease=lease,
            patience_s=patience_s,
            hooks=hooks or Hooks.load(),
        )
    finally:
        await to_kustom.aclose()
        await to_saleor.aclose()
        await to_strangers.aclose()
        await store.close()


def _join(
    settings: Settings,
    store: Store,
    *,
    to_kustom: Outbound,
    to_saleor: Outbound,
    to_strangers: Outbound,
    clock: Callable[[], float],
    monotonic: Callable[[], float],
    extra_routes: Sequence[BaseRoute],
    lease: Lease,
    patience_s: float,
    hooks: Hooks,
) -> App:
    kustom = KustomClient(to_kustom, hosts=settings.kustom_hosts, second_call_s=lease.second_call_s)
    saleor = SaleorClient(to_saleor, Breakers(monotonic))
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
        hooks=hooks,
    )
    worker = Worker(parts, slots=settings.concurrency)
    linker = Linker(parts, wake=worker.wake)
    closing = Closing(parts)
    sync = WebhookSync(store, saleor, settings.app_url)
    listing = Listing(saleor)
    expiry = Expiry(parts, listing)
    health = Health(store, lambda: worker.hangs)
    web = create_web(
        store=store,
        keys=keys,
        saleor=saleor,
        strangers=to_strangers,
        settings=settings,
        wake=worker.wake,
        desk=Desk(
            *(parts, worker.wake, linker, closing, sync, expiry),
            *(chosen_by_operator(settings), monotonic),
        ),
        health=health,
        clock=clock,
        policy=parts.policy,
        link_now=_link_now(linker),
        sessions=Sessions(parts),
        patience_s=patience_s,
        monotonic=monotonic,
        extra_routes=extra_routes,
    )
    outside = OutsideLook(parts)
    compare = Compare(parts, outside)
    reconciler = Reconciler(store, listing, compare, expiry, parts.policy)
    before = BeforeInstall(parts)
    operations = create_operations(store, health, parts.pace.breakers)
    return App(
        settings,
        store,
        kustom,
        saleor,
        keys,
        worker,
        linker,
        sync,
        Mirror(parts),
        reconciler,
        before,
        HintWorker(parts, outside),
        closing,
        expiry,
        web,
        operations,
    )


def _link_now(linker: Linker) -> LinkNow:
    """Return how a checkout's server has an order linked."""

    async def link_now(shop: Shop, order_id: str, kustom_order_id: str) -> Link:
        return await linker.now(shop, order_id, kustom_order_id, how=How.API, who="link token")

    return link_now


def chosen_by_operator(settings: Settings) -> Policy:
    """Return what the environment chooses for every shop; a merchant's choice goes before it."""
    return Policy(
        extra_currencies=frozenset(settings.extra_currencies),
        product_url=settings.product_url or None,
        kustom_order_id_key=settings.kustom_order_id_key,
        extend_authorizations=settings.extend_authorizations,
    )


def _policy(settings: Settings) -> Callable[[Shop, str], Policy]:
    """Return how a channel's policy follows from its shop's row, which each claim reads anew."""
    base = chosen_by_operator(settings)
    told: set[str] = set()

    def policy(shop: Shop, channel: str) -> Policy:
        if not shop.policies:
            return base
        documents = (shop.policies.get("", {}), shop.policies.get(channel, {}))
        found, faults = merged(base, documents)
        for fault in faults:
            if fault not in told:
                told.add(fault)
                _log.error("a policy of %s can't be read and is left out: %s", shop.api_url, fault)
        return found

    return policy


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
        await app.store.links.start()
        await asyncio.gather(
            app.worker.run(stop),
            app.linker.run(stop),
            app.hints.run(stop),
            every("reconcile", lambda: _reconcile(app), stop),
            every("compare webhooks", app.webhooks.tick, stop),
            every("tell Saleor of problems", app.mirror.tick, stop),
        )


async def _reconcile(app: App) -> None:
    """Look for what was lost, if a turn is due, and strip deliveries that are old enough."""
    await strip_old(app.store, app.settings.retention_days)
    await app.reconciler.tick(app.worker.parts.clock())
    app.worker.wake()
