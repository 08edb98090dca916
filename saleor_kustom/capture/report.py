"""What Saleor is told after a capture: one request, at most four mutations (domain rule 22).

The metadata keys are a public contract, documented in docs/saleor-writes.md. We write only keys
that begin with `kustom.`, and never read them as merchant input (domain rule 23).
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from saleor_kustom.capture.binding import is_kustoms
from saleor_kustom.capture.fulfillment import Fulfillment, Order, Transaction
from saleor_kustom.capture.money import to_decimal
from saleor_kustom.capture.plan import Binding

#: Where a storefront finds a parcel's tracking.
_TRACKING = "kustom.tracking"


class ReportProblem(StrEnum):
    """Why Saleor's transaction does not show the capture. The metadata is written all the same."""

    FOREIGN_TRANSACTION = "foreign_transaction"  # another app or a staff user owns it (rule 24)
    NO_TRANSACTION = "no_transaction"  # Saleor has no transaction for the Kustom order


@dataclass(frozen=True, slots=True)
class TransactionReport:
    """One event. Saleor counts each (transaction, psp_reference, type) once."""

    transaction_id: str
    psp_reference: str  # Kustom's id, or our operation's
    amount: Decimal
    message: str
    external_url: str | None = None
    available_actions: tuple[str, ...] | None = None  # None leaves them as they are
    time: datetime | None = None
    type: str = "CHARGE_SUCCESS"


@dataclass(frozen=True, slots=True)
class NewTransaction:
    """A transaction of our own: its charges are reported on it.

    `authorized` None: it authorizes nothing, since another one does (domain rule 24).
    """

    order_id: str
    currency: str
    psp_reference: str  # the Kustom order id, by which it is found again
    name: str = "Kustom"
    external_url: str | None = None
    authorized: Decimal | None = None
    message: str = ""
    available_actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """All that one write tells Saleor. Empty mappings and None are not sent.

    Of fulfillment_public and transaction_private a report has one at most: Saleor takes four
    mutations in a request.
    """

    order_id: str
    fulfillment_id: str
    transaction: TransactionReport | None = None
    fulfillment_private: Mapping[str, str] = field(default_factory=dict)
    fulfillment_public: Mapping[str, str] = field(default_factory=dict)
    order_private: Mapping[str, str] = field(default_factory=dict)
    transaction_private: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Captured:
    """A capture that Kustom confirmed. Amount in minor units of the order's currency."""

    binding: Binding
    capture_id: str
    amount_minor: int
    reference: str
    captured_at: datetime
    tracking: Sequence[Mapping[str, str]] | None = None  # as it is now; None: not to be told
    portal_url: str | None = None
    actions: tuple[str, ...] | None = None  # what Saleor's buttons can do now; None: not known


def transaction_of(
    order: Order, kustom_order_id: str, app_id: str, app_identifier: str
) -> Transaction | ReportProblem:
    """Return the transaction to report on, or why there is none (domain rule 24).

    Only its owner may report on a transaction; one without owner takes any app's report.
    Ownership survives a re-install: it follows the app's identifier, not its id.
    """
    candidates = [t for t in order.transactions if is_kustoms(t, kustom_order_id)]
    for transaction in candidates:
        ours = transaction.owner_app_id == app_id
        ours = ours or transaction.owner_app_identifier == app_identifier
        nobodys = transaction.owner_app_id is None and not transaction.owned_by_user
        if ours or nobodys:
            return transaction
    return ReportProblem.FOREIGN_TRANSACTION if candidates else ReportProblem.NO_TRANSACTION


def report(
    order: Order,
    fulfillment: Fulfillment | None,
    fulfillment_id: str,
    captured: Captured,
    transaction: Transaction | None,
) -> Report:
    """Return what to tell Saleor. A fulfillment that Saleor has deleted gets no metadata."""
    amount = to_decimal(captured.amount_minor, order.currency)
    return Report(
        order_id=order.id,
        fulfillment_id=fulfillment_id,
        transaction=_charge(captured, amount, transaction) if transaction else None,
        fulfillment_private=_private(captured, amount, order.currency) if fulfillment else {},
        fulfillment_public=public_tracking(captured.tracking, fulfillment),
        order_private={
            **binding_metadata(captured.binding),
            # A key of its own for each fulfillment: two that finish together both stay
            # (lessons, row 33).
            _capture_key(fulfillment_id): captured.capture_id,
        },
    )


def binding_metadata(binding: Binding) -> dict[str, str]:
    """Return the order's private metadata that says which Kustom order it belongs to."""
    return {
        "kustom.order_id": binding.kustom_order_id,
        "kustom.merchant_id": binding.merchant_id,
        "kustom.environment": binding.environment,
    }


def lost_metadata(order: Order, fulfillment: Fulfillment | None, capture_id: str) -> bool:
    """Tell whether Saleor lacks what was written: a concurrent save there can lose it."""
    if fulfillment is None:
        return False
    of_order = order.private_metadata.get(_capture_key(fulfillment.id))
    return not of_order == fulfillment.private_metadata.get("kustom.capture_id") == capture_id


def _capture_key(fulfillment_id: str) -> str:
    return f"kustom.capture.{number_of(fulfillment_id)}"


def public_tracking(
    tracking: Sequence[Mapping[str, str]] | None, fulfillment: Fulfillment | None
) -> dict[str, str]:
    """Return what to write for a storefront, if Saleor has something else: the tracking as it is.

    Numbers that were replaced stay at Kustom, which only appends; a storefront need not show them.
    """
    if tracking is None or fulfillment is None:
        return {}
    shown = json.dumps([dict(entry) for entry in tracking], ensure_ascii=False)
    now = fulfillment.metadata.get(_TRACKING, "[]")
    return {} if shown == now else {_TRACKING: shown}


def number_of(fulfillment_id: str) -> str:
    """Return the number in a Saleor id ("RnVsZmlsbG1lbnQ6MTE=" is Fulfillment:11), or the id."""
    try:
        return base64.b64decode(fulfillment_id, validate=True).decode().rpartition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return fulfillment_id


def _charge(captured: Captured, amount: Decimal, transaction: Transaction) -> TransactionReport:
    return TransactionReport(
        transaction_id=transaction.id,
        psp_reference=captured.capture_id,
        amount=amount,
        message=f"Captured by Kustom: {captured.reference}",
        external_url=captured.portal_url,
        # Saleor asks only a transaction's owner; nobody's is ours only after this report.
        available_actions=captured.actions if transaction.owner_app_id else None,
        time=captured.captured_at,
    )


def _private(captured: Captured, amount: Decimal, currency: str) -> dict[str, str]:
    return {
        "kustom.capture_id": captured.capture_id,
        "kustom.captured_amount": f"{amount}",
        "kustom.currency": currency,
        "kustom.captured_at": captured.captured_at.isoformat(),
        "kustom.order_id": captured.binding.kustom_order_id,
        "kustom.reference": captured.reference,
    }
