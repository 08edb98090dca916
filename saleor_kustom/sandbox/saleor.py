"""A simulated Saleor: orders, fulfillments, signed webhooks, installation, GraphQL.

`app` serves /graphql/ and the public keys. What happens to orders is done with methods
(`fulfill`, `cancel_fulfillment`, …), which queue events as a real Saleor fires them;
`deliver()` posts them, repeating what is answered with 5xx.
"""

import asyncio
import json
import time
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from saleor_kustom.sandbox.saleor_api import Api, TooMany
from saleor_kustom.sandbox.saleor_orders import (
    Line,
    Wire,
    global_id,
    merge_metadata,
    new_fulfillment,
    new_order,
    new_transaction,
    now,
    open_units,
    pairs,
)
from saleor_kustom.sandbox.signing import Signer

#: A delivery that is answered with 5xx or not at all comes again so often, after 10, 20, 40 …
#: seconds (saleor-core-observed, section 2).
RETRIES = 5
_SUCCESS, _SERVER_ERROR = range(200, 300), 500


@dataclass(slots=True)
class Delivery:
    """A signed delivery on its way."""

    event: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    tries: int = 0
    status: int | None = None


@dataclass(slots=True)
class Queued:
    """Something happened; it becomes a delivery when it is posted."""

    event: str
    value: Wire


@dataclass(slots=True)
class Installed:
    """An app in the simulated Saleor."""

    app: Wire
    token: str
    webhooks: dict[str, Wire] = field(default_factory=dict)


