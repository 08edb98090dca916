"""The command line: every command of saleor-kustom."""

import sys

import typer

from saleor_kustom import __version__
from saleor_kustom.cli import (
    authorizations,
    credentials,
    database,
    demo,
    plan,
    policy,
    reconcile,
    serve,
    shops,
)
from saleor_kustom.errors import SaleorKustomError

app = typer.Typer(
    name="saleor-kustom",
    help="Captures Kustom payments when Saleor ships: exactly the fulfilled amount, exactly once.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("serve")(serve.serve)
app.command("work")(serve.work)
app.command("mode")(shops.mode)
app.command("shops")(shops.shops)
app.command("captures")(shops.captures)
app.command("resume")(shops.resume)
app.command("expiring")(authorizations.expiring)
app.command("plan")(plan.plan)
app.command("demo")(demo.demo)
app.command("sandbox")(demo.sandbox)
app.command("reconcile")(reconcile.reconcile)
app.add_typer(credentials.app, name="credentials")
app.add_typer(policy.app, name="policy")
app.add_typer(database.app, name="db")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    """Run the command line; an error of ours is one line, not a traceback."""
    try:
        app()
    except SaleorKustomError as error:
        typer.echo(f"saleor-kustom: {error}", err=True)
        sys.exit(2)
