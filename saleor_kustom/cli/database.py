"""`db copy`: move everything from SQLite to PostgreSQL."""

import asyncio
from typing import Annotated

import typer

from saleor_kustom import settings as settings_of
from saleor_kustom.cli.progress import bar
from saleor_kustom.store import copy

app = typer.Typer(help="The database.", no_args_is_help=True)


@app.command("copy")
def copy_(
    target: Annotated[str, typer.Option("--to", help="postgresql://… of an empty database.")],
    source: Annotated[
        str | None, typer.Option("--from", help="sqlite:///…; default: the setting DATABASE_URL.")
    ] = None,
) -> None:
    """Copy all rows from SQLite to an empty PostgreSQL database.

    Stop `serve` first. Afterwards set SALEOR_KUSTOM_DATABASE_URL to the target and keep
    SALEOR_KUSTOM_SECRET_KEY as it is; the old file refuses to be used any more.

    Example: saleor-kustom db copy --to postgresql://kustom@db.example/kustom
    """
    settings = settings_of.load()
    copied: dict[str, int] = {}
    with bar("rows") as done:

        def progress(table: str, rows: int) -> None:
            done(rows - copied.get(table, 0))
            copied[table] = rows

        total = asyncio.run(
            copy(source or settings.database_url, target, settings.secret_key, progress)
        )
    for table, rows in copied.items():
        typer.echo(f"{table}: {rows}")
    typer.echo(f"Copied {total} rows.")
