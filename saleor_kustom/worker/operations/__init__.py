"""Charges, refunds, cancellations and releases: the same queue and ledger as parcels' captures."""

from saleor_kustom.worker.operations.steps import advance_operation

__all__ = ["advance_operation"]