class SimulatedSaleor:
    """The other side. `api_url` is its identity, also where it is reached without a network."""

    def __init__(
        self,
        api_url: str = "http://saleor.test/graphql/",
        *,
        version: str = "3.22.67",
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.api_url = api_url
        self.version = version
        self.orders: dict[str, Wire] = {}
        self.installed: Installed | None = None
        self.signer = Signer.new()
        self.jwks_override: str | None = None  # recordings bring their own keys
        self.denied: set[str] = set()  # permissions that are missing
        self.queue: deque[Queued | Delivery] = deque()
        self.failed: list[Delivery] = []
        self.requests: list[Wire] = []  # GraphQL requests, in order
        self.fail_graphql: deque[str] = deque()  # "500", "lost answer", "html", once each
        self.delay_s = 0.0
        self._any_token: Wire | None = None
        self._numbers = iter(range(1, 1_000_000))
        self._fulfillment_pks = iter(range(1, 1_000_000))
        self._app_pks = iter(range(1, 1_000_000))
        self._transport = transport
        self._api = Api(self)
        self.app = Starlette(
            routes=[
                Route("/graphql/", self._graphql, methods=["POST"]),
                Route("/.well-known/jwks.json", self._jwks, methods=["GET"]),
            ]
        )

    def reach(self, transport: httpx.AsyncBaseTransport) -> None:
        """Reach the app through `transport` instead of the network."""
        self._transport = transport

    # ---- installation

    async def install(self, manifest_url: str) -> Installed:
        """Install an app as the Dashboard does it. Raises ValueError with the app's message."""
        headers = {"Saleor-Schema-Version": ".".join(self.version.split(".")[:2])}
        async with self._client() as client:
            manifest = (await client.get(manifest_url, headers=headers)).raise_for_status().json()
            made = self._created(manifest)
            before, self.installed = self.installed, made
            answer = await client.post(
                manifest["tokenTargetUrl"],
                headers={**headers, **self._who()},
                json={"auth_token": made.token},
            )
        if answer.status_code >= 400:  # noqa: PLR2004 - a 3xx counts as success (observed)
            self.installed = before
            raise ValueError(answer.json()["error"]["message"])
        return made

    def trust(self, app: Wire) -> None:
        """Take any token for `app`: recordings do not hold the real one."""
        self._any_token = app

    def _created(self, manifest: Wire) -> Installed:
        app = {
            "__typename": "App",
            "id": global_id("App", next(self._app_pks)),
            "identifier": manifest["id"],
            "permissions": [{"code": code} for code in manifest["permissions"]],
        }
        made = Installed(app, token=uuid.uuid4().hex[:30])
        for webhook in manifest["webhooks"]:
            for event in webhook["asyncEvents"]:
                made.webhooks[event.lower()] = webhook
        return made

    # ---- what happens to orders

    def add_order(
        self,
        lines: Sequence[Line],
        *,
        psp_reference: str | None = None,
        owner: str = "app",
        **more: Any,
    ) -> Wire:
        """Place an order; with a pspReference it has a transaction that authorizes its total."""
        order = new_order(next(self._numbers), lines, **more)
        self.orders[order["id"]] = order
        if psp_reference is not None:
            self.add_transaction(order, psp_reference, owner=owner)
        return order

    def add_transaction(
        self, order: Wire, psp_reference: str, *, owner: str = "app", amount: str | None = None
    ) -> Wire:
        """Authorize an amount (default: the total) for `owner`: app, other, staff or nobody."""
        total = Decimal(str(order["total"]["gross"]["amount"]))
        authorized = total if amount is None else Decimal(amount)
        currency = order["channel"]["currencyCode"]
        owners: dict[str, Wire | None] = {
            "app": self.installed.app if self.installed else None,
            "other": {"__typename": "App", "id": global_id("App", 999), "identifier": "other.app"},
            "staff": {"__typename": "User", "id": global_id("User", 1)},
            "nobody": None,
        }
        transaction = new_transaction(psp_reference, authorized, currency, owners[owner])
        order["transactions"].append(transaction)
        order["totalAuthorized"] = {"amount": float(authorized), "currency": currency}
        return transaction

    def fulfill(
        self,
        order_id: str,
        quantities: Mapping[str, int] | None = None,
        *,
        tracking: str = "",
        auto_approve: bool = True,
    ) -> Wire:
        """Ship units (default: all that are left) and queue the observed events."""
        order = self.orders[order_id]
        status = "FULFILLED" if auto_approve else "WAITING_FOR_APPROVAL"
        fulfillment = new_fulfillment(
            next(self._fulfillment_pks),
            len(order["fulfillments"]) + 1,
            order,
            quantities if quantities is not None else open_units(order),
            tracking,
            status,
        )
        order["fulfillments"].append(fulfillment)
        order["status"] = "PARTIALLY_FULFILLED" if open_units(order) else "FULFILLED"
        if tracking:  # fired before FULFILLMENT_CREATED (observed)
            self.happened("fulfillment_tracking_number_updated", order, fulfillment)
        if auto_approve:
            self.happened("fulfillment_created", order, fulfillment)
        return fulfillment

    def approve(self, fulfillment_id: str) -> None:
        """Approve a waiting fulfillment."""
        order, fulfillment = self._fulfillment(fulfillment_id)
        fulfillment["status"] = "FULFILLED"
        self.happened("fulfillment_created", order, fulfillment)

    def cancel_fulfillment(self, fulfillment_id: str) -> None:
        """Cancel a fulfillment; it stays listed as CANCELED."""
        order, fulfillment = self._fulfillment(fulfillment_id)
        fulfillment["status"] = "CANCELED"
        self.happened("fulfillment_canceled", order, fulfillment)

    def update_tracking(self, fulfillment_id: str, tracking: str) -> None:
        """Set the tracking number."""
        order, fulfillment = self._fulfillment(fulfillment_id)
        fulfillment["trackingNumber"] = tracking
        self.happened("fulfillment_tracking_number_updated", order, fulfillment)

    def update_metadata(
        self, item_id: str, values: Mapping[str, str], *, private: bool = False
    ) -> None:
        """Write metadata as another integration does."""
        order, fulfillment = self.find(item_id)
        item = fulfillment or order
        if item is None:
            raise KeyError(item_id)
        changed = merge_metadata(item, "privateMetadata" if private else "metadata", pairs(values))
        if changed and order is not None and fulfillment is not None:
            self.happened("fulfillment_metadata_updated", order, fulfillment)

    def cancel_order(self, order_id: str) -> None:
        """Cancel an order."""
        order = self.orders[order_id]
        order["status"] = "CANCELED"
        self.happened("order_cancelled", order, None)

    def find(self, item_id: str) -> tuple[Wire | None, Wire | None]:
        """Return (order, fulfillment) for the id of either."""
        if item_id in self.orders:
            return self.orders[item_id], None
        for order in self.orders.values():
            for fulfillment in order["fulfillments"]:
                if fulfillment["id"] == item_id:
                    return order, fulfillment
        return None, None

    def find_transaction(self, transaction_id: str) -> tuple[Wire | None, Wire | None]:
        """Return (order, transaction)."""
        for order in self.orders.values():
            for transaction in order["transactions"]:
                if transaction["id"] == transaction_id:
                    return order, transaction
        return None, None

    def _fulfillment(self, fulfillment_id: str) -> tuple[Wire, Wire]:
        order, fulfillment = self.find(fulfillment_id)
        if order is None or fulfillment is None:
            raise KeyError(fulfillment_id)
        return order, fulfillment

    # ---- events

    def happened(
        self, event: str, order: Wire, fulfillment: Wire | None, by: Wire | None = None
    ) -> None:
        """Queue an event for the installed app, if it listens."""
        if self.installed is None or event not in self.installed.webhooks:
            return
        typename = "".join(word.capitalize() for word in event.split("_"))
        value = {
            "__typename": typename,
            "issuedAt": now(),
            "version": self.version,
            "recipient": self.installed.app,
            "issuingPrincipal": by or {"__typename": "User", "id": global_id("User", 1)},
            "fulfillment": fulfillment and dict(fulfillment),
            "order": order,
        }
        self.queue.append(Queued(event, value))

    async def signed(self, event: str, value: Wire) -> Delivery:
        """Return the signed delivery that the app's own document makes of an event."""
        if self.installed is None:
            raise ValueError("no app is installed")
        webhook = self.installed.webhooks[event]
        payload = await self._api.payload(webhook["query"], value)
        body = json.dumps(payload).encode()
        return Delivery(event, webhook["targetUrl"], self.headers(event, body), body)

    def headers(self, event: str, body: bytes) -> list[tuple[str, str]]:
        """Return the headers of a delivery, as observed."""
        signature = self.signer.sign(body)
        who = self._who()
        return [
            ("User-Agent", f"Saleor/{'.'.join(self.version.split('.')[:2])}"),
            ("Content-Type", "application/json"),
            ("X-Saleor-Event", event),
            ("X-Saleor-Domain", who["Saleor-Domain"]),
            ("X-Saleor-Signature", signature),
            ("Saleor-Event", event),
            ("Saleor-Domain", who["Saleor-Domain"]),
            ("Saleor-Signature", signature),
            ("Saleor-Api-Url", self.api_url),
        ]

    async def deliver(self, *, pause_s: float = 0.0) -> int:
        """Post all queued events, repeating failures; return how many were posted."""
        posted = 0
        async with self._client() as client:
            while self.queue:
                queued = self.queue.popleft()
                delivery = (
                    await self.signed(queued.event, queued.value)
                    if isinstance(queued, Queued)
                    else queued
                )
                posted += 1
                await self._post(client, delivery)
                if delivery.tries <= RETRIES and _comes_again(delivery):
                    await asyncio.sleep(pause_s * 2**delivery.tries)
                    self.queue.append(delivery)
                elif delivery.status not in _SUCCESS:
                    self.failed.append(delivery)
        return posted

    async def _post(self, client: httpx.AsyncClient, delivery: Delivery) -> None:
        delivery.tries += 1
        try:
            answer = await client.post(
                delivery.target, headers=delivery.headers, content=delivery.body
            )
            delivery.status = answer.status_code
        except httpx.HTTPError:
            delivery.status = None
        except BaseException:  # the receiver died under us: no answer, so it comes again
            self.queue.appendleft(delivery)
            raise

    # ---- HTTP

    async def _graphql(self, request: Request) -> Response:
        body = await request.json()
        self.requests.append(body)
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        fault = self.fail_graphql.popleft() if self.fail_graphql else None
        if fault == "500":
            return Response(status_code=500)
        if fault == "html":
            return Response("<html>busy</html>", media_type="text/html")
        try:
            result = await self._api.run(
                body["query"], body.get("variables") or {}, self._caller(request)
            )
        except TooMany:
            message = "Number of mutations exceed the limit of 4"
            return JSONResponse({"errors": [{"message": message}]}, status_code=400)
        if fault == "lost answer":
            return Response(status_code=502)
        return JSONResponse(result.formatted)

    async def _jwks(self, _request: Request) -> Response:
        text = self.jwks_override or json.dumps(self.signer.jwks())
        return Response(text, media_type="application/json")

    def _caller(self, request: Request) -> Wire | None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.installed is not None and token == self.installed.token:
            return self.installed.app
        return self._any_token

    def _who(self) -> dict[str, str]:
        domain = urlsplit(self.api_url).netloc
        return {"Saleor-Domain": domain, "Saleor-Api-Url": self.api_url}

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=self._transport, timeout=18.0, trust_env=False)

    def dashboard_token(self, permissions: Sequence[str], **changed: Any) -> str:
        """Return a token as the Dashboard hands it to the app's frame."""
        if self.installed is None:
            raise ValueError("no app is installed")
        issued = int(time.time())
        claims = {
            "iat": issued,
            "exp": issued + 300,
            "iss": self.api_url,
            "owner": "saleor",
            "type": "thirdparty",
            "app": self.installed.app["id"],
            "user_id": global_id("User", 1),
            "email": "admin@example.com",
            "is_staff": True,
            "permissions": list(permissions),
            "user_permissions": list(permissions),
        }
        return self.signer.token(claims | changed)


def _comes_again(delivery: Delivery) -> bool:
    return delivery.status is None or delivery.status >= _SERVER_ERROR
