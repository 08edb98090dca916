"""Make webhooks/*/delivery.json and webhooks/jwks.json anew; the private key is thrown away.

Run it after a subscription document changed or a webhook came: `.venv/bin/python
scripts/sign_deliveries.py`. One delivery of each event is made by the simulated Saleor from our
own documents, so each has exactly its document's shape.
"""

import asyncio
import json
from pathlib import Path

from saleor_kustom.intake.delivery import EVENTS
from saleor_kustom.saleor.manifest import manifest
from saleor_kustom.sandbox.saleor import SimulatedSaleor
from saleor_kustom.sandbox.saleor_orders import Line
from saleor_kustom.sandbox.saleor_post import Installed
from saleor_kustom.sandbox.saleor_schema import NEWEST

TOP = Path(__file__).parent.parent / "webhooks"
APP_URL, API_URL = "https://kustom.shop.example", "https://shop.example/graphql/"


def main() -> None:
    saleor = SimulatedSaleor(API_URL, version=NEWEST)
    made = saleor.created(manifest(APP_URL, (3, 23)))
    saleor.installed = made
    for event in EVENTS:
        delivery = asyncio.run(saleor.signed(event, _value(saleor, made, event)))
        headers = [*delivery.headers, ("Content-Length", str(len(delivery.body)))]
        kept = {
            "headers": [list(header) for header in (*headers, ("Host", "kustom.shop.example"))],
            "body": delivery.body.decode(),
        }
        _write(TOP / event / "delivery.json", kept)
    _write(TOP / "jwks.json", saleor.signer.jwks())


def _value(saleor: SimulatedSaleor, made: Installed, event: str) -> dict[str, object]:
    order = saleor.add_order(
        [Line("Mug", "33.33", 3)], psp_reference="8c9e2c4e-3b0c-4f6c-9f1d-0a1f6f1f2f3d"
    )
    kind = event.split("_")[1].upper().replace("CANCELATION", "CANCEL")
    refunded = {"id": "T3JkZXJHcmFudGVkUmVmdW5kTGluZTox", "quantity": 1}
    return {
        "__typename": EVENTS[event],
        "issuedAt": order["created"],
        "version": saleor.version,
        "recipient": made.app,
        "issuingPrincipal": {"__typename": "User", "id": "VXNlcjox"},
        "fulfillment": saleor.fulfill(order["id"]),
        "order": order,
        "app": made.app,
        "transaction": order["transactions"][0],
        "sourceObject": saleor.add_checkout([Line("Mug", "33.33", 3)]) | {"__typename": "Checkout"},
        "data": {"kustomOrderId": "8c9e2c4e-3b0c-4f6c-9f1d-0a1f6f1f2f3d"},
        "action": {"actionType": kind, "amount": 33.33, "currency": "SEK"},
        "grantedRefund": {
            "id": "T3JkZXJHcmFudGVkUmVmdW5kOjE=",
            "shippingCostsIncluded": False,
            "amount": {"amount": 33.33, "currency": "SEK"},
            "lines": [refunded | {"orderLine": order["lines"][0]}],
        },
    }


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
