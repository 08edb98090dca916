"""`expiring`: authorizations that will be lost if nothing ships."""

import json
import time
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from saleor_kustom.capture.money import shown
from saleor_kustom.cli.common import the_shop, with_store
from saleor_kustom.cli.shops import AsJson, ShopUrl
from saleor_kustom.settings import Settings
from saleor_kustom.store import OpenAuthorization, Store
from saleor_kustom.worker.expiry import DAY_S


def expiring(
    shop: ShopUrl,
    within: Annotated[float, typer.Option(help="Days from now.", min=0.0)] = 7.0,
    as_json: AsJson = False,
) -> None:
    """List authorizations that end soon with money left, as the last night saw them.

    Example: saleor-kustom expiring https://shop.example/graphql/ --within 3
    """

    async def task(_settings: Settings, store: Store) -> list[OpenAuthorization]:
        found = await the_shop(store, shop)
        before = time.time() + within * DAY_S
        return list(await store.authorizations.expiring(found.api_url, before))

    rows = [_described(row) for row in with_store(task)]
    if as_json:
        for row in rows:
            typer.echo(json.dumps(row, ensure_ascii=False))
        return
    table = Table(*(name.replace("_", " ") for name in _COLUMNS))
    for row in rows:
        table.add_row(*(str(row[name] or "") for name in _COLUMNS))
    Console().print(table)


_COLUMNS = ("order", "not_captured", "expires", "seen", "problem")


def _described(row: OpenAuthorization) -> dict[str, Any]:
    return {
        "order": row.order_number,
        "order_id": row.order_id,
        "kustom_order": row.kustom_order_id,
        "remaining_minor": row.remaining_minor,
        "not_captured": shown(row.remaining_minor, row.currency),
        "expires": _time(row.expires_at),
        "seen": _time(row.seen_at),
        "problem": row.problem,
    }


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="minutes")
