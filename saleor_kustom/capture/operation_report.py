"""What Saleor is told of an operation: the event on its transaction, and metadata.

The metadata keys are a public contract, documented in docs/saleor-writes.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from saleor_kustom.capture.answer import ABOUT, failed_amount, success_message
from saleor_kustom.capture.fulfillment import Order, Transaction
from saleor_kustom.capture.money import to_decimal
from saleor_kustom.capture.operation import Kind, Request
from saleor_kustom.capture.plan import Binding, Call, Plan
from saleor_kustom.capture.report import Report, TransactionReport, binding_metadata, number_of


@dataclass(frozen=True, slots=True)
class Finished:
    """An operation that Kustom has confirmed. `fulfillment_id`: the parcel that it refunds."""

    kind: Kind
    operation_id: str
    kustom_id: str  # the operation's own id where Kustom gives none
    plan: Plan
    binding: Binding
    at: datetime
    psp_reference: str  # as which Saleor knows it
    fulfillment_id: str | None = None
    actions: Sequence[str] = ()
    portal_url: str | None = None


def success(order: Order, done: Finished, transaction: Transaction | None) -> Report:
    """Return what to tell Saleor when Kustom has confirmed. No transaction: metadata alone."""
    has_id = done.plan.call in (Call.CAPTURE, Call.REFUND)
    parcel = order.fulfillment(done.fulfillment_id) if done.fulfillment_id else None
    return Report(
        order_id=order.id,
        fulfillment_id=done.fulfillment_id or "",
        transaction=_event(order, done, transaction) if transaction else None,
        transaction_private={f"kustom.operation.{done.operation_id}": done.kustom_id}
        if transaction and has_id
        else {},
        fulfillment_private=_of_parcel(order, done) if parcel else {},
        order_private={**binding_metadata(done.binding), **_of_order(done)},
    )


def failure(
    operation_id: str,
    kind: Kind,
    request: Request,
    *,
    order_id: str,
    message: str,
    actions: Sequence[str] | None,
) -> Report:
    """Return what to tell Saleor when its request was refused."""
    return Report(
        order_id=order_id,
        fulfillment_id="",
        transaction=TransactionReport(
            transaction_id=request.transaction_id or "",
            psp_reference=operation_id,
            amount=failed_amount(request),
            message=message,
            available_actions=None if actions is None else tuple(actions),
            type=f"{ABOUT[kind]}_FAILURE",
        ),
    )


def _event(order: Order, done: Finished, transaction: Transaction) -> TransactionReport:
    return TransactionReport(
        transaction_id=transaction.id,
        psp_reference=done.psp_reference,
        amount=to_decimal(done.plan.amount_minor, order.currency),
        message=success_message(done.plan.call, done.kustom_id),
        external_url=done.portal_url,
        # Nobody's transaction is ours only after this report.
        available_actions=tuple(done.actions) if transaction.owner_app_id else None,
        time=done.at,
        type=f"{ABOUT[done.kind]}_SUCCESS",
    )


def _of_parcel(order: Order, done: Finished) -> dict[str, str]:
    """Return the metadata of a cancelled parcel that was refunded."""
    return {
        "kustom.refund_id": done.kustom_id,
        "kustom.refunded_amount": f"{to_decimal(done.plan.amount_minor, order.currency)}",
        "kustom.refunded_at": done.at.isoformat(),
    }


def _of_order(done: Finished) -> dict[str, str]:
    name = number_of(done.fulfillment_id) if done.fulfillment_id else done.operation_id
    match done.plan.call:
        case Call.CAPTURE:
            return {f"kustom.charge.{name}": done.kustom_id}
        case Call.REFUND:
            return {f"kustom.refund.{name}": done.kustom_id}
        case Call.CANCEL:
            return {"kustom.canceled_at": done.at.isoformat()}
        case Call.RELEASE:
            return {"kustom.released_at": done.at.isoformat()}
