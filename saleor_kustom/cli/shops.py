"""Commands about shops and their captures: `shops`, `mode`, `captures`."""

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from saleor_kustom.capture.held import WORDS, Held, Reason
from saleor_kustom.capture.parties import Mode
from saleor_kustom.cli.audit import Who
from saleor_kustom.cli.common import the_shop, with_store
from saleor_kustom.settings import Settings
from saleor_kustom.store import Capture, Status, Store, Wanted

ShopUrl = Annotated[str, typer.Argument(help="The shop's GraphQL URL.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON lines instead of a table.")]


def mode(
    shop: ShopUrl, mode: Annotated[Mode, typer.Argument(help="observe or capture.")], who: Who
) -> None:
    """Say whether a shop's fulfillments move money. A running server takes it at once.

    Example: saleor-kustom mode https://shop.example/graphql/ capture
    """

    async def task(_settings: Settings, store: Store) -> None:
        found = await the_shop(store, shop)
        await store.shops.set_mode(found.api_url, mode, who=who)

    with_store(task)
    typer.echo(f"{shop} is in {mode} mode.")


def shops(as_json: AsJson = False) -> None:
    """List the shops that installed the app.

    Example: saleor-kustom shops
    """

    async def task(_settings: Settings, store: Store) -> list[Any]:
        return list(await store.shops.all())

    found = with_store(task)
    if as_json:
        for shop in found:
            known = {"shop": shop.api_url, "app_id": shop.app_id, "mode": shop.mode}
            typer.echo(json.dumps({**known, "saleor_version": shop.saleor_version}))
        return
    table = Table("shop", "app id", "Saleor", "mode")
    for shop in found:
        table.add_row(shop.api_url, shop.app_id, shop.saleor_version, shop.mode or "by account")
    Console().print(table)


def captures(
    shop: ShopUrl,
    search: Annotated[str | None, typer.Option(help="Order number, capture or order id.")] = None,
    held: Annotated[bool, typer.Option(help="Only what needs a person.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: AsJson = False,
) -> None:
    """List a shop's captures, newest first.

    Example: saleor-kustom captures https://shop.example/graphql/ --held
    """

    async def task(_settings: Settings, store: Store) -> list[Capture]:
        found = await the_shop(store, shop)
        return list(
            await store.captures.list(
                found.api_url, Wanted(Status.HELD if held else None, search=search, limit=limit)
            )
        )

    rows = with_store(task)
    if as_json:
        for row in rows:
            typer.echo(json.dumps(described(row), ensure_ascii=False))
        return
    table = Table("id", "order", "parcel", "state", "amount", "capture id", "why")
    for row in rows:
        shown = described(row)
        table.add_row(*(str(shown[key] or "") for key in _COLUMNS))
    Console().print(table)


_COLUMNS = ("id", "order", "parcel", "state", "amount_minor", "capture_id", "why")


def described(row: Capture) -> dict[str, Any]:
    """Return a capture in plain values, with the words of what it is held or waits for."""
    why = row.waiting or row.report_problem or row.tracking_problem or "; ".join(row.tracking_notes)
    if row.held in WORDS:
        why = Held(Reason(row.held or ""), row.held_detail).problem
    return {
        "id": row.id,
        "order": row.order_number,
        "parcel": row.fulfillment_number,
        "fulfillment": row.fulfillment_id,
        "state": f"{row.state} (held)" if row.held else str(row.state),
        "held": row.held,
        "amount_minor": row.amount_minor,
        "currency": row.currency,
        "capture_id": row.capture_id,
        "why": why,
    }
