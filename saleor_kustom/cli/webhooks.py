"""`webhooks`: those of the app in each Saleor, compared with ours and brought up to date."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from typing import Annotated, Any

import typer

from saleor_kustom import settings as settings_of
from saleor_kustom.app import App, open_app
from saleor_kustom.capture.parties import Shop
from saleor_kustom.cli.common import the_shop
from saleor_kustom.errors import CallError
from saleor_kustom.saleor.webhook_changes import Comparison
from saleor_kustom.worker.webhooks import Synced

app = typer.Typer(help="The app's webhooks in each Saleor.", no_args_is_help=True)

ShopUrl = Annotated[str | None, typer.Argument(help="One shop's GraphQL URL; default: every shop.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON line per shop.")]

_GRANT = (
    "in the Dashboard, Extensions, Installed, Kustom captures, Permissions; or install it again"
)


@app.command("sync")
def sync(
    shop: ShopUrl = None,
    dry_run: Annotated[bool, typer.Option(help="Only print what would be changed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the webhooks up to date, and switch on again what somebody switched off.

    A running `serve` does the first by itself, once for each release and address. Webhooks that a
    merchant added to the app, to addresses that are not ours, are left alone.

    The exit code is 1 when something is left to do.

    Example: saleor-kustom webhooks sync --dry-run
    """

    async def one(opened: App, found: Shop) -> Synced:
        if dry_run:
            return Synced(await opened.webhooks.compare(found, activate=True))
        return await opened.webhooks.sync(found, activate=True)

    _tell(asyncio.run(_each(shop, one)), done="would" if dry_run else "did", as_json=as_json)


@app.command("show")
def show(shop: ShopUrl = None, as_json: AsJson = False) -> None:
    """Show how the webhooks in Saleor differ from this version's; change nothing.

    Example: saleor-kustom webhooks show https://shop.example/graphql/
    """

    async def one(opened: App, found: Shop) -> Synced:
        return Synced(await opened.webhooks.compare(found))

    _tell(asyncio.run(_each(shop, one)), done="would", as_json=as_json)


_One = Callable[[App, Shop], Coroutine[Any, Any, Synced]]


async def _each(api_url: str | None, one: _One) -> list[tuple[Shop, Synced | CallError]]:
    async with open_app(settings_of.load()) as opened:
        store = opened.store
        shops = [await the_shop(store, api_url)] if api_url else await store.shops.all()
        return [(shop, await _tried(opened, shop, one)) for shop in shops]


async def _tried(opened: App, shop: Shop, one: _One) -> Synced | CallError:
    try:
        return await one(opened, shop)
    except CallError as error:
        return error


def _tell(found: Sequence[tuple[Shop, Synced | CallError]], *, done: str, as_json: bool) -> None:
    left = False
    for shop, synced in found:
        if isinstance(synced, CallError):
            left = True
            _print(shop, {"problem": f"Saleor can't be asked now: {synced}"}, as_json=as_json)
            continue
        comparison = synced.comparison
        left = left or bool(synced.failed or comparison.lacking or comparison.inactive)
        left = left or (done == "would" and bool(comparison.changes))
        _print(shop, _shown(synced, comparison, done), as_json=as_json)
    if left:
        raise typer.Exit(1)


def _shown(synced: Synced, comparison: Comparison, done: str) -> dict[str, Any]:
    failed = [change for change, _ in synced.failed]
    made = [str(change) for change in comparison.changes if change not in failed]
    shown: dict[str, Any] = {done: made}
    if synced.failed:
        shown["failed"] = [f"{change}: {why}" for change, why in synced.failed]
    if comparison.inactive:
        shown["switched off in Saleor"] = list(comparison.inactive)
    if comparison.others:
        shown["not ours, left alone"] = list(comparison.others)
    if comparison.lacking:
        shown["permissions that the app lacks"] = [f"{one}: {_GRANT}" for one in comparison.lacking]
    return shown


def _print(shop: Shop, shown: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"shop": shop.api_url, **shown}, ensure_ascii=False))
        return
    lines = [
        f"  {name}: {value}" for name, values in shown.items()
        for value in ([values] if isinstance(values, str) else values)
    ]  # fmt: skip
    typer.echo(f"{shop.api_url}:" if lines else f"{shop.api_url}: up to date")
    for line in lines:
        typer.echo(line)
