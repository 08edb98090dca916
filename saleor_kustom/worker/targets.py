"""Which captures at Kustom a parcel's tracking goes to, and what each of them lacks.

Its own capture, and those of cancelled parcels whose units it ships again (domain rule 20): what a
shopper paid for is followed where it was paid. Found in the order's rows by the id that a plan
names, whatever kind of row that is. Pure: rows in, entries out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from saleor_kustom.capture.shipping_fields import Entry
from saleor_kustom.capture.tracking_sent import difference
from saleor_kustom.store import Capture
from saleor_kustom.worker.entries import plan_of


@dataclass(frozen=True, slots=True)
class Lack:
    """What a capture lacks of a parcel's tracking. refused: what Kustom did not take of it."""

    capture_id: str
    missing: tuple[Entry, ...]
    refused: tuple[Entry, ...] = ()


def takes_over(row: Capture) -> tuple[str, ...]:
    """Return the ids of the rows whose captures pay for units of this parcel."""
    plan = plan_of(row)
    return plan.takes_over if plan else ()


def targets(row: Capture, rows: Sequence[Capture]) -> tuple[str, ...]:
    """Return the ids of the captures that pay for a parcel, its own first."""
    own = (row.capture_id,) if row.capture_id else ()
    ids = takes_over(row)
    # The refund of a cancelled parcel bears that parcel's id too.
    paying = (r for r in rows if r.captures and r.fulfillment_id in ids)
    others = (row.capture_id for row in paying if row.capture_id)
    return tuple(dict.fromkeys((*own, *others)))


def told(capture_id: str, rows: Sequence[Capture]) -> tuple[Entry, ...]:
    """Return all entries that the order's parcels have sent to a capture."""
    own = [entry for row in rows if row.capture_id == capture_id for entry in row.tracking_sent]
    others = [entry for row in rows for entry in row.tracking_elsewhere.get(capture_id, ())]
    return (*own, *others)


def lacking(row: Capture, rows: Sequence[Capture], wanted: Sequence[Entry]) -> list[Lack]:
    """Return what a parcel's captures lack. rows: the order's, this one as it is now."""
    found = []
    for capture_id in targets(row, rows):
        missing = difference(wanted, told(capture_id, rows))
        refusals = [r["entry"] for r in row.tracking_refused if r["capture_id"] == capture_id]
        refused = tuple(entry for entry in missing if entry in refusals)
        left = tuple(entry for entry in missing if entry not in refusals)
        if missing:
            found.append(Lack(capture_id, left, refused))
    return found
