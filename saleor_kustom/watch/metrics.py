"""Numbers for Prometheus that this process counts by itself.

Counters and histograms are this process's own, so that several processes sum up at the
Prometheus server; what all processes share is read from the database at each scrape
(web/numbers). Names and labels are a public contract: docs/operations.md lists them.
"""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

from saleor_kustom import __version__
from saleor_kustom.errors import CallError, OutcomeUnknown, Refused

# When a series began is nothing that anybody asks.
disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

#: Saleor gives a delivery 18 s, Kustom gets 40 s (domain rule 17).
_ACKNOWLEDGE_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 18.0)
_CALL_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0)

_INFO = Gauge("saleor_kustom_info", "The running version.", ["version"], registry=REGISTRY)
_INFO.labels(__version__).set(1)

DELIVERIES = Counter(
    "saleor_kustom_deliveries",
    "Deliveries that Saleor posted, by event and what became of them: stored, repeated, own "
    "(our own write came back), removed (the shop), not_genuine (answered 4xx), "
    "not_now (answered 503).",
    ["event", "outcome"],
    registry=REGISTRY,
)
ACKNOWLEDGED = Histogram(
    "saleor_kustom_acknowledge_seconds",
    "How long an answer to a delivery took.",
    ["event"],
    buckets=_ACKNOWLEDGE_S,
    registry=REGISTRY,
)
CAPTURES = Counter(
    "saleor_kustom_captures",
    "What became of captures (kind: fulfillment, charge) and of what else is done at Kustom (kind: "
    "refund, cancel, release): captured, that is confirmed; reported; nothing (reason: why); "
    "withdrawn; or held (reason: for what; see docs/errors.md).",
    ["kind", "outcome", "reason"],
    registry=REGISTRY,
)
CAPTURED_MINOR = Counter(
    "saleor_kustom_captured_minor_units",
    "Money captured, in minor units of its currency.",
    ["currency"],
    registry=REGISTRY,
)
CALLS = Histogram(
    "saleor_kustom_call_seconds",
    "Calls to the other sides (peer: kustom, saleor) by operation and verdict: ok, refused, "
    "unavailable, outcome_unknown, errors (Saleor's, in an answer), cancelled (we stopped); bug.",
    ["peer", "operation", "verdict"],
    buckets=_CALL_S,
    registry=REGISTRY,
)
HOOKS_SKIPPED = Counter(
    "saleor_kustom_hooks_skipped",
    "Plans that went on without an extension, by its name and why: raised, too_slow, refused.",
    ["hook", "why"],
    registry=REGISTRY,
)


@dataclass(slots=True)
class Call:
    """One call under way; whoever makes it may say what its answer meant."""

    verdict: str = "ok"


@contextlib.contextmanager
def call(peer: str, operation: str) -> Iterator[Call]:
    """Measure one call and count it under its verdict."""
    began, made = time.perf_counter(), Call()
    try:
        yield made
    except BaseException as error:
        made.verdict = _verdict(error)
        raise
    finally:
        CALLS.labels(peer, operation, made.verdict).observe(time.perf_counter() - began)


def _verdict(error: BaseException) -> str:
    match error:
        case Refused():
            return "refused"
        case OutcomeUnknown():
            return "outcome_unknown"
        case CallError():
            return "unavailable"
        case Exception():
            return "bug"
        case _:  # the process stops
            return "cancelled"
