"""The floor under a capture: the four calls that it can't avoid, in a loop, and nothing else.

The same requests over the same library, httpx, one client for each of the concurrent loops. No
webhook, no decision, no database: no capture can be faster with that library.
"""

import asyncio
import json
import ssl
import time
from collections.abc import Iterator
from typing import Any

import httpx
from graphql import print_ast

from saleor_kustom.bench import shop
from saleor_kustom.bench.child import Talk, begin
from saleor_kustom.saleor.client import document

READ, WRITE = (print_ast(document(name)) for name in ("order", "report"))
_JSON = {"Content-Type": "application/json"}


async def main(given: dict[str, Any], talk: Talk) -> None:
    """Make the calls of so many captures, as often as asked."""
    tls = ssl.create_default_context()
    talk.say(ready=True)
    while (asked := await talk.heard()) is not None:
        parcels = iter([(order, parcel) for order, parcel in asked["parcels"]])
        began = time.monotonic()
        loops = (_loop(given, parcels, tls) for _ in range(asked["concurrency"]))
        await asyncio.gather(*loops)
        talk.say(spent_s=time.monotonic() - began)


async def _loop(
    given: dict[str, Any], parcels: "Iterator[tuple[int, int]]", tls: ssl.SSLContext
) -> None:
    """Capture one parcel after the other."""
    async with httpx.AsyncClient(verify=tls, trust_env=False, timeout=None) as client:  # noqa: S113 - the stubs answer
        for order, parcel in parcels:
            await _four_calls(client, given, order, parcel)


async def _four_calls(
    client: httpx.AsyncClient, given: dict[str, Any], order: int, parcel: int
) -> None:
    saleor = f"{given['saleor']}/graphql/"
    kustom = f"{given['kustom']}/ordermanagement/v1/orders/{shop.kustom_order_id(order)}"
    read = {"query": READ, "variables": {"id": shop.order_id(order)}}
    (await client.post(saleor, content=json.dumps(read), headers=_JSON)).json()
    (await client.get(kustom)).json()
    capture = {"captured_amount": shop.LINES * shop.UNIT_MINOR, "reference": f"{order}/{parcel}"}
    await client.post(f"{kustom}/captures", content=json.dumps(capture), headers=_JSON)
    write = {"query": WRITE, "variables": {"order": shop.order_id(order)}}
    (await client.post(saleor, content=json.dumps(write), headers=_JSON)).json()


if __name__ == "__main__":
    begin(main)
