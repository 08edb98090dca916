"""One claimed capture on its way: what was read about it in this claim, and how it is saved."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.fulfillment import Fulfillment, Order
from saleor_kustom.capture.held import Held
from saleor_kustom.capture.money import shown
from saleor_kustom.capture.parties import Account, Mode, Shop, mode_of
from saleor_kustom.capture.plan import Binding, NothingWhy
from saleor_kustom.capture.policy import Policy
from saleor_kustom.capture.state import Event, State, after
from saleor_kustom.kustom.client import KustomClient
from saleor_kustom.saleor.client import SaleorClient
from saleor_kustom.store import Capture, Store
from saleor_kustom.worker.hooks import Hooks
from saleor_kustom.worker.lease import Lease
from saleor_kustom.worker.pace import Pace
from saleor_kustom.worker.telling import tell

#: Why a fulfillment waits that nobody has approved in Saleor.
APPROVAL = "waiting_for_approval"


@dataclass(frozen=True, slots=True)
class Parts:
    """What a worker works with; joined in app.py."""

    store: Store
    kustom: KustomClient
    saleor: SaleorClient
    policy: Callable[[Shop, str], Policy]  # by shop and channel
    portal_url: Callable[[Binding], str | None]
    app_identifier: str
    pace: Pace  # awaited before each call to Kustom: rate and breaker
    clock: Callable[[], float] = time.time  # for what is shown; due times are the database's
    monotonic: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = field(default=lambda: 0.5)
    lease: Lease = field(default_factory=Lease)
    hooks: Hooks = field(default_factory=Hooks)  # extensions that may change plans


class Rest(Exception):  # noqa: N818 - not an error: the capture rests, its row is saved
    """The claim is over: the row has been released."""


@dataclass(slots=True)
class Journey:
    """A capture under our lease, with what this claim has read. Lives for one claim."""

    parts: Parts
    capture: Capture
    shop: Shop
    leased_at: float  # monotonic
    order: Order | None = None
    fulfillment: Fulfillment | None = None
    binding: Binding | None = None
    account: Account | None = None
    authorization: Authorization | None = None
    extension_refused: bool = False  # by Kustom, in this claim: plan without them
    #: Columns that were learned and go into the next commit, whatever that is.
    learned: dict[str, Any] = field(default_factory=dict)

    def mode(self, account: Account) -> Mode:
        """Return whether money may move: playground captures, live observes until told."""
        return mode_of(self.shop, account)

    async def before_call(self) -> None:
        """Make the lease outlast a call, or raise LeaseLost: another instance has the capture."""
        lease = self.parts.lease
        if self.parts.monotonic() - self.leased_at > lease.spare_s:
            leased_at = self.parts.monotonic()
            await self.parts.store.captures.renew(self.capture, lease.lasts_s)
            self.leased_at = leased_at

    async def call_kustom(self, account: Account) -> None:
        """Wait for this account's turn, then make the lease outlast the call."""
        await self.parts.pace(account)
        await self.before_call()

    async def advance(self, *events: Event, detail: Mapping[str, Any], **columns: Any) -> None:
        """Commit one or more transitions and go on under a renewed lease."""
        state = self._after(*events)
        await self._keep(
            events[-1].value,
            detail,
            **(_CLEAR | self.learned | {"state": state, "failures": 0} | columns),
        )

    async def note(self, what: str, detail: Mapping[str, Any], **columns: Any) -> None:
        """Commit something learned that changes no state, and go on."""
        await self._keep(what, detail, **(self.learned | columns))

    async def rest(
        self, *events: Event, what: str, detail: Mapping[str, Any], **columns: Any
    ) -> Rest:
        """Commit and let go; the capture is woken by news only. To be raised.

        What came to nothing and was asked for by Saleor is told it next.
        """
        columns = _CLEAR | {"state": self._after(*events)} | columns
        owed = self.capture.by_button and columns["state"] is State.NOTHING
        told = columns.get("reported_at", self.capture.reported_at) is not None
        await self._release(what, detail, 0.0 if owed and not told else None, **columns)
        return Rest()

    async def hold(
        self,
        held: Held,
        *events: Event,
        due_in_s: float | None = None,
        refuses: bool = True,
        **columns: Any,
    ) -> Rest:
        """Commit that a person must look, and let go. To be raised.

        With `due_in_s` it is looked at again by itself, after what is not held on its line.
        The person who pressed Saleor's button is told at once instead, where no money can have
        moved; and the request is over (`refuses` False: never).
        """
        detail = dict(held.detail)
        state = self._after(*events)
        known = self.capture.waiting if state is State.NOTHING else None
        asked = self.capture.by_button and refuses and due_in_s is None
        if asked and state is State.RECEIVED:
            return await self._refuse(held, *events, **columns)
        await self._release(
            "held",
            {"reason": held.reason.value, **detail},
            due_in_s,
            **(
                {
                    "state": state,
                    "held": held.reason.value,
                    "held_detail": detail,
                    "waiting": known,
                    "waiting_detail": {},
                }
                | columns
            ),
        )
        return Rest()

    async def _refuse(self, held: Held, *events: Event, **columns: Any) -> Rest:
        why = {"reason": held.reason.value, **held.detail}
        return await self.rest(
            *events,
            Event.NOTHING_TO_CAPTURE,
            what="refused",
            detail=why,
            **({"waiting": NothingWhy.REFUSED.value, "waiting_detail": why} | columns),
        )

    async def wait(
        self, why: str, due_in_s: float | None, detail: Mapping[str, Any], **columns: Any
    ) -> Rest:
        """Commit why this capture waits and when it is looked at again. To be raised."""
        # Why there is nothing to capture stays known while something else is looked up.
        known = self.capture.waiting if self.capture.state is State.NOTHING else None
        again = known is not None or self.capture.waiting == why
        failures = self.capture.failures + 1 if again else 1
        await self._release(
            "waits",
            {"why": why, **detail},
            due_in_s,
            **(
                {
                    "waiting": known or why,
                    "waiting_detail": dict(self.capture.waiting_detail if known else detail),
                    "failures": failures,
                    "held": None,
                    "held_detail": {},
                }
                | columns
            ),
        )
        return Rest()

    def shown(self, minor: int) -> str:
        """Return an amount in the order's currency, for a person."""
        currency = self.capture.currency or self.learned.get("currency") or ""
        return shown(minor, currency)

    def waited(self, why: str) -> int:
        """Return how many times in a row this capture has waited for `why`."""
        same = self.capture.waiting == why or self.capture.state is State.NOTHING
        return self.capture.failures if same else 0

    def _after(self, *events: Event) -> State:
        state = self.capture.state
        for event in events:
            state = after(state, event)
        return state

    async def _keep(self, what: str, detail: Mapping[str, Any], **columns: Any) -> None:
        leased_at, before = self.parts.monotonic(), self.capture
        self.capture = await self.parts.store.captures.save(
            before,
            what=what,
            detail=detail,
            keep=True,
            lease_s=self.parts.lease.lasts_s,
            **columns,
        )
        self.leased_at = leased_at
        tell(before, self.capture, what, detail)

    async def _release(
        self, what: str, detail: Mapping[str, Any], due_in_s: float | None, **columns: Any
    ) -> None:
        before = self.capture
        self.capture = await self.parts.store.captures.save(
            self.capture,
            what=what,
            detail=detail,
            keep=False,
            due_in_s=due_in_s,
            **(self.learned | columns),
        )
        tell(before, self.capture, what, detail)


#: Going on clears the marks of an earlier rest.
_CLEAR: dict[str, Any] = {
    "held": None,
    "held_detail": {},
    "waiting": None,
    "waiting_detail": {},
}
