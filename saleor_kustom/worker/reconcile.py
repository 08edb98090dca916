"""Look for what was lost on the way: by Saleor's deliveries, by us, or at Kustom.

Saleor gives up on a delivery after 310 seconds and keeps no order among deliveries, so what was
shipped is compared with our ledger on start, often for the last two days, and nightly for all
that is unsettled (domain rule 24). Whatever is found is only noticed: the same code path then
reads, plans and captures it as for a delivery (domain rule 1).
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from saleor_kustom.capture.delivery import VerifiedBody
from saleor_kustom.capture.outside import Outside
from saleor_kustom.capture.parties import Shop
from saleor_kustom.capture.policy import Policy
from saleor_kustom.capture.state import State
from saleor_kustom.errors import CallError, KeysUnavailable, NotGenuine, StoreUnavailable
from saleor_kustom.intake.delivery import read_delivery
from saleor_kustom.saleor.listing import Listing, Shipped
from saleor_kustom.store import Capture, Store
from saleor_kustom.store.operations import CANCELLED
from saleor_kustom.worker.compare import Compare, Differing
from saleor_kustom.worker.expiry import Expiry
from saleor_kustom.worker.journey import APPROVAL

_log = logging.getLogger(__name__)

RECENT_S = 48 * 3600.0
OFTEN_S = 15 * 60.0
NIGHTLY_S = 24 * 3600.0
#: How often one of all instances looks at what is due.
TICK_S = 50.0
#: More pages than this in one run go on in the next, where the cursor stands.
_MOST_PAGES = 100
#: How old a capture is, in days, when its order is compared again.
_AGES_D = (4, 7, 14, 30, 60, 90)
#: A capture is compared with Kustom once it has settled there, and again nightly.
_SETTLED_S = 600.0


@dataclass(slots=True)
class Found:
    """What a run found and did. `missing`: captures that are made now, `changed`: looked at."""

    looked_at: int = 0
    missing: list[Shipped] = field(default_factory=list)
    changed: list[Shipped] = field(default_factory=list)
    before_install: list[Shipped] = field(default_factory=list)  # captured only when told to
    differing: list[Differing] = field(default_factory=list)  # held, with both sides
    outside: list[Outside] = field(default_factory=list)  # at Kustom, and none of ours


class Reconciler:
    """Compares shops with Saleor and Kustom."""

    def __init__(
        self,
        store: Store,
        listing: Listing,
        compare: Compare,
        expiry: Expiry,
        policy: Callable[[Shop, str], Policy],
    ) -> None:
        self._store = store
        self._listing = listing
        self._compare = compare
        self._expiry = expiry
        self._policy = policy
        self._looked: set[str] = set()  # shops of which this process has seen all recent orders

    async def tick(self, now: float) -> None:
        """Run what is due, in one of all instances. Never raises for a shop that is away."""
        for shop in await self._store.shops.all():
            if not await self._store.meta.take_turn(f"look {shop.api_url}", TICK_S):
                continue
            try:
                await self._tick(shop, now)
            except (CallError, KeysUnavailable, StoreUnavailable) as error:
                _log.warning("could not reconcile %s now: %s", shop.api_url, error)

    async def _tick(self, shop: Shop, now: float) -> None:
        """Nightly all pages, from where the last run ended if it did not reach the end."""
        meta, cursor = self._store.meta, f"nightly page {shop.api_url}"
        nightly = await meta.take_turn(f"nightly {shop.api_url}", NIGHTLY_S)
        if nightly:
            await meta.put(cursor, "start")
        after = await meta.get(cursor)
        found = Found()
        if after:
            reached = await self._pages(
                shop, None, found, after=None if after == "start" else after
            )
            await meta.put(cursor, reached or "")
        if nightly:
            opened = {*await self._open(shop, now - RECENT_S, now), *await self._aged(shop, now)}
            await self._orders(shop, sorted(opened), found)
            await self._expiry.look(shop, now)
        if await meta.take_turn(f"recent {shop.api_url}", OFTEN_S):
            shop = await self._failed(shop, found)
            # A restored database may lack whole orders that are paid in full meanwhile.
            first = shop.api_url not in self._looked
            if first or not nightly:
                await self._pages(shop, now - RECENT_S, found, settled=first)
            self._looked.add(shop.api_url)
            if not nightly:
                await self._newly_captured(shop, now, found)

    async def run(
        self, shop: Shop, *, since: float | None, now: float, dry_run: bool = False
    ) -> Found:
        """Compare one shop to the end. `since`, `now`: unix seconds; dry_run changes nothing.

        Raises CallError when the shop is away.
        """
        found = Found()
        shop = await self._failed(shop, found, dry_run=dry_run)
        after = await self._pages(shop, since, found, dry_run=dry_run)
        while after:
            after = await self._pages(shop, since, found, after=after, dry_run=dry_run)
        compared = now - RECENT_S if since is None else since
        await self._orders(shop, await self._open(shop, compared, now), found, dry_run=dry_run)
        return found

    async def _failed(self, shop: Shop, found: Found, *, dry_run: bool = False) -> Shop:
        """Notice what Saleor failed to deliver; return the shop with the release it has now."""
        failed = await self._listing.failed(shop)
        if failed.saleor_version not in ("", shop.saleor_version):
            shop = replace(shop, saleor_version=failed.saleor_version)
            if not dry_run:
                await self._store.shops.upgraded(shop.api_url, shop.saleor_version)
        await self._notice(shop, failed.shipped, found, dry_run=dry_run)
        for order_id, channel in failed.cancelled:
            if not dry_run and self._policy(shop, channel).cancel_at_kustom:
                await self._store.operations.ask(shop.api_url, order_id, *CANCELLED)
        for event, body in failed.tracking:
            if not dry_run:
                await self._take(shop, event, body)
        return shop

    async def _take(self, shop: Shop, event: str, body: VerifiedBody) -> None:
        """Take a delivery that failed as if it had come: once, since it stays listed for days."""
        try:
            delivery = read_delivery(event, body)
        except NotGenuine as error:
            _log.warning("%s listed a failed %s that is none: %s", shop.api_url, event, error)
            return
        own = delivery.issuing_app_id == shop.app_id
        if delivery.recipient_id == shop.app_id and not own:
            await self._store.deliveries.receive(shop.api_url, delivery, body)

    async def _newly_captured(self, shop: Shop, now: float, found: Found) -> None:
        """Compare each capture once, soon after it was made."""
        name = f"compared {shop.api_url}"
        until = now - _SETTLED_S
        since = float(await self._store.meta.get(name) or until - OFTEN_S)
        settled = await self._store.captures.orders_settled_between(
            shop.api_url, min(since, until), until
        )
        if await self._orders(shop, settled, found):
            await self._store.meta.put(name, str(until))

    async def _open(self, shop: Shop, since: float, until: float) -> Sequence[str]:
        """Return the orders that may have changed unheard: settled lately, or waiting for news."""
        captures = self._store.captures
        settled = await captures.orders_settled_between(shop.api_url, since, until)
        parked = await captures.orders_parked(shop.api_url)
        return sorted({*settled, *parked, *await captures.orders_held(shop.api_url)})

    async def _aged(self, shop: Shop, now: float) -> set[str]:
        """Return the orders whose turn an older capture makes it: what is refunded in the portal

        after weeks is found also if its hint was lost, at eight looks an order in all.
        """
        captures, day_s = self._store.captures, NIGHTLY_S
        found: set[str] = set()
        for days in _AGES_D:
            until = now - days * day_s
            found |= {*await captures.orders_settled_between(shop.api_url, until - day_s, until)}
        return found

    async def _pages(
        self,
        shop: Shop,
        since: float | None,
        found: Found,
        *,
        after: str | None = None,
        settled: bool = False,
        dry_run: bool = False,
    ) -> str | None:
        """Notice page after page; return where to go on, or None at the end."""
        created = None if since is None else datetime.fromtimestamp(since, UTC)
        for _ in range(_MOST_PAGES):
            page = await self._listing.shipped(shop, since=created, after=after, settled=settled)
            await self._notice(shop, page.shipped, found, dry_run=dry_run)
            after = page.after
            if after is None:
                return None
        return after

    async def _notice(
        self, shop: Shop, shipped: Iterable[Shipped], found: Found, *, dry_run: bool = False
    ) -> None:
        """Make or wake the capture of each fulfillment that stands otherwise in our ledger."""
        installed = await self._installed_at(shop)
        for one in shipped:
            found.looked_at += 1
            row = await self._row_of(shop, one)
            if row is None and one.status == "FULFILLED":
                if datetime.fromisoformat(one.created).timestamp() < installed:
                    found.before_install.append(one)
                    continue
                found.missing.append(one)
            elif row is not None and _is_news(row, one):
                found.changed.append(one)
            else:
                continue
            if not dry_run:
                await self._store.captures.notice(
                    shop.api_url, one.order_id, one.fulfillment_id, one.created
                )

    async def _orders(
        self, shop: Shop, order_ids: Sequence[str], found: Found, *, dry_run: bool = False
    ) -> bool:
        """Compare orders one by one; False: some could not be read now."""
        whole = True
        for order_id in order_ids:
            try:
                both = await self._compare.order(shop, order_id, dry_run=dry_run)
            except CallError as error:
                _log.warning("could not compare order %s now: %s", order_id, error)
                whole = False
                continue
            await self._notice(shop, both.shipped, found, dry_run=dry_run)
            found.differing += both.differing
            found.outside += both.outside
        return whole

    async def _row_of(self, shop: Shop, one: Shipped) -> Capture | None:
        rows = await self._store.captures.of_order(shop.api_url, one.order_id)
        identity = (one.fulfillment_id, one.created)
        same = (row for row in rows if (row.fulfillment_id, row.fulfillment_created) == identity)
        return next(same, None)

    async def _installed_at(self, shop: Shop) -> float:
        installations = await self._store.shops.installations(shop.api_url)
        return min((float(row["installed_at"]) for row in installations), default=0.0)


def _is_news(row: Capture, one: Shipped) -> bool:
    """Tell whether Saleor has a cancellation or an approval that we have not heard of."""
    if one.status == "CANCELED":
        return not row.canceled
    approved = row.state is State.RECEIVED and row.waiting == APPROVAL
    return one.status == "FULFILLED" and approved
