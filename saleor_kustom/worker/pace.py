"""How fast Kustom is called: a rate shared by all instances, and a breaker per host.

The rate is counted in the database, so that it holds for all instances together (domain
rule 26). The breaker is this instance's own: in an outage each instance lets single probes
through instead of a storm, and leaves what is due for that host unclaimed meanwhile, so that
it goes on at once when the host is back.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from saleor_kustom.capture.parties import Account
from saleor_kustom.errors import CallError, OutcomeUnknown, Unavailable
from saleor_kustom.store import Store

#: Not sent, since the host did not answer others (in lower case, what the row waits for).
AWAY = "KUSTOM_AWAY"
#: So many calls in a row without a sensible answer open the breaker.
_OPEN_AFTER = 5
_FIRST_S = 2.0
_LONGEST_S = 60.0
#: A wait longer than this gives the slot back instead of sleeping in it.
_SLEEP_AT_MOST_S = 2.0


@dataclass(slots=True)
class _Breaker:
    failures: int = 0
    shut_until: float = 0.0  # monotonic; no call before this
    span_s: float = _FIRST_S
    probing: bool = False

    @property
    def open(self) -> bool:
        return self.failures >= _OPEN_AFTER

    def count(self, now: float) -> None:
        """Count an outage. Calls that were under way when it opened make it no longer."""
        was_open = self.open
        self.failures += 1
        if self.open and (self.probing or not was_open):
            self.shut_until = now + self.span_s
            self.span_s = min(_LONGEST_S, self.span_s * 2)
            self.probing = False


class Pace:
    """Awaited before each call to Kustom; told of each call's outcome."""

    def __init__(
        self,
        store: Store,
        *,
        per_second: float,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._per_second = per_second
        self._monotonic = monotonic
        self._sleep = sleep
        self._breakers: dict[str, _Breaker] = {}

    async def __call__(self, account: Account) -> None:
        """Wait for this account's turn, or raise Unavailable to come back later."""
        self._pass_breaker(account.environment)
        if self._per_second <= 0:  # lifted, by the benchmark only
            return
        wait_s = await self._store.rate.take(
            account.environment,
            account.merchant_id,
            self._per_second,
            patience_s=_SLEEP_AT_MOST_S,  # who comes back later must not use up slots now
        )
        if wait_s > _SLEEP_AT_MOST_S:
            raise Unavailable("RATE_LIMITED_BY_US", retry_after_s=wait_s)
        if wait_s > 0:
            await self._sleep(wait_s)

    async def leave_room(self) -> None:
        """Wait before a call that can wait: comparing takes a fifth of the rate at most."""
        if self._per_second > 0:
            await self._sleep(5.0 / self._per_second)

    def succeeded(self, account: Account) -> None:
        """Close the breaker: the host answers sensibly."""
        self._breakers.pop(account.environment, None)

    def failed(self, account: Account, error: CallError) -> None:
        """Count an outage; an answer that makes sense is none, however negative."""
        if not _is_outage(error):
            self.succeeded(account)
            return
        if error.code != AWAY:  # that one was never sent
            breaker = self._breakers.setdefault(account.environment, _Breaker())
            breaker.count(self._monotonic())

    def shut(self) -> set[str]:
        """Return the environments that are not to be called now."""
        now = self._monotonic()
        return {env for env, breaker in self._open() if breaker.shut_until > now}

    def breakers(self) -> dict[str, bool]:
        """Return whether the breaker is open, by environment that was in trouble."""
        return {env: breaker.open for env, breaker in self._breakers.items()}

    def awaits_probe(self) -> bool:
        """Tell whether the next call to some host is to be a single one."""
        now = self._monotonic()
        return any(breaker.shut_until <= now for _, breaker in self._open())

    def _open(self) -> list[tuple[str, _Breaker]]:
        return [(env, breaker) for env, breaker in self._breakers.items() if breaker.open]

    def _pass_breaker(self, environment: str) -> None:
        breaker = self._breakers.get(environment)
        if breaker is None or not breaker.open:
            return
        left_s = breaker.shut_until - self._monotonic()
        if left_s > 0:
            raise Unavailable(AWAY, retry_after_s=left_s)
        # This call is the probe: the others wait until it has answered.
        breaker.probing = True
        breaker.shut_until = self._monotonic() + breaker.span_s


def _is_outage(error: CallError) -> bool:
    if isinstance(error, OutcomeUnknown):
        return True
    return isinstance(error, Unavailable) and (error.status is None or error.status >= 500)  # noqa: PLR2004
