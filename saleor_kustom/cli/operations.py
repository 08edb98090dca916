"""`refund` and `close`: what a person decides about an order after it has shipped."""

import asyncio
import json
from typing import Annotated, Any

import typer

from saleor_kustom import settings as settings_of
from saleor_kustom.app import open_app
from saleor_kustom.capture.operation import Request, Source
from saleor_kustom.cli.audit import Who, Why
from saleor_kustom.cli.common import order_id_of, the_shop, with_store
from saleor_kustom.cli.finding import AsJson, OneShop, Term, find
from saleor_kustom.cli.shops import ShopUrl
from saleor_kustom.errors import SettingsError
from saleor_kustom.settings import Settings
from saleor_kustom.store import Capture, Store
from saleor_kustom.worker.operations.closing import ClosingPreview


def refund(
    term: Term, who: Who, why: Why, saleor_api_url: OneShop = None, as_json: AsJson = False
) -> None:
    """Refund a parcel that was cancelled after its capture: its lines and amount, once.

    A running server carries it out. Asking again asks for the same refund.

    Example: saleor-kustom refund 1042 --why "it never left the warehouse"
    """

    async def task(_settings: Settings, store: Store) -> Capture:
        rows = await find(store, term, saleor_api_url)
        parcels = [row for row in rows if row.is_parcel and row.canceled and row.capture_id]
        if len(parcels) != 1:
            raise SettingsError(_which(term, parcels))
        asked = await store.operations.refund(
            parcels[0], Request(source=Source.PERSON, who=who, why=why)
        )
        if asked is None:
            raise SettingsError(_which(term, []))
        return asked

    _say(with_store(task), as_json=as_json)


def close(
    shop: ShopUrl,
    order: Annotated[str, typer.Argument(help="The order's number or id.")],
    who: Who,
    why: Why = "closed by command",
    charge_fee: Annotated[
        bool, typer.Option(help="Charge the shipping fee first, if it was not charged yet.")
    ] = False,
    yes: Annotated[bool, typer.Option(help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Close an order of which nothing more ships: what is not captured goes back to the shopper.

    Shows what remains, and asks. A running server carries it out.

    Example: saleor-kustom close https://shop.example/graphql/ 1042 --charge-fee
    """
    request = Request(source=Source.PERSON, who=who, why=why, fee_first=charge_fee)
    asyncio.run(_close(shop, order, request, yes=yes, as_json=as_json))


async def _close(api_url: str, order: str, request: Request, *, yes: bool, as_json: bool) -> None:
    async with open_app(settings_of.load()) as app:
        shop = await the_shop(app.store, api_url)
        order_id = await order_id_of(app, shop, order)
        preview = await app.closing.preview(shop, order_id)
        if preview is None:
            raise SettingsError(f"{order} is no order that was paid with Kustom")
        for line in _shown(preview, charge_fee=request.fee_first):
            typer.echo(line, err=as_json)
        if not preview.remaining_minor:
            typer.echo("Nothing remains authorized, so there is nothing to close.", err=as_json)
            return
        if yes or typer.confirm("Close the order?", err=as_json):
            asked = await app.closing.close(
                shop, order_id, charge_fee=request.fee_first, who=request.who, why=request.why
            )
            _say(asked, as_json=as_json)


def _shown(preview: ClosingPreview, *, charge_fee: bool) -> list[str]:
    """Return what a person must know before it is closed."""
    fee = preview.fee_minor if charge_fee else 0
    lines = [
        f"Order {preview.order_number}, Kustom order {preview.kustom_order_id} ({preview.status}):",
        f"  captured           {preview.shown(preview.captured_minor)}",
        f"  still authorized   {preview.shown(preview.remaining_minor)}",
    ]
    if fee:
        lines.append(f"  shipping fee       {preview.shown(fee)}, charged first")
    elif preview.fee_minor:
        lines.append(
            f"  shipping fee       {preview.shown(preview.fee_minor)}, not charged yet: "
            "--charge-fee charges it first"
        )
    lines.append(f"  goes back          {preview.shown(preview.remaining_minor - fee)}")
    return lines + [
        f"  Parcel {row.fulfillment_number or '?'} (row:{row.id}) is not captured yet, and could "
        "not be any more."
        for row in preview.waiting
    ]


def _which(term: str, parcels: list[Capture]) -> str:
    if not parcels:
        return f"{term!r} is no parcel that was cancelled after its capture; only such are refunded"
    listed = ", ".join(f"row:{row.id} (parcel {row.fulfillment_number})" for row in parcels)
    return f"{term!r} has several parcels that were cancelled after their capture: {listed}"


def _say(asked: Capture, *, as_json: bool) -> None:
    """Tell which row was asked for, and how it stands."""
    if as_json:
        told: dict[str, Any] = {"row": asked.id, "kind": asked.kind, "state": asked.state}
        typer.echo(json.dumps(told | {"held": asked.held, "waiting": asked.waiting}))
        return
    typer.echo(f"Asked for: row:{asked.id} is {asked.state}; a running server carries it out.")
