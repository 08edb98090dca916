"""`erase` takes an order's personal data away; `secrets rotate` changes the key at rest."""

from typing import Annotated

import typer

from saleor_kustom.cli.audit import os_user
from saleor_kustom.cli.common import the_shop, with_store
from saleor_kustom.cli.shops import ShopUrl
from saleor_kustom.errors import SettingsError
from saleor_kustom.settings import Settings
from saleor_kustom.store import Erased, StillOpen, Store

secrets = typer.Typer(help="Tokens and passwords at rest.", no_args_is_help=True)


@secrets.command("rotate")
def rotate() -> None:
    """Encrypt every stored secret with the present SECRET_KEY, beside a running server.

    1. Set SALEOR_KUSTOM_SECRET_KEY to the new key and SALEOR_KUSTOM_SECRET_KEY_PREVIOUS to the
    old one, and restart each instance. 2. Run this. 3. Take the previous key away and restart.

    Example: saleor-kustom secrets rotate
    """

    async def task(settings: Settings, store: Store) -> int:
        if not settings.secret_key_previous:
            raise SettingsError(
                "SALEOR_KUSTOM_SECRET_KEY_PREVIOUS: is not set; right would be the key so far"
            )
        return await store.rotate_secrets()

    done = with_store(task)
    typer.echo(f"{done} secrets were encrypted anew; none needs the previous key any more.")


def erase(
    shop: ShopUrl,
    order: Annotated[str, typer.Argument(help="The order's number or id.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase an order's personal data here: raw deliveries, names, tracking, messages.

    Ids, amounts and capture ids stay, since bookkeeping needs them. An order that is not settled
    is refused. Saleor and Kustom keep what they have.

    Example: saleor-kustom erase https://shop.example/graphql/ 1001
    """
    if not yes:
        typer.confirm(
            f"Erase the personal data of order {order}? It can't be had back.", abort=True
        )

    async def task(_settings: Settings, store: Store) -> Erased | None:
        found = await the_shop(store, shop)
        return await store.erasing.order(found.api_url, order, who=os_user())

    try:
        erased = with_store(task)
    except StillOpen as error:
        raise SettingsError(str(error)) from error
    if erased is None:
        raise SettingsError(f"nothing is known here of an order {order} of this shop")
    typer.echo(f"Erased: {erased.captures} captures, {erased.deliveries} raw deliveries.")
