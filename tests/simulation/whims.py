"""What staff presses beside shipping: Saleor's buttons, refunds, closings, cancelled orders.

With a chance of its own, so that a seed ships the same whether anybody presses or not.
"""

import asyncio
import random

from saleor_kustom.capture.operation import Request, Source
from saleor_kustom.errors import StoreUnavailable
from saleor_kustom.sandbox.saleor_orders import amount_of

PERSON = Request(source=Source.PERSON, who="staff")
_CHANCES = (0.0, 0.0, 0.15, 0.5)


class Whims:
    def __init__(self, sim, chance=None):
        self.sim, self.rng = sim, random.Random(f"whims {sim.seed}")
        drawn = self.rng.choice(_CHANCES)
        self.chance = drawn if chance is None else chance
        self.policy = {
            "refund_canceled": self.rng.random() < 0.3,
            "refund_canceled_after_s": 3600.0,
            "cancel_at_kustom": self.rng.random() < 0.5,
            "shipping_fee": self.rng.choice(["first", "last", "proportional"]),
        }

    @property
    def any(self):
        return self.chance > 0

    def perhaps(self, placed):
        """Press something about an order, perhaps, in a while."""
        if self.rng.random() < self.chance:
            placed.pressed = True
            self.sim.spawn(self._press(placed))

    async def _press(self, placed):
        await asyncio.sleep(self.rng.random() ** 2 * 1800)
        presses = [self._charge, self._charge, self._refund, self._refund, self._cancel]
        presses += [self._refund_parcel, self._refund_parcel, self._close]
        presses += [self._cancel_order, self._cancel_order]
        press = self.rng.choice(presses)
        self.sim.log("presses", press.__name__, placed.order["number"])
        await press(placed)

    async def _charge(self, placed):
        self._request(placed, "CHARGE", "authorizedAmount")

    async def _refund(self, placed):
        self._request(placed, "REFUND", "chargedAmount")

    async def _cancel(self, placed):
        if self.rng.random() < 0.3:
            self._request(placed, "CANCEL", "authorizedAmount")

    def _request(self, placed, action, field):
        transaction = kustoms(placed)
        most = round(amount_of(transaction[field]) * 100) if transaction else 0
        if most <= 0:
            return
        whole = self.rng.random() < 0.5
        amount = None if whole else f"{self.rng.randint(1, most) / 100:.2f}"
        self.sim.saleor.request_action(transaction["id"], action, amount)

    async def _refund_parcel(self, placed):
        async def ask(app):
            rows = await app.store.captures.of_order(self._shop(), placed.order["id"])
            for row in rows:
                if row.is_parcel and row.canceled:
                    await app.store.operations.refund(row, PERSON)

        await self.on_a_page(ask)

    async def _close(self, placed):
        charge_fee = self.rng.random() < 0.5

        async def ask(app):
            shop = await app.store.shops.get(self._shop())
            await app.closing.close(
                shop, placed.order["id"], charge_fee=charge_fee, who="staff", why=""
            )

        if self.rng.random() < 0.4:
            await self.on_a_page(ask)

    async def _cancel_order(self, placed):
        live = [f for f in placed.order["fulfillments"] if f["status"] != "CANCELED"]
        if not live and placed.order["status"] != "CANCELED":
            self.sim.saleor.cancel_order(placed.order["id"])

    async def on_a_page(self, ask):
        """Ask of an instance that lives; a person whose page shows an error asks again."""
        for _ in range(5):
            alive = [i for i in self.sim.instances if i.alive]
            if alive:
                try:
                    await ask(self.rng.choice(alive).world.app)
                except StoreUnavailable:
                    pass
                except BaseException as error:
                    if type(error).__name__ != "Died":
                        raise
                else:
                    return
            await asyncio.sleep(30.0)

    def _shop(self):
        return self.sim.saleor.api_url


def kustoms(placed):
    """Return the transaction that stands for the order's Kustom order."""
    wanted = placed.there.order_id
    found = (t for t in placed.order["transactions"] if t["pspReference"] == wanted)
    return next(found, None)
