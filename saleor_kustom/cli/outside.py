"""`kustom-webhook` and `outside`: what Kustom tells, and what happened there outside the app."""

import getpass
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from saleor_kustom.capture.money import shown
from saleor_kustom.cli.common import the_shop, with_store
from saleor_kustom.cli.shops import AsJson, ShopUrl
from saleor_kustom.errors import SettingsError
from saleor_kustom.settings import Settings
from saleor_kustom.store import SeenOutside, Store


def kustom_webhook(
    shop: ShopUrl,
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Make a new URL; the old one ends at once.")
    ] = False,
) -> None:
    """Print the URL to enter in Kustom's portal, so that Kustom tells of captures and refunds.

    It is secret and shown this once: only its hash is kept.

    Example: saleor-kustom kustom-webhook https://shop.example/graphql/ --rotate
    """

    async def task(settings: Settings, store: Store) -> str:
        found = await the_shop(store, shop)
        since = await store.kustom_webhooks.since(found.api_url)
        if since is not None and not rotate:
            raise SettingsError(
                f"{shop} has a URL since {_time(since)}, which can't be shown again; "
                "--rotate makes a new one and ends the old one"
            )
        secret = await store.kustom_webhooks.rotate(found.api_url, who=getpass.getuser())
        return f"{settings.app_url.rstrip('/')}/api/kustom/{secret}"

    typer.echo(with_store(task))


def outside(
    shop: ShopUrl,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: AsJson = False,
) -> None:
    """List what happened at Kustom outside the app, newest first.

    Example: saleor-kustom outside https://shop.example/graphql/ --limit 20
    """

    async def task(_settings: Settings, store: Store) -> Sequence[SeenOutside]:
        found = await the_shop(store, shop)
        return await store.outside.newest(found.api_url, limit=limit)

    rows = [_described(row) for row in with_store(task)]
    if as_json:
        for row in rows:
            typer.echo(json.dumps(row, ensure_ascii=False))
        return
    table = Table(*(name.replace("_", " ") for name in _COLUMNS))
    for row in rows:
        table.add_row(*(str(row[name] or "") for name in _COLUMNS))
    Console().print(table)


_COLUMNS = ("order_id", "kind", "amount", "kustom_id", "seen", "told_saleor", "problem")


def _described(row: SeenOutside) -> dict[str, Any]:
    amount = row.what.amount_minor
    return {
        "order_id": row.order_id,
        "kind": row.what.kind.value,
        "kustom_id": row.what.kustom_id,
        "amount_minor": amount,
        "amount": None if amount is None else shown(amount, row.currency),
        "seen": _time(row.seen_at),
        "told_saleor": _time(row.reported_at) if row.reported_at else None,
        "problem": row.problem,
    }


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="minutes")
