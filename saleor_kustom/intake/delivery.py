"""Read a verified body: which fulfillment it is about, and for whom it was meant.

Tolerant on purpose: a genuine delivery whose contents make no sense is kept for a person, never
refused (domain rule 2). Only a body that is not of the event it claims to be is not genuine.
"""

import json
from collections.abc import Mapping
from typing import Any

from saleor_kustom.capture.delivery import Delivery, VerifiedBody, utc_text
from saleor_kustom.errors import NotGenuine

#: Event name in the URL and the header → `__typename` in the body.
EVENTS: Mapping[str, str] = {
    "fulfillment_created": "FulfillmentCreated",
    "fulfillment_tracking_number_updated": "FulfillmentTrackingNumberUpdated",
    "fulfillment_metadata_updated": "FulfillmentMetadataUpdated",
    "fulfillment_canceled": "FulfillmentCanceled",
    "order_cancelled": "OrderCancelled",
    "app_deleted": "AppDeleted",
}


def read_delivery(event: str, body: VerifiedBody) -> Delivery:
    """Return what the delivery says. Raises NotGenuine when it is of another event."""
    contents = _contents(body)
    typename = _text(contents, "__typename")
    if typename is not None and typename != EVENTS[event]:
        raise NotGenuine("EVENT_DIFFERS", f"The body is a {typename}, posted as {event}.")
    fulfillment = _object(contents, "fulfillment")
    created, problem = _created(fulfillment)
    order_id = _text(_object(contents, "order"), "id")
    fulfillment_id = _text(fulfillment, "id")
    if typename is None:
        problem = "no __typename"
    elif "errors" in contents:
        problem = "Saleor added errors to the payload"
    elif event.startswith("fulfillment_") and not (order_id and fulfillment_id and created):
        problem = problem or "order or fulfillment is missing"
    return Delivery(
        event=event,
        recipient_id=_text(_object(contents, "recipient"), "id"),
        issuing_app_id=_issuing_app(contents),
        order_id=order_id,
        fulfillment_id=fulfillment_id,
        fulfillment_created=created,
        app_id=_text(_object(contents, "app"), "id"),
        problem=problem,
    )


def _contents(body: VerifiedBody) -> Mapping[str, Any]:
    try:
        contents = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return contents if isinstance(contents, dict) else {}


def _created(fulfillment: Mapping[str, Any]) -> tuple[str | None, str | None]:
    created = _text(fulfillment, "created")
    if created is None:
        return None, None
    try:
        return utc_text(created), None
    except ValueError:
        return None, f"created is no time: {created[:40]!r}"


def _issuing_app(contents: Mapping[str, Any]) -> str | None:
    principal = _object(contents, "issuingPrincipal")
    return _text(principal, "id") if principal.get("__typename") == "App" else None


def _object(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    inner = value.get(key)
    return inner if isinstance(inner, dict) else {}


def _text(value: Mapping[str, Any], key: str) -> str | None:
    inner = value.get(key)
    return inner if isinstance(inner, str) and inner else None
