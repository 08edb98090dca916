"""Orders, parcels and authorizations in one line each, for tests that write amounts out."""

import json
from dataclasses import replace

from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.decide import Earlier, decide
from saleor_kustom.capture.fulfillment import (
    Fulfillment,
    FulfillmentLine,
    Order,
    OrderLine,
    Transaction,
)
from saleor_kustom.capture.plan import Nothing, Plan
from saleor_kustom.capture.policy import Policy

KUSTOM_ORDER = "5b7a1d3e-0f7c-4a52-9a55-2f7a2f0c9e01"
OTHER_ORDER = "0c1d2e3f-1111-4222-8333-444455556666"


def order_line(total_minor, quantity=1, line_id="a", **changes):
    made = OrderLine(
        id=line_id,
        name="Mug",
        sku="MUG-1",
        quantity=quantity,
        total_minor=total_minor,
        undiscounted_total_minor=total_minor,
        tax_rate=2500,
    )
    return replace(made, **changes)


def order(*lines, shipping_minor=0, total_minor=None, **changes):
    """An order of the given lines; its total is their sum unless another is given."""
    subtotal = sum(line.total_minor for line in lines)
    made = Order(
        id="T3JkZXI6MQ==",
        number="1",
        channel="default",
        currency="SEK",
        origin="CHECKOUT",
        status="UNFULFILLED",
        total_minor=subtotal + shipping_minor if total_minor is None else total_minor,
        subtotal_minor=subtotal,
        shipping_minor=shipping_minor,
        undiscounted_shipping_minor=shipping_minor,
        shipping_tax_rate=2500,
        shipping_method_name="PostNord",
        lines=lines,
    )
    return replace(made, **changes)


def parcel(number=1, tracking="", metadata=None, private_metadata=None, **units):
    """A fulfillment of so many units by order line id."""
    return Fulfillment(
        id=f"F{number}",
        number=number,
        status="FULFILLED",
        created="2026-03-01T10:00:00.000000+00:00",
        tracking_number=tracking,
        lines=tuple(FulfillmentLine(line_id, quantity) for line_id, quantity in units.items()),
        metadata=metadata or {},
        private_metadata=private_metadata or {},
    )


def payment(authorized_minor=0, charged_minor=0, psp=KUSTOM_ORDER, **changes):
    made = Transaction(
        id=f"T-{psp}",
        psp_reference=psp,
        authorized_minor=authorized_minor,
        charged_minor=charged_minor,
        refunded_minor=0,
        canceled_minor=0,
    )
    return replace(made, **changes)


def card(charged_minor):
    """A gift card as Saleor 3.23 has it."""
    return payment(charged_minor=charged_minor, psp=f"card-{charged_minor}", is_gift_card=True)


def authorized(amount_minor, captured_minor=0, **changes):
    made = Authorization(
        kustom_order_id=KUSTOM_ORDER,
        status="PART_CAPTURED" if captured_minor else "AUTHORIZED",
        fraud_status="ACCEPTED",
        currency="SEK",
        order_amount_minor=amount_minor,
        original_order_amount_minor=amount_minor,
        captured_amount_minor=captured_minor,
        refunded_amount_minor=0,
        remaining_minor=amount_minor - captured_minor,
    )
    return replace(made, **changes)


class Books:
    """Decides parcel after parcel and remembers, as a preview without Kustom."""

    def __init__(self, of, policy=None, authorization=None):
        self.order = of
        self.policy = policy or Policy()
        self.authorization = authorization
        self.earlier = {}

    def ship(self, fulfillment=None, **units):
        fulfillment = fulfillment or parcel(len(self.earlier) + 1, **units)
        decision = decide(
            self.order,
            fulfillment,
            tuple(self.earlier.values()),
            self.authorization,
            self.policy,
        )
        plan = decision.plan if isinstance(decision, Nothing) else decision
        spends = plan if isinstance(plan, Plan) else None
        captured = isinstance(decision, Plan)
        self.earlier[fulfillment.id] = Earlier(fulfillment.id, spends, captured=captured)
        return decision

    def cancel(self, fulfillment_id):
        """Cancel in Saleor: what was captured stays captured, anything else is withdrawn."""
        was = self.earlier[fulfillment_id]
        plan = was.plan if was.captured else None
        self.earlier[fulfillment_id] = replace(was, plan=plan, canceled=True)

    def withdraw(self, fulfillment_id):
        self.earlier[fulfillment_id] = Earlier(fulfillment_id, None, canceled=True)


def body_of(plan):
    return json.loads(plan.body)
