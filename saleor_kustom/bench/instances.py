"""How throughput grows with the number of instances on one PostgreSQL.

Each has 20 captures under way at a time, as it comes: so one instance is limited by waiting for
the other sides, and more of them should do as many times more, while there are processors for them.
"""

from contextlib import ExitStack
from typing import Any

from saleor_kustom.bench.capture import KUSTOM_S, SALEOR_S, check, parcels
from saleor_kustom.bench.child import Child, child
from saleor_kustom.bench.stage import Stage, median

_WITHIN_S = 600.0


def measure(stage: Stage) -> list[dict[str, Any]]:
    """Return captures a second by number of instances; nothing without PostgreSQL."""
    if not stage.database_url:
        return []
    rows: list[dict[str, Any]] = []
    for instances in (1, 2) if stage.quick else (1, 2, 4):
        per_s = [_per_s(stage, instances) for _ in range(1 if stage.quick else 3)]
        rows.append({"instances": instances, "captures_per_s": median(per_s)})
        rows[-1]["of_one"] = median([rows[-1]["captures_per_s"] / rows[0]["captures_per_s"]])
        stage.tell(f"instances {instances}: {rows[-1]['captures_per_s']:.0f} captures a second")
    return rows


def _per_s(stage: Stage, instances: int) -> float:
    with ExitStack() as stack:
        stubs = stack.enter_context(
            child("stubs", jwks=stage.signer.jwks(), saleor_s=SALEOR_S, kustom_s=KUSTOM_S)
        )
        api_url = f"{stubs.told['saleor']}/graphql/"
        settings = stack.enter_context(stage.database("postgresql", api_url, stubs.told["kustom"]))
        apps = [stack.enter_context(stage.app(settings, works=True)) for _ in range(instances)]
        load = stack.enter_context(stage.load(api_url))
        return _captured_per_s(stage, instances, apps, load, stubs)


def _captured_per_s(
    stage: Stage, instances: int, apps: list[Child], load: Child, stubs: Child
) -> float:
    wanted = parcels(range(1, stage.of(240 * instances, 6) + 1))
    load.ask(sign=wanted)
    posted = load.ask(post=apps[0].told["address"], clients=20)
    seen = stubs.ask(until_reported=len(wanted), within_s=_WITHIN_S)
    check(seen, len(wanted))
    return len(wanted) / float(seen["last_report"] - posted["began"])
