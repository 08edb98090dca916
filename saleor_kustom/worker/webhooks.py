"""Keep the app's webhooks in each Saleor those of our manifest, with the shop's own token.

Once for each shop, release and address, by one of all instances, in the background: a Saleor that
is away is asked again, and nothing waits for it. Deliveries that the old webhooks made are taken
as before.
"""

import hashlib
import json
import logging
from dataclasses import dataclass

from saleor_kustom import __version__
from saleor_kustom.capture.parties import Shop
from saleor_kustom.errors import CallError, StoreUnavailable
from saleor_kustom.saleor.client import SaleorClient, document
from saleor_kustom.saleor.manifest import manifest, schema_version
from saleor_kustom.saleor.seen_as import SeenAs, seen_as
from saleor_kustom.saleor.webhook_changes import Change, Comparison, Kind, compare
from saleor_kustom.store import Store

_log = logging.getLogger(__name__)

_DOCUMENTS = {kind: document(f"webhook_{kind.value}") for kind in Kind}
#: A Saleor that was away is asked again after so long.
_AGAIN_S = 300.0
SYNC = "saleor-kustom webhooks sync"


@dataclass(frozen=True, slots=True)
class Synced:
    """What was compared, and what became of it. `failed`: changes that Saleor refused, and why."""

    comparison: Comparison
    failed: tuple[tuple[Change, str], ...] = ()


class WebhookSync:
    """Compares and changes webhooks."""

    def __init__(self, store: Store, saleor: SaleorClient, app_url: str) -> None:
        self._store = store
        self._saleor = saleor
        self._app_url = app_url
        self._seen_done: dict[str, str] = {}  # api_url → mark

    async def compare(self, shop: Shop, *, activate: bool = False) -> Comparison:
        """Return what differs in a shop. Raises CallError."""
        seen = await seen_as(self._saleor, shop)
        return self._compared(seen, activate=activate)

    async def sync(self, shop: Shop, *, activate: bool = False) -> Synced:
        """Bring a shop's webhooks up to date. Raises CallError when it is away.

        Each change stands by itself: one that Saleor refuses keeps no other from being made.
        """
        seen = await seen_as(self._saleor, shop)
        comparison = self._compared(seen, activate=activate)
        failed = []
        for change in comparison.changes:
            try:
                await self._make(shop, change)
            except CallError as error:
                if error.code in ("TOKEN_REFUSED", "SALEOR_NOT_REACHED"):
                    raise
                failed.append((change, str(error)))
        if comparison.changes:
            told = {"changes": [str(change) for change in comparison.changes]}
            told["failed"] = [f"{change}: {why}" for change, why in failed]
            await self._store.history.add(shop.api_url, "webhooks_synced", told)
        if not failed:
            await self._store.meta.put(_name(shop), self._mark(shop, seen.saleor_version))
        return Synced(comparison, tuple(failed))

    async def tick(self) -> None:
        """Sync the shops that need it, in one of all instances. Never raises for one."""
        for shop in await self._store.shops.all():
            mark = self._mark(shop, shop.saleor_version)
            if self._seen_done.get(shop.api_url) == mark:
                continue
            try:
                await self._tick(shop, mark)
            except (CallError, StoreUnavailable) as error:
                _log.warning("could not compare the webhooks of %s now: %s", shop.api_url, error)

    async def _tick(self, shop: Shop, mark: str) -> None:
        done = await self._store.meta.get(_name(shop))
        if done == mark:
            self._seen_done[shop.api_url] = mark
            return
        if done is not None and _release(json.loads(done)["app"]) > _release(__version__):
            # A newer release runs beside us, or did before this one was put back.
            self._seen_done[shop.api_url] = mark
            _log.warning("a newer release set the webhooks of %s; if it is gone: %s",
                         shop.api_url, SYNC)  # fmt: skip
            return
        # One of all instances, and a shop that was away not at once again; but a new release or
        # address does not wait for the turn of the one before.
        turn = hashlib.sha256(mark.encode()).hexdigest()[:12]
        if not await self._store.meta.take_turn(f"{_name(shop)} turn {turn}", _AGAIN_S):
            return
        self._tell(shop, await self.sync(shop))

    def _compared(self, seen: SeenAs, *, activate: bool) -> Comparison:
        wanted = manifest(self._app_url, schema_version(seen.saleor_version))
        return compare(wanted, seen.webhooks, seen.permissions, activate=activate)

    async def _make(self, shop: Shop, change: Change) -> None:
        variables: dict[str, object] = {"id": change.webhook_id, "input": dict(change.input)}
        if change.kind is Kind.CREATE:
            del variables["id"]
        if change.kind is Kind.DELETE:
            del variables["input"]
        await self._saleor.mutate(shop, _DOCUMENTS[change.kind], variables, "done")

    def _mark(self, shop: Shop, saleor_version: str) -> str:
        """Return what was brought up to date: release, installation, address, documents."""
        wanted = manifest(self._app_url, schema_version(saleor_version))
        text = json.dumps(wanted["webhooks"], sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        made = {"app": __version__, "installed": shop.app_id, "webhooks": digest}
        return json.dumps(made, sort_keys=True)

    def _tell(self, shop: Shop, synced: Synced) -> None:
        """Log what was done, and what only a person does."""
        for change in synced.comparison.changes:
            _log.info("webhooks of %s: %s", shop.api_url, change)
        for change, why in synced.failed:
            _log.error("webhooks of %s: Saleor refused to %s: %s", shop.api_url, change, why)
        for name in synced.comparison.inactive:
            _log.warning("webhooks of %s: %s is switched off in Saleor; on again: %s %s",
                         shop.api_url, name, SYNC, shop.api_url)  # fmt: skip
        if synced.comparison.lacking:
            _log.error("%s: the app lacks %s: grant it in the Dashboard under Extensions",
                       shop.api_url, ", ".join(synced.comparison.lacking))  # fmt: skip


def _name(shop: Shop) -> str:
    return f"webhooks {shop.api_url}"


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())
