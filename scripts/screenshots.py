"""Take the README's pictures: the pages in the stand-in Dashboard, with a month of captures.

Usage: .venv/bin/python scripts/screenshots.py [FOLDER] [LANGUAGE]   (default: docs/images en)
"""

import asyncio
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from playwright.async_api import async_playwright

from saleor_kustom.sandbox.theatre import furnish, play, served
from saleor_kustom.sandbox.world import MERCHANT
from saleor_kustom.store import OpenAuthorization

_HOUR, _DAY = 3600, 86_400.0
#: Name → place in the stand-in, view within the app's frame, width, height, Dashboard version.
_PICTURES = {
    "order": ("orders/{first}", "", 1200, 640, "3.23.27"),
    "order-200px": ("orders/{refused}", "", 1200, 560, "3.22.44"),
    "captures": ("app", "captures", 1200, 900, "3.23.27"),
    "needs": ("app", "needs", 1200, 860, "3.23.27"),
    "capture": ("app", "capture/1", 1200, 960, "3.23.27"),
    "preview": ("app", "preview/{held}", 1200, 760, "3.23.27"),
    "settings": ("app", "settings", 1200, 1500, "3.23.27"),
    "health": ("app", "health", 1200, 620, "3.23.27"),
    "narrow": ("app", "captures", 380, 900, "3.23.27"),
}


async def main(folder, language):
    """Serve the demo's world and take every picture, light and dark."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as files:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            async with served(f"sqlite:///{files}/new.db") as (world, addresses):
                await _installing(browser, world, addresses, language, folder)
            async with served(f"sqlite:///{files}/app.db") as (world, addresses):
                await play(world)
                await furnish(world)
                await _a_month(world)
                for theme in ("light", "dark"):
                    for name in _PICTURES:
                        path = folder / f"{name}-{theme}.png"
                        await _picture(browser, world, addresses, name, theme, language, path)
            await browser.close()


async def _installing(browser, world, addresses, language, folder):
    """Take the pictures of the first minutes: no account yet, then one that Kustom accepts."""
    for table in ("channel_account", "account"):
        await world.app.store._db((f"delete from {table}", {}))  # noqa: SLF001, S608
    page = await browser.new_page(viewport={"width": 1200, "height": 1180})
    await page.goto(f"{addresses['Dashboard']}?locale={language}&v=3.23.27#/app")
    frame = page.frame_locator("iframe")
    await frame.locator("main:not([aria-busy])").wait_for()
    await page.frames[1].evaluate("location.hash = 'settings'")
    await page.wait_for_timeout(2500)
    await page.screenshot(path=folder / "setup.png")
    form = frame.locator("form[data-act=account]")
    await form.locator("[name=username]").fill(MERCHANT.username)
    await form.locator("[name=password]").fill(MERCHANT.password)
    await form.locator("button").click()
    await page.locator("#toasts li").first.wait_for()
    await page.wait_for_timeout(1500)
    await page.screenshot(path=folder / "setup-done.png")
    await page.close()


async def _a_month(world):
    """Write sums as a month of captures leaves them, and an authorization that ends."""
    chance, shop = random.Random(7), world.saleor.api_url  # noqa: S311 - a picture
    store, hour = world.app.store, int(time.time() // _HOUR)
    for day in range(1, 30):
        busy = 0.4 if day % 7 in (2, 3) else 1.0
        row = {"shop": shop, "hour": hour - 24 * day, "n": chance.randrange(8, 40)}
        row["minor"] = int(chance.randrange(9_000_00, 41_000_00) * busy)
        await store._db((_PUT, row))  # noqa: SLF001 - there is no other way to make up a past
    until = time.time() + 2.2 * _DAY
    await store.authorizations.put(
        OpenAuthorization(
            shop, "O", "6", "5f0d3f0a-75a9-4c2a-9d5c-3d3c8c1c7a11", "SEK", 1348_00, until
        )
    )


_PUT = """insert into captured_hour (api_url, hour, currency, captures, amount_minor)
    values (:shop, :hour, 'SEK', :n, :minor)"""


async def _picture(browser, world, addresses, name, theme, language, path):
    place, view, width, height, version = _PICTURES[name]
    rows = await world.app.store.captures.list(world.saleor.api_url)
    held = next(row for row in rows if row.held == "refused_by_kustom")
    orders = list(world.saleor.orders)
    where = {"first": orders[0], "refused": held.order_id, "held": held.id}
    context = await browser.new_context(
        viewport={"width": width, "height": height}, timezone_id="Europe/Stockholm"
    )
    page = await context.new_page()
    query = f"theme={theme}&v={version}&locale={language}"
    await page.goto(f"{addresses['Dashboard']}?{query}#/{place.format(**where)}")
    await page.frame_locator("iframe").locator("main:not([aria-busy])").wait_for()
    if view:
        await page.frames[1].evaluate("view => { location.hash = view; }", view.format(**where))
    await page.wait_for_timeout(2500)
    await page.screenshot(path=path)
    await context.close()


if __name__ == "__main__":
    given = sys.argv[1:]
    asyncio.run(main(Path(given[0] if given else "docs/images"), (given[1:] or ["en"])[0]))
