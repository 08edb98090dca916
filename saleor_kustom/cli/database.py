"""`db copy`: move everything from SQLite to PostgreSQL."""

import asyncio
from typing import Annotated

import typer

from saleor_kustom import settings as settings_of
from saleor_kustom.store import copy

app = typer.Typer(help="The database.", no_args_is_help=True)


@app.command("copy")
def copy_(
    target: Annotated[str, typer.Argument(help="postgresql://… of an empty database.")],
) -> None:
    """Copy all rows from SALEOR_KUSTOM_DATABASE_URL (SQLite) to an empty PostgreSQL database.

    Stop `serve` first. Afterwards set SALEOR_KUSTOM_DATABASE_URL to the target and keep
    SALEOR_KUSTOM_SECRET_KEY as it is.
    """
    settings = settings_of.load()

    def progress(table: str, rows: int) -> None:
        typer.echo(f"{table}: {rows}")

    total = asyncio.run(copy(settings.database_url, target, settings.secret_key, progress))
    typer.echo(f"Copied {total} rows.")
