"""Small orders written by hand, for tests that state one thing each."""

from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.decide import Earlier, decide
from saleor_kustom.capture.fulfillment import (
    Fulfillment,
    FulfillmentLine,
    Order,
    OrderLine,
    Transaction,
)
from saleor_kustom.capture.plan import Plan
from saleor_kustom.capture.policy import Policy

KUSTOM = "37c5d807-277c-434f-95eb-5871b1c79748"
CREATED = "2026-11-23T12:00:00.000000+00:00"


def line(line_id, quantity, total_minor, **fields):
    made = {
        "name": f"Vara {line_id}",
        "sku": f"SKU-{line_id}",
        "undiscounted_total_minor": total_minor,
        "tax_rate": 2500,
    }
    return OrderLine(id=line_id, quantity=quantity, total_minor=total_minor, **{**made, **fields})


def order(*lines, shipping_minor=0, **fields):
    subtotal = sum(each.total_minor for each in lines)
    made = {
        "id": "T3JkZXI6MQ==",
        "number": "1001",
        "channel": "se",
        "currency": "SEK",
        "origin": "CHECKOUT",
        "status": "UNFULFILLED",
        "total_minor": subtotal + shipping_minor,
        "subtotal_minor": subtotal,
        "shipping_minor": shipping_minor,
        "undiscounted_shipping_minor": shipping_minor,
        "shipping_tax_rate": 2500,
        "shipping_method_name": "PostNord",
        "lines": lines,
    }
    return Order(**{**made, **fields})


def parcel(number, units, **fields):
    made = {"id": f"F-{number}", "number": number, "status": "FULFILLED", "created": CREATED}
    lines = tuple(FulfillmentLine(line_id, n) for line_id, n in units.items())
    return Fulfillment(lines=lines, **{**made, **fields})


def authorization(amount_minor, **fields):
    made = {
        "kustom_order_id": KUSTOM,
        "status": "AUTHORIZED",
        "fraud_status": "ACCEPTED",
        "currency": "SEK",
        "order_amount_minor": amount_minor,
        "original_order_amount_minor": amount_minor,
        "captured_amount_minor": 0,
        "refunded_amount_minor": 0,
        "remaining_minor": amount_minor,
    }
    return Authorization(**{**made, **fields})


def payment(psp_reference, authorized_minor=0, charged_minor=0, **fields):
    made = {"id": f"T-{psp_reference}", "refunded_minor": 0, "canceled_minor": 0}
    return Transaction(
        psp_reference=psp_reference,
        authorized_minor=authorized_minor,
        charged_minor=charged_minor,
        **{**made, **fields},
    )


class Parcels:
    """Plans parcel after parcel of one order; every plan counts as captured."""

    def __init__(self, of, authorization=None, **policy):
        self.order, self.authorization, self.policy = of, authorization, Policy(**policy)
        self.ledger = []

    def __call__(self, captured=True, **units):
        shipped = parcel(len(self.ledger) + 1, units)
        decision = decide(self.order, shipped, self.ledger, self.authorization, self.policy)
        plan = decision if isinstance(decision, Plan) else getattr(decision, "plan", None)
        money = captured and isinstance(decision, Plan)
        self.ledger.append(Earlier(shipped.id, plan, captured=money))
        return decision

    def withdraw(self, number):
        """Cancel a parcel before any money moved."""
        self.ledger[number - 1] = Earlier(f"F-{number}", None, canceled=True)

    def cancel(self, number):
        """Cancel a parcel after its capture."""
        plan = self.ledger[number - 1].plan
        self.ledger[number - 1] = Earlier(f"F-{number}", plan, captured=True, canceled=True)
