"""What commands share: opening the store beside a running `serve`, and naming a shop."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar

from saleor_kustom import settings as settings_of
from saleor_kustom.app import App
from saleor_kustom.capture.parties import Shop
from saleor_kustom.errors import SettingsError
from saleor_kustom.saleor.linking import Linking
from saleor_kustom.settings import Settings
from saleor_kustom.store import Store

Result = TypeVar("Result")


def with_store(task: Callable[[Settings, Store], Coroutine[Any, Any, Result]]) -> Result:
    """Run `task` with the settings and an open store, and close the store."""

    async def run() -> Result:
        async with opened_store() as (settings, store):
            return await task(settings, store)

    return asyncio.run(run())


@contextlib.asynccontextmanager
async def opened_store() -> AsyncIterator[tuple[Settings, Store]]:
    """Load the settings and open the store beside a running `serve`; close it in the end."""
    settings = settings_of.load()
    store = await Store.open(
        settings.database_url,
        secret_key=settings.secret_key,
        previous_key=settings.secret_key_previous,
    )
    try:
        yield settings, store
    finally:
        await store.close()


async def the_shop(store: Store, api_url: str) -> Shop:
    """Return the shop of that API URL. Raises SettingsError that lists the installed ones."""
    shop = await store.shops.get(api_url)
    if shop is None:
        known = ", ".join(shop.api_url for shop in await store.shops.all()) or "none yet"
        raise SettingsError(f"no shop {api_url} has installed the app; installed: {known}")
    return shop


async def order_id_of(app: App, shop: Shop, order: str) -> str:
    """Return the id of an order that is given by number or id. Raises SettingsError."""
    if not order.isdecimal():
        return order
    ids = await Linking(app.saleor).order_ids(shop, [order])
    if order not in ids:
        raise SettingsError(f"Saleor knows no order {order}")
    return ids[order]
