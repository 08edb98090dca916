"""`expiring` and `extend`: authorizations that will be lost if nothing ships."""

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from saleor_kustom import settings as settings_of
from saleor_kustom.app import open_app
from saleor_kustom.capture.money import shown
from saleor_kustom.cli.audit import Who
from saleor_kustom.cli.common import order_id_of, the_shop, with_store
from saleor_kustom.cli.shops import AsJson, ShopUrl
from saleor_kustom.errors import CallError
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


def extend(
    shop: ShopUrl,
    order: Annotated[str, typer.Argument(help="The order's number or id.")],
    who: Who,
    as_json: AsJson = False,
) -> None:
    """Ask Kustom for more time to capture an order, now.

    Asked twice before Kustom has answered it is one extension. A channel's policy
    `extend_authorizations` does it by itself in the last three days.

    Example: saleor-kustom extend https://shop.example/graphql/ 1042
    """
    told = asyncio.run(_extend(shop, order, who))
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
    elif told["until"]:
        typer.echo(f"Order {order}: it can be captured until {told['until']}.")
    else:
        typer.echo(f"Order {order}: not extended: {told['problem']}")
    if not told["until"]:
        raise typer.Exit(1)


async def _extend(api_url: str, order: str, who: str) -> dict[str, str | None]:
    async with open_app(settings_of.load()) as app:
        shop = await the_shop(app.store, api_url)
        order_id = await order_id_of(app, shop, order)
        try:
            found = await app.expiry.extend(shop, order_id, who=who)
        except CallError as error:
            return {"until": None, "problem": str(error)}
    until = found.until.isoformat(timespec="minutes") if found.until else None
    return {"until": until, "problem": found.problem}


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
