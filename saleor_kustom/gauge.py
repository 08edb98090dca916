"""How calls went lately: durations and outcomes of this process, for people and monitors."""

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from saleor_kustom.outbound import Answer, Outbound

_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Reading:
    """The last calls together. Seconds; None where there were none."""

    calls: int
    answered: int  # sensibly: neither broken nor 5xx
    median_s: float | None
    slow_s: float | None  # 95 of 100 were faster
    slowest_s: float | None  # 99 of 100 were faster


class Gauge:
    """Counts calls to one side."""

    def __init__(self) -> None:
        self._calls: deque[tuple[float, bool]] = deque(maxlen=_KEPT)

    def count(self, seconds: float, *, answered: bool) -> None:
        """Count one call."""
        self._calls.append((seconds, answered))

    def read(self) -> Reading:
        """Return the last calls together."""
        ordered = sorted(seconds for seconds, _ in self._calls)
        return Reading(
            len(ordered),
            sum(answered for _, answered in self._calls),
            _at(ordered, 0.5),
            _at(ordered, 0.95),
            _at(ordered, 0.99),
        )


def _at(ordered: list[float], share: float) -> float | None:
    """Return the value that so great a share of the others does not exceed."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None


class Measured(Outbound):
    """Outbound calls that are counted."""

    gauge: Gauge

    def __init__(self, gauge: Gauge, **more: object) -> None:
        super().__init__(**more)  # type: ignore[arg-type]
        self.gauge = gauge

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        deadline_s: float | None = None,
    ) -> Answer:
        """Make one call. Raises NotSent or NoAnswer, nothing else."""
        begun, answered = time.monotonic(), False
        try:
            answer = await super().request(
                method, url, headers=headers, content=content, deadline_s=deadline_s
            )
            answered = answer.status < 500  # noqa: PLR2004 - HTTP's own number
        finally:
            self.gauge.count(time.monotonic() - begun, answered=answered)
        return answer
