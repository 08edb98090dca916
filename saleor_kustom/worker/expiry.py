"""See days ahead which authorizations will expire with money left on them (Kustom contract, 8).

An authorization that expires is lost: the shopper is repaid and nothing can be captured. The
orders are those that Saleor shows as authorized and not charged in full, shipped or not.
"""

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.parties import Shop
from saleor_kustom.capture.plan import idempotency_key
from saleor_kustom.errors import CallError, OutcomeUnknown, Refused
from saleor_kustom.kustom.client import KustomClient
from saleor_kustom.saleor.listing import Listing
from saleor_kustom.store import OpenAuthorization
from saleor_kustom.worker.journey import Parts
from saleor_kustom.worker.seeing import Seen, see

_log = logging.getLogger(__name__)

DAY_S = 86_400.0
#: From then on a merchant is told, and the order is looked at every night.
NEAR_S = 7 * DAY_S
#: From then on it is extended, where the merchant wants that.
EXTEND_S = 3 * DAY_S
#: No authorization lives longer (Kustom contract, 8).
_LONGEST_S = 95 * DAY_S


@dataclass(frozen=True, slots=True)
class Extension:
    """What came of asking for more time: until when, or why not."""

    until: datetime | None
    problem: str | None


class Expiry:
    """The nightly look, and what a person asks for meanwhile."""

    def __init__(self, parts: Parts, listing: Listing) -> None:
        self._parts = parts
        self._listing = listing

    async def look(self, shop: Shop, now: float) -> None:
        """Look at every open authorization that may be near its end. Raises CallError."""
        near = await self._parts.store.authorizations.expiring(shop.api_url, now + NEAR_S)
        async for order_id in self._listed(shop, now):
            await self._try(shop, order_id, now)
            near = [one for one in near if one.order_id != order_id]
        for gone in near:  # captured, cancelled or released since: no longer listed
            await self._try(shop, gone.order_id, now)

    async def _listed(self, shop: Shop, now: float) -> AsyncIterator[str]:
        since = datetime.fromtimestamp(now - _LONGEST_S, UTC)
        after: str | None = None
        while True:
            page = await self._listing.authorized(shop, since=since, after=after)
            for order_id in page.order_ids:
                yield order_id
            after = page.after
            if after is None:
                return

    async def _try(self, shop: Shop, order_id: str, now: float) -> None:
        try:
            await self._one(shop, order_id, now)
        except CallError as error:
            _log.warning("could not look at order %s's expiry now: %s", order_id, error)

    async def _one(self, shop: Shop, order_id: str, now: float) -> None:
        known = await self._parts.store.authorizations.get(shop.api_url, order_id)
        if known is not None and known.expires_at > now + NEAR_S:
            return  # it does not move towards us; seen in time
        seen = await see(self._parts, shop, order_id)
        if seen is None or seen.authorization.expires_at is None:
            if known is not None:  # no order of ours any more
                await self._parts.store.authorizations.put(replace(known, remaining_minor=0))
            return
        problem = None
        policy = self._parts.policy(shop, seen.order.channel)
        if policy.extend_authorizations and _extendable(seen.authorization, now):
            problem = await self._extended(seen)
            seen = await see(self._parts, shop, order_id) or seen
        await self._keep(shop, seen, problem)

    async def extend(self, shop: Shop, order_id: str, *, who: str) -> Extension:
        """Ask for more time because a person wants it, however much is left. Raises CallError.

        Asked twice it is one extension: the time at which it ends makes the key.
        """
        now = self._parts.clock()
        seen = await see(self._parts, shop, order_id)
        if seen is None or not _extendable(seen.authorization, now, within_s=_LONGEST_S):
            return Extension(None, "nothing of it can be captured any more, or it does not expire")
        before = seen.authorization.expires_at
        detail = {"order": seen.order.number, "who": who}
        await self._parts.store.history.add(shop.api_url, "extension_asked", detail)
        problem = await self._extended(seen)
        seen = await see(self._parts, shop, order_id) or seen
        await self._keep(shop, seen, problem)
        until = seen.authorization.expires_at
        if until is None or before is None or until > before:
            return Extension(until, None)
        return Extension(None, problem or "Kustom has not answered yet; look again in a while")

    async def _extended(self, seen: Seen) -> str | None:
        """Ask for more time; return why there is none. The old expiry makes the key."""
        kustom: KustomClient = self._parts.kustom
        until = str(seen.authorization.expires_at)
        key = idempotency_key(seen.binding, "extend-authorization-time", until, "")
        await self._parts.pace(seen.account)
        try:
            await kustom.extend_authorization(seen.account, seen.binding.kustom_order_id, key=key)
        except Refused as error:
            return str(error)
        except OutcomeUnknown as error:
            _log.warning("it is unknown whether %s was extended: %s", seen.order.number, error)
        return None

    async def _keep(self, shop: Shop, seen: Seen, problem: str | None) -> None:
        there = seen.authorization
        if there.expires_at is None:
            return
        await self._parts.store.authorizations.put(
            OpenAuthorization(
                shop.api_url,
                seen.order.id,
                seen.order.number,
                there.kustom_order_id,
                there.currency,
                there.remaining_minor,
                there.expires_at.timestamp(),
                problem,
            )
        )


def _extendable(there: Authorization, now: float, *, within_s: float = EXTEND_S) -> bool:
    """Tell whether its time is short, not over, and something is left to capture."""
    if there.expires_at is None or there.status not in ("AUTHORIZED", "PART_CAPTURED"):
        return False
    left_s = there.expires_at.timestamp() - now
    return 0 < left_s <= within_s and there.remaining_minor > 0
