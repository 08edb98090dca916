"""What the simulated Saleor does on mutations, and the errors that it answers."""

import base64
import binascii
import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from saleor_kustom.sandbox.saleor_api import Asked, Resolver, permission_denied
from saleor_kustom.sandbox.saleor_orders import Wire, merge_metadata, pairs
from saleor_kustom.sandbox.saleor_transactions import (
    UserError,
    adjust,
    new_transaction,
    report_event,
    settle,
)

AsyncResolver = Callable[[Asked, Any, Wire], Awaitable[Wire]]


def _answering(resolver: Resolver) -> Resolver:
    """Answer a UserError in the mutation's `errors`; without one that list is empty."""

    @functools.wraps(resolver)
    def answered(asked: Asked, source: Any, given: Wire) -> Any:
        try:
            return {"errors": [], **resolver(asked, source, given)}
        except UserError as error:
            return {"errors": [error.wire]}

    return answered


def _asking(resolver: AsyncResolver) -> Resolver:
    """The same for what asks an app and waits for its answer."""

    @functools.wraps(resolver)
    async def answered(asked: Asked, source: Any, given: Wire) -> Any:
        try:
            return {"errors": [], **await resolver(asked, source, given)}
        except UserError as error:
            return {"errors": [error.wire]}

    return answered


# ---- metadata


def _metadata(field: str) -> Resolver:
    def write(asked: Asked, _source: Any, given: Wire) -> Wire:
        kind = _kind(given["id"])
        asked.needs(*_METADATA_PERMISSIONS.get(kind, ("MANAGE_ORDERS",)))
        if any(not pair["key"].strip() for pair in given["input"]):
            raise UserError("input", "REQUIRED", "Metadata key cannot be empty.")
        item, tell = _item(asked, given["id"])
        if merge_metadata(item, field, given["input"]):
            tell()
        return {}

    return write


#: The kind of an object → permissions to write its metadata, one of which is needed.
_METADATA_PERMISSIONS: Mapping[str, tuple[str, ...]] = {
    "Order": ("MANAGE_ORDERS", "HANDLE_TAXES"),
    "Fulfillment": ("MANAGE_ORDERS", "HANDLE_TAXES"),
    "TransactionItem": ("HANDLE_PAYMENTS",),
}


def _item(asked: Asked, item_id: str) -> tuple[Wire, Callable[[], None]]:
    """Return an object and how its listeners hear of a change. Raises UserError."""
    saleor = asked.saleor
    order, fulfillment = saleor.find(item_id)
    if order is not None:
        of = "order" if fulfillment is None else "fulfillment"
        tell = functools.partial(
            saleor.happened, f"{of}_metadata_updated", order, fulfillment, asked.app
        )
        return fulfillment or order, tell
    order, transaction = saleor.find_transaction(item_id)
    if transaction is not None:
        return transaction, lambda: None
    raise UserError("id", "NOT_FOUND", f"Couldn't resolve to a node: {item_id}")


