"""One browser and one world for all tests of a worker; each test has a page of its own."""

import pytest_asyncio
from playwright.async_api import async_playwright

from saleor_kustom.sandbox.theatre import served
from saleor_kustom.sandbox.world import MERCHANT
from tests.browser.host import ARGUMENTS, chromium, opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser():
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def served_world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    async with served(f"sqlite:///{folder}/app.db") as served_world:
        yield served_world


@pytest_asyncio.fixture(loop_scope="session")
async def host(browser, served_world):
    world, addresses = served_world
    async with opened(browser, world, addresses) as host:
        yield host
    # What one test leaves of the account must not fail the others, in whatever order.
    await world.app.store.accounts.set(world.saleor.api_url, None, MERCHANT)
    await world.app.store.accounts.resume("playground", "PM1", api_url=world.saleor.api_url)
