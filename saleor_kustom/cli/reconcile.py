"""`reconcile`: look now for what was lost, in every shop or one."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from saleor_kustom import settings as settings_of
from saleor_kustom.app import App, open_app
from saleor_kustom.capture.money import shown as amount_shown
from saleor_kustom.capture.parties import Shop
from saleor_kustom.cli.common import the_shop
from saleor_kustom.cli.progress import bar
from saleor_kustom.errors import SettingsError
from saleor_kustom.worker.before_install import Preview
from saleor_kustom.worker.reconcile import Found


def reconcile(
    saleor_api_url: Annotated[
        str | None, typer.Option(help="One shop's GraphQL URL; default: every shop.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Orders placed since then (ISO 8601); default: all.")
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Only print what would be done.")] = False,
    before_install: Annotated[
        bool,
        typer.Option(help="Plan what shipped before the installation too, and ask to capture it."),
    ] = False,
    yes: Annotated[bool, typer.Option(help="Do not ask: capture what was planned.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON line per shop.")] = False,
) -> None:
    """Compare Saleor's fulfillments and Kustom's captures with ours; make what is missing.

    A running `serve` then captures what was found. Fulfillments from before the installation
    are listed, and captured only with --before-install after their sum was shown.

    Example: saleor-kustom reconcile --since 2026-11-01 --dry-run
    """
    if before_install:
        asyncio.run(_before_install(saleor_api_url, _seconds(since), dry_run=dry_run, yes=yes))
        return
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
        found = []
        with bar("shops", len(shops)) as done:
            for shop in shops:
                found.append((shop, await _one(app, shop, since, dry_run=dry_run)))
                done(1)
        return found


async def _one(app: App, shop: Shop, since: float | None, *, dry_run: bool) -> Found:
    return await app.reconciler.run(shop, since=since, now=time.time(), dry_run=dry_run)


async def _before_install(
    api_url: str | None, since: float | None, *, dry_run: bool, yes: bool
) -> None:
    async with open_app(settings_of.load()) as app:
        shops = [await the_shop(app.store, api_url)] if api_url else await app.store.shops.all()
        for shop in shops:
            found = await _one(app, shop, since, dry_run=True)
            previews = await app.before_install.preview(shop, found.before_install)
            chosen = [one for one in previews if one.amount_minor is not None]
            total = _show(shop, previews)
            if not chosen or dry_run:
                continue
            question = f"Capture {len(chosen)} parcels of {shop.api_url}, {total}?"
            if yes or typer.confirm(question):
                made = await app.before_install.capture(shop, chosen)
                typer.echo(f"{made} captures are due now.")


def _show(shop: Shop, previews: Sequence[Preview]) -> str:
    """Print each parcel; return the sums by currency."""
    typer.echo(f"{shop.api_url}: {len(previews)} parcels shipped before the installation")
    sums: Counter[str] = Counter()
    for one in previews:
        if one.amount_minor is None:
            what = f"not captured: {one.why}"
        else:
            what = amount_shown(one.amount_minor, one.currency)
            sums[one.currency] += one.amount_minor
        typer.echo(f"  order {one.order_number} {one.shipped.fulfillment_id}: {what}")
    total = " + ".join(amount_shown(minor, code) for code, minor in sorted(sums.items()))
    typer.echo(f"  in all {total or 'nothing to capture'}")
    return total


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
