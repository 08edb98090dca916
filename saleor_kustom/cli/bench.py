"""`bench`: measure the app beside a peer's stand-in, on this machine, in one run."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


def bench(
    quick: Annotated[
        bool, typer.Option("--quick", help="Little of each part: shows that it works, no more.")
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option(help="A part: acknowledge, capture, scale, mapping …")
    ] = None,
    database_url: Annotated[
        str | None,
        typer.Option(
            envvar="SALEOR_KUSTOM_BENCH_DATABASE_URL",
            help="PostgreSQL server where databases may be created; they are dropped again.",
        ),
    ] = None,
    results: Annotated[
        Path | None, typer.Option("--from", help="Take these results instead of measuring.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Write the results there as JSON.")] = None,
    compare: Annotated[
        Path | None,
        typer.Option(help="Recorded results; exit 1 if a ratio got worse by a quarter."),
    ] = None,
    page: Annotated[
        Path | None, typer.Option(help="A Markdown page whose figures are replaced.")
    ] = None,
) -> None:
    """Measure answering, capturing, scale, mapping and start beside a peer that stores nothing.

    It needs no settings, touches no data and calls nothing outside this machine. A whole run takes
    a quarter of an hour on an idle machine; figures of a busy one are true of nothing but ratios.

    Example: saleor-kustom bench --quick --only mapping
    """
    # Loaded only when asked for: `serve` starts without it.
    from saleor_kustom.bench import report  # noqa: PLC0415
    from saleor_kustom.bench.run import run  # noqa: PLC0415

    console = Console()
    recorded = report.read(compare) if compare else None  # a wrong file is told before the work
    if results is not None:
        measured = report.read(results)
    else:
        measured = run(
            quick=quick,
            only=only or (),
            database_url=database_url or None,
            tell=lambda line: console.print(line, style="dim", highlight=False),
        )
    if output is not None:
        text = json.dumps(measured, indent=1, ensure_ascii=False)
        output.write_text(f"{text}\n", encoding="utf-8")
    if page is not None:
        report.replace_in_page(page, measured)
    report.print_tables(console, measured)
    if measured.get("without"):
        console.print(f"Left out: {measured['without']}.", highlight=False)
    if recorded is not None and (worse := report.worse(measured, recorded)):
        for line in worse:
            console.print(f"[red]worse:[/red] {line}", highlight=False)
        raise typer.Exit(1)
