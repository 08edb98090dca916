"""The results as a table, in Markdown between a page's markers, and against the last recorded."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from saleor_kustom.errors import SettingsError

Results = Mapping[str, Any]
#: A ratio that is worse by more than this than the recorded one is told; machines differ so much.
WORSE_BY = 0.25
_BEGIN, _END = "<!-- figures begin -->", "<!-- figures end -->"


def sections(results: Results) -> Iterator[tuple[str, Sequence[str], list[list[str]]]]:
    """Yield title, columns and rows of each table."""
    for name, title in _TITLES.items():
        found = results.get(name)
        if not found:
            continue
        rows = found if isinstance(found, list) else [found]
        columns = [column for column in rows[0] if column in _COLUMNS]
        yield (
            title,
            [_COLUMNS[column] for column in columns],
            [[_shown(row.get(column)) for column in columns] for row in rows],
        )


def print_tables(console: Console, results: Results) -> None:
    """Print all of it for a person."""
    for title, columns, rows in sections(results):
        table = Table(title=title)
        for column in columns:
            table.add_column(column, justify="right")
        for row in rows:
            table.add_row(*row)
        console.print(table)


def markdown(results: Results) -> str:
    """Return all of it as Markdown."""
    machine = results["machine"]
    versions = ", ".join(f"{n} {v}" for n, v in machine.items() if n not in _NO_VERSION)
    where = f"{machine['processor']}, {machine['cores']} cores, {machine['system']}"
    load = f"load before: {machine['load_before']}"
    said = [
        f"Measured on {where}; {load}. Medians of {results['rounds']} rounds.",
        f"Versions: {versions}.",
    ]
    for title, columns, rows in sections(results):
        lines = [columns, ["---:"] * len(columns), *rows]
        said.append(f"### {title}")
        said.append("\n".join("| " + " | ".join(line) + " |" for line in lines))
    if results.get("without"):
        said.append(f"Left out: {results['without']}.")
    return "\n\n".join(said)


def replace_in_page(page: Path, results: Results) -> None:
    """Put the figures between a page's markers. Raises SettingsError where there are none."""
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise SettingsError(f"{page} has no line {_BEGIN} with {_END} behind it")
    figures = markdown(results)
    page.write_text(f"{before}{begin}\n\n{figures}\n\n{end}{after}", encoding="utf-8")


def read(path: Path) -> dict[str, Any]:
    """Return recorded results. Raises SettingsError for a file that holds none."""
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: no results of the benchmark ({error})") from None
    if not isinstance(results, dict) or "machine" not in results:
        raise SettingsError(f"{path}: no results of the benchmark")
    return results


def ratios(results: Results) -> dict[str, tuple[float, bool]]:
    """Return every ratio by name, and whether more is better. Only these hold between machines."""
    found: dict[str, tuple[float, bool]] = {}
    for row in results.get("acknowledge", ()):
        name = f"acknowledge {row['database']} {row['bytes']} bytes {row['clients']} clients"
        found[f"{name}: of the peer"] = (row["of_peer"], True)
    capture = results.get("capture")
    if capture:
        found["capture: of the floor"] = (capture["of_floor"], True)
        cpu = capture["cpu_ms"] / max(capture["floor_cpu_ms"], 1e-9)
        found["capture: CPU, times the floor's"] = (cpu, False)
        found["capture: requests"] = (capture["requests"], False)
        found["capture: transactions"] = (capture["transactions"], False)
    found |= _of_scale(results.get("scale", ()))
    mapping = {row["lines"]: row["us_per_line"] for row in results.get("mapping", ())}
    if {50, 1000} <= mapping.keys():
        found["mapping: a line of 1000, times one of 50"] = (mapping[1000] / mapping[50], False)
    if results.get("start"):
        found["start: times the peer's"] = (results["start"]["of_peer"], False)
    for row in results.get("instances", ()):
        found[f"instances {row['instances']}: times one"] = (row["of_one"], True)
    return found


def _of_scale(rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[float, bool]]:
    """Return what each operation costs with more rows, times what it costs with the fewest."""
    least = {row["database"]: row for row in reversed(rows)}
    return {
        f"scale {row['database']} {row['rows']} rows: {name}": (
            row[name] / max(least[row["database"]][name], 1e-9),
            False,
        )
        for row in rows
        if row is not least[row["database"]]
        for name in OPERATIONS
    }


def worse(results: Results, recorded: Results) -> list[str]:
    """Return in words each ratio that is worse than the recorded one by more than WORSE_BY."""
    before, said = ratios(recorded), []
    for name, (now, more_is_better) in ratios(results).items():
        if name not in before:
            continue
        was = before[name][0]
        limit = was * (1 - WORSE_BY) if more_is_better else was * (1 + WORSE_BY)
        if now < limit if more_is_better else now > limit:
            said.append(f"{name} is {now:.3g}, was {was:.3g}")
    return said


def _shown(value: Any) -> str:
    if not isinstance(value, float):
        return "" if value is None else str(value)
    digits = 0 if value >= 100 else 1 if value >= 10 else 2  # noqa: PLR2004 - for a person
    return re.sub(r"(\.\d*?)0+$", r"\1", f"{value:.{digits}f}").rstrip(".")


OPERATIONS = ("claim", "list", "by_status", "search", "page_numbers", "metrics", "of_order")
_NO_VERSION = frozenset({"processor", "cores", "load_before", "system"})
_TITLES = {
    "acknowledge": "Acknowledge: signed deliveries verified, stored durably and answered",
    "capture": "Capture: the whole path, 150 ms at Kustom and 50 ms at Saleor, 100 at a time",
    "scale": "Scale: milliseconds an operation, 1,000 shops",
    "mapping": "Mapping: a parcel planned from Saleor's answer",
    "start": "Start",
    "instances": "Many instances on one PostgreSQL, 20 captures at a time each",
}
#: Column → what stands above it.
_COLUMNS = {
    "database": "database",
    "bytes": "bytes",
    "clients": "clients",
    "per_cpu_s": "per CPU-second",
    "peer_per_cpu_s": "the peer",
    "of_peer": "of the peer",
    "per_s": "per second",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "commits": "commits each",
    "captures": "captures",
    "floor_per_s": "the floor",
    "of_floor": "of the floor",
    "cpu_ms": "CPU-ms each",
    "floor_cpu_ms": "the floor's",
    "requests": "requests each",
    "transactions": "transactions each",
    "idle_above_calls_ms": "idle: ms above the calls",
    "rows": "rows",
    **{name: name.replace("_", " ") for name in OPERATIONS},
    "memory_mb": "memory MB",
    "lines": "lines",
    "orders_per_cpu_s": "orders per CPU-second",
    "us_per_line": "µs a line",
    "first_ack_s": "first answer s",
    "peer_first_ack_s": "the peer's s",
    "idle_mb": "idle MB",
    "wheel_kb": "packed kB",
    "dependencies": "dependencies",
    "instances": "instances",
    "captures_per_s": "captures per second",
    "of_one": "times one",
    "peak_mb": "peak MB",
}
