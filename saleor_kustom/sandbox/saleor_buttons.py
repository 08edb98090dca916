"""A transaction's buttons in the simulated Saleor's Dashboard: charge, refund, cancel.

As Saleor does it: a request event is stored, a synchronous webhook asks the transaction's owner in
the background, and the answer, or that there was none, becomes an event (saleor/payment/utils.py,
create_transaction_event_from_request_and_webhook_response; observed of a running 3.22.67).
"""

import copy
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from saleor_kustom.sandbox.saleor_orders import Wire, amount_of, global_id, money, now
from saleor_kustom.sandbox.saleor_post import Delivery, Queued
from saleor_kustom.sandbox.saleor_schema import release
from saleor_kustom.sandbox.saleor_shipping import Shipping
from saleor_kustom.sandbox.saleor_transactions import (
    UserError,
    new_event,
    recalculate,
    report_event,
    settle,
)

#: Action → the event that asks for it.
EVENTS: Mapping[str, str] = {
    "CHARGE": "transaction_charge_requested",
    "REFUND": "transaction_refund_requested",
    "CANCEL": "transaction_cancelation_requested",
}
_PERSON = {"__typename": "User", "id": global_id("User", 1)}
#: Without a granted refund Saleor fills one in of nothing: an error where a field is never null.
_NOT_GRANTED = {"id": global_id("OrderGrantedRefund", None)}


class Buttons(Shipping):
    """Adds what staff does with a transaction."""

    def grant_refund(
        self,
        order_id: str,
        amount: str,
        units: Mapping[str, int] | None = None,
        *,
        with_shipping: bool = False,
    ) -> Wire:
        """Grant a refund: an amount, and units by order line where the merchant chose them."""
        order = self.orders[order_id]
        lines = {line["id"]: line for line in order["lines"]}
        made = {
            "id": global_id("OrderGrantedRefund", len(order.get("grantedRefunds", ())) + 1),
            "amount": money(Decimal(amount), order["channel"]["currencyCode"]),
            "shippingCostsIncluded": with_shipping,
            "lines": [
                {"id": f"granted-{line_id}", "quantity": n, "orderLine": lines[line_id]}
                for line_id, n in (units or {}).items()
            ],
        }
        order.setdefault("grantedRefunds", []).append(made)
        return made

    def request_action(
        self,
        transaction_id: str,
        action: str,
        amount: str | None = None,
        *,
        granted_refund: Wire | None = None,
    ) -> Wire:
        """Press a button; return the request's event. The app is asked on the next delivery."""
        order, transaction = self.find_transaction(transaction_id)
        if order is None or transaction is None:
            raise KeyError(transaction_id)
        asked = self._amount(transaction, action, amount, granted_refund)
        request = new_event(transaction, f"{action}_REQUEST", "", asked or Decimal(0))
        request |= {"counts": False, "createdBy": _PERSON}
        transaction["events"].append(request)
        webhook = self._owners_webhook(transaction, EVENTS[action])
        if webhook is None:
            self._failed(transaction, request, "No app is set up for this action.")
            return request
        value = {
            "__typename": "".join(word.capitalize() for word in EVENTS[action].split("_")),
            "issuedAt": now(),
            "version": self.version,
            "recipient": self.installed.app if self.installed else None,
            "issuingPrincipal": None,  # Saleor does not say who pressed
            "action": {
                "actionType": action,
                "amount": None if asked is None else float(asked),
                "currency": order["channel"]["currencyCode"],
            },
            "transaction": copy.deepcopy(transaction),
            "grantedRefund": copy.deepcopy(granted_refund) or _NOT_GRANTED,
        }
        self.fired.append((EVENTS[action], transaction_id))
        self.queue.append(Queued(EVENTS[action], value, webhook, request=request))
        return request

    def answered(self, delivery: Delivery, answer: bytes | None) -> None:
        """Make of the answer what Saleor makes of it: its event, or a failure."""
        request = delivery.request
        if request is None:
            return
        [transaction] = [
            transaction
            for order in self.orders.values()
            for transaction in order["transactions"]
            if any(event is request for event in transaction["events"])
        ]
        order, _ = self.find_transaction(transaction["id"])
        try:
            given = _parsed(answer, request, insists=release(self.version) < (3, 22, 0))
        except ValueError as error:
            self._failed(transaction, request, str(error))
            return
        if given["pspReference"]:
            request |= {"pspReference": given["pspReference"], "counts": True}
        if "type" in given:
            self._take(transaction, request, given)
        if given.get("actions") is not None:
            transaction["actions"] = sorted(set(given["actions"]))
        recalculate(transaction)
        settle(order or {})
        self.happened("order_updated", order, None)

    def _take(self, transaction: Wire, request: Wire, given: Wire) -> None:
        try:
            report_event(transaction, given, self.installed.app if self.installed else None)
        except UserError:
            transaction["events"].pop()  # the sync path leaves its own failure instead
            self._failed(transaction, request, "already exists with different amount.")

    def _failed(self, transaction: Wire, request: Wire, message: str) -> None:
        about = request["type"].removesuffix("_REQUEST")
        failure = new_event(transaction, f"{about}_FAILURE", request["pspReference"], Decimal(0))
        failure |= {"message": message, "counts": False, "amount": request["amount"]}
        transaction["events"].append(failure)

    def _amount(
        self, transaction: Wire, action: str, amount: str | None, granted: Wire | None
    ) -> Decimal | None:
        """Return what is asked for: at most what the transaction has. A cancel says none."""
        if action == "CANCEL":
            return None
        field = "authorizedAmount" if action == "CHARGE" else "chargedAmount"
        most = amount_of(transaction[field])
        wanted = amount_of(granted["amount"]) if granted else amount and Decimal(amount)
        return min(wanted, most) if wanted else most

    def _owners_webhook(self, transaction: Wire, event: str) -> Wire | None:
        """Only a transaction's owner is asked: the same app, or one of the same identifier."""
        owner = transaction.get("owner", transaction["createdBy"]) or {}
        installed = self.installed
        if installed is None or owner.get("__typename") == "User":
            return None
        ours = owner.get("identifier") == installed.app["identifier"]
        if not ours and owner.get("id") != installed.app["id"]:
            return None
        listening: Sequence[Wire] = [
            webhook
            for webhook in installed.webhooks
            if webhook["isActive"] and event.upper() in webhook["syncEvents"]
        ]
        return listening[0] if listening else None


