"""How the simulated Saleor posts its webhooks: payload, signature, headers, and what comes again.

Everything here was observed of a running Saleor (saleor-core-observed, sections 1 and 2).
"""

import asyncio
import copy
import functools
import heapq
import itertools
import json
import secrets
import ssl
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from saleor_kustom.sandbox.saleor_api import payload
from saleor_kustom.sandbox.saleor_orders import Wire, global_id, now
from saleor_kustom.sandbox.saleor_queries import QUERIES
from saleor_kustom.sandbox.saleor_schema import release, schema_version
from saleor_kustom.sandbox.signing import Signer

#: A delivery that is answered with 5xx or not at all comes again so often, after 10, 20, 40 …
#: seconds.
RETRIES = 5
FIRST_PAUSE_S = 10.0
_CONNECT_S, _READ_S = 2.0, 18.0
_SUCCESS, _SERVER_ERROR = range(200, 300), 500
#: From 3.23 on all others are filled in by a worker, later: with what is true then.
_EAGER = frozenset({"fulfillment_created", "fulfillment_approved", "app_deleted"})
_PERSON = {"__typename": "User", "id": global_id("User", 1)}


@dataclass(slots=True)
class Installed:
    """An app in the simulated Saleor."""

    app: Wire
    token: str
    webhooks: list[Wire] = field(default_factory=list)
    manifest: Wire = field(default_factory=dict)
    logo: bytes | None = None  # what Saleor could fetch of brand.logo


@dataclass(slots=True)
class Queued:
    """Something happened; it becomes a delivery when it is posted."""

    event: str
    value: Wire
    webhook: Wire | None = None
    deferred: bool = False
    request: Wire | None = None


@dataclass(slots=True)
class Delivery:
    """A signed delivery on its way."""

    event: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    tries: int = 0
    status: int | None = None
    webhook: Wire | None = None
    id: str = field(default_factory=lambda: global_id("EventDelivery", secrets.randbelow(10**9)))
    created_at: str = field(default_factory=now)
    answer: str = ""  # the first 1024 characters
    request: Wire | None = None  # the event of a transaction's button, which wants an answer


