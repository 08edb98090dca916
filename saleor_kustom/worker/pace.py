"""How fast Kustom is called: a rate shared by all instances, and a breaker per host.

The rate is counted in the database, so that it holds for all instances together (domain
rule 26). The breaker is this instance's own; what is due for a host that is away is left unclaimed
meanwhile, so that it goes on at once when the host is back.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from saleor_kustom.breaker import Breakers
from saleor_kustom.capture.parties import Account
from saleor_kustom.errors import CallError, OutcomeUnknown, Unavailable
from saleor_kustom.store import Store

#: Not sent, since the host did not answer others (in lower case, what the row waits for).
AWAY = "KUSTOM_AWAY"
#: A wait longer than this gives the slot back instead of sleeping in it.
_SLEEP_AT_MOST_S = 2.0


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
        self._sleep = sleep
        self._breakers = Breakers(monotonic)

    async def __call__(self, account: Account) -> None:
        """Wait for this account's turn, or raise Unavailable to come back later."""
        left_s = self._breakers.enter(account.environment)
        if left_s > 0:
            raise Unavailable(AWAY, retry_after_s=left_s)
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

    @property
    def spare_s(self) -> float:
        """Return how far apart calls that can wait are: they take a fifth of the rate at most."""
        return 5.0 / self._per_second if self._per_second > 0 else 0.0

    async def leave_room(self) -> None:
        """Wait before a call that can wait, such as a comparison's."""
        if self._per_second > 0:
            await self._sleep(self.spare_s)

    def succeeded(self, account: Account) -> None:
        """Close the breaker: the host answers sensibly."""
        self._breakers.succeeded(account.environment)

    def failed(self, account: Account, error: CallError) -> None:
        """Count an outage; an answer that makes sense is none, however negative."""
        if not _is_outage(error):
            self.succeeded(account)
        elif error.code != AWAY:  # that one was never sent
            self._breakers.failed(account.environment)

    def shut(self) -> set[str]:
        """Return the environments that are not to be called now."""
        return self._breakers.shut()

    def breakers(self) -> dict[str, bool]:
        """Return whether the breaker is open, by environment that was in trouble."""
        return self._breakers.states()

    def awaits_probe(self) -> bool:
        """Tell whether the next call to some host is to be a single one."""
        return self._breakers.awaits_probe()


def _is_outage(error: CallError) -> bool:
    if isinstance(error, OutcomeUnknown):
        return True
    return isinstance(error, Unavailable) and (error.status is None or error.status >= 500)  # noqa: PLR2004
