"""What shoppers and merchants do, at random moments: the app only ever hears of it."""

import asyncio
import json
import random
import re
import uuid
from dataclasses import dataclass, field, replace

from saleor_kustom.capture.linking import How
from saleor_kustom.sandbox.saleor_orders import Line, open_units
from tests.simulation.portal import capture_by_hand

#: For so long things happen; after it the world only heals.
BUSY_S = 2 * 3600.0


@dataclass
class Placed:
    """An order and what became of it, as the laws want to know it."""

    order: dict
    there: object
    changed: bool = False  # cancelled or returned units
    outside: bool = False  # somebody captured or refunded by hand
    pressed: bool = False  # a button, a refund, a closing
    bound: bool = False  # the app knows its Kustom order for good
    vanished: set = field(default_factory=set)  # fulfillments that Saleor deleted
    numbers: dict = field(default_factory=dict)  # tracking by fulfillment, as it is now


class Merchant:
    def __init__(self, sim):
        self.sim, self.rng = sim, sim.rng
        self.saleor, self.kustom = sim.saleor, sim.kustom
        self.placed = []
        # Of its own, so that what is tracked changes nothing else of a seed's history.
        self.writes = random.Random(f"tracking {sim.seed}")
        self.links = random.Random(f"links {sim.seed}")

    async def run(self, orders):
        await asyncio.gather(*(self._order() for _ in range(orders)))

    async def _pause(self, most_s):
        await asyncio.sleep(self.rng.random() ** 3 * most_s)

    async def _order(self):
        await asyncio.sleep(self.rng.random() * BUSY_S / 2)
        placed = self._place()
        if placed.there.fraud_status == "PENDING":
            self.sim.spawn(self._accept(placed))
        self.sim.whims.perhaps(placed)
        while open_units(placed.order) and self.sim.loop.time() < BUSY_S:
            await self._pause(900)
            made = self._ship(placed)
            if self.rng.random() < self.sim.weather.changes:
                await self._pause(120)
                await self._change(placed, made)
            if self.rng.random() < self.sim.weather.outside:
                self._capture_by_hand(placed)
            self.sim.whims.perhaps(placed)
            self.sim.portal.perhaps(placed)
            if placed.order["status"] == "CANCELED":
                break
        self.sim.log("order done", placed.order["number"])

    def _place(self):
        rng = self.rng
        lines = [
            Line(f"Thing {n}", f"{rng.randint(1, 40_000) / 100:.2f}", rng.choice([1, 1, 2, 3, 7]),
                 tax_rate=rng.choice(["0.25", "0.12", "0.055"]))
            for n in range(rng.randint(1, 4))
        ]  # fmt: skip
        lines = [self._discounted(line) for line in lines]
        reference = str(uuid.UUID(int=rng.getrandbits(128), version=4))
        late = rng.random() < 0.15
        gift_card = "0.50" if rng.random() < 0.1 else "0"
        order = self.saleor.add_order(
            lines, psp_reference=None if late else reference, gift_card=gift_card
        )
        total = order["total"]["gross"]["amount"] - order["totalCharged"]["amount"]
        there = self.kustom.add_order(
            reference, round(total * 100), "SEK", merchant_reference1=order["number"]
        )
        if rng.random() < 0.1:
            there.fraud_status = "PENDING"
        if late:
            self.sim.spawn(self._write_id(order, reference))
        placed = Placed(order, there)
        self.placed.append(placed)
        return placed

    def _discounted(self, line):
        if self.rng.random() < 0.3:
            whole = round(float(line.price) * line.quantity * 100)
            return replace(line, total=f"{self.rng.randint(whole // 2, whole) / 100:.2f}")
        return line

    async def _write_id(self, order, reference):
        await self._pause(3000)
        if self.links.random() < 0.5:
            await self.sim.whims.on_a_page(self._linked(order, reference))
            return
        self.saleor.update_metadata(order["id"], {"kustom_order_id": reference})

    def _linked(self, order, reference):
        """Return how a checkout's server tells the app which Kustom order paid."""

        async def link(app):
            shop = await app.store.shops.get(self.saleor.api_url)
            link = await app.linker.now(shop, order["id"], reference, how=How.API, who="checkout")
            self.sim.log("linked", order["number"], str(link.state), link.code)

        return link

    async def _accept(self, placed):
        await self._pause(4 * 3600)
        placed.there.fraud_status = "ACCEPTED"

    def _ship(self, placed):
        left = open_units(placed.order)
        units = {
            line: self.rng.randint(1, count)
            for line, count in left.items()
            if self.rng.random() < 0.6
        } or left
        numbers = self._numbers() if self.rng.random() < 0.5 else []
        waits = self.rng.random() < 0.1
        made = self.saleor.fulfill(
            placed.order["id"], units, tracking=self._written(numbers), auto_approve=not waits
        )
        placed.numbers[made["id"]] = numbers
        self.sim.log("ships", placed.order["number"], sum(units.values()), made["id"], numbers)
        if waits:
            self.sim.spawn(self._approve(made))
        elif self.rng.random() < (0.3 if numbers else 0.6):
            self.sim.spawn(self._track(placed, made))
        return made

    def _numbers(self):
        """Return one number mostly, sometimes several."""
        forms = ["TRACK{:09}", "373500000{:09}", "5{:09}"]
        return [
            self.writes.choice(forms).format(self.writes.randrange(10**9))
            for _ in range(self.writes.choice([1, 1, 1, 2, 3]))
        ]

    def _written(self, numbers):
        """Write several into the one string that Saleor has, at times with blanks inside."""
        separator = self.writes.choice([", ", ",", ";", "\n", " ", " | "])
        if separator != " " and self.writes.random() < 0.3:
            numbers = [" ".join(re.findall(".{1,4}", number)) for number in numbers]
        return separator.join(numbers)

    async def _approve(self, fulfillment):
        await self._pause(1800)
        if fulfillment["status"] == "WAITING_FOR_APPROVAL":
            self.saleor.approve(fulfillment["id"])

    async def _track(self, placed, fulfillment):
        """Write tracking late, or change it: in Saleor's string, or as a 3PL does."""
        for _ in range(self.writes.choice([1, 1, 2])):
            await self._pause(1800)
            if self.saleor.find(fulfillment["id"])[0] is None:
                return
            kept = placed.numbers[fulfillment["id"]] if self.writes.random() < 0.5 else []
            numbers = placed.numbers[fulfillment["id"]] = [*kept, *self._numbers()]
            self.sim.log("tracks", fulfillment["id"], numbers)
            by_3pl = any(pair["key"] == "tracking_number" for pair in fulfillment["metadata"])
            if by_3pl or self.writes.random() < 0.3:
                values = {"tracking_number": json.dumps(numbers), "shipping_company": "PostNord"}
                self.saleor.update_metadata(fulfillment["id"], values)
            else:
                self.saleor.update_tracking(fulfillment["id"], self._written(numbers))

    async def _change(self, placed, fulfillment):
        placed.changed = True
        if self.saleor.find(fulfillment["id"])[0] is None:
            return
        if self.rng.random() < 0.6:
            self.sim.log("cancels", fulfillment["id"])
            self.saleor.cancel_fulfillment(fulfillment["id"])
        elif fulfillment["status"] == "FULFILLED":
            line = fulfillment["lines"][0]
            self.sim.log("returns", fulfillment["id"])
            self.saleor.return_lines(fulfillment["id"], {line["orderLine"]["id"]: 1})
            if not fulfillment["lines"]:
                placed.vanished.add(fulfillment["id"])

    def _capture_by_hand(self, placed):
        if amount := capture_by_hand(placed.there, self.kustom.ledger, self.rng):
            placed.outside = True
            self.sim.log("by hand", placed.order["number"], amount)
