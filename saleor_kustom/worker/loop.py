"""The worker's loop: claim what is due, run it, and turn every failure into a decision.

Safe to run in several processes where the database allows it: claims are leases, writes are
fenced, and one capture of a Kustom order runs at a time (durable-engine, sections 2 and 3).
"""

import asyncio
import logging
import uuid

from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.retry import Again, GiveUp, PauseAccount, after_failure
from saleor_kustom.errors import CallError, StoreUnavailable
from saleor_kustom.saleor.transport import AWAY as SALEOR_AWAY
from saleor_kustom.store import Capture, LeaseLost
from saleor_kustom.watch import trace
from saleor_kustom.watch.context import bound, instance
from saleor_kustom.worker.journey import Journey, Parts, Rest
from saleor_kustom.worker.operations import advance_operation
from saleor_kustom.worker.pace import AWAY
from saleor_kustom.worker.reading import PAUSED_S
from saleor_kustom.worker.steps import advance

_log = logging.getLogger(__name__)

#: A person should look: asking again alone may never mend it.
_ALERT = logging.ERROR

#: A deploy stops us with SIGTERM and waits 20 s before it kills. In these we finish what is under
#: way, then hand back the rest; the edge has the 5 s that are left (web/listen.py).
FINISH_S = 10.0
HAND_BACK_S = 4.0

#: A turn of the loop waits for the database at most (its own deadline is 15 s), never for a call.
HANGS_AFTER_S = 60.0


