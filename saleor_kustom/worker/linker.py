"""Takes links as far as they go: at once for whoever waits for the answer, and later by itself."""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Callable

from saleor_kustom.capture.binding import kustom_id
from saleor_kustom.capture.linking import How
from saleor_kustom.capture.parties import Shop
from saleor_kustom.errors import CallError, StoreUnavailable
from saleor_kustom.store import LeaseLost, Link
from saleor_kustom.watch.context import instance
from saleor_kustom.worker.errand import Errand
from saleor_kustom.worker.journey import Parts, Rest
from saleor_kustom.worker.linking import advance
from saleor_kustom.worker.loop import FINISH_S, HAND_BACK_S

_log = logging.getLogger(__name__)

#: Who asks waits so long for the answer; then it goes on without them.
ANSWER_WITHIN_S = 8.0
#: Another instance takes a link over that whoever asked for it does not bring to an end.
_THEIR_TURN_S = 2 * ANSWER_WITHIN_S
_LOOK_EVERY_S = 0.1


class Linker:
    """`wake` tells the captures' worker that an order was bound."""

    def __init__(
        self, parts: Parts, *, wake: Callable[[], None], slots: int = 4, poll_s: float = 2.0
    ) -> None:
        self.parts = parts
        self.name = f"linker-{instance()}-{uuid.uuid4().hex[:6]}"
        self._wake = wake
        self._slots = slots
        self._poll_s = poll_s

    async def now(
        self,
        shop: Shop,
        order_id: str,
        kustom_order_id: str,
        *,
        how: How,
        who: str,
        within_s: float = ANSWER_WITHIN_S,
    ) -> Link:
        """Store that an order is to be linked, try it, and return how it stands then.

        Whatever is not done in time, or can't be done now, is done later by any instance. A row
        that names another Kustom order than was asked for belongs to that already.
        Raises StoreUnavailable: then it may or may not have been stored.
        """
        links = self.parts.store.links
        wanted = kustom_id(kustom_order_id)
        link = await links.ask(
            shop.api_url, order_id, wanted, how=how, who=who, due_in_s=_THEIR_TURN_S
        )
        if not link.open or link.kustom_order_id != wanted:
            return link
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._bring_on(link)
        return await links.get(shop.api_url, order_id) or link

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then finish or hand back what is under way."""
        stopped = asyncio.create_task(stop.wait())
        while not stop.is_set():
            turn = asyncio.create_task(self._turn())
            try:
                await asyncio.wait({turn, stopped}, return_when=asyncio.FIRST_COMPLETED)
                if not turn.done():
                    await asyncio.wait({turn}, timeout=FINISH_S)
            finally:
                turn.cancel()
        stopped.cancel()
        try:
            await asyncio.wait_for(self.parts.store.links.release_all(self.name), HAND_BACK_S)
        except (StoreUnavailable, TimeoutError) as error:
            _log.warning("could not hand links back; leases end by themselves: %s", error)

    async def drain(self, *, limit: int = 1000) -> int:
        """Run everything that is due now and return how many claims that took."""
        claims = 0
        while claims < limit and (claimed := await self._take()):
            claims += len(claimed)
            await asyncio.gather(*(self._run(link) for link in claimed))
        return claims

    async def _bring_on(self, link: Link) -> None:
        """Run a link, or wait while another instance does."""
        links, current = self.parts.store.links, link
        while current.open:
            mine = await links.claim_one(current, self.name, self.parts.lease.lasts_s)
            if mine is not None:
                await self._to_the_end(mine)
                return
            await asyncio.sleep(_LOOK_EVERY_S)
            current = await links.get(link.api_url, link.order_id) or link

    async def _to_the_end(self, link: Link) -> None:
        """Run a claimed link; when whoever waits gives up, it is due for anybody."""
        try:
            await self._run(link)
        except asyncio.CancelledError:
            with contextlib.suppress(StoreUnavailable, LeaseLost, TimeoutError):
                # Shielded: a second cancellation must not leave it leased for a minute.
                await asyncio.shield(self.parts.store.links.save(link, keep=False, due_in_s=0.0))
            raise

    async def _turn(self) -> None:
        """Run what is due, or wait a moment when nothing is."""
        try:
            claimed = await self._take()
        except StoreUnavailable as error:
            _log.warning("the database is away, looking for links in a moment: %s", error)
            claimed = []
        if not claimed:
            await asyncio.sleep(self._poll_s)
        ended = await asyncio.gather(*map(self._run, claimed), return_exceptions=True)
        for link, bug in zip(claimed, ended, strict=True):
            if bug is not None:
                _log.error("a bug stopped the link of order %s", link.order_id, exc_info=bug)

    async def _take(self) -> list[Link]:
        lease_s = self.parts.lease.lasts_s
        return await self.parts.store.links.claim(self.name, self._slots, lease_s)

    async def _run(self, link: Link) -> None:
        """Run one claimed link; only a bug leaves this function as an exception."""
        try:
            await self._advance(link)
        except (Rest, LeaseLost):
            pass
        except StoreUnavailable as error:
            _log.warning("link of order %s: the database is away: %s", link.order_id, error)
        self._wake()

    async def _advance(self, link: Link) -> None:
        leased_at = self.parts.monotonic()
        shop = await self.parts.store.shops.get(link.api_url)
        if shop is None:  # installed again, it is asked for again
            await self.parts.store.links.save(link, keep=False, code="shop_removed")
            return
        errand = Errand(self.parts, link, shop, leased_at)
        try:
            await advance(errand)
        except CallError as error:
            raise await errand.failed(error) from error
