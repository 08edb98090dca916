"""How many signed deliveries are verified, stored durably and answered, beside a peer's stand-in.

The worker does not run in the app's process meanwhile: what is measured is answering. The peer has
the same checks and stores nothing, so the ratio says what being stored first costs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from saleor_kustom.bench.child import BenchmarkError, Child, child
from saleor_kustom.bench.stage import Stage, median

_API_URL = "http://shop.bench/graphql/"
_WARM_UP = 100


@dataclass(frozen=True, slots=True)
class _Case:
    """`size` in bytes; 0: what our own subscription makes, about 420."""

    size: int
    clients: int
    posted: int


def measure(stage: Stage) -> list[dict[str, Any]]:
    """Return a row for each database, body and number of clients."""
    return [row for engine in stage.engines for row in _on(engine, stage)]


def _cases(stage: Stage) -> Sequence[_Case]:
    if stage.quick:
        return (_Case(0, 1, 40), _Case(0, 20, 160), _Case(12_000, 20, 160))
    return (
        *(_Case(0, clients, posted) for clients, posted in _LOADS),
        _Case(6_000, 50, 3000),
        *(_Case(12_000, clients, posted) for clients, posted in _LOADS),
    )


_LOADS = ((1, 1000), (50, 3000), (500, 3000))


def _on(engine: str, stage: Stage) -> list[dict[str, Any]]:
    orders = count(1)
    with (
        stage.database(engine, _API_URL) as settings,
        stage.app(settings, works=False) as app,
        child("peer", api_url=_API_URL, jwks=stage.signer.jwks()) as peer,
        stage.load(_API_URL) as load,
    ):
        load.ask(sign=_some(orders, _WARM_UP))
        for served in (app, peer):
            _posted(load, served, _Case(0, 10, _WARM_UP))
        return [_case(case, engine, stage, load, app, peer, orders) for case in _cases(stage)]


def _case(
    case: _Case,
    engine: str,
    stage: Stage,
    load: Child,
    app: Child,
    peer: Child,
    orders: "count[int]",
) -> dict[str, Any]:
    """Measure one case: the two in turns, so that a busy machine is busy for both."""
    ours, theirs = [], []
    for _ in range(stage.rounds):
        load.ask(sign=_some(orders, case.posted), size=case.size)
        written = app.ask()
        ours.append(_posted(load, app, case))
        commits = app.ask()["commits"] - written["commits"]
        ours[-1]["commits"] = commits / case.posted
        theirs.append(_posted(load, peer, case))
    row = {
        "database": engine,
        "bytes": case.size or "own",
        "clients": case.clients,
        **{name: median([one[name] for one in ours]) for name in ours[0]},
        "peer_per_cpu_s": median([one["per_cpu_s"] for one in theirs]),
        "of_peer": median(
            [a["per_cpu_s"] / b["per_cpu_s"] for a, b in zip(ours, theirs, strict=True)]
        ),
        "peak_mb": round(app.memory_mb(peak=True)),
    }
    what = f"acknowledge {engine} {row['bytes']} x{case.clients}"
    beside = f"the peer {row['peer_per_cpu_s']:.0f}"
    stage.tell(f"{what}: {row['per_cpu_s']:.0f} per CPU-second, {beside}")
    return row


def _posted(load: Child, served: Child, case: _Case) -> dict[str, float]:
    """Post what was prepared; every answer must be a 200. Raises BenchmarkError."""
    before_s = served.cpu_s()
    posted = load.ask(post=served.told["address"], clients=case.clients)
    spent_s = max(served.cpu_s() - before_s, 0.01)  # the kernel counts hundredths
    if posted["statuses"] != {"200": case.posted}:
        raise BenchmarkError(f"{served.module} answered {posted['statuses']}")
    return {
        "per_cpu_s": case.posted / spent_s,
        "per_s": case.posted / posted["spent_s"],
        "p50_ms": posted["p50_ms"],
        "p99_ms": posted["p99_ms"],
    }


def _some(orders: "count[int]", how_many: int) -> list[tuple[int, int]]:
    """Return parcels that were not posted yet."""
    return [(next(orders), 1) for _ in range(how_many)]
