"""Look at the orders that Kustom's own webhooks hinted at.

A hint proves nothing: whoever sent it, the look reads both sides itself. Looks take at most a
fifth of the rate, in all instances together, and one order is looked at once in a while.
"""

import asyncio
import logging

from saleor_kustom.capture.retry import backoff_s
from saleor_kustom.errors import CallError, Refused
from saleor_kustom.store import Hint
from saleor_kustom.worker.journey import Parts
from saleor_kustom.worker.outside import OutsideLook
from saleor_kustom.worker.turns import every

_log = logging.getLogger(__name__)

_POLL_S = 2.0
#: Longer than both reads and what Saleor is told may take.
_LEASE_S = 300.0
#: A look that fails comes again after this at least; what never succeeds the nights find.
_AGAIN_S = 60.0
_MOST_FAILURES = 12


class HintWorker:
    """Takes hints as they fall due."""

    def __init__(self, parts: Parts, look: OutsideLook) -> None:
        self._parts = parts
        self._look = look
        self.poll_s = _POLL_S

    async def run(self, stop: asyncio.Event) -> None:
        """Look until told to stop, even in the middle of a look: its lease ends by itself."""
        await every("look for hints", self.drain, stop, pause_s=lambda: self.poll_s)

    async def drain(self) -> int:
        """Take what is due and may be taken now; return how many looks that were."""
        looks = 0
        while due := await self._parts.store.hints.due():
            taken = [await self._take(hint) for hint in due]
            looks += sum(taken)
            if not any(taken):
                break
        return looks

    async def _take(self, hint: Hint) -> bool:
        """Take one; False: it is another shop's turn, or another instance has it."""
        store = self._parts.store
        ours = await store.hints.is_ours(hint)
        if not ours and not await self._may_look(hint):
            return False
        claimed = await store.hints.claim(hint, _LEASE_S)
        if claimed is None:
            return False
        try:
            shop = None if ours else await store.shops.get(claimed.api_url)
            if shop is not None:
                await self._look.order(shop, claimed.order_id)
        except CallError as error:
            await self._failed(claimed, error)
        else:
            await store.hints.done(claimed)
        return True

    async def _may_look(self, hint: Hint) -> bool:
        apart_s = self._parts.pace.spare_s
        if apart_s <= 0:
            return True
        return await self._parts.store.meta.take_turn(f"hint {hint.api_url}", apart_s)

    async def _failed(self, hint: Hint, error: CallError) -> None:
        _log.warning("could not look at order %s for a hint: %s", hint.order_id, error)
        if isinstance(error, Refused) or hint.failures >= _MOST_FAILURES:
            await self._parts.store.hints.done(hint)
            return
        again_in_s = _AGAIN_S + backoff_s(hint.failures + 5, self._parts.chance())
        await self._parts.store.hints.failed(hint, again_in_s)
