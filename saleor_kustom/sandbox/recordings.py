"""Recorded deliveries of a real Saleor: its orders, keys and app id, for the sandbox to serve.

A recording is a JSON file with `headers` (name, value pairs) and `body` (the exact text);
beside them lies `jwks.json`, the key set that verifies them.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from saleor_kustom.capture.money import to_minor
from saleor_kustom.sandbox.kustom import SimulatedKustom
from saleor_kustom.sandbox.saleor import SimulatedSaleor
from saleor_kustom.sandbox.saleor_orders import Wire, amount_of

#: What our document asks and some recordings lack, empty.
_LACKING: Wire = {
    "origin": "CHECKOUT",
    "collectionPointName": None,
    "giftCards": [],
    "userEmail": None,
    "metadata": [],
    "privateMetadata": [],
    "transactions": [],
}
_AMOUNTS = ("authorizedAmount", "chargedAmount", "refundedAmount", "canceledAmount")


@dataclass(frozen=True, slots=True)
class Recording:
    """One delivery as it came."""

    name: str
    event: str
    headers: Sequence[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """Return a header's value, or an empty string."""
        return next((v for k, v in self.headers if k.lower() == name), "")

    async def post(self, client: httpx.AsyncClient, app_url: str) -> httpx.Response:
        """Post it to an app at another address: the same headers in their order, the same bytes."""
        url = f"{app_url.rstrip('/')}/api/webhooks/saleor/{self.event}"
        headers = list(self.headers)
        return await client.send(httpx.Request("POST", url, headers=headers, content=self.body))


@dataclass(frozen=True, slots=True)
class Authorized:
    """An order that must exist at Kustom, for these recordings to be captured."""

    kustom_order_id: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """A directory of recordings."""

    deliveries: Sequence[Recording]
    jwks: str
    api_url: str
    app_id: str
    app_identifier: str
    version: str
    orders: dict[str, Wire]

    def saleor(self) -> SimulatedSaleor:
        """Return a simulated Saleor that has these orders, keys and this app, for any token."""
        saleor = SimulatedSaleor(self.api_url, version=self.version)
        saleor.jwks_override = self.jwks
        saleor.orders = self.orders
        saleor.trust(
            {
                "id": self.app_id,
                "identifier": self.app_identifier,
                "permissions": [{"code": "MANAGE_ORDERS"}, {"code": "HANDLE_PAYMENTS"}],
            }
        )
        return saleor

    def authorized(self) -> Iterator[Authorized]:
        """Yield the orders at Kustom: what is authorized still, and what was moved since."""
        for order in self.orders.values():
            currency = order["channel"]["currencyCode"]
            for transaction in order["transactions"]:
                amounts = (amount_of(transaction[name]) for name in _AMOUNTS)
                minor = to_minor(sum(amounts, Decimal(0)), currency)
                if transaction["pspReference"] and minor:
                    yield Authorized(transaction["pspReference"], minor, currency)

    def authorize(self, kustom: SimulatedKustom, merchant_id: str) -> None:
        """Place them at a simulated Kustom."""
        for order in self.authorized():
            kustom.add_order(order.kustom_order_id, order.amount_minor, order.currency, merchant_id)


def load_recordings(directory: Path) -> Recorded:
    """Read a directory. Raises FileNotFoundError when it holds no recordings."""
    deliveries = sorted(_deliveries(directory), key=lambda pair: pair[0])
    if not deliveries:
        raise FileNotFoundError(f"{directory} holds no recorded deliveries")
    bodies = [json.loads(recording.body) for _, recording in deliveries]
    recipient = next(body["recipient"] for body in bodies if body.get("recipient"))
    return Recorded(
        deliveries=[recording for _, recording in deliveries],
        jwks=(directory / "jwks.json").read_text(encoding="utf-8"),
        api_url=deliveries[0][1].header("saleor-api-url"),
        app_id=recipient["id"],
        app_identifier=recipient.get("identifier", ""),
        version=next(body["version"] for body in bodies if body.get("version")),
        orders=_orders(bodies),
    )


def _deliveries(directory: Path) -> Iterator[tuple[str, Recording]]:
    for path in directory.glob("*.json"):
        wire = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(wire, dict) or "Saleor-Event" not in dict(wire.get("headers", ())):
            continue
        headers = [(name, value) for name, value in wire["headers"]]
        event = dict(headers)["Saleor-Event"]
        yield wire["received_at"], Recording(path.stem, event, headers, wire["body"].encode())


def _orders(bodies: Sequence[Wire]) -> dict[str, Wire]:
    """Return each order as the last recording shows it, with every fulfillment ever seen.

    A delivery of a fulfillment that was emptied since can so still be looked at.
    """
    orders: dict[str, Wire] = {}
    for body in bodies:
        order = body.get("order")
        if not order:
            continue
        seen = {f["id"]: f for f in orders.get(order["id"], {}).get("fulfillments", ())}
        seen |= {f["id"]: f for f in order["fulfillments"]}
        delivered = body.get("fulfillment")
        if delivered:
            seen[delivered["id"]] = delivered
        merged: Wire = _LACKING | order | {"fulfillments": list(seen.values())}
        merged["transactions"] = [_transaction(t) for t in merged["transactions"]]
        orders[order["id"]] = merged
    return orders


def _transaction(recorded: Wire) -> Wire:
    """Return a transaction as the sandbox keeps it: events oldest first, reported ones apart."""
    events = [event | {"counts": _counts(event)} for event in reversed(recorded["events"])]
    return {
        "externalUrl": "",
        "message": "",
        "paymentMethodDetails": None,
        **recorded,
        "adjustments": [event for event in events if not event["pspReference"]],
        "events": [event for event in events if event["pspReference"]],
    }


def _counts(event: dict[str, Any]) -> bool:
    """A failure that Saleor wrote itself, on a contradicting report, counts for nothing."""
    return event["createdBy"] is not None or not event["type"].endswith("_FAILURE")