def _parsed(answer: bytes | None, request: Wire, *, insists: bool) -> dict[str, Any]:
    """Return the answer's fields. Raises ValueError with what Saleor writes into the failure.

    insists: on a reference and an amount of failures too, as until 3.21.
    """
    if answer is None:
        raise ValueError("Failed to delivery request.")
    try:
        given = json.loads(answer)
    except ValueError:
        raise ValueError("Failed to delivery request.") from None
    about = request["type"].removesuffix("_REQUEST")
    failed = isinstance(given, dict) and given.get("result") == f"{about}_FAILURE" and not insists
    if not isinstance(given, dict) or not (given.get("pspReference") or failed):
        raise ValueError("Missing `pspReference` field in the response.")
    parsed: dict[str, Any] = {
        "pspReference": given.get("pspReference") or "",
        "actions": given.get("actions"),
    }
    if given.get("result") is None and given.get("amount") is None:
        return parsed
    if given.get("result") not in (f"{about}_SUCCESS", f"{about}_FAILURE"):
        raise ValueError(f"Incorrect value: {given.get('result')} for field: `result`")
    if given.get("amount") is None and insists:
        raise ValueError("Missing value for field: amount in response")
    try:
        amount = Decimal(str(given.get("amount") or 0))
    except InvalidOperation:
        raise ValueError("Input should be a valid decimal for field: amount") from None
    return parsed | {
        "type": given["result"],
        "amount": amount or amount_of(request["amount"]),  # none, or 0, is what was asked for
        "message": given.get("message") or "",
        "externalUrl": given.get("externalUrl") or "",
        "time": given.get("time"),
    }
