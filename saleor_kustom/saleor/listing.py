"""What Saleor has that we might not know of: its failed deliveries, and unsettled orders."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from saleor_kustom.capture.delivery import VerifiedBody, utc_text
from saleor_kustom.capture.parties import Shop
from saleor_kustom.errors import Refused
from saleor_kustom.saleor.client import SaleorClient, document, release

_WHERE = document("orders_where")
_FILTER = document("orders_filter")
_FAILED = document("failed_deliveries")
#: Not charged in full: what a capture may be missing for. Not asked is whether Saleor shows
#: anything as authorized, since an order may be linked by metadata alone.
_CHARGE = ["NONE", "PARTIAL"]
_AUTHORIZED = ["FULL", "PARTIAL"]
_TRACKING = frozenset({"fulfillment_tracking_number_updated", "fulfillment_metadata_updated"})


@dataclass(frozen=True, slots=True)
class Shipped:
    """A fulfillment that Saleor has: its identity (domain rule 3) and status."""

    order_id: str
    fulfillment_id: str
    created: str  # UTC, ISO 8601 with microseconds
    status: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page of fulfillments; `after` leads to the next, None: it was the last."""

    shipped: tuple[Shipped, ...]
    after: str | None


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One page of order ids; `after` leads to the next, None: it was the last."""

    order_ids: tuple[str, ...]
    after: str | None


@dataclass(frozen=True, slots=True)
class Failed:
    """What Saleor could not deliver, and its version now ("3.22.67"; empty: not known).

    `tracking`: event names and bodies of what told of a fulfillment's tracking, which no list of
    orders shows.
    """

    shipped: tuple[Shipped, ...]
    saleor_version: str
    cancelled: tuple[tuple[str, str], ...] = ()  # orders, each with its channel's slug
    tracking: tuple[tuple[str, VerifiedBody], ...] = ()


class Listing:
    """Reads lists from a shop. Raises Refused or Unavailable as SaleorClient does."""

    def __init__(self, client: SaleorClient) -> None:
        self._client = client

    async def shipped(
        self, shop: Shop, *, since: datetime | None, after: str | None, settled: bool = False
    ) -> Page:
        """Return a page of fulfillments of orders created `since`; `settled`: paid ones too."""
        where = _where(since) | {"hasFulfillments": True}
        chosen = _filter(since)
        if settled:
            del where["chargeStatus"], chosen["chargeStatus"]
        nodes, after = await self._orders(shop, where, chosen, after)
        try:
            shipped = tuple(s for node in nodes for s in _shipped(node))
        except (KeyError, TypeError, ValueError) as error:
            raise Refused("NOT_UNDERSTOOD", ("the list of orders",)) from error
        return Page(shipped, after)

    async def authorized(
        self, shop: Shop, *, since: datetime | None, after: str | None
    ) -> OrderPage:
        """Return a page of orders that are authorized and not charged in full, shipped or not."""
        where = _where(since) | {"authorizeStatus": {"oneOf": _AUTHORIZED}}
        chosen = _filter(since) | {"authorizeStatus": _AUTHORIZED}
        nodes, after = await self._orders(shop, where, chosen, after)
        return OrderPage(tuple(str(node["id"]) for node in nodes), after)

    async def _orders(
        self, shop: Shop, where: dict[str, Any], chosen: dict[str, Any], after: str | None
    ) -> tuple[list[Mapping[str, Any]], str | None]:
        if release(shop.saleor_version) >= (3, 22):
            variables: dict[str, Any] = {"where": where, "after": after}
            found = await self._client.read(shop, _WHERE, variables)
        else:
            found = await self._client.read(shop, _FILTER, {"filter": chosen, "after": after})
        try:
            orders = found["orders"]
            page = orders["pageInfo"]
            nodes = [edge["node"] for edge in orders["edges"]]
            return nodes, page["endCursor"] if page["hasNextPage"] else None
        except (KeyError, TypeError) as error:
            raise Refused("NOT_UNDERSTOOD", ("the list of orders",)) from error

    async def failed(self, shop: Shop) -> Failed:
        """Return the fulfillments of deliveries that Saleor gave up on, and its version."""
        found = await self._client.read(shop, _FAILED, {})
        webhooks = (found.get("app") or {}).get("webhooks") or ()
        edges = [e for w in webhooks for e in (w.get("eventDeliveries") or {}).get("edges", ())]
        nodes = [edge["node"] for edge in edges]
        bodies = [_contents(node.get("payload")) for node in nodes]
        version = (found.get("shop") or {}).get("version") or ""
        return Failed(
            tuple(shipped for shipped in map(_of_payload, bodies) if shipped is not None),
            str(version),
            tuple(order for order in map(_cancelled, bodies) if order is not None),
            tuple(one for one in map(_tracking, nodes) if one is not None),
        )


def _where(since: datetime | None) -> dict[str, Any]:
    where: dict[str, Any] = {
        "chargeStatus": {"oneOf": _CHARGE},
    }
    if since is not None:
        where["createdAt"] = {"gte": since.astimezone(UTC).isoformat()}
    return where


def _filter(since: datetime | None) -> dict[str, Any]:
    chosen: dict[str, Any] = {"chargeStatus": _CHARGE}
    if since is not None:
        chosen["created"] = {"gte": since.astimezone(UTC).date().isoformat()}
    return chosen


def _shipped(order: Mapping[str, Any]) -> Iterator[Shipped]:
    for fulfillment in order["fulfillments"]:
        yield Shipped(
            order["id"], fulfillment["id"], utc_text(fulfillment["created"]), fulfillment["status"]
        )


def _contents(payload: Any) -> Any:
    try:
        return json.loads(payload)
    except (ValueError, TypeError):
        return None


def _of_payload(body: Any) -> Shipped | None:
    """Return what a failed delivery was about; None for what is about no fulfillment."""
    try:
        [shipped] = _shipped({"id": body["order"]["id"], "fulfillments": [body["fulfillment"]]})
    except (ValueError, KeyError, TypeError):
        return None
    return shipped


def _cancelled(body: Any) -> tuple[str, str] | None:
    """Return the order that a failed delivery of ORDER_CANCELLED was about, and its channel."""
    try:
        order = body["order"] if body["__typename"] == "OrderCancelled" else None
        return (str(order["id"]), str(order["channel"]["slug"])) if order else None
    except (KeyError, TypeError):
        return None


def _tracking(node: Mapping[str, Any]) -> tuple[str, VerifiedBody] | None:
    """Return a failed delivery that told of tracking. Our own token fetched it (domain rule 28)."""
    event, payload = str(node.get("eventType") or "").lower(), node.get("payload")
    if event not in _TRACKING or not isinstance(payload, str):
        return None
    return event, VerifiedBody(payload.encode())
