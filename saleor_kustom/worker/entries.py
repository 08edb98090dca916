"""What the rows of an order mean for its ledger."""

from collections.abc import Sequence

from saleor_kustom.capture.decide import reference
from saleor_kustom.capture.fulfillment import Order
from saleor_kustom.capture.held import Reason
from saleor_kustom.capture.ledger import Earlier
from saleor_kustom.capture.outside import Ours
from saleor_kustom.capture.plan import Plan
from saleor_kustom.capture.state import SPENDING, State
from saleor_kustom.store import Capture


def earlier_of(row: Capture, order: Order) -> Earlier:
    """Return what another parcel of the order means for the ledger.

    Whether it was cancelled Saleor tells, also when that delivery is late or lost (rule 1).

    A held parcel keeps its units only while its outcome is unknown (domain rule 19).
    """
    plan = Plan.model_validate_json(row.plan) if row.plan else None
    fulfillment = order.fulfillment(row.fulfillment_id)
    spends = row.state in SPENDING or row.state is State.NOTHING
    return Earlier(
        fulfillment_id=row.fulfillment_id,
        plan=plan if spends else None,
        # Only money that certainly moved pays for units again: one whose outcome is unknown
        # keeps its units, and a re-shipment of them is held.
        captured=row.state in (State.CAPTURED, State.REPORTED),
        canceled=row.canceled or (fulfillment is not None and fulfillment.status == "CANCELED"),
    )


def ours_of(rows: Sequence[Capture], order: Order) -> Ours:
    """Return what the order's rows did at Kustom, to tell it from what happened outside.

    A capture that bears the reference of one of the order's fulfillments is ours too, also when
    a restored database lacks its row: it is adopted (domain rule 7).
    """
    plans = [Plan.model_validate_json(row.plan) for row in rows if row.plan]
    return Ours(
        ids=frozenset(row.capture_id for row in rows if row.capture_id),
        references=frozenset(plan.reference for plan in plans)
        | {reference(order, fulfillment) for fulfillment in order.fulfillments},
        under_way=any(row.state in (State.SENDING, State.CAPTURED) for row in rows),
    )


def wakes_of(canceled: Capture) -> str:
    """Return which captures of the order a cancellation concerns.

    Those that lacked units; and all, where the cancelled parcel gives back what it took over.
    """
    took_over = canceled.plan and Plan.model_validate_json(canceled.plan).takes_over
    return "all" if took_over else Reason.UNITS_MISSING.value
