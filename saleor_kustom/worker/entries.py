"""What the rows of an order mean for its ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from saleor_kustom.capture.fulfillment import Order
from saleor_kustom.capture.held import Reason
from saleor_kustom.capture.ledger import Earlier
from saleor_kustom.capture.operation import Kind, Source
from saleor_kustom.capture.plan import Call, Plan
from saleor_kustom.capture.state import SPENDING, State
from saleor_kustom.store import Capture


def ledger_of(rows: Sequence[Capture], order: Order, *, but: int | None = None) -> list[Earlier]:
    """Return what an order's rows mean for its ledger; `but`: the row that is decided on.

    A refund or cancellation has no entry: the refund of a cancelled parcel changes that parcel's.
    """
    refunds = {row.fulfillment_id: row for row in rows if is_parcel_refund(row)}
    return [
        _refunded(_charge_of(row) if row.kind is Kind.CHARGE else earlier_of(row, order), refunds)
        for row in rows
        if row.id != but and row.kind in (Kind.FULFILLMENT, Kind.CHARGE)
    ]


def is_parcel_refund(row: Capture) -> bool:
    """Tell whether a row is the refund of a cancelled parcel, whose fulfillment's id it bears."""
    by_button = row.request is not None and row.request.source is Source.BUTTON
    return row.kind is Kind.REFUND and not by_button


def money_moved(row: Capture) -> bool:
    """Tell whether Kustom has confirmed it."""
    return row.state in (State.CAPTURED, State.REPORTED)


def plan_of(row: Capture) -> Plan | None:
    """Return the plan that a row holds."""
    return Plan.model_validate_json(row.plan) if row.plan else None


def references_of(rows: Sequence[Capture]) -> frozenset[str]:
    """Return the references of our own captures, to tell those that were made outside."""
    plans = filter(None, map(plan_of, rows))
    return frozenset(plan.reference for plan in plans if plan.call is Call.CAPTURE)


def _charge_of(row: Capture) -> Earlier:
    """Return a charge: it has no parcel, so what ships later takes its units over."""
    return Earlier(
        fulfillment_id=row.fulfillment_id,
        plan=plan_of(row) if row.state in SPENDING else None,
        captured=money_moved(row),
        canceled=True,
    )


def _refunded(entry: Earlier, refunds: Mapping[str, Capture]) -> Earlier:
    """Return a parcel's entry after its refund: its units are free again.

    While the refund's outcome is unknown they are neither free nor to be taken over.
    """
    refund = refunds.get(entry.fulfillment_id)
    if refund is None or refund.state not in SPENDING or not entry.canceled:
        return entry
    if money_moved(refund):
        return replace(entry, plan=None)
    return replace(entry, captured=False)


def earlier_of(row: Capture, order: Order) -> Earlier:
    """Return what another parcel of the order means for the ledger.

    Whether it was cancelled Saleor tells, also when that delivery is late or lost (rule 1).

    A held parcel keeps its units only while its outcome is unknown (domain rule 19).
    """
    plan = plan_of(row)
    fulfillment = order.fulfillment(row.fulfillment_id)
    spends = row.state in SPENDING or row.state is State.NOTHING
    return Earlier(
        fulfillment_id=row.fulfillment_id,
        plan=plan if spends else None,
        # Only money that certainly moved pays for units again: one whose outcome is unknown
        # keeps its units, and a re-shipment of them is held.
        captured=money_moved(row),
        canceled=row.canceled or (fulfillment is not None and fulfillment.status == "CANCELED"),
    )


def wakes_of(canceled: Capture) -> str:
    """Return which captures of the order a cancellation concerns.

    Those that lacked units; and all, where the cancelled parcel gives back what it took over.
    """
    took_over = canceled.plan and Plan.model_validate_json(canceled.plan).takes_over
    return "all" if took_over else Reason.UNITS_MISSING.value


def keeps_its_mark(capture: Capture) -> bool:
    """Tell whether news about a held capture must not send it by itself.

    What Kustom refused, what was only observed, and what a person holds goes on when a person
    says so.
    """
    return capture.held in (
        Reason.REFUSED_BY_KUSTOM,
        Reason.OBSERVED,
        Reason.CAPTURE_DIFFERS,
        Reason.HELD_BY_HAND,
    )
