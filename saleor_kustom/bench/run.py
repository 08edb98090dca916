"""All parts in one run."""

import sys
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from saleor_kustom.bench import acknowledge, capture, instances, machine, mapping, scale, start
from saleor_kustom.bench.stage import ROUNDS, Stage
from saleor_kustom.errors import SettingsError

PARTS: dict[str, Callable[[Stage], Any]] = {
    "acknowledge": acknowledge.measure,
    "capture": capture.measure,
    "scale": scale.measure,
    "mapping": mapping.measure,
    "start": start.measure,
    "instances": instances.measure,
}
#: Said in the results, so that nobody takes them for more than they are.
_NO_POSTGRESQL = (
    "PostgreSQL, since SALEOR_KUSTOM_BENCH_DATABASE_URL names no server where databases may be "
    "created"
)


def run(
    *,
    quick: bool,
    only: Collection[str],
    database_url: str | None,
    tell: Callable[[str], None],
) -> dict[str, Any]:
    """Measure and return everything. Raises SaleorKustomError."""
    if not sys.platform.startswith("linux"):
        raise SettingsError("the benchmark reads /proc, so it runs on Linux alone")
    if unknown := set(only) - PARTS.keys():
        raise SettingsError(f"no part is called {min(unknown)}; there are: {', '.join(PARTS)}")
    rounds = 1 if quick else ROUNDS
    results: dict[str, Any] = {
        "machine": machine.described(),
        "quick": quick,
        "rounds": rounds,
        "settings": {
            "synchronous": "full (SQLite), synchronous_commit=on (PostgreSQL)",
            "concurrency": capture.CONCURRENCY,
            "rate_per_second": "lifted",
            "saleor_ms": capture.SALEOR_S * 1000,
            "kustom_ms": capture.KUSTOM_S * 1000,
        },
    }
    if not database_url:
        results["without"] = _NO_POSTGRESQL
    with tempfile.TemporaryDirectory(prefix="saleor-kustom-bench-") as folder:
        stage = Stage(Path(folder), quick, rounds, database_url, tell)
        for name, measure in PARTS.items():
            if not only or name in only:
                results[name] = measure(stage)
    return results
