"""The stand-in Dashboard in a real browser, and what a test does there."""

import asyncio
import contextlib
import os
import shutil
from importlib.resources import files
from urllib.parse import urlencode

from playwright.async_api import expect

from saleor_kustom.sandbox.saleor_orders import Line

MISSING = (
    "Chromium is not installed, and these tests need it: run scripts/install-chromium as root, or "
    "apt-get install chromium, or set SALEOR_KUSTOM_TEST_CHROMIUM to a browser's path"
)
expect.set_options(timeout=15_000)  # a loaded machine is slow
MUG = Line("Kaffemugg Ö", "100.00", 3)
#: Without these Chromium calls home, which a closed network refuses many times a second.
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
)  # fmt: skip


def chromium():
    """Return the path of a Chromium. Raises RuntimeError that says how to get one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    given = os.environ.get("SALEOR_KUSTOM_TEST_CHROMIUM")
    found = given or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        raise RuntimeError(MISSING)
    return found


class Host:
    """One browser page with the stand-in in it."""

    def __init__(self, world, addresses, page):
        self.world, self.at, self.page = world, addresses, page
        self.problems = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.problems.append(str(error)))

    def _heard(self, message):
        if message.type == "error":
            self.problems.append(message.text)

    async def open(self, path, **query):
        """Go to a place in the stand-in: orders/ID or app. `query`: v, theme, locale, …"""
        await self.page.goto(f"{self.at['Dashboard']}?{urlencode(query)}#/{path}")

    async def app(self, view="captures", **query):
        """Open the app's page at a view, and return its frame."""
        await self.open("app", **query)
        frame = self.page.frame_locator("main iframe")
        await frame.locator("main:not([aria-busy])").wait_for()
        if view != "captures":
            await self.show(view)
        return frame

    async def show(self, view):
        """Go to another view of the app's page."""
        inner = self.inner
        await inner.evaluate("view => { location.hash = view; }", view)
        await inner.wait_for_function(
            "view => document.querySelector('main').dataset.view === view", arg=view
        )

    async def widget(self, order, **query):
        """Open an order, and return the frame beside it."""
        await self.open(f"orders/{order['id']}", **query)
        frame = self.page.frame_locator("#widget iframe")
        await frame.locator("main:not([aria-busy])").wait_for()
        return frame

    @property
    def inner(self):
        """The app's own frame, to look into."""
        return next(frame for frame in self.page.frames if frame.parent_frame)

    async def log(self, direction, kind):
        """Return what was said between Dashboard and app."""
        listed = await self.page.evaluate("frames_.log")
        return [payload for way, name, payload in listed if (way, name) == (direction, kind)]

    async def toast(self, text):
        """Wait until the Dashboard shows a notification."""
        await expect(self.page.locator("#toasts li", has_text=text).first).to_be_visible()

    async def said(self, frame, text):
        """Wait until screen readers are told something."""
        await expect(frame.locator("#said")).to_contain_text(text)

    @contextlib.contextmanager
    def slow_kustom(self, delay_s):
        """Let Kustom take its time, so that what is under way is seen as such."""
        self.world.kustom.delay_s = delay_s
        try:
            yield
        finally:
            self.world.kustom.delay_s = 0.0

    def order(self, lines=(MUG,), **more):
        """Place an order at both sides."""
        return self.world.order(lines, **more)

    async def ship(self, order, units=None, **more):
        """Ship and wait until nothing is due."""
        self.world.saleor.fulfill(order["id"], units, **more)
        await self.settle()
        return (await self.rows(order))[-1]

    async def held(self):
        """Return an order whose parcel Kustom refused, and its row."""
        order, _ = self.order()
        self.world.kustom.fail_next("refused", on="capture")
        return order, await self.ship(order)

    async def rows(self, order):
        return await self.world.app.store.captures.of_order(self.world.saleor.api_url, order["id"])

    async def settle(self):
        """Wait until the app has done all that is due at once."""
        for _ in range(500):
            await self.world.saleor.deliver()
            if not await self.world.app.store.captures.busy(within_s=1.0):
                return
            await asyncio.sleep(0.02)
        raise AssertionError("it does not settle")

    async def axe(self):
        """Return what axe finds wrong in the app's frame: serious things and worse."""
        source = files("axe_playwright_python") / "axe.min.js"
        await self.inner.evaluate(source.read_text())
        found = await self.inner.evaluate(
            "axe.run(document, { resultTypes: ['violations'], iframes: false })"
        )
        return [
            f"{one['id']}: {node['html'][:120]} {node['failureSummary']}"
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"]
        ]


@contextlib.asynccontextmanager
async def opened(browser, world, addresses, **more):
    """Open a fresh browser page; it must end without an error in its console."""
    settings = {"locale": "en-GB", "timezone_id": "Europe/Stockholm", "accept_downloads": True}
    context = await browser.new_context(**(settings | more))
    context.set_default_timeout(15_000)
    host = Host(world, addresses, await context.new_page())
    try:
        yield host
        assert not host.problems, host.problems
    finally:
        await context.close()
