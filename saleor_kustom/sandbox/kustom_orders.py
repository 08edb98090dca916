"""Kustom's orders, simulated: what may happen to one, and when it is refused. No HTTP here.

Source: kustom-order-management, sections 6, 7 and 9. Whatever the contract marks as assumed
is a switch (domain rule 29). All amounts are minor units of the order's currency.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from saleor_kustom.sandbox.kustom_rules import (
    AUTHORIZATION,
    CUSTOMER,
    REFERENCES,
    REFUND,
    TRACKING,
    Body,
    Refusal,
    Rules,
    Switches,
)

_PERIOD = timedelta(days=28)
_LONGEST = timedelta(days=90)


@dataclass(slots=True)
class SimulatedCapture:
    """A capture in the ledger. `key`: the idempotency key that made it."""

    capture_id: str
    amount: int
    reference: str | None
    captured_at: datetime
    order_lines: list[dict[str, Any]]
    shipping_info: list[dict[str, str]]
    key: str | None = None
    description: str | None = None
    refunded: int = 0
    klarna_reference: str = ""


@dataclass(slots=True)
class SimulatedOrder:
    """An order at Kustom."""

    order_id: str
    merchant_id: str
    amount: int
    currency: str
    original_amount: int
    created_at: datetime
    expires_at: datetime
    merchant_reference1: str = ""
    merchant_reference2: str = ""
    fraud_status: str = "ACCEPTED"  # ACCEPTED | PENDING | REJECTED
    country: str = "SE"
    payment_type: str = "INVOICE"
    email: str = ""
    payment_fails: bool = False  # the shopper's card or account can't be charged
    klarna_reference: str = "K4MADNY"
    released: bool = False
    cancelled: bool = False
    acknowledged: bool = False
    shipping_address: dict[str, str] = field(default_factory=lambda: {"given_name": "Test"})
    captures: list[SimulatedCapture] = field(default_factory=list)
    refunds: list[dict[str, Any]] = field(default_factory=list)
    shipping_info: list[dict[str, str]] = field(default_factory=list)

    @property
    def captured(self) -> int:
        """Return what was captured."""
        return sum(capture.amount for capture in self.captures)

    @property
    def refunded(self) -> int:
        """Return what was refunded."""
        return sum(refund["refunded_amount"] for refund in self.refunds)


class Ledger:
    """All orders of the simulated Kustom, and what may happen to them.

    Every method that changes something raises Refusal when Kustom would refuse it.
    """

    def __init__(self, switches: Switches, clock: Callable[[], datetime]) -> None:
        self.switches = switches
        self.clock = clock
        self.orders: dict[str, SimulatedOrder] = {}
        self._rules = Rules(switches)

    def add(
        self, order_id: str, amount: int, currency: str, merchant_id: str, **more: Any
    ) -> SimulatedOrder:
        """Authorize an order."""
        now = self.clock()
        values = {"original_amount": amount, "created_at": now, "expires_at": now + _PERIOD, **more}
        order = SimulatedOrder(order_id, merchant_id, amount, currency, **values)
        self.orders[order_id] = order
        return order

    def expired(self, order: SimulatedOrder) -> bool:
        """Tell whether the authorization's time is over."""
        return order.expires_at <= self.clock()

    def status(self, order: SimulatedOrder) -> str:
        """Return the order's status as it follows from what happened (contract, section 6)."""
        open_minor = 0 if order.released else order.amount - order.captured
        if order.cancelled:
            return "CANCELLED"
        if open_minor > 0 and self.expired(order):
            return "EXPIRED"
        if open_minor <= 0 and 0 < order.captured <= order.refunded:
            return "CLOSED"
        if order.released:
            return self.switches.released_status
        if open_minor <= 0:
            return "CAPTURED"
        return "PART_CAPTURED" if order.captures else "AUTHORIZED"

    def remaining(self, order: SimulatedOrder) -> int:
        """Return what the order shows as still authorized."""
        over = order.released or order.cancelled or self.expired(order)
        return 0 if over and self.switches.clears_remaining else order.amount - order.captured

    def capture(
        self, order: SimulatedOrder, body: Body, key: str | None = None
    ) -> SimulatedCapture:
        """Capture: a part or all of what remains."""
        self._rules.check_capture(body)
        self._check_capturable(order, body["captured_amount"])
        made = SimulatedCapture(
            capture_id=str(uuid.uuid4()),
            amount=body["captured_amount"],
            reference=body.get("reference"),
            captured_at=self.clock(),
            order_lines=list(body.get("order_lines", ())),
            shipping_info=[dict(entry) for entry in body.get("shipping_info", ())],
            key=key,
            description=body.get("description"),
            klarna_reference=f"{order.klarna_reference}-{len(order.captures) + 1}",
        )
        order.captures.append(made)
        return made

    def _check_capturable(self, order: SimulatedOrder, amount: int) -> None:
        code = "CAPTURE_NOT_ALLOWED"
        status = self.status(order)
        if status == "CANCELLED":
            raise Refusal(403, code, f"Order {order.order_id} is cancelled.")
        if status == "EXPIRED":
            raise Refusal(403, code, f"Order {order.order_id} is expired. Capture not possible.")
        if order.fraud_status != "ACCEPTED":
            raise Refusal(403, code, "Order is not accepted. Capture not possible.")
        open_minor = 0 if order.released else order.amount - order.captured
        if amount > open_minor:
            text = "Captured amount is higher than the remaining authorized amount."
            raise Refusal(403, code, f"{text} Capture not possible.")
        if order.captures and not self.switches.takes_several_captures:
            raise Refusal(403, code, "The payment method allows one capture only.")
        if order.payment_fails:
            raise Refusal(403, "PAYMENT_METHOD_FAILED", "The shopper could not be charged.")

    def find(self, order: SimulatedOrder, capture_id: str) -> SimulatedCapture:
        """Return one capture."""
        for capture in order.captures:
            if capture.capture_id == capture_id:
                return capture
        raise Refusal(404, "NO_SUCH_CAPTURE", "No such capture.")

    def track(
        self, order: SimulatedOrder, body: Body, capture: SimulatedCapture | None = None
    ) -> None:
        """Append tracking to a capture's, or the order's, entries; nothing is ever replaced."""
        self._rules.check(body, TRACKING)
        status = self.status(order)
        over = status in ("CLOSED", "EXPIRED") and not self.switches.tracks_closed_orders
        if over or status == "CANCELLED":
            raise Refusal(403, "NOT_ALLOWED", f"Order is {status.lower()}.")
        entries = order.shipping_info if capture is None else capture.shipping_info
        entries.extend(dict(entry) for entry in body["shipping_info"])

    def refund(self, order: SimulatedOrder, body: Body) -> dict[str, Any]:
        """Refund a part or all of what was captured."""
        self._rules.check(body, REFUND)
        code, amount = "REFUND_NOT_ALLOWED", body["refunded_amount"]
        if not order.captures:
            raise Refusal(403, code, "Order has no captures. Refund not possible")
        if self.status(order) not in ("PART_CAPTURED", "CAPTURED"):
            raise Refusal(403, code, f"Order is {self.status(order).lower()}. Refund not possible")
        if order.refunded + amount > order.captured:
            raise Refusal(403, code, "Refund amount is higher than the captured amount.")
        refund = {**body, "refund_id": str(uuid.uuid4()), "refunded_at": self.clock()}
        order.refunds.append(refund)
        for capture in order.captures:  # oldest first; the contract names no rule without lines
            part = min(amount, capture.amount - capture.refunded)
            capture.refunded += part
            amount -= part
        return refund

    def cancel(self, order: SimulatedOrder) -> None:
        """Cancel an order without captures."""
        if order.captures:
            text = "Order has previous captures. Cancel not possible"
            raise Refusal(403, "CANCEL_NOT_ALLOWED", text)
        if self.status(order) != "AUTHORIZED":
            raise Refusal(403, "CANCEL_NOT_ALLOWED", f"Order is {self.status(order).lower()}.")
        order.cancelled = True

    def release(self, order: SimulatedOrder) -> None:
        """Release what is not captured; needs a capture."""
        status = self.status(order)
        if order.released or status != "PART_CAPTURED":
            fully = "Order is fully captured. Remaining authorization cannot be released."
            text = fully if status == "CAPTURED" else f"Order is {status.lower()}."
            raise Refusal(403, "NOT_ALLOWED", text)
        order.released = True

    def extend(self, order: SimulatedOrder) -> None:
        """Extend the authorization to 28 days from now, 90 in all (contract, section 9)."""
        until = min(self.clock() + _PERIOD, order.created_at + _LONGEST)
        if self.status(order) == "EXPIRED":
            text = "Order is expired. Authorization time cannot be extended."
            raise Refusal(403, "NOT_ALLOWED", text)
        extendable = self.status(order) in ("AUTHORIZED", "PART_CAPTURED") and not order.released
        if not extendable or until <= order.expires_at or order.country in ("ES", "FR", "IT", "PT"):
            raise Refusal(403, "NOT_ALLOWED", "Authorization time cannot be extended.")
        order.expires_at = until

    def authorize(self, order: SimulatedOrder, body: Body) -> None:
        """Raise or lower the authorized amount."""
        self._rules.check(body, AUTHORIZATION)
        amount = body["order_amount"]
        if self.status(order) not in ("AUTHORIZED", "PART_CAPTURED") or order.released:
            raise Refusal(403, "NOT_ALLOWED", f"Order is {self.status(order).lower()}.")
        if amount < order.captured:
            text = f"Resulting authorization amount {amount} cannot be less than the captured"
            raise Refusal(403, "NOT_ALLOWED", f"{text} amount {order.captured}.")
        order.amount = amount

    def refer(self, order: SimulatedOrder, body: Body) -> None:
        """Set merchant references: a field that is present overwrites, an empty one clears."""
        self._rules.check(body, REFERENCES)
        if order.cancelled:
            raise Refusal(403, "NOT_ALLOWED", "Order is cancelled.")
        order.merchant_reference1 = body.get("merchant_reference1", order.merchant_reference1)
        order.merchant_reference2 = body.get("merchant_reference2", order.merchant_reference2)

    def readdress(self, order: SimulatedOrder, body: Body) -> None:
        """Change where the order is shipped to."""
        self._rules.check(body, CUSTOMER)
        if order.cancelled:
            raise Refusal(403, "UPDATE_NOT_ALLOWED", "Order is cancelled.")
        order.shipping_address.update(body.get("shipping_address", {}))

    def acknowledge(self, order: SimulatedOrder) -> None:
        """Stop the checkout's push notifications."""
        if order.cancelled:
            raise Refusal(403, "NOT_ALLOWED", "Order is cancelled.")
        order.acknowledged = True
