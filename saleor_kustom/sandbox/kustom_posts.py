"""Kustom's own webhooks, simulated: slim JSON to the destinations of the portal (contract, 11).

The form of the signature is not public, so there is none here.
"""

import json
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import httpx

from saleor_kustom.sandbox.kustom_orders import SimulatedOrder

#: Kustom repeats until a 2xx; so often here.
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Destination:
    """A URL that a merchant entered in the portal."""

    merchant_id: str
    url: str


@dataclass(frozen=True, slots=True)
class Post:
    """One webhook on its way."""

    url: str
    body: bytes


class Posts:
    """Destinations, and what is still to be posted to them."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._transport: httpx.AsyncBaseTransport | None = None
        self.destinations: list[Destination] = []
        self.queue: deque[Post] = deque()
        self.answers: list[int] = []  # statuses, in order

    def reach(self, transport: httpx.AsyncBaseTransport) -> None:
        """Post through a transport instead of the network."""
        self._transport = transport

    def register(self, merchant_id: str, url: str) -> None:
        """Enter a destination in the portal."""
        self.destinations.append(Destination(merchant_id, url))

    def happened(self, event: str, order: SimulatedOrder, ids: dict[str, str]) -> None:
        """Queue a webhook for every destination of the order's merchant."""
        for destination in self.destinations:
            if destination.merchant_id == order.merchant_id:
                self.queue.append(Post(destination.url, self._body(event, order, ids)))

    async def deliver(self) -> int:
        """Post what is queued, each until it is taken; return how many were posted."""
        posted = 0
        async with httpx.AsyncClient(transport=self._transport, timeout=20.0) as client:
            while self.queue:
                post = self.queue.popleft()
                for _ in range(_TRIES):
                    answer = await client.post(
                        post.url, content=post.body, headers={"Content-Type": "application/json"}
                    )
                    self.answers.append(answer.status_code)
                    posted += 1
                    if answer.is_success:
                        break
        return posted

    def _body(self, event: str, order: SimulatedOrder, ids: dict[str, str]) -> bytes:
        told = {
            "id": f"kevt_{uuid.uuid4().hex}",
            "merchant_id": order.merchant_id,
            "timestamp": self._clock().isoformat(),
            "type": event,
            "data": {"order_id": order.order_id, **ids},
        }
        return json.dumps(told).encode()
