"""`doctor`: check everything that can be wrong, and say how to mend it."""

import asyncio
import json
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from saleor_kustom import __version__
from saleor_kustom import settings as settings_of
from saleor_kustom.app import open_app
from saleor_kustom.cli.common import the_shop
from saleor_kustom.doctor import of_app
from saleor_kustom.doctor.examine import Doctor
from saleor_kustom.doctor.findings import EXIT, Finding, Level, worst
from saleor_kustom.errors import SettingsError, StoreUnavailable
from saleor_kustom.outbound import Outbound


def doctor(
    saleor_api_url: Annotated[
        str | None, typer.Option(help="One shop's GraphQL URL; default: every shop.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check everything that can be wrong, and say how to mend it.

    Settings, database, clocks, the app's address and manifest, each shop's token, permissions,
    webhooks and settings, Kustom credentials, authorizations, pauses, the queue. It changes
    nothing. Exit code: 0 all right, 1 somebody should look, 2 something does not work.

    Example: saleor-kustom doctor --json | jq '.findings[] | select(.level != "ok")'
    """
    findings = asyncio.run(_examined(saleor_api_url))
    if as_json:
        typer.echo(json.dumps(_described(findings), ensure_ascii=False))
    else:
        _print(findings)
    raise typer.Exit(EXIT[worst(findings)])


async def _examined(api_url: str | None) -> list[Finding]:
    try:
        settings = settings_of.load()
    except SettingsError as error:
        return [of_app.on_wrong_settings(str(error))]
    outbound = Outbound(user_agent=settings.user_agent)
    try:
        async with open_app(settings) as app:
            if api_url is not None:
                await the_shop(app.store, api_url)
            with Console(stderr=True).status("Looking…"):
                return [one async for one in Doctor(app, outbound).examine(api_url)]
    except StoreUnavailable as error:
        return [of_app.on_closed_database(str(error))]
    finally:
        await outbound.aclose()


def _described(findings: list[Finding]) -> dict[str, object]:
    return {
        "version": __version__,
        "worst": worst(findings).value,
        "findings": [
            {
                "check": one.check,
                "level": one.level.value,
                "what": one.what,
                "cure": one.cure or None,
                "shop": one.shop or None,
            }
            for one in findings
        ],
    }


_MARK = {Level.OK: "[green]ok[/]", Level.WARN: "[yellow]warn[/]", Level.FAIL: "[red]FAIL[/]"}


def _print(findings: list[Finding]) -> None:
    console = Console()
    for shop in dict.fromkeys(one.shop for one in findings):
        table = Table("", "check", "what", "how to mend it", title=shop or "The app", expand=True)
        for one in findings:
            if one.shop == shop:
                table.add_row(_MARK[one.level], one.check, escape(one.what), escape(one.cure))
        console.print(table)
    counts = {level: sum(one.level is level for one in findings) for level in Level}
    console.print(", ".join(f"{n} {level}" for level, n in counts.items()))
