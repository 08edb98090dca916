"""Kustom's orders, simulated: what may be captured, and every check that the contract names.

No HTTP here. Whatever the contract marks as assumed and our behaviour depends on is a switch
(domain rule 29), so that tests run both ways.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any


@dataclass(slots=True)
class Switches:
    """Each assumed fact of the contract; the defaults are our reading."""

    validation_status: int = 400  # or 422
    checks_sums: bool = True  # lines must sum to captured_amount
    checks_taxes: bool = True  # contained tax within one minor unit
    remembers_refusals: bool = False  # a key honours a refusal too
    foreign_order_status: int = 404  # or 403
    released_status: str = "CAPTURED"  # or PART_CAPTURED
    sends_correlation_id: bool = True
    takes_zero_captures: bool = False
    takes_gift_card_lines: bool = True
    tracks_closed_orders: bool = True
    refuses_tracking: bool = False
    key_hours: float = 24.0
    keys_per_endpoint: bool = False


class Refusal(Exception):  # noqa: N818 - the simulated no
    """A definite no, with status and error code."""

    def __init__(self, status: int, code: str, *messages: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.messages = messages


@dataclass(slots=True)
class SimulatedCapture:
    """A capture in the ledger."""

    capture_id: str
    amount: int
    reference: str | None
    captured_at: datetime
    order_lines: list[dict[str, Any]]
    shipping_info: list[dict[str, str]]
    key: str | None = None


@dataclass(slots=True)
class SimulatedOrder:
    """An order at Kustom. Amounts in minor units."""

    order_id: str
    merchant_id: str
    amount: int
    currency: str
    original_amount: int
    created_at: datetime
    expires_at: datetime
    merchant_reference1: str = ""
    merchant_reference2: str = ""
    fraud_status: str = "ACCEPTED"
    released: bool = False
    cancelled: bool = False
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
    """All orders of the simulated Kustom, and what may happen to them."""

    def __init__(self, switches: Switches, clock: Callable[[], datetime]) -> None:
        self.switches = switches
        self.clock = clock
        self.orders: dict[str, SimulatedOrder] = {}

    def add(
        self, order_id: str, amount: int, currency: str, merchant_id: str, **more: Any
    ) -> SimulatedOrder:
        """Authorize an order."""
        now = self.clock()
        more.setdefault("expires_at", now + timedelta(days=28))
        order = SimulatedOrder(order_id, merchant_id, amount, currency, amount, now, **more)
        self.orders[order_id] = order
        return order

    def status(self, order: SimulatedOrder) -> str:
        """Return the order's status as it follows from what happened (contract, section 6)."""
        if order.cancelled:
            return "CANCELLED"
        if order.captured and order.refunded >= order.captured and not self.remaining(order):
            return "CLOSED"
        if order.released:
            return self.switches.released_status
        if order.captured >= order.amount:
            return "CAPTURED"
        if order.expires_at <= self.clock():
            return "EXPIRED"
        return "PART_CAPTURED" if order.captures else "AUTHORIZED"

    def remaining(self, order: SimulatedOrder) -> int:
        """Return what may still be captured."""
        if order.released or order.cancelled or order.expires_at <= self.clock():
            return 0
        return order.amount - order.captured

    def capture(
        self, order: SimulatedOrder, body: Mapping[str, Any], key: str | None
    ) -> SimulatedCapture:
        """Capture, or raise Refusal."""
        amount = self._validate_capture(body)
        self._check_capturable(order, amount)
        made = SimulatedCapture(
            capture_id=str(uuid.uuid4()),
            amount=amount,
            reference=body.get("reference"),
            captured_at=self.clock(),
            order_lines=list(body.get("order_lines", ())),
            shipping_info=[dict(entry) for entry in body.get("shipping_info", ())],
            key=key,
        )
        order.captures.append(made)
        return made

    def _check_capturable(self, order: SimulatedOrder, amount: int) -> None:
        code = "CAPTURE_NOT_ALLOWED"
        if order.cancelled:
            raise Refusal(403, code, f"Order {order.order_id} is cancelled.")
        if order.fraud_status != "ACCEPTED":
            raise Refusal(403, code, "Order is not accepted. Capture not possible.")
        if order.expires_at <= self.clock():
            raise Refusal(403, code, f"Order {order.order_id} is expired. Capture not possible.")
        if amount > self.remaining(order):
            raise Refusal(
                403,
                code,
                "Captured amount is higher than the remaining authorized amount. "
                "Capture not possible.",
            )

    def refund(self, order: SimulatedOrder, body: Mapping[str, Any]) -> dict[str, Any]:
        """Refund, or raise Refusal."""
        amount = self._integer(body, "refunded_amount", 0, 200_000_000)
        if not order.captures:
            raise Refusal(403, "REFUND_NOT_ALLOWED", "Order has no captures.")
        if order.refunded + amount > order.captured:
            raise Refusal(403, "REFUND_NOT_ALLOWED", "More than was captured.")
        refund = {**body, "refund_id": str(uuid.uuid4()), "refunded_at": text(self.clock())}
        order.refunds.append(refund)
        return refund

    def cancel(self, order: SimulatedOrder) -> None:
        """Cancel an order without captures."""
        if order.captures:
            raise Refusal(403, "CANCEL_NOT_ALLOWED", "Order has previous captures.")
        order.cancelled = True

    def release(self, order: SimulatedOrder) -> None:
        """Release what is not captured."""
        if not order.captures or not self.remaining(order):
            raise Refusal(403, "NOT_ALLOWED", "Remaining authorization cannot be released.")
        order.released = True

    def extend(self, order: SimulatedOrder) -> None:
        """Extend the authorization by 28 days from now."""
        if self.status(order) not in ("AUTHORIZED", "PART_CAPTURED"):
            raise Refusal(403, "NOT_ALLOWED", "Authorization time cannot be extended.")
        order.expires_at = self.clock() + timedelta(days=28)

    def track(
        self, order: SimulatedOrder, entries: list[dict[str, str]], body: Mapping[str, Any]
    ) -> None:
        """Append tracking to a capture's (or the order's) entries; nothing is replaced."""
        given = self._shipping_info(body.get("shipping_info"))
        if not given:
            raise self._bad("shipping_info: must not be empty")
        closed = self.status(order) in ("CLOSED", "EXPIRED")
        if closed and not self.switches.tracks_closed_orders:
            raise Refusal(403, "NOT_ALLOWED", f"Order is {self.status(order)}.")
        entries.extend(given)

    def _validate_capture(self, body: Mapping[str, Any]) -> int:
        amount = self._integer(body, "captured_amount", 0, 200_000_000)
        if amount == 0 and not self.switches.takes_zero_captures:
            raise self._bad("captured_amount: must be at least 1")
        self._text(body, "reference", 255)
        self._text(body, "description", 255)
        lines = body.get("order_lines", [])
        if not isinstance(lines, list) or len(lines) > 1000:  # noqa: PLR2004 - the contract's
            raise self._bad("order_lines: must be a list of at most 1000")
        for index, line in enumerate(lines):
            self._line(index, line)
        differs = sum(line["total_amount"] for line in lines) != amount
        if lines and self.switches.checks_sums and differs:
            raise self._bad("order_lines: do not sum to captured_amount")
        self._shipping_info(body.get("shipping_info", []))
        return amount

    def _line(self, index: int, line: Any) -> None:
        where = f"order_lines[{index}]"
        if not isinstance(line, dict):
            raise self._bad(f"{where}: must be an object")
        for name, limit in _TEXTS.items():
            self._text(line, name, limit)
        if not line.get("name"):
            raise self._bad(f"{where}.name: is required")
        if line.get("type", "physical") not in _TYPES:
            raise self._bad(f"{where}.type: is unknown")
        if line.get("type") == "gift_card" and not self.switches.takes_gift_card_lines:
            raise self._bad(f"{where}.type: gift_card is not allowed")
        quantity = self._integer(line, "quantity", 0, 10**9)
        price = self._integer(line, "unit_price", -200_000_000, 200_000_000)
        total = self._integer(line, "total_amount", -200_000_000, 200_000_000)
        discount = self._integer(line, "total_discount_amount", 0, 200_000_000, default=0)
        if quantity * price - discount != total:
            raise self._bad(f"{where}.total_amount")
        self._tax(where, line, total)

    def _tax(self, where: str, line: Mapping[str, Any], total: int) -> None:
        rate = self._integer(line, "tax_rate", 0, 100_000, default=0)
        tax = self._integer(line, "total_tax_amount", -(10**9), 10**9, default=0)
        right = total - total * 10_000 / (10_000 + rate)
        if self.switches.checks_taxes and abs(tax - right) > 1:
            raise self._bad(f"{where}.total_tax_amount")

    def _shipping_info(self, entries: Any) -> list[dict[str, str]]:
        if not isinstance(entries, list) or len(entries) > 500:  # noqa: PLR2004 - the contract's
            raise self._bad("shipping_info: must be a list of at most 500")
        if entries and self.switches.refuses_tracking:
            raise Refusal(422, "UNPROCESSABLE_ENTITY", "shipping_info/tracking_number")
        for entry in entries:
            if not isinstance(entry, dict):
                raise self._bad("shipping_info: must hold objects")
            for name, value in entry.items():
                limit = 1024 if name.endswith("uri") else 100
                if not isinstance(value, str) or len(value) > limit:
                    raise Refusal(
                        422,
                        "UNPROCESSABLE_ENTITY",
                        f"The size of the shipping_info/{name} value must be between 0 and {limit}",
                    )
            if entry.get("shipping_method", "Home") not in _METHODS:
                raise self._bad("shipping_info/shipping_method")
        return [dict(entry) for entry in entries]

    def _text(self, body: Mapping[str, Any], name: str, limit: int) -> None:
        value = body.get(name, "")
        if not isinstance(value, str) or len(value) > limit or (name in body and not value):
            raise self._bad(f"{name}: must be 1 to {limit} characters")

    def _integer(
        self, body: Mapping[str, Any], name: str, least: int, most: int, default: int | None = None
    ) -> int:
        value = body.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self._bad(f"{name}: must be a whole number from {least} to {most}")
        return value

    def _bad(self, message: str) -> Refusal:
        return Refusal(self.switches.validation_status, "BAD_VALUE", f"Bad value: {message}")


