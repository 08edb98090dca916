"""`status`: the whole installation on a screen."""

import json
from dataclasses import asdict
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from saleor_kustom.capture.money import shown
from saleor_kustom.cli.common import with_store
from saleor_kustom.cli.finding import AsJson, Zone, local, utc, zone_of
from saleor_kustom.cli.shops import described
from saleor_kustom.settings import Settings
from saleor_kustom.store import Capture, Numbers, Pause, Store


def status(as_json: AsJson = False, timezone: Zone = None) -> None:
    """Show numbers, pauses, what is held, and what has been due for longest.

    Example: saleor-kustom status
    """
    zone = zone_of(timezone)

    async def task(
        _settings: Settings, store: Store
    ) -> tuple[Numbers, list[Pause], list[Capture], list[Capture]]:
        shops = await store.shops.all()
        pauses = {p for shop in shops for p in await store.pauses.list(shop.api_url)}
        pauses |= set(await store.pauses.accounts())
        return (
            await store.numbers(),
            sorted(pauses, key=lambda pause: pause.at),
            list(await store.looking.held()),
            list(await store.looking.overdue()),
        )

    numbers, pauses, held, overdue = with_store(task)
    if as_json:
        typer.echo(json.dumps(_as_json(numbers, pauses, held, overdue), ensure_ascii=False))
        return
    console = Console()
    console.print(
        f"{numbers.waiting} captures are open: {numbers.due} due, {numbers.running} running; "
        f"the oldest has been due for {numbers.oldest_due_s:.0f} s. "
        f"{sum(numbers.held.values())} are held."
    )
    for money in numbers.waiting_money:
        if money.currency:
            console.print(f"They are worth {shown(money.minor, money.currency)}.")
    for money in numbers.authorized:
        console.print(
            f"{shown(money.minor, money.currency)} on {money.count} orders is authorized and not "
            "captured, as the last night saw it."
        )
    for pause in pauses:
        where = " ".join(filter(None, (pause.api_url, pause.key)))
        console.print(
            escape(f"Paused: {pause.scope} {where}, by {pause.who} at {local(pause.at, zone)}: ")
            + escape(pause.why)
        )
    _print_rows(console, "Held, the longest untouched first", held, zone)
    _print_rows(console, "Due, the longest first", overdue, zone)


def _print_rows(console: Console, title: str, rows: list[Capture], zone: Any) -> None:
    if not rows:
        return
    table = Table("row", "order", "parcel", "amount", "since", "why", title=title)
    for row in rows:
        values = described(row)
        amount = ""
        if row.amount_minor is not None and row.currency:
            amount = shown(row.amount_minor, row.currency)
        since = local(row.updated_at if row.held else row.due_at, zone)
        table.add_row(
            f"row:{row.id}",
            row.order_number or row.order_id,
            str(row.fulfillment_number or ""),
            amount,
            since,
            escape(str(values["why"] or "")),
        )
    console.print(table)


def _as_json(
    numbers: Numbers, pauses: list[Pause], held: list[Capture], overdue: list[Capture]
) -> dict[str, Any]:
    return {
        **asdict(numbers),
        "pauses": [{**asdict(one), "at": utc(one.at)} for one in pauses],
        "held_captures": [described(row) for row in held],
        "overdue_captures": [described(row) for row in overdue],
    }
