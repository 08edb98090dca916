"""`refund` and `close`: what a person decides about an order after it has shipped."""

import asyncio
from typing import Annotated

import typer

from saleor_kustom import settings as settings_of
from saleor_kustom.app import App, open_app
from saleor_kustom.capture.operation import Request, Source
from saleor_kustom.capture.parties import Shop
from saleor_kustom.cli.audit import Who, Why
from saleor_kustom.cli.common import the_shop, with_store
from saleor_kustom.cli.shops import ShopUrl
from saleor_kustom.errors import SettingsError
from saleor_kustom.settings import Settings
from saleor_kustom.store import Capture, Store, Wanted
from saleor_kustom.worker.operations.closing import ClosingPreview


def refund(
    shop: ShopUrl,
    capture: Annotated[int, typer.Argument(help="The id that `captures` shows.")],
    who: Who,
    why: Why,
) -> None:
    """Refund a parcel that was cancelled after its capture: its lines and amount, once.

    A running server carries it out. Asking again asks for the same refund.

    Example: saleor-kustom refund https://shop.example/graphql/ 97 --why "it came back"
    """

    async def task(_settings: Settings, store: Store) -> Capture | None:
        found = await the_shop(store, shop)
        parcel = await store.captures.get(found.api_url, capture)
        request = Request(source=Source.PERSON, who=who, why=why)
        return await store.operations.refund(parcel, request) if parcel else None

    asked = with_store(task)
    if asked is None:
        raise SettingsError(
            f"{capture} is no parcel that was cancelled after its capture; "
            "`captures --held` shows those"
        )
    typer.echo(f"Asked: it is {asked.id} in `captures`, now {asked.state}.")


def close(
    shop: ShopUrl,
    order: Annotated[str, typer.Argument(help="The order's number or global id.")],
    who: Who,
    why: Why,
    charge_fee: Annotated[
        bool, typer.Option(help="Charge the shipping fee first, if it was not charged yet.")
    ] = False,
    yes: Annotated[bool, typer.Option(help="Do not ask.")] = False,
) -> None:
    """Close an order of which nothing more ships: what is not captured goes back to the shopper.

    Shows what remains, and asks. A running server carries it out.

    Example: saleor-kustom close https://shop.example/graphql/ 1042 --why "the rest is sold out"
    """
    asyncio.run(_close(shop, order, charge_fee=charge_fee, yes=yes, who=who, why=why))


async def _close(
    api_url: str, order: str, *, charge_fee: bool, yes: bool, who: str, why: str
) -> None:
    async with open_app(settings_of.load()) as app:
        shop = await the_shop(app.store, api_url)
        order_id = await _order_id(app, shop, order)
        preview = await app.closing.preview(shop, order_id)
        if preview is None:
            raise SettingsError(f"{order} is no order that was paid with Kustom")
        _show(preview, charge_fee=charge_fee)
        if not preview.remaining_minor:
            typer.echo("Nothing remains authorized, so there is nothing to close.")
            return
        if yes or typer.confirm("Close the order?"):
            asked = await app.closing.close(shop, order_id, charge_fee=charge_fee, who=who, why=why)
            typer.echo(f"Asked: it is {asked.id} in `captures`, now {asked.state}.")


def _show(preview: ClosingPreview, *, charge_fee: bool) -> None:
    fee = preview.fee_minor if charge_fee else 0
    typer.echo(
        f"Order {preview.order_number}, Kustom order {preview.kustom_order_id} ({preview.status}):"
    )
    typer.echo(f"  captured           {preview.shown(preview.captured_minor)}")
    typer.echo(f"  still authorized   {preview.shown(preview.remaining_minor)}")
    if fee:
        typer.echo(f"  shipping fee       {preview.shown(fee)} is charged first")
    elif preview.fee_minor:
        typer.echo(
            f"  shipping fee       {preview.shown(preview.fee_minor)} was not charged yet; "
            "--charge-fee charges it first"
        )
    typer.echo(f"  goes back          {preview.shown(preview.remaining_minor - fee)}")
    for row in preview.waiting:
        typer.echo(
            f"  Parcel {row.fulfillment_number} ({row.id} in `captures`) is not captured yet, and "
            "could not be any more."
        )


async def _order_id(app: App, shop: Shop, order: str) -> str:
    """Return the id of an order that is given by number or id."""
    rows = await app.store.captures.list(shop.api_url, Wanted(search=order, limit=1))
    if rows:
        return rows[0].order_id
    if not order.isdecimal():
        return order
    raise SettingsError(f"no order with number {order} is known here; use its global id")
