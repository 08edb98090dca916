"""Checkouts of the simulated Saleor, and how a storefront starts a payment through it.

As Saleor does it: a transaction without amounts is made, the app is asked by a synchronous
webhook, and its answer becomes an event (saleor/payment/utils.py, handle_transaction_initialize_
session and create_transaction_event_for_transaction_session; observed of a running 3.22.67).
"""

import uuid
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import httpx

from saleor_kustom.sandbox.saleor_buttons import Buttons
from saleor_kustom.sandbox.saleor_orders import (
    Line,
    Wire,
    amount_of,
    global_id,
    money,
    new_order,
    now,
)
from saleor_kustom.sandbox.saleor_post import _request
from saleor_kustom.sandbox.saleor_transactions import (
    UserError,
    new_event,
    new_transaction,
    recalculate,
    report_event,
    settle,
)

_TAKEN = frozenset(
    {"AUTHORIZATION_SUCCESS", "CHARGE_SUCCESS", "AUTHORIZATION_REQUEST", "CHARGE_REQUEST"}
)
_OTHERS = frozenset(
    {
        *("AUTHORIZATION_FAILURE", "CHARGE_FAILURE"),
        *("AUTHORIZATION_ACTION_REQUIRED", "CHARGE_ACTION_REQUIRED"),
    }
)
_TOLD = ("type", "pspReference", "message", "externalUrl")


