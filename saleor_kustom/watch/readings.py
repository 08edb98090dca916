"""How this process's calls went, for people: from the same histogram that Prometheus reads."""

from collections.abc import Mapping
from dataclasses import dataclass

from saleor_kustom.watch.metrics import CALLS

#: A refusal is an answer; what we stopped ourselves says nothing about the other side.
_ANSWERED = frozenset({"ok", "refused", "errors"})
_OURS = frozenset({"cancelled", "bug"})


@dataclass(frozen=True, slots=True)
class Reading:
    """The calls to one side since the start. `within`: the bucket that so great a share stayed in.

    Seconds; None where there were no calls, infinity where the largest bucket did not do.
    """

    calls: int
    answered: int
    median_s: float | None
    slow_s: float | None  # 95 of 100
    slowest_s: float | None  # 99 of 100


def readings() -> Mapping[str, Reading]:
    """Return what was measured, by side."""
    return {peer: _reading(peer) for peer in ("kustom", "saleor")}


def _reading(peer: str) -> Reading:
    calls = answered = 0
    within: dict[float, int] = {}
    for sample in next(iter(CALLS.collect())).samples:
        verdict = sample.labels.get("verdict")
        if sample.labels.get("peer") != peer or verdict in _OURS:
            continue
        if sample.name.endswith("_count"):
            calls += int(sample.value)
            answered += int(sample.value) if verdict in _ANSWERED else 0
        elif sample.name.endswith("_bucket"):
            edge = float(sample.labels["le"])
            within[edge] = within.get(edge, 0) + int(sample.value)
    return Reading(calls, answered, *(_edge(within, calls, share) for share in (0.5, 0.95, 0.99)))


def _edge(within: Mapping[float, int], calls: int, share: float) -> float | None:
    """Return the smallest bucket that holds so great a share of the calls."""
    if not calls:
        return None
    return min(edge for edge, count in within.items() if count >= calls * share)
