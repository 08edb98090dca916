"""A circuit breaker per host: in an outage single probes go through instead of a storm.

Each instance has its own. Who is turned away loses nothing and takes no time: it comes back later.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

#: So many calls in a row without a sensible answer open the breaker.
_OPEN_AFTER = 5
_FIRST_S = 2.0
_LONGEST_S = 60.0


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


class Breakers:
    """Asked before each call to a host (any name for it), and told of its outcome."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._breakers: dict[str, _Breaker] = {}

    def enter(self, host: str) -> float:
        """Return 0 where the host may be called now, else in how many seconds to come back."""
        breaker = self._breakers.get(host)
        if breaker is None or not breaker.open:
            return 0.0
        now = self._monotonic()
        if breaker.shut_until > now:
            return breaker.shut_until - now
        # This call is the probe: the others wait until it has answered.
        breaker.probing = True
        breaker.shut_until = now + breaker.span_s
        return 0.0

    def succeeded(self, host: str) -> None:
        """Close the breaker: the host answers sensibly, however negative that is."""
        self._breakers.pop(host, None)

    def failed(self, host: str) -> None:
        """Count a call that got no sensible answer."""
        self._breakers.setdefault(host, _Breaker()).count(self._monotonic())

    def shut(self) -> set[str]:
        """Return the hosts that are not to be called now."""
        now = self._monotonic()
        return {host for host, breaker in self._open() if breaker.shut_until > now}

    def awaits_probe(self) -> bool:
        """Tell whether the next call to some host is to be a single one."""
        now = self._monotonic()
        return any(breaker.shut_until <= now for _, breaker in self._open())

    def states(self) -> dict[str, bool]:
        """Return whether the breaker is open, by host that was in trouble."""
        return {host: breaker.open for host, breaker in self._breakers.items()}

    def _open(self) -> list[tuple[str, _Breaker]]:
        return [(host, breaker) for host, breaker in self._breakers.items() if breaker.open]