class Post:
    """Queues what happened and posts it. `time_scale` 1.0 waits as long as Saleor, 0.0 never."""

    def __init__(
        self,
        api_url: str,
        *,
        version: str,
        transport: httpx.AsyncBaseTransport | None,
        time_scale: float,
    ) -> None:
        self.api_url = api_url
        self.version = version
        self.time_scale = time_scale
        self.jwks_override: str | None = None  # recordings bring their own keys
        self.denied: set[str] = set()  # permissions that are missing
        self.installed: Installed | None = None
        self.fired: list[tuple[str, str]] = []  # every event and its object, listened to or not
        self.queue: deque[Queued | Delivery] = deque()
        self.failed: list[Delivery] = []
        self._again: list[tuple[float, int, Delivery]] = []
        self._ticket = itertools.count()
        self._transport = transport

    def reach(self, transport: httpx.AsyncBaseTransport) -> None:
        """Reach the app through `transport` instead of the network."""
        self._transport = transport

    @functools.cached_property
    def signer(self) -> Signer:
        """Return the key that signs; made when it is needed, and may be set."""
        return Signer.new()

    @property
    def pending(self) -> list[Delivery]:
        """Return the deliveries that will come again."""
        return [delivery for _, _, delivery in sorted(self._again)]

    # ---- what happened

    def happened(
        self, event: str, order: Wire | None, fulfillment: Wire | None, by: Wire | None = None
    ) -> None:
        """Queue an event for the installed app's webhooks that listen."""
        subject = fulfillment or order or {}
        self._fire(event, subject.get("id", ""), {"fulfillment": fulfillment, "order": order}, by)

    def _fire(self, event: str, subject: str, about: Wire, by: Wire | None = None) -> None:
        self.fired.append((event, subject))
        installed = self.installed
        if installed is None:
            return
        value = {
            "__typename": "".join(word.capitalize() for word in event.split("_")),
            "issuedAt": now(),
            "version": self.version,
            "recipient": installed.app,
            "issuingPrincipal": by or _PERSON,
            **about,
        }
        deferred = release(self.version) >= (3, 23, 0) and event not in _EAGER
        for webhook in self._listening(event, installed):
            # A snapshot: a retry shows what was true when it happened, and so may be stale.
            kept = value if deferred else copy.deepcopy(value)
            self.queue.append(Queued(event, kept, webhook, deferred))

    def _listening(self, event: str, installed: Installed) -> Iterator[Wire]:
        """An app without the permission never hears of it, and is not told why."""
        codes = {permission["code"] for permission in installed.app["permissions"]} - self.denied
        lifecycle = event == "app_deleted"
        if lifecycle and release(self.version) < (3, 23, 5):
            return
        if not lifecycle and "MANAGE_ORDERS" not in codes:
            return
        for webhook in installed.webhooks:
            if webhook["isActive"] and event.upper() in webhook["events"]:
                yield webhook

    # ---- what is posted

    async def signed(self, event: str, value: Wire, webhook: Wire | None = None) -> Delivery:
        """Return the signed delivery that the app's own document makes of an event."""
        webhook = webhook or self._first_listening(event)
        contents = payload(self, webhook["subscriptionQuery"], value, QUERIES)
        body = json.dumps(contents).encode()
        target = webhook["targetUrl"]
        return Delivery(event, target, self.headers(event, body, webhook), body, webhook=webhook)

    def _first_listening(self, event: str) -> Wire:
        for webhook in self.installed.webhooks if self.installed else ():
            if event.upper() in (*webhook["events"], *webhook.get("syncEvents", ())):
                found: Wire = webhook
                return found
        raise ValueError(f"no installed app listens to {event}")

    def headers(
        self, event: str, body: bytes, webhook: Wire | None = None
    ) -> list[tuple[str, str]]:
        """Return the headers of a delivery, in this order and casing; two more come on the way."""
        signature = self.signer.sign(body)
        domain = urlsplit(self.api_url).netloc
        custom = (webhook or {}).get("customHeaders") or {}
        return [
            *_client_headers(self.version),
            ("Content-Type", "application/json"),
            ("X-Saleor-Event", event),
            ("X-Saleor-Domain", domain),
            ("X-Saleor-Signature", signature),
            ("Saleor-Event", event),
            ("Saleor-Domain", domain),
            ("Saleor-Signature", signature),
            ("Saleor-Api-Url", self.api_url),
            ("traceparent", f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"),
            *((name.lower(), value) for name, value in custom.items()),
        ]

    async def deliver(self, *, pause_s: float | None = None, at_once: int = 1) -> int:
        """Post all that is queued, repeating failures; return how many were posted.

        `pause_s` is the first pause before a repetition, the next is twice as long (default:
        Saleor's 10 s times `time_scale`). `at_once` posts travel together, as from a Saleor
        with so many workers.
        """
        first_s = FIRST_PAUSE_S * self.time_scale if pause_s is None else pause_s
        posted = 0
        async with self._client() as client:
            while batch := await self._next(at_once):
                await asyncio.gather(*(self._post(client, one, first_s) for one in batch))
                posted += len(batch)
        return posted

    async def _next(self, at_once: int) -> list[Delivery]:
        if not self.queue and self._again:
            await asyncio.sleep(max(0.0, self._again[0][0] - time.monotonic()))
            self.queue.append(heapq.heappop(self._again)[2])
        batch: list[Delivery] = []
        while self.queue and len(batch) < at_once:
            item = self.queue.popleft()
            if isinstance(item, Delivery):
                batch.append(item)
            elif not (item.deferred and _gone(item.value)):
                signed = await self.signed(item.event, item.value, item.webhook)
                signed.request = item.request
                batch.append(signed)
        return batch or (await self._next(at_once) if self._again else [])

    async def _post(self, client: httpx.AsyncClient, delivery: Delivery, first_s: float) -> None:
        webhook = delivery.webhook
        if webhook is not None:  # signed anew, and to where the webhook points by now
            delivery.target = webhook["targetUrl"]
            delivery.headers = self.headers(delivery.event, delivery.body, webhook)
        delivery.tries += 1
        try:
            answer = await client.send(_request(delivery))
            delivery.status, delivery.answer = answer.status_code, answer.text[:1024]
        except httpx.HTTPError as error:
            delivery.status, delivery.answer = None, str(error)
        except BaseException:  # the receiver died under us: no answer, so it comes again
            self.answered(delivery, None)
            self.queue.extendleft([] if delivery.request else [delivery])
            raise
        if delivery.status in _SUCCESS:
            self.answered(delivery, answer.content)
            return
        if delivery.tries <= RETRIES and _comes_again(delivery):
            due = time.monotonic() + first_s * 2 ** (delivery.tries - 1)
            heapq.heappush(self._again, (due, next(self._ticket), delivery))
        else:
            self.failed.append(delivery)
            self.answered(delivery, None)

    def answered(self, delivery: Delivery, answer: bytes | None) -> None:
        """Take the answer to what wanted one; None: there was none, or no success."""

    def retry_failed(self) -> int:
        """Queue what failed for good once more, as a person with MANAGE_APPS may."""
        again, self.failed = self.failed, []
        for delivery in again:
            delivery.tries = 0
            self.queue.append(delivery)
        return len(again)

    def _client(self) -> httpx.AsyncClient:
        timeout = httpx.Timeout(_READ_S, connect=_CONNECT_S)
        return httpx.AsyncClient(
            transport=self._transport, timeout=timeout, trust_env=False, verify=_trusted()
        )

    def _who(self) -> list[tuple[str, str]]:
        domain = urlsplit(self.api_url).netloc
        return [
            ("X-Saleor-Domain", domain),
            ("Saleor-Domain", domain),
            ("Saleor-Api-Url", self.api_url),
        ]


@functools.cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()  # slow: once


def _request(delivery: Delivery) -> httpx.Request:
    """Return the request; Host has no port, so no address may be built from it."""
    length = ("Content-Length", str(len(delivery.body)))
    host = ("Host", urlsplit(delivery.target).hostname or "")
    headers = [*delivery.headers, length, host]
    return httpx.Request("POST", delivery.target, headers=headers, content=delivery.body)


def _client_headers(version: str) -> list[tuple[str, str]]:
    return [
        ("User-Agent", f"Saleor/{schema_version(version)}"),
        ("Accept-Encoding", "gzip, deflate"),
        ("Accept", "*/*"),
        ("Connection", "keep-alive"),
    ]


def _comes_again(delivery: Delivery) -> bool:
    """Only 5xx and no answer: 3xx and 4xx are final, 429 too; no answer is, to a request."""
    return (delivery.status or (0 if delivery.request else 500)) >= _SERVER_ERROR


def _gone(value: Any) -> bool:
    """Tell whether a fulfillment was deleted before its delivery was filled in."""
    fulfillment, order = value.get("fulfillment"), value.get("order")
    if fulfillment is None or order is None:
        return False
    return all(listed["id"] != fulfillment["id"] for listed in order["fulfillments"])
