"""Read a verified body: which fulfillment it is about, and for whom it was meant.

Tolerant on purpose: a genuine delivery whose contents make no sense is kept for a person, never
refused (domain rule 2). Only a body that is not of the event it claims to be is not genuine.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from saleor_kustom.capture.delivery import Delivery, VerifiedBody, utc_text
from saleor_kustom.errors import NotGenuine

_LONGEST = 500

#: Event name in the URL and the header → `__typename` in the body.
EVENTS: Mapping[str, str] = {
    "fulfillment_created": "FulfillmentCreated",
    "fulfillment_tracking_number_updated": "FulfillmentTrackingNumberUpdated",
    "fulfillment_metadata_updated": "FulfillmentMetadataUpdated",
    "fulfillment_canceled": "FulfillmentCanceled",
    "order_cancelled": "OrderCancelled",
    "transaction_charge_requested": "TransactionChargeRequested",
    "transaction_refund_requested": "TransactionRefundRequested",
    "transaction_cancelation_requested": "TransactionCancelationRequested",
    "payment_gateway_initialize_session": "PaymentGatewayInitializeSession",
    "transaction_initialize_session": "TransactionInitializeSession",
    "app_deleted": "AppDeleted",
}


def read_delivery(event: str, body: VerifiedBody) -> Delivery:
    """Return what the delivery says. Raises NotGenuine when it is of another event.

    What can't be understood is said in `problem`; the ids that were found are given all the same,
    so that the fulfillment is read over the API (domain rule 2).
    """
    contents = _contents(body)
    typename = _text(contents, "__typename")
    if typename is not None and typename != EVENTS[event]:
        raise NotGenuine("EVENT_DIFFERS", f"The body is a {typename}, posted as {event}.")
    fulfillment = _object(contents, "fulfillment")
    # What a storefront pays is an order, or a checkout that becomes one.
    order = (
        _object(contents, "order")
        or _object(_object(contents, "transaction"), "order")
        or _object(contents, "sourceObject")
    )
    delivery = Delivery(
        event=event,
        recipient_id=_text(_object(contents, "recipient"), "id"),
        issuing_app_id=_issuing_app(contents),
        order_id=_text(order, "id"),
        fulfillment_id=_text(fulfillment, "id"),
        fulfillment_created=_created(fulfillment),
        app_id=_text(_object(contents, "app"), "id"),
        channel=_text(_object(order, "channel"), "slug"),
    )
    return replace(delivery, problem=_problem(delivery, typename, contents))


def _problem(delivery: Delivery, typename: str | None, contents: Mapping[str, Any]) -> str | None:
    """Return why a person should look at it, or None."""
    missing = [name for name, value in _needed(delivery, typename).items() if value is None]
    problems = [f"without {', '.join(missing)}"] if missing else []
    errors = contents.get("errors", ())  # Saleor could not fill a field, and says so
    if not _says_only_not_granted(errors, contents):
        problems.append("with errors of Saleor")
    return ", ".join(problems) or None


def _says_only_not_granted(errors: Any, contents: Mapping[str, Any]) -> bool:
    """Tell whether errors, if there are any, say no more than that a refund was not granted.

    Saleor asks its resolvers about the granted refund of every refund, also of one that has none;
    each field that is never null then is an error (observed of 3.22.67; 3.21 and 3.23 have the same
    code). Amount and transaction stand beside it, so the refund is what it says.
    """
    not_granted = contents.get("grantedRefund", "") is None
    return isinstance(errors, list | tuple) and all(
        not_granted and isinstance(e, dict) and _path(e)[:2] == ["event", "grantedRefund"]
        for e in errors
    )


def _path(error: Mapping[str, Any]) -> list[Any]:
    path = error.get("path")
    return path if isinstance(path, list) else []


def _needed(delivery: Delivery, typename: str | None) -> Mapping[str, str | None]:
    """Return what a delivery of this event can't do without."""
    needed = {"__typename": typename, "recipient": delivery.recipient_id}
    if delivery.event == "app_deleted":
        return needed | {"app": delivery.app_id}
    needed["order"] = delivery.order_id
    if delivery.event.startswith("fulfillment_"):
        needed["fulfillment"] = delivery.fulfillment_id
        needed["created"] = delivery.fulfillment_created
    return needed


def _contents(body: VerifiedBody) -> Mapping[str, Any]:
    try:
        contents = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return contents if isinstance(contents, dict) else {}


def _created(fulfillment: Mapping[str, Any]) -> str | None:
    created = _text(fulfillment, "created")
    try:
        return utc_text(created) if created else None
    except ValueError:
        return None


def _issuing_app(contents: Mapping[str, Any]) -> str | None:
    principal = _object(contents, "issuingPrincipal")
    return _text(principal, "id") if principal.get("__typename") == "App" else None


def _object(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    inner = value.get(key)
    return inner if isinstance(inner, dict) else {}


def _text(value: Mapping[str, Any], key: str) -> str | None:
    """Return an id, a name or a time: short printable ASCII, which any database can keep."""
    inner = value.get(key)
    if not isinstance(inner, str) or not 0 < len(inner) <= _LONGEST:
        return None
    return inner if inner.isascii() and inner.isprintable() else None
