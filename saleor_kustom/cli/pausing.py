"""`pause` and `unpause`: a shop, a channel, an order, or a merchant account."""

import json
from typing import Annotated

import typer

from saleor_kustom.cli.audit import Who, Why
from saleor_kustom.cli.common import the_shop, with_store
from saleor_kustom.cli.shops import ShopUrl
from saleor_kustom.errors import SettingsError
from saleor_kustom.settings import Settings
from saleor_kustom.store import Scope, Store

Channel = Annotated[str | None, typer.Option(help="Only this channel's captures (slug).")]
Order = Annotated[str | None, typer.Option(help="Only this order's (number or id).")]
OfAccount = Annotated[
    str | None, typer.Option("--account", help="Only this account's: live/PM12345.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def pause(
    shop: ShopUrl,
    who: Who,
    why: Why,
    channel: Channel = None,
    order: Order = None,
    account: OfAccount = None,
    as_json: AsJson = False,
) -> None:
    """Stop capturing: for a shop, or only a channel, an order or a merchant account.

    Deliveries are stored meanwhile, and money that has moved is still told to Saleor.

    Example: saleor-kustom pause https://shop.example/graphql/ --channel se --why stocktaking
    """

    async def task(_settings: Settings, store: Store) -> tuple[Scope, str]:
        api_url = (await the_shop(store, shop)).api_url
        scope, key = await _meant(store, api_url, channel, order, account)
        await store.pauses.set(scope, api_url, key, who=who, why=why)
        return scope, key

    scope, key = with_store(task)
    _tell(scope, key or shop, "paused", done=True, as_json=as_json)


def unpause(
    shop: ShopUrl,
    who: Who,
    why: Why,
    channel: Channel = None,
    order: Order = None,
    account: OfAccount = None,
    as_json: AsJson = False,
) -> None:
    """End a pause; what waited is captured now.

    Example: saleor-kustom unpause https://shop.example/graphql/ --channel se --why "done"
    """

    async def task(_settings: Settings, store: Store) -> tuple[Scope, str, bool]:
        api_url = (await the_shop(store, shop)).api_url
        scope, key = await _meant(store, api_url, channel, order, account)
        lifted = await store.pauses.lift(scope, api_url, key, who=who, why=why)
        if scope is Scope.ACCOUNT:  # the app itself may have paused it for every shop
            lifted |= await store.pauses.lift(scope, "", key, who=who, why=why)
        await store.captures.wake_paused(api_url)
        return scope, key, lifted

    scope, key, lifted = with_store(task)
    _tell(scope, key or shop, "goes on", done=lifted, as_json=as_json)
    if not lifted:
        raise typer.Exit(1)


async def _meant(
    store: Store, api_url: str, channel: str | None, order: str | None, account: str | None
) -> tuple[Scope, str]:
    given = [name for name in (channel, order, account) if name is not None]
    if len(given) > 1:
        raise SettingsError("one of --channel, --order and --account at a time")
    if channel is not None:
        return Scope.CHANNEL, channel
    if account is not None:
        return Scope.ACCOUNT, account
    if order is None:
        return Scope.SHOP, ""
    found = await store.looking.find(order, api_url)
    ids = {row.order_id for row in found} or {order}
    if len(ids) > 1:
        raise SettingsError(f"{order} means several orders: {', '.join(sorted(ids))}")
    return Scope.ORDER, ids.pop()


def _tell(scope: Scope, key: str, did: str, *, done: bool, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"scope": scope.value, "key": key, "done": done}))
    else:
        typer.echo(f"{scope} {key}: {did if done else 'it was not paused'}.")