def text(when: datetime) -> str:
    """Return a time as Kustom writes it."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def shown_capture(capture: SimulatedCapture) -> dict[str, Any]:
    """Return a capture as the API shows it."""
    return {
        "capture_id": capture.capture_id,
        "captured_amount": capture.amount,
        "captured_at": text(capture.captured_at),
        "reference": capture.reference,
        "refunded_amount": 0,
        "order_lines": capture.order_lines,
        "shipping_info": capture.shipping_info,
    }


def shown_order(ledger: Ledger, order: SimulatedOrder) -> dict[str, Any]:
    """Return an order as the API shows it, personal data (made up) included."""
    return {
        "order_id": order.order_id,
        "status": ledger.status(order),
        "fraud_status": order.fraud_status,
        "order_amount": order.amount,
        "original_order_amount": order.original_amount,
        "captured_amount": order.captured,
        "refunded_amount": order.refunded,
        "remaining_authorized_amount": ledger.remaining(order),
        "purchase_currency": order.currency,
        "purchase_country": "se",
        "merchant_reference1": order.merchant_reference1,
        "merchant_reference2": order.merchant_reference2,
        "created_at": text(order.created_at),
        "expires_at": text(order.expires_at),
        "customer": {"date_of_birth": "1990-01-01"},
        "billing_address": {"given_name": "Test", "family_name": "Shopper"},
        "captures": [shown_capture(capture) for capture in order.captures],
        "refunds": order.refunds,
        "shipping_info": order.shipping_info,
    }


_TYPES: Sequence[str] = (
    "physical", "discount", "shipping_fee", "sales_tax", "store_credit", "gift_card", "digital",
    "surcharge", "return_fee",
)  # fmt: skip
_METHODS: Sequence[str] = (
    "PickUpStore", "Home", "BoxReg", "BoxUnreg", "PickUpPoint", "Own", "Postal", "DHLPackstation",
    "Digital", "Undefined", "PickUpWarehouse", "ClickCollect", "PalletDelivery",
)  # fmt: skip
_TEXTS: Mapping[str, int] = {
    "name": 255,
    "reference": 255,
    "quantity_unit": 10,
    "image_url": 1024,
    "product_url": 1024,
    "merchant_data": 1024,
}
