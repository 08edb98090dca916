"""The command line: every command of saleor-kustom."""

import sys

import typer

from saleor_kustom import __version__
from saleor_kustom.cli import (
    acting,
    authorizations,
    bench,
    bundle,
    credentials,
    database,
    demo,
    doctor,
    export,
    linking,
    operations,
    outside,
    pausing,
    plan,
    policy,
    privacy,
    reconcile,
    serve,
    shops,
    show,
    status,
    webhooks,
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
app.command("status")(status.status)
app.command("show")(show.show)
app.command("retry")(acting.retry)
app.command("hold")(acting.hold)
app.command("resume")(acting.resume)
app.command("settle")(acting.settle)
app.command("pause")(pausing.pause)
app.command("unpause")(pausing.unpause)
app.command("export")(export.export)
app.command("support-bundle")(bundle.support_bundle)
app.command("expiring")(authorizations.expiring)
app.command("extend")(authorizations.extend)
app.command("kustom-webhook")(outside.kustom_webhook)
app.command("outside")(outside.outside)
app.command("doctor")(doctor.doctor)
app.command("refund")(operations.refund)
app.command("close")(operations.close)
app.command("link")(linking.link)
app.command("links")(linking.links)
app.command("link-token")(linking.link_token)
app.command("plan")(plan.plan)
app.command("demo")(demo.demo)
app.command("sandbox")(demo.sandbox)
app.command("bench")(bench.bench)
app.command("reconcile")(reconcile.reconcile)
app.command("erase")(privacy.erase)
app.add_typer(privacy.secrets, name="secrets")
app.add_typer(credentials.app, name="credentials")
app.add_typer(policy.app, name="policy")
app.add_typer(webhooks.app, name="webhooks")
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
