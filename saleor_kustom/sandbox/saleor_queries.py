"""What the simulated Saleor answers to queries: who asks, orders, and an app's own deliveries."""

import base64
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from graphql import GraphQLError

from saleor_kustom.sandbox.saleor_api import Asked, Resolver, permission_denied
from saleor_kustom.sandbox.saleor_orders import Wire
from saleor_kustom.sandbox.saleor_transactions import all_events


def _app(asked: Asked, _source: Any, given: Wire) -> Wire | None:
    """Return the app that asks; about others only MANAGE_APPS may ask, which no app has."""
    if asked.app is None:
        raise permission_denied("AUTHENTICATED_STAFF_USER", "AUTHENTICATED_APP")
    if given.get("id") not in (None, asked.app["id"]):
        raise permission_denied("MANAGE_APPS")
    return asked.app


def _shop(asked: Asked, _source: Any, _given: Wire) -> Wire:
    saleor = asked.saleor
    return {
        "version": saleor.version,
        "schemaVersion": ".".join(saleor.version.split(".")[:2]),
        "fulfillmentAllowUnpaid": saleor.allow_unpaid,
        "fulfillmentAutoApprove": saleor.auto_approve,
    }


def _order(asked: Asked, _source: Any, given: Wire) -> Wire | None:
    """Return an order. An id that can't be one is an error, one that is not known is null."""
    order_id = given["id"]
    if not _can_be(order_id, "Order"):
        message = f"Invalid ID: {order_id}. Expected: Order."
        raise GraphQLError(message, extensions={"exception": {"code": "GraphQLError"}})
    found: Wire | None = asked.saleor.orders.get(order_id)
    return found


def _can_be(given_id: str, kind: str) -> bool:
    """Tell whether an id has Saleor's form; one of another kind is merely not found."""
    try:
        found, separator, pk = base64.b64decode(given_id, validate=True).decode().partition(":")
    except ValueError:
        return False
    if found != kind:
        return bool(separator)
    return pk.isdecimal() or _is_uuid(pk)


def _is_uuid(text: str) -> bool:
    try:
        return bool(uuid.UUID(text))
    except ValueError:
        return False


def _checkout(asked: Asked, _source: Any, given: Wire) -> Wire | None:
    found: Wire | None = asked.saleor.checkouts.get(given.get("id"))
    return found


def _orders(asked: Asked, _source: Any, given: Wire) -> Wire:
    """List orders, newest first. 3.21 knows `filter` alone, and `where` may not come with it."""
    where, old = given.get("where"), given.get("filter")
    if where and old:
        raise GraphQLError("Only one filtering argument (filter or where) can be specified.")
    wanted = [_wanted(name, value) for name, value in (where or old or {}).items()]
    ranked = sorted(((-int(o["number"]), o) for o in asked.saleor.orders.values()), key=_rank)
    return _connection([(n, o) for n, o in ranked if all(is_it(o) for is_it in wanted)], given)


def _wanted(name: str, value: Any) -> Callable[[Wire], bool]:
    """Return the test that one entry of `where` or `filter` makes."""
    if name in ("chargeStatus", "authorizeStatus"):
        allowed = value
        if isinstance(value, Mapping):
            allowed = value.get("oneOf") or [value.get("eq")]
        return lambda order: order[name] in allowed
    if name == "hasFulfillments":
        return lambda order: bool(order["fulfillments"]) == value
    if name in ("ids", "numbers"):
        field = name.removesuffix("s")
        return lambda order: order[field] in value
    field = {"createdAt": "created"}.get(name, name)
    return lambda order: _within(order[field], value)


def _within(moment: str, limits: Mapping[str, str]) -> bool:
    """Compare times; a Date (3.21) counts whole days."""
    for name, limit in limits.items():
        day = len(limit) == len("2026-11-23")
        at: Any = datetime.fromisoformat(moment)
        edge: Any = datetime.fromisoformat(limit)
        at, edge = (at.date(), edge.date()) if day else (at, edge)
        if (name == "gte" and at < edge) or (name == "lte" and at > edge):
            return False
    return True


def _tax_configuration(asked: Asked, source: Wire, _given: Wire) -> Wire:
    """Return a channel's taxes. Recordings lack them; the channel that they come from has tax."""
    if asked.app is None:
        raise permission_denied("AUTHENTICATED_STAFF_USER", "AUTHENTICATED_APP")
    found: Wire = source.get("taxConfiguration", {"pricesEnteredWithTax": True})
    return found


