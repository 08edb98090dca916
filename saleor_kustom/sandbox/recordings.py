"""Recorded deliveries of a real Saleor: its orders, keys and app id, for the sandbox to serve.

A recording is a JSON file with `headers` (name, value pairs) and `body` (the exact text);
beside them lies `jwks.json`, the key set that verifies them.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from saleor_kustom.sandbox.kustom import SimulatedKustom
from saleor_kustom.sandbox.saleor import SimulatedSaleor
from saleor_kustom.sandbox.saleor_orders import Wire

#: What our document asks and older recordings lack, empty.
_LACKING: Wire = {"origin": "CHECKOUT", "giftCards": [], "collectionPointName": None}


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


@dataclass(frozen=True, slots=True)
class Recorded:
    """A directory of recordings."""

    deliveries: Sequence[Recording]
    jwks: str
    api_url: str
    app_id: str
    app_identifier: str
    orders: dict[str, Wire]

    def saleor(self) -> SimulatedSaleor:
        """Return a simulated Saleor that has these orders, keys and this app."""
        saleor = SimulatedSaleor(self.api_url)
        saleor.jwks_override = self.jwks
        saleor.orders = self.orders
        saleor.trust(
            {
                "__typename": "App",
                "id": self.app_id,
                "identifier": self.app_identifier,
                "permissions": [{"code": "MANAGE_ORDERS"}, {"code": "HANDLE_PAYMENTS"}],
            }
        )
        return saleor

    def authorize(self, kustom: SimulatedKustom, merchant_id: str) -> None:
        """Place every order that was authorized at the simulated Kustom, under its pspReference."""
        for order in self.orders.values():
            for transaction in order["transactions"]:
                amount = sum(_amount(transaction, name) for name in _AMOUNTS)
                if transaction["pspReference"] and amount:
                    currency = order["channel"]["currencyCode"]
                    minor = int(amount.scaleb(2))
                    kustom.add_order(transaction["pspReference"], minor, currency, merchant_id)


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
    """Return each order as the last recording shows it, with every fulfillment ever seen."""
    orders: dict[str, Wire] = {}
    for body in bodies:
        order = body.get("order")
        if not order:
            continue
        before = orders.get(order["id"], {"fulfillments": []})
        seen = {f["id"]: f for f in before["fulfillments"]}
        seen |= {f["id"]: f for f in order["fulfillments"]}
        delivered = body.get("fulfillment")
        if delivered:
            seen[delivered["id"]] = delivered
        orders[order["id"]] = _LACKING | order | {"fulfillments": list(seen.values())}
        for transaction in order["transactions"]:
            for event in transaction.get("events", ()):
                if event.get("amount"):
                    event["amount"] = Decimal(str(_plain(event["amount"])))
    return orders


def _plain(amount: Wire | Decimal) -> object:
    return amount["amount"] if isinstance(amount, dict) else amount


_AMOUNTS = ("authorizedAmount", "chargedAmount", "refundedAmount", "canceledAmount")


def _amount(transaction: Wire, name: str) -> Decimal:
    return Decimal(str(transaction[name]["amount"]))
