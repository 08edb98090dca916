"""`reconcile`: look now for what was lost, in every shop or one."""

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from saleor_kustom import settings as settings_of
from saleor_kustom.app import App, open_app
from saleor_kustom.capture.parties import Shop
from saleor_kustom.cli.common import the_shop
from saleor_kustom.errors import SettingsError
from saleor_kustom.worker.reconcile import Found


def reconcile(
    saleor_api_url: Annotated[
        str | None, typer.Option(help="One shop's GraphQL URL; default: every shop.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Orders placed since then (ISO 8601); default: all.")
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Only print what would be done.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON line per shop.")] = False,
) -> None:
    """Compare Saleor's fulfillments and Kustom's captures with ours; make what is missing.

    A running `serve` then captures what was found. Fulfillments from before the installation
    are listed and never captured by this command.
    """
    for shop, found in asyncio.run(_run(saleor_api_url, _seconds(since), dry_run=dry_run)):
        shown = _shown(shop, found)
        if as_json:
            typer.echo(json.dumps(shown, ensure_ascii=False))
            continue
        verb = "missing" if dry_run else "missing, made now"
        typer.echo(
            f"{shop.api_url}: looked at {found.looked_at}; {verb}: {len(found.missing)}; "
            f"changed in Saleor: {len(found.changed)}; from before the installation: "
            f"{len(found.before_install)}; differing, held: {len(found.differing)}"
        )
        for line in (line for key in _LISTS for line in shown[key]):
            typer.echo(f"  {line}")


async def _run(
    api_url: str | None, since: float | None, *, dry_run: bool
) -> list[tuple[Shop, Found]]:
    async with open_app(settings_of.load()) as app:
        shops = [await the_shop(app.store, api_url)] if api_url else await app.store.shops.all()
        return [(shop, await _one(app, shop, since, dry_run=dry_run)) for shop in shops]


async def _one(app: App, shop: Shop, since: float | None, *, dry_run: bool) -> Found:
    return await app.reconciler.run(shop, since=since, now=time.time(), dry_run=dry_run)


def _seconds(since: str | None) -> float | None:
    if since is None:
        return None
    try:
        when = datetime.fromisoformat(since)
    except ValueError:
        raise SettingsError(f"--since: {since!r} is no time such as 2026-11-01") from None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


_LISTS = ("missing", "changed", "before_install", "differing")


def _shown(shop: Shop, found: Found) -> dict[str, Any]:
    return {
        "shop": shop.api_url,
        "looked_at": found.looked_at,
        "missing": [f"missing {s.order_id} {s.fulfillment_id}" for s in found.missing],
        "changed": [f"changed {s.order_id} {s.fulfillment_id}" for s in found.changed],
        "before_install": [
            f"before the installation {s.order_id} {s.fulfillment_id}" for s in found.before_install
        ],
        "differing": [
            f"capture {d.capture_id} of {d.order_id}: Kustom {d.kustom}, here {d.planned}"
            for d in found.differing
        ],
    }
