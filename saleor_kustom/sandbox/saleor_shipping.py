"""Orders of the simulated Saleor: placed, shipped, returned and cancelled.

Each method changes the order as Saleor does and fires the events that a running Saleor was seen
to fire, in its order (saleor-core-observed, section 3).
"""

import itertools
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from saleor_kustom.sandbox.saleor_apps import Apps
from saleor_kustom.sandbox.saleor_orders import (
    Line,
    Wire,
    amount_of,
    global_id,
    merge_metadata,
    new_fulfillment,
    new_order,
    now,
    open_units,
    order_status,
    pairs,
)
from saleor_kustom.sandbox.saleor_schema import release
from saleor_kustom.sandbox.saleor_transactions import adjust, new_transaction, settle

GIFT_CARD_GATEWAY = "saleor.io.gift-card-payment-gateway"


class Shipping(Apps):
    """Adds orders and what happens to them."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.orders: dict[str, Wire] = {}
        self.allow_unpaid = True  # shop{fulfillmentAllowUnpaid}; demo shops have false
        self.auto_approve = True  # shop{fulfillmentAutoApprove}
        self._numbers = itertools.count(1)
        self._fulfillment_pks = itertools.count(1)

    # ---- placed and paid

    def add_order(
        self,
        lines: Sequence[Line],
        *,
        psp_reference: str | None = None,
        owner: str = "app",
        gift_card: str = "0",
        **more: Any,
    ) -> Wire:
        """Place an order; with a pspReference it has a transaction that authorizes its total.

        `gift_card`: what a gift card pays. Until 3.22 it lowers the total; from 3.23 on the total
        stays and the card is a transaction of its own.
        """
        own_transaction = release(self.version) >= (3, 23, 0) and Decimal(gift_card) > 0
        card = "0" if own_transaction else gift_card
        order = new_order(next(self._numbers), lines, gift_card=card, **more)
        self.orders[order["id"]] = order
        if own_transaction:
            self._pay_by_gift_card(order, Decimal(gift_card))
        if psp_reference is not None:
            self.add_transaction(order, psp_reference, owner=owner)
        return order

    def add_transaction(
        self, order: Wire, psp_reference: str, *, owner: str = "app", amount: str | None = None
    ) -> Wire:
        """Authorize an amount (default: what is left of the total) for `owner`.

        `owner` is app, other, staff or nobody.
        """
        left = amount_of(order["total"]["gross"]) - amount_of(order["totalCharged"])
        app = self.installed.app if self.installed else self._any_token
        owners: dict[str, Wire | None] = {
            "app": app,
            "other": {"__typename": "App", "id": global_id("App", 999), "identifier": "other.app"},
            "staff": {"__typename": "User", "id": global_id("User", 1)},
            "nobody": None,
        }
        currency = order["channel"]["currencyCode"]
        transaction = new_transaction(psp_reference, currency, owners[owner])
        order["transactions"].append(transaction)
        adjust(transaction, "AUTHORIZATION_SUCCESS", left if amount is None else Decimal(amount))
        settle(order)
        return transaction

    def _pay_by_gift_card(self, order: Wire, amount: Decimal) -> None:
        """As Saleor 3.23.28's own gateway: nameless, its app unknown, the reference any UUID."""
        details = {
            "__typename": "GiftCardPaymentMethodDetails",
            "name": "Gift card",
            "brand": "saleor",
            "lastChars": "4711",
            "isSaleorGiftcard": True,
        }
        card = new_transaction(
            str(uuid.uuid4()),
            order["channel"]["currencyCode"],
            None,
            name="",
            owner={"identifier": GIFT_CARD_GATEWAY},
            paymentMethodDetails=details,
            actions=["REFUND"],
        )
        order["transactions"].append(card)
        adjust(card, "CHARGE_SUCCESS", amount)
        settle(order)

    # ---- shipped

    def fulfill(
        self,
        order_id: str,
        quantities: Mapping[str, int] | None = None,
        *,
        tracking: str = "",
        auto_approve: bool | None = None,
    ) -> Wire:
        """Ship units (default: all that are left). Raises ValueError as Saleor refuses."""
        order = self.orders[order_id]
        units = quantities if quantities is not None else open_units(order)
        [made] = self.fulfill_from(order_id, [units], tracking=tracking, auto_approve=auto_approve)
        return made

    def fulfill_from(
        self,
        order_id: str,
        parcels: Sequence[Mapping[str, int]],
        *,
        tracking: str = "",
        auto_approve: bool | None = None,
    ) -> list[Wire]:
        """Ship from several warehouses in one call: a fulfillment for each, listed at once."""
        order = self.orders[order_id]
        self._may_ship(order)
        approved = self.auto_approve if auto_approve is None else auto_approve
        made = []
        for units in parcels:
            left = open_units(order)
            if any(quantity > left.get(line_id, 0) for line_id, quantity in units.items()):
                raise ValueError("FULFILL_ORDER_LINE: more units than are left")
            status = "FULFILLED" if approved else "WAITING_FOR_APPROVAL"
            pk = next(self._fulfillment_pks)
            fulfillment = new_fulfillment(pk, order, units, tracking, status)
            order["fulfillments"].append(fulfillment)
            made.append(fulfillment)
        for fulfillment in made if tracking else ():  # before FULFILLMENT_CREATED (observed)
            self.happened("fulfillment_tracking_number_updated", order, fulfillment)
        if approved:
            self._shipped(order, made)
        else:
            self.happened("order_updated", order, None)
        return made

    def approve(self, fulfillment_id: str) -> None:
        """Approve a waiting fulfillment."""
        order, fulfillment = self._fulfillment(fulfillment_id)
        if fulfillment["status"] != "WAITING_FOR_APPROVAL":
            raise ValueError("INVALID: only a waiting fulfillment can be approved")
        self._may_ship(order)
        fulfillment["status"] = "FULFILLED"
        self._shipped(order, [fulfillment], by_hand=True)

    def cancel_fulfillment(self, fulfillment_id: str) -> None:
        """Cancel a fulfillment, a waiting one too; it stays listed as CANCELED."""
        order, fulfillment = self._fulfillment(fulfillment_id)
        fulfillment["status"] = "CANCELED"
        self._refresh(order)
        self.happened("fulfillment_canceled", order, fulfillment)
        self.happened("order_updated", order, None)

    def update_tracking(self, fulfillment_id: str, tracking: str) -> None:
        """Set the tracking number; the event comes for an unchanged or empty one too."""
        order, fulfillment = self._fulfillment(fulfillment_id)
        fulfillment["trackingNumber"] = tracking
        self.happened("fulfillment_tracking_number_updated", order, fulfillment)
        self.happened("order_updated", order, None)

    def _shipped(self, order: Wire, made: Sequence[Wire], *, by_hand: bool = False) -> None:
        self._refresh(order)
        complete = order["status"] == "FULFILLED"
        for fulfillment in made:
            self.happened("fulfillment_created", order, fulfillment)
        for fulfillment in made if complete or by_hand else ():
            self.happened("fulfillment_approved", order, fulfillment)
        self.happened("order_updated", order, None)
        if complete:
            self.happened("order_fulfilled", order, None)

    def _may_ship(self, order: Wire) -> None:
        """Full authorization is not enough for a shop that does not allow unpaid shipping."""
        if not self.allow_unpaid and order["chargeStatus"] not in ("FULL", "OVERCHARGED"):
            raise ValueError("CANNOT_FULFILL_UNPAID_ORDER: Cannot fulfill unpaid order.")

    # ---- returned and cancelled

    def return_lines(
        self, fulfillment_id: str, quantities: Mapping[str, int], *, replace: bool = False
    ) -> Wire:
        """Take units back: they move to a new fulfillment, and an emptied one is deleted.

        Only ORDER_UPDATED tells of it.
        """
        order, fulfillment = self._fulfillment(fulfillment_id)
        status = "REPLACED" if replace else "RETURNED"
        pk = next(self._fulfillment_pks)
        returned = new_fulfillment(pk, order, quantities, "", status)
        holds = {line["orderLine"]["id"]: line["quantity"] for line in fulfillment["lines"]}
        if any(quantity > holds.get(line_id, 0) for line_id, quantity in quantities.items()):
            raise ValueError("INVALID_QUANTITY: more units than the fulfillment has")
        for line in fulfillment["lines"]:
            line["quantity"] -= quantities.get(line["orderLine"]["id"], 0)
        fulfillment["lines"] = [line for line in fulfillment["lines"] if line["quantity"]]
        if not fulfillment["lines"]:
            order["fulfillments"].remove(fulfillment)
        order["fulfillments"].append(returned)
        self._refresh(order)
        self.happened("order_updated", order, None)
        return returned

    def cancel_order(self, order_id: str) -> None:
        """Cancel an order; refused while a fulfillment is live. The transaction stays as it is."""
        order = self.orders[order_id]
        if any(fulfillment["status"] != "CANCELED" for fulfillment in order["fulfillments"]):
            raise ValueError("CANNOT_CANCEL_ORDER: This order can't be canceled.")
        order["status"] = "CANCELED"
        self.happened("order_cancelled", order, None)
        self.happened("order_updated", order, None)

    def update_metadata(
        self,
        item_id: str,
        values: Mapping[str, str],
        *,
        private: bool = False,
        by: Wire | None = None,
    ) -> None:
        """Write metadata as an integration does; nothing fires when nothing changes."""
        order, fulfillment = self.find(item_id)
        item = fulfillment or order
        if item is None:
            raise KeyError(item_id)
        if merge_metadata(item, "privateMetadata" if private else "metadata", pairs(values)):
            of = "order" if fulfillment is None else "fulfillment"
            self.happened(f"{of}_metadata_updated", order, fulfillment, by)

    # ---- found

    def find(self, item_id: str) -> tuple[Wire | None, Wire | None]:
        """Return (order, fulfillment) for the id of either."""
        if item_id in self.orders:
            return self.orders[item_id], None
        for order in self.orders.values():
            for fulfillment in order["fulfillments"]:
                if fulfillment["id"] == item_id:
                    return order, fulfillment
        return None, None

    def find_transaction(self, transaction_id: str) -> tuple[Wire | None, Wire | None]:
        """Return (order, transaction)."""
        for order in self.orders.values():
            for transaction in order["transactions"]:
                if transaction["id"] == transaction_id:
                    return order, transaction
        return None, None

    def _fulfillment(self, fulfillment_id: str) -> tuple[Wire, Wire]:
        order, fulfillment = self.find(fulfillment_id)
        if order is None or fulfillment is None:
            raise KeyError(fulfillment_id)
        return order, fulfillment

    def _refresh(self, order: Wire) -> None:
        """Only a changed status moves updatedAt: it is no cursor (saleor-core-observed, 2)."""
        status = order_status(order)
        if status != order["status"]:
            order["status"], order["updatedAt"] = status, now()
