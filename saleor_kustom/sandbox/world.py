"""A whole world: simulated Saleor, simulated Kustom, and the real app between them."""

import contextlib
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from saleor_kustom.app import App, open_app
from saleor_kustom.capture.parties import Account
from saleor_kustom.sandbox.kustom import SimulatedKustom
from saleor_kustom.sandbox.kustom_orders import SimulatedOrder
from saleor_kustom.sandbox.routed import Routed
from saleor_kustom.sandbox.saleor import SimulatedSaleor
from saleor_kustom.sandbox.saleor_orders import Line, Wire
from saleor_kustom.settings import Settings
from saleor_kustom.worker.hooks import Hooks

MERCHANT = Account("playground", "PM1", "PM1-sandbox", "sandbox-password")
APP_URL, SALEOR_URL, KUSTOM_URL = "http://app.test", "http://saleor.test", "http://kustom.test"


@dataclass(frozen=True, slots=True)
class World:
    """The three, joined."""

    saleor: SimulatedSaleor
    kustom: SimulatedKustom
    app: App

    async def install(self) -> None:
        """Install the app in Saleor, once more if need be, with the sandbox merchant's account."""
        install = self.saleor.reinstall if self.saleor.installed else self.saleor.install
        await install(f"{self.app.settings.app_url}/api/manifest")
        await self.app.store.accounts.set(self.saleor.api_url, None, MERCHANT)

    async def listen_to_kustom(self) -> str:
        """Make the shop's secret URL and enter it in Kustom's portal; return it."""
        secrets = self.app.store.kustom_webhooks
        secret = await secrets.rotate(self.saleor.api_url, who="the sandbox")
        url = f"{self.app.settings.app_url}/api/kustom/{secret}"
        self.kustom.posts.register(MERCHANT.merchant_id, url)
        return url

    def order(self, lines: Sequence[Line], **more: Any) -> tuple[Wire, SimulatedOrder]:
        """Place an order at both sides, authorized over its total."""
        kustom_order_id = str(uuid.uuid4())
        order = self.saleor.add_order(lines, psp_reference=kustom_order_id, **more)
        authorized = minor(order["transactions"][-1]["authorizedAmount"]["amount"])
        currency = order["channel"]["currencyCode"]
        there = self.kustom.add_order(
            kustom_order_id, authorized, currency, merchant_reference1=order["number"]
        )
        return order, there

    async def settle(self, rounds: int = 50) -> None:
        """Deliver and work until nothing is due."""
        for _ in range(rounds):
            posted = await self.saleor.deliver() + await self.kustom.posts.deliver()
            worked = await self.app.linker.drain() + await self.app.worker.drain()
            worked += await self.app.hints.drain()
            if not worked and not posted:
                return
        raise AssertionError("the world does not settle")


def minor(amount: float, exponent: int = 2) -> int:
    """Return an amount of the simulated Saleor's JSON in minor units."""
    return round(amount * float(10**exponent))


@contextlib.asynccontextmanager
async def open_world(
    database_url: str,
    *,
    saleor: SimulatedSaleor | None = None,
    kustom: SimulatedKustom | None = None,
    clock: Callable[[], float] | None = None,
    monotonic: Callable[[], float] | None = None,
    tap: Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport] = lambda t: t,
    patience_s: float = 0.0,
    hooks: Hooks | None = None,
    **changed: Any,
) -> AsyncIterator[World]:
    """Open a world without a network; `changed` are settings.

    `tap` stands around both sides' transports and sees every request that the app makes.
    `patience_s`: how long a request that Saleor waits for is waited for; nobody works meanwhile
    unless a test lets the worker run.
    """
    saleor = saleor or SimulatedSaleor(f"{SALEOR_URL}/graphql/")
    kustom = kustom or SimulatedKustom()
    kustom.add_merchant(MERCHANT.username, MERCHANT.password, MERCHANT.merchant_id)
    values: dict[str, Any] = {
        "secret_key": "a-secret-for-the-sandbox-only-0123456789",
        "app_url": APP_URL,
        "database_url": database_url,
        "allow_private_hosts": True,
        "kustom_playground_url": KUSTOM_URL,
        "kustom_live_url": KUSTOM_URL,
        "rate_per_second": 0.0,  # the sandbox is not paced
    }
    settings = Settings(**(values | changed))
    async with open_app(
        settings,
        kustom_transport=tap(kustom.transport()),
        saleor_transport=tap(httpx.ASGITransport(saleor.app)),
        clock=clock,
        monotonic=monotonic,
        patience_s=patience_s,
        hooks=hooks or Hooks(),  # to look for installed ones takes longer than all the rest
    ) as app:
        saleor.reach(Routed({APP_URL: app.web}))
        kustom.posts.reach(Routed({APP_URL: app.web}))
        yield World(saleor, kustom, app)