class Worker:
    """Claims captures and takes each as far as it goes now."""

    def __init__(
        self, parts: Parts, *, slots: int = 20, poll_s: float = 1.0, name: str | None = None
    ) -> None:
        self.parts = parts
        self.name = name or f"{instance()}-{uuid.uuid4().hex[:6]}"
        self._slots = slots
        self._poll_s = poll_s
        self._woken = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._turned_at: float | None = None  # monotonic; None: the loop does not run

    @property
    def hangs(self) -> bool:
        """Tell whether the loop runs and has not come round for too long."""
        turned_at = self._turned_at
        return turned_at is not None and self.parts.monotonic() - turned_at > HANGS_AFTER_S

    def wake(self) -> None:
        """Look for due captures now: something was stored."""
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then finish or hand back what is under way."""
        while not stop.is_set():
            self._turned_at = self.parts.monotonic()
            self._woken.clear()
            claimed = await self._claim()
            for capture in claimed:
                self._start(capture)
            if not claimed:
                await self._sleep(stop)
        self._turned_at = None
        await self._hand_back()

    async def drain(self, *, limit: int = 10_000) -> int:
        """Run everything that is due now and return how many claims that took."""
        claims = 0
        while claims < limit:
            claimed = await self._take(self._slots)
            if not claimed:
                break
            claims += len(claimed)
            await asyncio.gather(*(self._run(capture) for capture in claimed))
        return claims

    async def _claim(self) -> list[Capture]:
        free = self._slots - len(self._running)
        if free <= 0:
            return []
        try:
            return await self._take(free)
        except StoreUnavailable as error:
            _log.warning("the database is away, claiming again in a moment: %s", error)
            return []

    async def _take(self, slots: int) -> list[Capture]:
        captures, lease, pace = self.parts.store.captures, self.parts.lease, self.parts.pace
        if pace.awaits_probe():
            slots = 1
        silent = self.parts.saleor.away()
        return await captures.claim(
            self.name, slots, lease.lasts_s, shut=pace.shut(), silent=silent
        )

    def _start(self, capture: Capture) -> None:
        task = asyncio.create_task(self._run(capture))
        self._running.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._woken.set()  # its line's next capture may be due now
        if not task.cancelled() and task.exception() is not None:
            _log.error("a bug stopped a capture; its lease ends soon", exc_info=task.exception())

    async def _sleep(self, stop: asyncio.Event) -> None:
        waits = {asyncio.create_task(self._woken.wait()), asyncio.create_task(stop.wait())}
        await asyncio.wait(waits, timeout=self._poll_s, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    async def _hand_back(self) -> None:
        if self._running:
            await asyncio.wait(self._running, timeout=FINISH_S)
        for task in self._running:
            task.cancel()
        try:
            async with asyncio.timeout(HAND_BACK_S):
                handed_back = await self.parts.store.captures.release_all(self.name)
            _log.info("stopped; captures handed back: %d", handed_back)
        except (StoreUnavailable, TimeoutError) as error:
            _log.warning("could not hand back; leases end by themselves: %s", error)

    async def _run(self, capture: Capture) -> None:
        """Run one claimed capture; only a bug leaves this function as an exception."""
        with bound(
            trace=trace.of_capture(capture.traceparent, capture.api_url, capture.id),
            shop=capture.api_url,
            order=capture.order_number,
            order_id=capture.order_id,
            fulfillment=capture.fulfillment_id,
            capture_row=capture.id,
            attempt=capture.attempts,
            instance=self.name,
        ):
            await self._travel(capture)

    async def _travel(self, capture: Capture) -> None:
        leased_at = self.parts.monotonic()
        try:
            shop = await self.parts.store.shops.get(capture.api_url)
            if shop is None:
                await self.parts.store.captures.save(
                    capture,
                    what="waits",
                    detail={"why": "shop_removed"},
                    keep=False,
                    due_in_s=None,
                    waiting="shop_removed",
                )
                return
            journey = Journey(self.parts, capture, shop, leased_at)
            await self._advance(journey)
        except Rest:
            pass
        except LeaseLost:
            _log.info("capture %s: another instance has it", capture.id)
        except StoreUnavailable as error:
            _log.warning("capture %s: the database is away: %s", capture.id, error)

    async def _advance(self, journey: Journey) -> None:
        try:
            await (advance if journey.capture.is_parcel else advance_operation)(journey)
        except CallError as error:
            await self._failed(journey, error)

    async def _failed(self, journey: Journey, error: CallError) -> None:
        """Store what a failed call means: again later, a paused account, or a person."""
        if journey.account is not None and not error.code.startswith("SALEOR"):
            self.parts.pace.failed(journey.account, error)
        why = error.code.lower()
        turned_away = error.code in (AWAY, SALEOR_AWAY)  # never sent
        failures = journey.capture.failures
        decision = after_failure(error, failures=failures, chance=self.parts.chance())
        detail: dict[str, str | int] = {
            "code": error.code,
            "message": "; ".join(error.messages)[:500],
            "status": error.status or 0,
            "correlation_id": error.correlation_id or "",
        }
        alert = isinstance(decision, Again) and decision.alert
        _log.log(
            logging.INFO if turned_away else _ALERT if alert else logging.WARNING,
            "capture %s: %s",
            journey.capture.id,
            error,
            extra={"correlation_id": error.correlation_id} if error.correlation_id else None,
        )
        match decision:
            case Again():
                due_in_s: float = decision.after_s
            case PauseAccount():
                due_in_s = await self._pause(journey, error)
            case GiveUp():
                held = Held(
                    _refused_by(error),
                    {"amount": journey.shown(journey.capture.amount_minor or 0), **detail},
                )
                raise await journey.hold(held)
        raise await journey.wait(why, due_in_s, detail, failures=failures + (not turned_away))

    async def _pause(self, journey: Journey, error: CallError) -> float:
        """Pause the merchant account as a whole: every call of it would be refused."""
        account = journey.account
        if account is not None:
            await self.parts.store.accounts.pause(
                account.environment,
                account.merchant_id,
                str(error),
                api_url=journey.shop.api_url,
            )
        return PAUSED_S


def _refused_by(error: CallError) -> Reason:
    if error.code == "NOT_UNDERSTOOD":
        return Reason.NOT_UNDERSTOOD
    saleor = error.code.startswith("SALEOR_")
    return Reason.REFUSED_BY_SALEOR if saleor else Reason.REFUSED_BY_KUSTOM
