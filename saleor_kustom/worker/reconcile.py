"""Look for what was lost on the way: by Saleor's deliveries, by us, or at Kustom.

Saleor gives up on a delivery after 310 seconds and keeps no order among deliveries, so what was
shipped is compared with our ledger on start, often for the last two days, and nightly for all
that is unsettled (domain rule 24). Whatever is found is only noticed: the same code path then
reads, plans and captures it as for a delivery (domain rule 1).
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from saleor_kustom.capture.held import Reason
from saleor_kustom.capture.money import shown
from saleor_kustom.capture.parties import Shop
from saleor_kustom.errors import CallError, KeysUnavailable, StoreUnavailable
from saleor_kustom.kustom.client import KustomClient
from saleor_kustom.saleor.listing import Listing, Shipped
from saleor_kustom.store import Capture, Store
from saleor_kustom.worker.pace import Pace

_log = logging.getLogger(__name__)

RECENT_S = 48 * 3600.0
OFTEN_S = 15 * 60.0
NIGHTLY_S = 24 * 3600.0
#: More pages than this in one run go on in the next.
_MOST_PAGES = 200


@dataclass(slots=True)
class Found:
    """What a run found and did. `missing`: captures that are made now."""

    looked_at: int = 0
    missing: list[Shipped] = field(default_factory=list)
    before_install: list[Shipped] = field(default_factory=list)  # captured only when told to
    differing: list[str] = field(default_factory=list)  # held, with both sides


class Reconciler:
    """Compares shops with Saleor and Kustom."""

    def __init__(self, store: Store, listing: Listing, kustom: KustomClient, pace: Pace) -> None:
        self._store = store
        self._listing = listing
        self._kustom = kustom
        self._pace = pace

    async def tick(self, now: float) -> None:
        """Run what is due, in one of all instances. Never raises for a shop that is away."""
        for shop in await self._store.shops.all():
            try:
                if await self._store.meta.take_turn(f"nightly {shop.api_url}", NIGHTLY_S):
                    await self.run(shop, since=None, now=now)
                elif await self._store.meta.take_turn(f"recent {shop.api_url}", OFTEN_S):
                    await self.run(shop, since=now - RECENT_S, now=now)
            except (CallError, KeysUnavailable, StoreUnavailable) as error:
                _log.warning("could not reconcile %s now: %s", shop.api_url, error)

    async def run(
        self, shop: Shop, *, since: float | None, now: float, dry_run: bool = False
    ) -> Found:
        """Compare one shop. `since`, `now`: unix seconds; dry_run changes nothing."""
        found = Found()
        installed = await self._installed_at(shop)
        failed = await self._listing.failed(shop)
        if failed.saleor_version not in ("", shop.saleor_version):
            shop = replace(shop, saleor_version=failed.saleor_version)
            if not dry_run:
                await self._store.shops.upgraded(shop.api_url, shop.saleor_version)
        await self._notice(shop, failed.shipped, installed, found, dry_run)
        after: str | None = None
        for _ in range(_MOST_PAGES):
            page = await self._listing.unsettled(
                shop, since=None if since is None else _utc(since), after=after
            )
            await self._notice(shop, page.shipped, installed, found, dry_run)
            after = page.after
            if after is None:
                break
        await self._compare_captures(shop, now - RECENT_S, found, dry_run=dry_run)
        return found

    async def _installed_at(self, shop: Shop) -> float:
        installations = await self._store.shops.installations(shop.api_url)
        return min((float(row["installed_at"]) for row in installations), default=0.0)

    async def _notice(
        self,
        shop: Shop,
        shipped: Iterable[Shipped],
        installed: float,
        found: Found,
        dry_run: bool,
    ) -> None:
        for one in shipped:
            found.looked_at += 1
            if one.status != "FULFILLED" or await self._known(shop, one):
                continue
            if datetime.fromisoformat(one.created).timestamp() < installed:
                found.before_install.append(one)
                continue
            found.missing.append(one)
            if not dry_run:
                await self._store.captures.notice(
                    shop.api_url, one.order_id, one.fulfillment_id, one.created
                )

    async def _known(self, shop: Shop, one: Shipped) -> bool:
        rows = await self._store.captures.of_order(shop.api_url, one.order_id)
        identity = (one.fulfillment_id, one.created)
        return any((r.fulfillment_id, r.fulfillment_created) == identity for r in rows)

    async def _compare_captures(
        self, shop: Shop, since: float, found: Found, *, dry_run: bool
    ) -> None:
        """Compare our captures with Kustom's list, order by order."""
        for order_id in await self._store.captures.orders_captured_since(shop.api_url, since):
            binding = await self._store.captures.binding(shop.api_url, order_id)
            if binding is None:
                continue
            account = await self._store.accounts.by_binding(shop.api_url, binding)
            if account is None:
                continue
            await self._pace(account)
            there = await self._kustom.order(account, binding.kustom_order_id)
            amounts = {c.capture_id: c.amount_minor for c in there.captures}
            for row in await self._store.captures.of_order(shop.api_url, order_id):
                found.looked_at += 1
                differs = row.capture_id and amounts.get(row.capture_id) != row.amount_minor
                if differs and row.held is None:
                    await self._differs(row, amounts.get(row.capture_id or ""), found, dry_run)

    async def _differs(self, row: Capture, there: int | None, found: Found, dry_run: bool) -> None:
        currency = row.currency or ""
        detail = {
            "kustom": shown(there or 0, currency),
            "planned": shown(row.amount_minor or 0, currency),
        }
        found.differing.append(f"capture {row.capture_id}: {detail}")
        if not dry_run:
            await self._store.captures.hold(
                row.api_url, row.id, Reason.CAPTURE_DIFFERS.value, detail
            )


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
