"""The benchmark's shop: its key, its orders, and the deliveries that it posts.

Order `n` has three lines and as many parcels as `parcels_of` says; each parcel holds a unit of each
line. Everything follows from the numbers, so that the processes need not tell each other.
"""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from joserfc.jwk import RSAKey

from saleor_kustom.bench import wire
from saleor_kustom.sandbox.signing import Signer

APP_ID = "QXBwOjE="
TOKEN = "the benchmark's token"  # noqa: S105 - of a shop that does not exist
USERNAME, PASSWORD, MERCHANT = "PM1-bench", "the benchmark's password", "PM1"
SALEOR = "3.23.28"
EVENT = "fulfillment_created"
PATH = f"/api/webhooks/saleor/{EVENT}"
LINES = 3
UNIT_MINOR = 100_00
FEE_MINOR = 49_00
_CREATED = "2026-11-23T12:00:00.000000+00:00"


def parcels_of(order: int) -> int:
    """Return how many parcels an order has: 10 on 3 orders, 10,000 on 3,000."""
    return 4 if order % 3 == 0 else 3


def total_minor(order: int, lines: int = LINES) -> int:
    """Return what an order costs in minor units."""
    return lines * parcels_of(order) * UNIT_MINOR + FEE_MINOR


def order_id(order: int) -> str:
    """Return an order's id in Saleor."""
    return f"Order-{order}"


def kustom_order_id(order: int) -> str:
    """Return the id of the Kustom order that pays for it, in the form of Kustom's ids."""
    return f"00000000-0000-4000-8000-{order:012x}"


def fulfillment_id(order: int, parcel: int) -> str:
    """Return a parcel's id in Saleor; parcels are counted from 1."""
    return f"Fulfillment-{order}-{parcel}"


def body(order: int, parcel: int, size: int = 0) -> bytes:
    """Return what our subscription makes of a parcel, filled up to `size` bytes.

    What fills it up are lines as a wider subscription would have them.
    """
    contents: dict[str, Any] = {
        "__typename": "FulfillmentCreated",
        "issuedAt": "2026-11-26T05:24:03.035310+00:00",
        "version": SALEOR,
        "recipient": {"id": APP_ID},
        "issuingPrincipal": {"__typename": "User"},
        "fulfillment": {
            "id": fulfillment_id(order, parcel),
            "created": _CREATED,
            "status": "FULFILLED",
        },
        "order": {"id": order_id(order), "number": str(order), "channel": {"slug": "se"}},
    }
    bare = json.dumps(contents).encode()
    if size <= len(bare):
        return bare
    line = {"id": "T3JkZXJMaW5lOjE=", "productName": "Tr\u00f6ja", "quantity": 1, "amount": 100.0}
    more = max(1, (size - len(bare)) // (len(json.dumps(line)) + 2))
    return json.dumps(contents | {"lines": [line] * more}).encode()


@dataclass(frozen=True, slots=True)
class Posting:
    """Who posts: the shop's API URL and its key."""

    api_url: str
    signer: Signer

    @classmethod
    def of(cls, api_url: str, key: dict[str, Any]) -> "Posting":
        """Return it with a key as JWK, the private part included."""
        return cls(api_url, Signer(RSAKey.import_key(key)))

    def request(self, contents: bytes) -> bytes:
        """Return a signed delivery as Saleor writes it to the connection."""
        host = urlsplit(self.api_url).netloc
        signature = self.signer.sign(contents)
        headers = {
            "User-Agent": f"Saleor/{SALEOR}",
            "Accept-Encoding": "gzip, deflate",
            "Accept": "*/*",
            "Connection": "keep-alive",
            "Content-Type": "application/json",
            "X-Saleor-Event": EVENT,
            "X-Saleor-Domain": host,
            "X-Saleor-Signature": signature,
            "Saleor-Event": EVENT,
            "Saleor-Domain": host,
            "Saleor-Signature": signature,
            "Saleor-Api-Url": self.api_url,
            "traceparent": "00-3ef39cee7270fdfe46b9fbecc35a07a2-623ec34badc7dc8c-01",
            "Host": "app.bench",
        }
        return wire.request("POST", PATH, headers, contents)


def order_wire(order: int, lines: int = LINES) -> dict[str, Any]:
    """Return an order as Saleor answers queries/order.graphql."""
    parcels, total = parcels_of(order), total_minor(order, lines)
    return {
        "id": order_id(order),
        "number": str(order),
        "origin": "CHECKOUT",
        "status": "FULFILLED",
        "languageCodeEnum": "SV",
        "channel": {
            "slug": "se",
            "currencyCode": "SEK",
            "taxConfiguration": {"pricesEnteredWithTax": True},
        },
        "total": _gross(total),
        "subtotal": _gross(total - FEE_MINOR),
        "shippingPrice": _gross(FEE_MINOR),
        "undiscountedShippingPrice": {"amount": FEE_MINOR / 100},
        "shippingTaxRate": 0.25,
        "shippingMethodName": "PostNord",
        "userEmail": "shopper@shop.example",
        "totalAuthorized": {"amount": total / 100},
        "totalCharged": {"amount": 0.0},
        "giftCards": [],
        "metadata": [],
        "privateMetadata": [],
        "lines": [_line(line, parcels) for line in range(1, lines + 1)],
        "fulfillments": [_fulfillment(order, parcel, lines) for parcel in range(1, parcels + 1)],
        "transactions": [
            {
                "id": f"Transaction-{order}",
                "name": "Kustom",
                "pspReference": kustom_order_id(order),
                "authorizedAmount": {"amount": total / 100},
                "chargedAmount": {"amount": 0.0},
                "refundedAmount": {"amount": 0.0},
                "canceledAmount": {"amount": 0.0},
                "createdBy": {"__typename": "App", "id": APP_ID, "identifier": "saleor-kustom"},
            }
        ],
    }


def _line(line: int, quantity: int) -> dict[str, Any]:
    return {
        "id": f"Line-{line}",
        "productName": "Tr\u00f6ja",
        "variantName": "M",
        "productSku": f"SKU-{line}",
        "quantity": quantity,
        "isShippingRequired": True,
        "totalPrice": _gross(quantity * UNIT_MINOR),
        "undiscountedTotalPrice": _gross(quantity * UNIT_MINOR),
        "taxRate": 0.25,
        "thumbnail": {"url": f"https://shop.example/media/{line}.png"},
        "variant": {
            "id": f"Variant-{line}",
            "product": {"slug": f"troja-{line}", "productType": {"kind": "NORMAL"}},
        },
    }


def _fulfillment(order: int, parcel: int, lines: int) -> dict[str, Any]:
    units = [{"quantity": 1, "orderLine": {"id": f"Line-{n}"}} for n in range(1, lines + 1)]
    return {
        "id": fulfillment_id(order, parcel),
        "fulfillmentOrder": parcel,
        "status": "FULFILLED",
        "created": _CREATED,
        "trackingNumber": f"UJ{order:07d}{parcel:02d}SE",
        "warehouse": {"slug": "lager"},
        "metadata": [],
        "privateMetadata": [],
        "lines": units,
    }


def _gross(minor: int) -> dict[str, Any]:
    return {"gross": {"amount": minor / 100, "currency": "SEK"}}