def _problems(_asked: Asked, source: Wire, given: Wire) -> Sequence[Wire]:
    """List problems, the newest first: Saleor keeps those that were dismissed, and says by whom."""
    problems = list(reversed(source.get("problems", ())))
    return problems[: given.get("limit") or None]


def _webhooks(asked: Asked, source: Wire, _given: Wire) -> Sequence[Wire]:
    installed = asked.saleor.installed
    known = installed is not None and installed.app["id"] == source["id"]
    return installed.webhooks if known else []


def _deliveries(asked: Asked, source: Wire, given: Wire) -> Wire:
    """List a webhook's deliveries that failed or will come again; the rest is deleted at once."""
    saleor = asked.saleor
    kinds = {"FAILED": saleor.failed, "PENDING": saleor.pending}
    wanted = given.get("filter") or {}
    nodes = [
        {
            "id": delivery.id,
            "status": status,
            "eventType": delivery.event.upper(),
            "createdAt": delivery.created_at,
            "payload": delivery.body.decode(),
        }
        for status, deliveries in kinds.items()
        for delivery in deliveries
        if delivery.webhook is not None and delivery.webhook["id"] == source["id"]
    ]
    for name, value in wanted.items():
        nodes = [node for node in nodes if node[name] == value]
    return _connection(list(enumerate(nodes)), given)


def _rank(ranked: tuple[int, Wire]) -> int:
    return ranked[0]


def _connection(ranked: Sequence[tuple[int, Wire]], given: Wire) -> Wire:
    """Return a page of nodes. Saleor insists on `first`, and on at most 100.

    A cursor is a value of what is sorted by, as Saleor's: what leaves the list moves no page.
    """
    first = given.get("first")
    if first is None:
        raise GraphQLError("You must provide a `first` or `last` value to properly paginate.")
    if first > _MOST:
        raise GraphQLError(f"Requesting {first} records exceeds the `first` limit of {_MOST}.")
    after = _position(given["after"]) if given.get("after") else None
    rest = [(rank, node) for rank, node in ranked if after is None or rank > after]
    edges = [{"cursor": _cursor(rank), "node": node} for rank, node in rest[:first]]
    return {
        "edges": edges,
        "totalCount": len(ranked),
        "pageInfo": {
            "hasNextPage": first < len(rest),
            "hasPreviousPage": len(rest) < len(ranked),
            "startCursor": edges[0]["cursor"] if edges else None,
            "endCursor": edges[-1]["cursor"] if edges else None,
        },
    }


_MOST = 100


def _cursor(rank: int) -> str:
    return base64.b64encode(f"[{rank}]".encode()).decode()


def _position(cursor: str) -> int:
    try:
        return int(base64.b64decode(cursor).decode().strip("[]"))
    except ValueError:
        raise GraphQLError("Received cursor is invalid.") from None


def _events(_asked: Asked, source: Wire, _given: Wire) -> Iterable[Wire]:
    return all_events(source)


def _order_events(_asked: Asked, source: Wire, _given: Wire) -> Sequence[Wire]:
    return [{"type": "NOTE_ADDED", "message": note} for note in source.get("notes", ())]


def _order_of(asked: Asked, source: Wire, _given: Wire) -> Wire | None:
    order, _ = asked.saleor.find_transaction(source["id"])
    found: Wire | None = order
    return found


def _async_events(_asked: Asked, source: Wire, _given: Wire) -> Sequence[Wire]:
    return [{"eventType": event, "name": event} for event in source["events"]]


def _sync_events(_asked: Asked, source: Wire, _given: Wire) -> Sequence[Wire]:
    return [{"eventType": event, "name": event} for event in source["syncEvents"]]


#: Type and field → resolver; every other field is the value of that name.
QUERIES: Mapping[str, Resolver] = {
    "Query.app": _app,
    "Query.shop": _shop,
    "Query.order": _order,
    "Query.checkout": _checkout,
    "Query.orders": _orders,
    "App.problems": _problems,
    "App.webhooks": _webhooks,
    "Channel.taxConfiguration": _tax_configuration,
    "Webhook.asyncEvents": _async_events,
    "Webhook.syncEvents": _sync_events,
    "Webhook.eventDeliveries": _deliveries,
    "Order.events": _order_events,
    "TransactionItem.events": _events,
    "TransactionItem.order": _order_of,
}
