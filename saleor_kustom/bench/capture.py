"""Captures through the whole path, beside a loop of the four calls that each can't avoid.

Signed deliveries are posted to the app, whose worker reads Saleor and Kustom, captures, and
reports: stand-ins with 50 ms latency at Saleor and 150 ms at Kustom. The rate limit is lifted.
"""

import statistics
import time
from typing import Any

from saleor_kustom.bench import shop
from saleor_kustom.bench.child import BenchmarkError, Child, child
from saleor_kustom.bench.stage import Stage, median

SALEOR_S, KUSTOM_S = 0.050, 0.150
CONCURRENCY = 100
#: A capture's way until Kustom has it: read Saleor, read Kustom, capture.
CALLS_S = SALEOR_S + 2 * KUSTOM_S
_WITHIN_S = 600.0
_IDLE = 30
#: What the app asks of its own, such as its webhooks.
_OTHER = "saleor other"
_CALLS = ("saleor read", "saleor write", "kustom read", "kustom capture")


def measure(stage: Stage) -> dict[str, Any]:
    """Return throughput, its share of the floor, and what a capture costs."""
    with (
        child("stubs", jwks=stage.signer.jwks(), saleor_s=SALEOR_S, kustom_s=KUSTOM_S) as stubs,
        child("floor", **stubs.told) as floor,
    ):
        api_url = f"{stubs.told['saleor']}/graphql/"
        with (
            stage.database("sqlite", api_url, stubs.told["kustom"]) as settings,
            stage.app(settings | {"concurrency": CONCURRENCY}, works=True) as app,
            stage.load(api_url) as load,
        ):
            idle = _idle(stage, stubs, app, load)
            return _busy(stage, stubs, app, load, floor) | idle


def _busy(stage: Stage, stubs: Child, app: Child, load: Child, floor: Child) -> dict[str, Any]:
    """Measure the floor before and after the app's run, so that a busy machine is busy for both."""
    orders = stage.of(3000, 30)
    wanted = parcels(range(1000, 1000 + orders))
    some = wanted[: stage.of(3000, 50)]
    floors = [_floor(floor, some, orders)]
    load.ask(sign=wanted)
    stubs.ask(forget=True)
    ours = _captured(stubs, app, load, len(wanted))
    floors.append(_floor(floor, some, 2 * orders))
    floor_per_s = statistics.mean(one["per_s"] for one in floors)
    row = {
        "captures": len(wanted),
        "orders": orders,
        "floor_per_s": floor_per_s,
        "of_floor": ours["per_s"] / floor_per_s,
        "floor_cpu_ms": statistics.mean(one["cpu_ms"] for one in floors),
        **ours,
        "peak_mb": round(app.memory_mb(peak=True)),
    }
    stage.tell(
        f"capture: {row['per_s']:.0f} a second of {row['floor_per_s']:.0f},"
        f" {row['cpu_ms']:.1f} CPU-ms each of {row['floor_cpu_ms']:.1f}"
    )
    return {name: median([value]) for name, value in row.items()}


def _captured(stubs: Child, app: Child, load: Child, wanted: int) -> dict[str, float]:
    """Post what was prepared, and measure until Saleor has been told of all of it."""
    written, before_s = app.ask(), app.cpu_s()
    posted = load.ask(post=app.told["address"], clients=50)
    seen = stubs.ask(until_reported=wanted, within_s=_WITHIN_S, forget=True)
    cpu_s, done = app.cpu_s() - before_s, app.ask()
    check(seen, wanted)
    return {
        "per_s": wanted / (seen["last_report"] - posted["began"]),
        "cpu_ms": cpu_s / wanted * 1000,
        "requests": sum(n for what, n in seen["counts"].items() if what != _OTHER) / wanted,
        "transactions": (done["transactions"] - written["transactions"]) / wanted,
        "commits": (done["commits"] - written["commits"]) / wanted,
    }


def _floor(floor: Child, some: list[tuple[int, int]], behind: int) -> dict[str, float]:
    """Make the same calls for other orders, whose numbers are so much higher."""
    moved = [(order + behind, parcel) for order, parcel in some]
    before_s = floor.cpu_s()
    spent_s = floor.ask(parcels=moved, concurrency=CONCURRENCY)["spent_s"]
    cpu_s = floor.cpu_s() - before_s
    return {"per_s": len(some) / spent_s, "cpu_ms": cpu_s / len(some) * 1000}


def _idle(stage: Stage, stubs: Child, app: Child, load: Child) -> dict[str, Any]:
    """Measure single deliveries to an app that has nothing else to do."""
    overheads = []
    for order in range(1, stage.of(_IDLE, 3) + 1):
        load.ask(sign=[(order, 1)])
        stubs.ask(forget=True)
        posted = load.ask(post=app.told["address"], clients=1)
        seen = stubs.ask(until_reported=1, within_s=_WITHIN_S)
        check(seen, 1)
        overheads.append((seen["captured_at"][0] - posted["began"] - CALLS_S) * 1000)
        time.sleep(0.05)
    return {"idle_above_calls_ms": median(overheads)}


def check(seen: dict[str, Any], captures: int) -> None:
    """Raise BenchmarkError unless each parcel was captured once, with four calls."""
    counts = {what: n for what, n in seen["counts"].items() if what != _OTHER}
    if counts != dict.fromkeys(_CALLS, captures) or seen["over"]:
        raise BenchmarkError(f"{captures} captures took {counts}; over-captured: {seen['over']}")


def parcels(orders: range) -> list[tuple[int, int]]:
    """Return the parcels of orders, the first of each before the second of any."""
    most = max(map(shop.parcels_of, orders))
    return [
        (order, parcel)
        for parcel in range(1, most + 1)
        for order in orders
        if parcel <= shop.parcels_of(order)
    ]