def _kind(global_id: str) -> str:
    """Return the type in a global id. Raises UserError."""
    try:
        kind, _, pk = base64.b64decode(global_id, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        kind = pk = ""
    if not kind or not pk:
        raise UserError("id", "GRAPHQL_ERROR", f"Invalid ID: {global_id}. Expected: <type>:<pk>.")
    return kind


# ---- transactions


def _transaction_event_report(asked: Asked, _source: Any, given: Wire) -> Wire:
    order, transaction = asked.saleor.find_transaction(given.get("id"))
    if transaction is None:
        raise UserError("id", "NOT_FOUND", f"Couldn't resolve to a node: {given.get('id')}")
    if not _owns(asked.app or {}, transaction):
        raise permission_denied("OWNER", "HANDLE_PAYMENTS")
    try:
        event, before = report_event(transaction, given, asked.app)
    finally:
        settle(order)
    if given.get("availableActions") is not None:
        transaction["actions"] = sorted(set(given["availableActions"]))
    if not before:
        if transaction.get("owner", transaction["createdBy"]) is None:
            transaction["owner"] = transaction["createdBy"] = asked.app  # the first owns it
        _tell(asked, order, given["type"])
    return {"alreadyProcessed": before, "transaction": transaction, "transactionEvent": event}


def _owns(app: Wire, transaction: Wire) -> bool:
    """Only the owner may report: the same app, or one of the same identifier."""
    owner = transaction.get("owner", transaction["createdBy"])
    if owner is None:
        return True
    same = owner.get("id") is not None and owner.get("id") == app.get("id")
    identifier = owner.get("identifier")
    return same or (identifier is not None and identifier == app.get("identifier"))


def _tell(asked: Asked, order: Wire, kind: str) -> None:
    """Fire what a report changes of the order."""
    events = {
        "CHARGE_SUCCESS": ["order_paid"],
        "REFUND_SUCCESS": ["order_refunded"],
    }.get(kind, [])
    if kind == "CHARGE_SUCCESS" and order["chargeStatus"] in ("FULL", "OVERCHARGED"):
        events.append("order_fully_paid")
    for event in (*events, "order_updated"):
        asked.saleor.happened(event, order, None, asked.app)


def _transaction_create(asked: Asked, _source: Any, given: Wire) -> Wire:
    """Several per order, and one pspReference twice, are accepted (saleor-core-observed, 5)."""
    order = asked.saleor.orders.get(given["id"])
    if order is None:
        raise UserError("id", "NOT_FOUND", f"Couldn't resolve to a node: {given['id']}")
    wanted = given["transaction"]
    currency = order["channel"]["currencyCode"]
    amounts = {name: wanted[name] for name in _AMOUNTS if wanted.get(name)}
    for name, amount in amounts.items():
        if amount["currency"] != currency:
            message = f"Currency needs to be the same as for order: {currency}"
            raise UserError(name, "INCORRECT_CURRENCY", message)
    url = wanted.get("externalUrl") or ""
    if url and not url.startswith(("http://", "https://")):
        raise UserError("transaction", "INVALID", "Invalid format of `externalUrl`.")
    transaction = new_transaction(
        wanted.get("pspReference") or "",
        currency,
        asked.app,
        name=wanted.get("name") or "",
        message=wanted.get("message") or "",
        externalUrl=url,
        actions=sorted(set(wanted.get("availableActions") or ())),
        metadata=_pairs(wanted.get("metadata")),
        privateMetadata=_pairs(wanted.get("privateMetadata")),
    )
    for name, amount in amounts.items():
        adjust(transaction, _AMOUNTS[name], Decimal(amount["amount"]))
    order["transactions"].append(transaction)
    settle(order)
    _tell(asked, order, "CHARGE_SUCCESS" if "amountCharged" in amounts else "")
    return {"transaction": transaction}


_AMOUNTS = {"amountAuthorized": "AUTHORIZATION_SUCCESS", "amountCharged": "CHARGE_SUCCESS"}


def _pairs(given: Sequence[Mapping[str, str]] | None) -> list[Wire]:
    return pairs({pair["key"]: pair["value"] for pair in given or ()})


# ---- storefronts, which need no permission


async def _transaction_initialize(asked: Asked, _source: Any, given: Wire) -> Wire:
    gateway = given["paymentGateway"]
    amount = given.get("amount")
    transaction, event, data = await asked.saleor.initialize_transaction(
        given["id"],
        gateway["id"],
        gateway.get("data"),
        amount=None if amount is None else str(amount),
        idempotency_key=given.get("idempotencyKey"),
    )
    return {"transaction": transaction, "transactionEvent": event, "data": data}


async def _gateway_initialize(asked: Asked, _source: Any, given: Wire) -> Wire:
    configs = []
    for gateway in given.get("paymentGateways") or ():
        data, problem = await asked.saleor.initialize_gateway(
            given["id"], gateway["id"], gateway.get("data")
        )
        errors = [{"field": "id", "code": "INVALID", "message": problem}] if problem else []
        configs.append({"id": gateway["id"], "data": data, "errors": errors})
    return {"gatewayConfigs": configs}


def _checkout_complete(asked: Asked, _source: Any, given: Wire) -> Wire:
    return {"order": asked.saleor.complete(given["id"])}


# ---- notes, webhooks, problems


def _order_note_add(asked: Asked, _source: Any, given: Wire) -> Wire:
    order = asked.saleor.orders.get(given["order"])
    if order is None:
        raise UserError("order", "GRAPHQL_ERROR", f"Couldn't resolve to a node: {given['order']}")
    message = given["input"]["message"].strip()
    if not message:
        raise UserError("message", "REQUIRED", "Message can't be empty.")
    order.setdefault("notes", []).append(message)
    asked.saleor.happened("order_updated", order, None, asked.app)
    return {"order": order}


def _signed_in(asked: Asked) -> Wire:
    if asked.app is None:
        raise permission_denied("AUTHENTICATED_APP")
    return asked.app


def _webhook_create(asked: Asked, _source: Any, given: Wire) -> Wire:
    _signed_in(asked)
    return {"webhook": asked.saleor.webhook_create(given["input"])}


def _webhook_update(asked: Asked, _source: Any, given: Wire) -> Wire:
    _signed_in(asked)
    return {"webhook": asked.saleor.webhook_update(given["id"], given["input"])}


def _webhook_delete(asked: Asked, _source: Any, given: Wire) -> Wire:
    _signed_in(asked)
    return {"webhook": asked.saleor.webhook_delete(given["id"])}


def _problem_create(asked: Asked, _source: Any, given: Wire) -> Wire:
    return {"appProblem": asked.saleor.problem_create(_signed_in(asked), given["input"])}


def _problem_dismiss(asked: Asked, _source: Any, given: Wire) -> Wire:
    asked.saleor.problem_dismiss(_signed_in(asked), given["input"])
    return {}


#: Type and field → resolver.
MUTATIONS: Mapping[str, Resolver] = {
    f"Mutation.{name}": _answering(resolver)
    for name, resolver in {
        "updateMetadata": _metadata("metadata"),
        "updatePrivateMetadata": _metadata("privateMetadata"),
        "transactionEventReport": _transaction_event_report,
        "transactionCreate": _transaction_create,
        "orderNoteAdd": _order_note_add,
        "checkoutComplete": _checkout_complete,
        "webhookCreate": _webhook_create,
        "webhookUpdate": _webhook_update,
        "webhookDelete": _webhook_delete,
        "appProblemCreate": _problem_create,
        "appProblemDismiss": _problem_dismiss,
    }.items()
} | {
    f"Mutation.{name}": _asking(asking)
    for name, asking in {
        "transactionInitialize": _transaction_initialize,
        "paymentGatewayInitialize": _gateway_initialize,
    }.items()
}
