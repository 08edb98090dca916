"""What must hold of charges, refunds, cancellations and releases in the end."""

from collections import Counter

from saleor_kustom.sandbox.saleor_orders import amount_of
from tests.simulation.whims import kustoms

#: A request of Saleor is never held: it is told why not. What a person asks may be.
_HELD = {
    "partly_shipped_again", "refund_above_captured", "refunded_otherwise", "above_remaining",
    "order_not_capturable", "charged_before", "captured_outside", "not_linked",
}  # fmt: skip


def broken_law(placed, rows, weather):
    """Return the law that an order's operations break, or None."""
    operations = [row for row in rows if not row.is_parcel]
    for row in operations:
        if problem := _of_row(row, weather):
            return f"{row.kind} {row.key}: {problem}"
    return _done_once(placed, operations) or _both_sides_agree(placed, rows, weather)


def _of_row(row, weather):
    state = str(row.state)
    if row.held is not None:
        allowed = _HELD | ({"capture_differs", "ledger_incomplete"} if weather.restores else set())
        if row.by_button and not weather.restores:
            return f"held: {row.held}"
        return None if row.held in allowed else f"held: {row.held}"
    if state in ("reported", "nothing"):
        unanswered = row.by_button and (row.answer is None or row.reported_at is None)
        return f"Saleor was not told: {row.answer}" if unanswered else None
    return None if row.waiting == "fee_first" else f"still {state}, {row.waiting}"


def _done_once(placed, operations):
    there = placed.there
    made = {"charge": {c.capture_id for c in there.captures}}
    made["refund"] = {refund["refund_id"] for refund in there.refunds}
    owners = Counter(r.capture_id for r in operations if r.capture_id)
    if any(times > 1 for times in owners.values()):
        return "two operations are one at Kustom"
    for row in operations:
        if str(row.state) == "reported" and row.capture_id not in made.get(
            str(row.kind), {row.capture_id}
        ):
            return f"{row.kind} {row.capture_id} is not at Kustom"
    return None


def _both_sides_agree(placed, rows, weather):
    """Saleor's amounts are Kustom's, where nothing went past the app."""
    transaction = kustoms(placed)
    unsettled = [row for row in rows if row.held or row.waiting == "fee_first"]
    past_us = weather.restores or (placed.outside and not placed.bound)  # nobody looks at it
    if transaction is None or past_us or any(r.held == "capture_differs" for r in unsettled):
        return None
    there = placed.there
    over = there.cancelled or there.released
    left = 0 if over else there.amount - there.captured
    kustoms_own = [left, there.captured - there.refunded, there.refunded]
    fields = ("authorizedAmount", "chargedAmount", "refundedAmount")
    saleors = [round(amount_of(transaction[field]) * 100) for field in fields]
    if saleors != kustoms_own:
        events = [(e["type"], e["amount"]["amount"], e["pspReference"][:8], e["counts"])
                  for e in transaction["events"]]  # fmt: skip
        return f"Saleor has {saleors}, Kustom {kustoms_own}: {events}"
    fields = ("chargePendingAmount", "refundPendingAmount", "cancelPendingAmount")
    if pending := [field for field in fields if transaction[field]["amount"]]:
        return f"Saleor still waits: {pending}"
    return None
