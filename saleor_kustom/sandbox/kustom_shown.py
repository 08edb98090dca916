"""How the simulated Kustom shows its orders and captures (contract, sections 5.1 and 5.2)."""

from datetime import UTC, datetime
from typing import Any

from saleor_kustom.sandbox.kustom_orders import Ledger, SimulatedCapture, SimulatedOrder
from saleor_kustom.sandbox.kustom_rules import Switches


def shown_order(ledger: Ledger, order: SimulatedOrder) -> dict[str, Any]:
    """Return an order as the API shows it, personal data (made up) included."""
    switches = ledger.switches
    shown = {
        "order_id": order.order_id,
        "status": ledger.status(order),
        "fraud_status": order.fraud_status,
        "order_amount": order.amount,
        "original_order_amount": order.original_amount,
        "captured_amount": order.captured,
        "refunded_amount": order.refunded,
        "remaining_authorized_amount": ledger.remaining(order),
        "purchase_currency": _cased(order.currency, switches),
        "purchase_country": _cased(order.country, switches),
        "merchant_reference1": order.merchant_reference1 or None,
        "merchant_reference2": order.merchant_reference2 or None,
        "klarna_reference": order.klarna_reference,
        "created_at": shown_time(order.created_at, switches),
        "expires_at": shown_time(order.expires_at, switches),
        "customer": {"date_of_birth": "1990-01-01", "national_identification_number": "4103219202"},
        "billing_address": {"given_name": "Test", "family_name": "Shopper"},
        "shipping_address": order.shipping_address,
        "initial_payment_method": {"type": order.payment_type, "description": None},
        "captures": [shown_capture(capture, switches) for capture in order.captures],
        "refunds": [shown_refund(refund, switches) for refund in order.refunds]
        if switches.lists_refunds
        else None,
        "shipping_info": order.shipping_info,
        "merchant_data": None,
    }
    return _absent(shown, switches)


def shown_capture(capture: SimulatedCapture, switches: Switches) -> dict[str, Any]:
    """Return a capture as the API shows it."""
    shown = {
        "capture_id": capture.capture_id,
        "klarna_reference": capture.klarna_reference,
        "captured_amount": capture.amount,
        "captured_at": shown_time(capture.captured_at, switches),
        "description": capture.description,
        "reference": capture.reference,
        "refunded_amount": capture.refunded,
        "order_lines": capture.order_lines,
        "billing_address": {"given_name": "Test", "family_name": "Shopper"},
        "shipping_info": capture.shipping_info,
    }
    return _absent(shown, switches)


def shown_refund(refund: dict[str, Any], switches: Switches) -> dict[str, Any]:
    """Return a refund as the API shows it."""
    return {**refund, "refunded_at": shown_time(refund["refunded_at"], switches)}


def shown_time(when: datetime, switches: Switches) -> str:
    """Return a time as Kustom writes it: with milliseconds and Z, or without and +00:00."""
    if switches.writes_offsets:
        return when.astimezone(UTC).isoformat(timespec="seconds")
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _cased(text: str, switches: Switches) -> str:
    return text.lower() if switches.writes_lower_case else text


def _absent(shown: dict[str, Any], switches: Switches) -> dict[str, Any]:
    if switches.sends_nulls:
        return shown
    return {name: value for name, value in shown.items() if value is not None}
