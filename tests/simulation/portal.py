"""What is done at Kustom past the app: captured and refunded by hand; and what Kustom tells of it.

With a chance of its own, so that a seed's history is the same but for this.
"""

import asyncio
import contextlib
import random

import httpx

from saleor_kustom.errors import StoreUnavailable
from saleor_kustom.sandbox.kustom_rules import Refusal
from tests.simulation.instance import Died

_CHANCES = (0.0, 0.0, 0.1, 0.3)


def capture_by_hand(there, ledger, rng):
    """Capture some of what is left, and return how much; None: nothing can be captured."""
    over = there.released or there.cancelled
    left = 0 if over else there.amount - there.captured
    if left <= 0 or there.fraud_status != "ACCEPTED":
        return None
    amount = rng.randint(1, left)
    ledger.capture(there, {"captured_amount": amount, "reference": "by hand"})
    return amount


class Portal:
    def __init__(self, sim):
        self.sim, self.rng = sim, random.Random(f"portal {sim.seed}")
        self.chance = self.rng.choice(_CHANCES)
        self.tells = self.rng.random() < 0.5  # Kustom's webhooks are entered in the portal

    async def listen(self, world):
        if self.tells:
            await world.listen_to_kustom()

    def perhaps(self, placed):
        """Do something by hand, perhaps, in a while."""
        if self.rng.random() < self.chance:
            placed.outside = True
            self.sim.spawn(self._act(placed))

    async def _act(self, placed):
        await asyncio.sleep(self.rng.random() ** 2 * 1800)
        act = self.rng.choice([self._capture, self._refund, self._refund])
        there, ledger = placed.there, self.sim.kustom.ledger
        with contextlib.suppress(Refusal):  # as the portal says no
            act(there, ledger)
            self.sim.log("in the portal", act.__name__, placed.order["number"])

    def _capture(self, there, ledger):
        capture_by_hand(there, ledger, self.rng)

    def _refund(self, there, ledger):
        left = there.captured - there.refunded
        if left > 0:
            ledger.refund(there, {"refunded_amount": self.rng.randint(1, left)})

    async def post(self):
        """Post Kustom's webhooks to any instance that lives, late, twice or never."""
        queue = self.sim.kustom.posts.queue
        while True:
            while queue:
                post = queue.popleft()
                if self.sim.healed or self.rng.random() >= self.sim.weather.delivery_lost:
                    self.sim.spawn(self._carry(post))
            await asyncio.sleep(300.0 if self.sim.healed else 7.0)

    async def _carry(self, post):
        await asyncio.sleep(self.rng.random() ** 4 * 60.0)
        for _ in range(5):
            alive = [i for i in self.sim.instances if i.alive]
            if alive:
                transport = httpx.ASGITransport(self.rng.choice(alive).world.app.web)
                request = httpx.Request("POST", post.url, content=post.body)
                with contextlib.suppress(TimeoutError, Died, StoreUnavailable):
                    async with asyncio.timeout(18.0):
                        answer = await transport.handle_async_request(request)
                        self.sim.log("kustom told", answer.status_code)
                        if answer.status_code < 300:
                            return
            await asyncio.sleep(60.0)
