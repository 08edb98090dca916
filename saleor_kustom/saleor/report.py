"""What is told to Saleor in one request, as the variables of queries/report.graphql."""

from collections.abc import Mapping
from typing import Any

from saleor_kustom.capture.report import Report

#: Alias in queries/report.graphql → the variable that includes it.
SWITCHES = {
    "event": "reports",
    "transactionPrivate": "writesTransactionPrivate",
    "fulfillmentPrivate": "writesFulfillmentPrivate",
    "fulfillmentPublic": "writesFulfillmentPublic",
    "orderPrivate": "writesOrderPrivate",
}


def variables_of(report: Report) -> dict[str, Any]:
    """Return the document's variables, of which each switch includes what is to be written."""
    event = report.transaction
    variables: dict[str, Any] = {
        "reports": event is not None,
        "transaction": event.transaction_id if event else "",
        "type": event.type if event else "INFO",
        "amount": format(event.amount, "f") if event else "0",
        "pspReference": event.psp_reference if event else "",
        "message": event.message[:512] if event else None,
        "externalUrl": event.external_url if event else None,
        "time": event.time.isoformat() if event and event.time else None,
        "writesTransactionPrivate": bool(report.transaction_private),
        "transactionPrivate": _metadata(report.transaction_private),
        "fulfillment": report.fulfillment_id,
        "order": report.order_id,
        "writesFulfillmentPrivate": bool(report.fulfillment_private),
        "fulfillmentPrivate": _metadata(report.fulfillment_private),
        "writesFulfillmentPublic": bool(report.fulfillment_public),
        "fulfillmentPublic": _metadata(report.fulfillment_public),
        "writesOrderPrivate": bool(report.order_private),
        "orderPrivate": _metadata(report.order_private),
    }
    if event and event.available_actions is not None:
        # Saleor changes the actions only when they are passed; null is not the same as absent.
        variables["availableActions"] = list(event.available_actions)
    return variables


def _metadata(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]
