"""Serve a whole world on loopback and play the stories in it, over real HTTP."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

from saleor_kustom.app import App, open_app, work
from saleor_kustom.sandbox.dashboard import StandIn
from saleor_kustom.sandbox.kustom import SimulatedKustom
from saleor_kustom.sandbox.late import Late
from saleor_kustom.sandbox.saleor import SimulatedSaleor
from saleor_kustom.sandbox.showcase import set_out
from saleor_kustom.sandbox.stories import STORIES, Outcome, Settle
from saleor_kustom.sandbox.stories_after import AFTER
from saleor_kustom.sandbox.world import MERCHANT, World
from saleor_kustom.settings import Settings
from saleor_kustom.web.listen import listening

_SETTLES_WITHIN_S = 30.0


@contextlib.asynccontextmanager
async def served(
    database_url: str, **changed: Any
) -> AsyncIterator[tuple[World, Mapping[str, str]]]:
    """Serve Saleor, Kustom and the app, install the app, and yield world and addresses.

    `changed` are settings. The Dashboard's stand-in is at Saleor's own origin.
    """
    kustom = SimulatedKustom()
    kustom.add_merchant(MERCHANT.username, MERCHANT.password, MERCHANT.merchant_id)
    saleor = SimulatedSaleor()
    late = Late()  # the app's address must be known before the app is made
    async with (
        listening(saleor.app, "127.0.0.1", 0) as saleor_at,
        listening(kustom.app, "127.0.0.1", 0) as kustom_at,
        listening(late, "127.0.0.1", 0) as app_at,
    ):
        saleor.api_url = f"{saleor_at}/graphql/"
        values: dict[str, Any] = {
            "secret_key": secrets.token_urlsafe(32),  # a published one would not be taken
            "app_url": app_at,
            "database_url": database_url,
            "allow_private_hosts": True,
            "kustom_playground_url": kustom_at,
            "kustom_live_url": kustom_at,
            "rate_per_second": 100.0,
        }
        settings = Settings(**(values | changed))
        async with open_app(settings) as app, working(app):
            late.app = app.web
            world = World(saleor, kustom, app)
            await world.install()
            saleor.app.router.routes.extend(StandIn(world).routes())
            dashboard = f"{saleor_at}/dashboard/"
            yield world, {
                "Dashboard": dashboard, "App": app_at, "Saleor": saleor.api_url, "Kustom": kustom_at
            }  # fmt: skip


async def play(world: World) -> list[Outcome]:
    """Play every story and return what it must have led to."""
    settle = _settling(world)
    return [await story(world, settle) for story in (*STORIES, *AFTER)]


async def furnish(world: World) -> None:
    """Set out orders to look at and to work on in the Dashboard's stand-in."""
    await set_out(world, _settling(world, within_s=1.0))


def _settling(world: World, within_s: float = 60.0) -> Settle:
    async def settle() -> None:
        await world.saleor.deliver()
        await _quiet(world, within_s)

    return settle


async def _quiet(world: World, within_s: float) -> None:
    """Wait until nothing runs or is due within some seconds.

    What the app's own writes fired is delivered meanwhile.
    """
    until, pause_s = time.monotonic() + _SETTLES_WITHIN_S, 0.02
    while time.monotonic() < until:
        await asyncio.sleep(pause_s)
        pause_s = min(1.3 * pause_s, 0.25)  # looking costs what the app could use
        await world.saleor.deliver()
        await world.kustom.posts.deliver()
        store = world.app.store
        if not (await store.captures.busy(within_s=within_s) or await store.hints.waiting()):
            return
    raise TimeoutError("the story does not settle")


@contextlib.asynccontextmanager
async def working(app: App) -> AsyncIterator[None]:
    """Let the app work during the block."""
    stop = asyncio.Event()
    task = asyncio.create_task(work(app, stop))
    try:
        yield
    finally:
        stop.set()
        await task