class Checkouts(Buttons):
    """Adds what shoppers do."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.checkouts: dict[str, Wire] = {}
        self._by_key: dict[tuple[str, str], tuple[Wire, Wire]] = {}  # transaction and request

    def add_checkout(self, lines: Sequence[Line], **more: Any) -> Wire:
        """Put lines into a checkout; `more` as for an order."""
        token = str(uuid.uuid4())
        order = new_order(0, lines, **more)
        order["checkoutId"] = checkout_id = global_id("Checkout", token)
        checkout = {
            "id": checkout_id,
            "token": token,
            "email": order["userEmail"],
            "channel": order["channel"],
            "total": order["total"],  # as an order calls it
            "totalPrice": order["total"],
            "transactions": [],
            "order": order,
        }
        self.checkouts[checkout_id] = checkout
        return checkout

    def complete(self, checkout_id: str) -> Wire:
        """Make a checkout an order, with its transactions. Raises UserError."""
        checkout = self.checkouts.get(checkout_id)
        if checkout is None:
            raise UserError("id", "NOT_FOUND", f"Couldn't resolve to a node: {checkout_id}")
        fields = ("authorizedAmount", "authorizePendingAmount", "chargedAmount")
        covered = sum(
            (amount_of(t[field]) for t in checkout["transactions"] for field in fields),
            Decimal(0),
        )
        if covered < amount_of(checkout["totalPrice"]["gross"]):
            message = "The authorized amount doesn't cover the checkout's total amount."
            raise UserError("id", "CHECKOUT_NOT_FULLY_PAID", message)
        order: Wire = checkout["order"]
        order |= {"number": str(next(self._numbers)), "created": now()}
        order["transactions"] = checkout["transactions"]
        del self.checkouts[checkout_id]
        self.orders[order["id"]] = order
        settle(order)
        return order

    async def initialize_gateway(
        self, source_id: str, gateway: str, data: Any = None
    ) -> tuple[Any, str | None]:
        """Ask an app what a storefront needs to begin; return its data, or what went wrong."""
        about = {"sourceObject": self._source(source_id), "data": data, "amount": None}
        answer = await self._ask("payment_gateway_initialize_session", gateway, about)
        if answer is None or "data" not in answer:
            return None, "Unable to process a payment gateway response."
        return answer["data"], None

    async def initialize_transaction(
        self,
        source_id: str,
        gateway: str,
        data: Any = None,
        *,
        amount: str | None = None,
        idempotency_key: str | None = None,
    ) -> tuple[Wire, Wire, Any]:
        """Start a payment; return the transaction, the event that was made of it, and the data.

        The channel charges by default, as Saleor's do. A key stands for one amount; where none is
        given it is what nothing pays yet. Raises UserError.
        """
        source = self._source(source_id)
        key = idempotency_key or str(uuid.uuid4())
        currency = source["channel"]["currencyCode"]
        app = self.installed.app if self.installed else None
        if app is None or app["identifier"] != gateway:
            message = "App with provided identifier not found."
            raise UserError("paymentGateway", "NOT_FOUND", message)
        asked = Decimal(amount) if amount is not None else _left(source)
        transaction, request = self._by_key.get((source_id, key), (None, None))
        if transaction is None or request is None:
            transaction = new_transaction("", currency, app, name="", actions=[])
            request = new_event(transaction, "CHARGE_REQUEST", "", asked) | {"counts": False}
            self._by_key[source_id, key] = transaction, request
            source["transactions"].append(transaction)
            transaction["events"].append(request)
        elif (request["type"], amount_of(request["amount"])) != ("CHARGE_REQUEST", asked):
            message = "Different transaction with provided idempotency key already exists."
            raise UserError("idempotencyKey", "UNIQUE", message)
        about = {
            "sourceObject": source,
            "transaction": transaction,
            "data": data,
            "merchantReference": transaction["id"],
            "idempotencyKey": key,
            "action": {"actionType": "CHARGE", "amount": float(asked), "currency": currency},
        }
        answer = await self._ask("transaction_initialize_session", gateway, about)
        event = self._answered(transaction, request, answer, asked)
        recalculate(transaction)
        # An order that it became meanwhile is settled with it.
        order, _ = self.find_transaction(transaction["id"])
        if order is not None and "chargeStatus" in order:
            settle(order)
        return transaction, event, (answer or {}).get("data")

    def find_transaction(self, transaction_id: str) -> tuple[Wire | None, Wire | None]:
        """Return (order or checkout, transaction)."""
        order, transaction = super().find_transaction(transaction_id)
        if transaction is not None:
            return order, transaction
        for checkout in self.checkouts.values():
            for one in checkout["transactions"]:
                if one["id"] == transaction_id:
                    return checkout, one
        return None, None

    def _source(self, source_id: str) -> Wire:
        found = self.checkouts.get(source_id) or self.orders.get(source_id)
        if found is None:
            raise UserError("id", "NOT_FOUND", "`Order` or `Checkout` not found.")
        kind = "Checkout" if source_id in self.checkouts else "Order"
        found["__typename"] = kind
        return found

    def _answered(
        self, transaction: Wire, request: Wire, answer: Wire | None, asked: Decimal
    ) -> Wire:
        """Make of an answer what Saleor makes of it; a success names the transaction."""
        try:
            given = _parsed(answer, asked)
        except ValueError as error:
            return self._refused(transaction, request, str(error))
        kind = given["type"]
        if kind.endswith("_REQUEST"):  # the request becomes what the app made of it
            request |= {name: given[name] for name in _TOLD} | {"counts": True}
            request["amount"] = money(given["amount"], _currency(transaction))
            self._name(transaction, given)
            return request
        if kind in _TAKEN:
            app = self.installed.app if self.installed else None
            try:
                event, _ = report_event(transaction, given, app)
            except UserError as error:
                transaction["events"].pop()
                return self._refused(transaction, request, str(error))
            self._name(transaction, given)
            return event
        event = new_event(transaction, kind, given["pspReference"] or "", given["amount"], given)
        transaction["events"].append(event | {"counts": False})
        if given["pspReference"]:  # of a failure too
            transaction["pspReference"] = given["pspReference"]
        return event

    def _name(self, transaction: Wire, given: Wire) -> None:
        transaction["pspReference"] = given["pspReference"]
        if given["actions"] is not None:
            transaction["actions"] = sorted(set(given["actions"]))

    def _refused(self, transaction: Wire, request: Wire, message: str) -> Wire:
        event = new_event(transaction, "CHARGE_FAILURE", "", amount_of(request["amount"]))
        event |= {"message": message[:512], "counts": False}
        transaction["events"].append(event)
        return event

    async def _ask(self, event: str, gateway: str, about: Wire) -> Wire | None:
        """Post a synchronous event to an app; None: nobody listens, or there was no answer."""
        installed = self.installed
        codes = {p["code"] for p in installed.app["permissions"]} if installed else set()
        if installed is None or "HANDLE_PAYMENTS" not in codes - self.denied:
            return None
        listening = [
            webhook
            for webhook in installed.webhooks
            if webhook["isActive"] and event.upper() in webhook["syncEvents"]
        ]
        if installed.app["identifier"] != gateway or not listening:
            return None
        self.fired.append((event, about["sourceObject"]["id"]))
        value = {
            "__typename": "".join(word.capitalize() for word in event.split("_")),
            "issuedAt": now(),
            "version": self.version,
            "recipient": installed.app,
            "issuingPrincipal": None,
            **about,
        }
        delivery = await self.signed(event, value, listening[0])
        try:
            async with self._client() as client:
                answer = await client.send(_request(delivery))
            given = answer.json() if answer.is_success else None
        except (httpx.HTTPError, ValueError):
            given = None
        return given if isinstance(given, dict) else None


def _left(source: Wire) -> Decimal:
    """Return what no transaction pays or is asked to pay yet."""
    left = amount_of(source["total"]["gross"])
    for each in source["transactions"]:
        left -= max(amount_of(each["authorizedAmount"]), amount_of(each["chargedAmount"]))
        left -= amount_of(each["authorizePendingAmount"]) + amount_of(each["chargePendingAmount"])
    return max(Decimal(0), left)


def _currency(transaction: Wire) -> str:
    currency: str = transaction["authorizedAmount"]["currency"]
    return currency


def _parsed(answer: Wire | None, asked: Decimal) -> Wire:
    """Return the answer's fields. Raises ValueError with what Saleor writes into the failure."""
    if answer is None:
        raise ValueError("Failed to delivery request.")
    kind, reference = answer.get("result"), answer.get("pspReference")
    if kind not in _TAKEN | _OTHERS:
        raise ValueError(f"Missing or invalid value for `result`: {kind}.")
    if kind in _TAKEN and not isinstance(reference, str):
        raise ValueError("Input should be a valid string for field: pspReference")
    url = answer.get("externalUrl") or ""
    if url and not str(url).startswith(("http://", "https://")):
        raise ValueError("Input should be a valid URL for field: externalUrl")
    try:
        amount = Decimal(str(answer.get("amount") or 0))
    except InvalidOperation:
        raise ValueError("Input should be a valid decimal for field: amount") from None
    return {
        "type": kind,
        "pspReference": reference,
        "amount": amount or asked,  # no amount, or 0, is the one that was asked for
        "message": str(answer.get("message") or "")[:512],
        "externalUrl": url,
        "actions": answer.get("actions"),
        "time": answer.get("time"),
    }
