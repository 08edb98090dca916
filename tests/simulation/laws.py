"""What must hold after every request, and what must hold in the end."""

from collections import Counter

from saleor_kustom.capture.ledger import SHIPPING
from saleor_kustom.capture.plan import Plan
from saleor_kustom.sandbox.saleor_orders import open_units
from saleor_kustom.worker.entries import is_parcel_refund, money_moved
from tests.simulation.laws_of_operations import broken_law


class LawError(AssertionError):
    """A law does not hold."""


def after_a_request(there):
    """Check one Kustom order: never above its authorization, never twice for one parcel."""
    if there.captured > there.amount:
        raise LawError(f"{there.order_id}: captured {there.captured} of {there.amount}")
    ours = Counter(c.reference for c in there.captures if c.reference != "by hand")
    twice = [reference for reference, times in ours.items() if times > 1]
    if twice:
        raise LawError(f"captured twice: {twice}")
    numbers = Counter(
        (c.capture_id, "".join(e.get("tracking_number", str(e)).split()))
        for c in there.captures
        for e in c.shipping_info
    )
    doubled = [entry for entry, times in numbers.items() if times > 1]
    if doubled:
        raise LawError(f"tracking sent twice: {doubled}")
    if there.refunded > there.captured:
        raise LawError(f"{there.order_id}: refunded {there.refunded} of {there.captured}")
    refunds = Counter(r["reference"] for r in there.refunds if r.get("reference"))
    if twice := [reference for reference, times in refunds.items() if times > 1]:
        raise LawError(f"refunded twice: {twice}")


def in_the_end(placed, rows, weather):
    """Check an order after everything has healed. `rows`: the app's captures of it."""
    try:
        parcels = {row.fulfillment_id: row for row in rows if row.is_parcel}
        refunded = {r.fulfillment_id for r in rows if is_parcel_refund(r) and money_moved(r)}
        _in_the_end(placed, parcels, refunded, weather)
        for row in parcels.values():
            _told_kustom(placed, row, rows)
        if problem := broken_law(placed, rows, weather):
            raise LawError(problem)
    except LawError as error:
        states = [
            (str(r.kind), r.fulfillment_id, str(r.state), r.held, r.waiting, r.canceled,
             r.amount_minor, dict(r.held_detail))
            for r in rows
        ]  # fmt: skip
        live = [(f["id"], f["status"]) for f in placed.order["fulfillments"]]
        there = [(c.reference, c.amount) for c in placed.there.captures]
        there += [(r.get("reference"), -r["refunded_amount"]) for r in placed.there.refunds]
        there += [placed.there.cancelled, placed.there.released]
        number = placed.order["number"]
        raise LawError(f"order {number}: {error}\n  {states}\n  {live}\n  {there}") from error


def _in_the_end(placed, rows, refunded, weather):
    restored = weather.restores > 0
    captures = {c.reference.split("/")[-1]: c for c in placed.there.captures}
    live = [f for f in placed.order["fulfillments"] if f["status"] == "FULFILLED"]
    for fulfillment in live:
        there = captures.get(fulfillment["id"])
        row = rows.get(fulfillment["id"])
        if row is None:
            if not (restored and there):
                raise LawError(f"{fulfillment['id']} is lost")
            continue
        _live(placed, row, there, weather)
    for fulfillment in placed.order["fulfillments"]:
        if fulfillment["id"] in refunded:
            _refunded(rows.get(fulfillment["id"]))
        elif fulfillment["status"] == "CANCELED" and fulfillment["id"] in captures:
            _canceled(fulfillment["id"], rows, placed, restored=restored)
    _adopted_by_one(captures, rows, placed)
    _sums(placed, rows, weather)


def _live(placed, row, there, weather):
    if row.held is None:
        _live_and_done(placed, row, there)
        return
    _live_and_held(placed, row, weather)


def _live_and_done(placed, row, there):
    state = str(row.state)
    if state not in ("reported", "nothing"):
        raise LawError(f"{row.fulfillment_id} is still {state}")
    if state == "reported" and (there is None or there.capture_id != row.capture_id):
        raise LawError(f"{row.fulfillment_id} is reported with {row.capture_id}, not there")
    if state == "reported":
        _told_saleor(placed, row)
    if state == "nothing" and there is not None:
        raise LawError(f"{row.fulfillment_id} is nothing but captured")
    if state == "nothing" and row.waiting not in ("taken_over", "paid_by_others"):
        raise LawError(f"{row.fulfillment_id} is nothing: {row.waiting}")


def _live_and_held(placed, row, weather):
    allowed = set()
    if placed.outside:
        allowed |= {"captured_outside", "above_remaining", "order_not_capturable"}
        allowed |= {"refused_by_kustom", "refunded_meanwhile"}
    if weather.restores:
        allowed |= {"capture_differs", "captured_outside", "above_remaining"}
        allowed |= {"order_not_capturable", "canceled_after_capture"}
        if 0 < placed.there.captured <= placed.there.refunded:
            # The binding is lost, and Kustom has closed what was refunded in full since.
            allowed |= {"link_refused"}
    if placed.changed and weather.restores:
        allowed |= {"units_missing"}
    if placed.pressed:
        # Charged without units, released, or refunded before it shipped.
        allowed |= {"charged_before", "above_remaining", "order_not_capturable"}
        allowed |= {"refunded_meanwhile", "captured_outside"}
    if row.held not in allowed:
        raise LawError(f"{row.fulfillment_id} is held: {row.held}")


def _told_kustom(placed, row, rows):
    """Each capture that pays for a live parcel has its numbers: its own, and those taken over."""
    statuses = {f["id"]: f["status"] for f in placed.order["fulfillments"]}
    if row.held or statuses.get(row.fulfillment_id) != "FULFILLED":
        return
    plan = Plan.model_validate_json(row.plan) if row.plan else None
    paid_by = {row.fulfillment_id, *(plan.takes_over if plan else ())}
    ids = {r.capture_id for r in rows if r.captures and r.fulfillment_id in paid_by}
    for capture in (c for c in placed.there.captures if c.capture_id in ids):
        there = {"".join(e.get("tracking_number", "").split()) for e in capture.shipping_info}
        missing = set(placed.numbers[row.fulfillment_id]) - there
        if missing:
            raise LawError(f"{capture.reference} never heard of {missing}: {row.tracking_problem}")


def _told_saleor(placed, row):
    events = [
        e
        for t in placed.order["transactions"]
        for e in t["events"]
        if e["pspReference"] == row.capture_id and e["type"] == "CHARGE_SUCCESS"
    ]
    transactions = [
        t for t in placed.order["transactions"] if t["pspReference"] == placed.there.order_id
    ]
    if transactions and len(events) != 1:
        raise LawError(f"Saleor has {len(events)} events for {row.capture_id}")
    private = {m["key"]: m["value"] for m in placed.order["privateMetadata"]}
    if row.capture_id not in private.values():
        raise LawError(f"Saleor's metadata lacks {row.capture_id}")


def _canceled(fulfillment_id, rows, placed, *, restored):
    """Money of a cancelled parcel waits for a person, until all its units have shipped again."""
    row = rows.get(fulfillment_id)
    if row is None:
        if not restored:
            raise LawError(f"{fulfillment_id} was cancelled and captured, and nobody knows")
        return
    if row.plan is None:  # a restored database could not tell which units it had
        if row.held is None:
            raise LawError(f"{fulfillment_id} was cancelled and captured, and is {row.state}")
        return
    again = _taken_over(rows, placed)
    if any(times > 1 for times in again.values()):
        raise LawError(f"units were taken over twice: {again}")
    paid = {one for one in _units(Plan.model_validate_json(row.plan).units) if one[0] != SHIPPING}
    if row.held is None and not paid <= set(again):
        raise LawError(f"{fulfillment_id} was cancelled and captured, and is not held: {row.state}")
    if row.held == "canceled_after_capture" and paid and paid <= set(again):
        raise LawError(f"{fulfillment_id} is held though its units have shipped again")


def _refunded(row):
    """Its money went back, so nobody need look."""
    if row is not None and row.held == "canceled_after_capture":
        raise LawError(f"{row.fulfillment_id} was refunded and is held")


def _taken_over(rows, placed):
    """Count how often live parcels took over each unit."""
    gone = {f["id"] for f in placed.order["fulfillments"] if f["status"] == "CANCELED"}
    live = [row for row in rows.values() if row.plan and row.fulfillment_id not in gone]
    plans = [Plan.model_validate_json(row.plan) for row in live]
    return sum((Counter(_units(plan.taken_over)) for plan in plans), Counter())


def _units(ranges_by_line):
    return {
        (line, unit)
        for line, ranges in ranges_by_line.items()
        for start, stop in ranges
        for unit in range(start, stop)
    }


def _adopted_by_one(captures, rows, placed):
    owners = Counter(row.capture_id for row in rows.values() if row.capture_id)
    if any(times > 1 for times in owners.values()):
        raise LawError("two parcels have one capture")
    gone = {c.capture_id for f, c in captures.items() if f in placed.vanished}
    if unknown := {i for i in owners if i not in {c.capture_id for c in captures.values()}} - gone:
        raise LawError(f"captures that Kustom does not have: {unknown}")


def _sums(placed, rows, weather):
    if placed.outside or weather.restores or placed.changed or placed.pressed:
        return
    held = any(row.held for row in rows.values())
    waiting = any(f["status"] != "FULFILLED" for f in placed.order["fulfillments"])
    if held or waiting or open_units(placed.order):
        return
    if placed.there.captured != placed.there.amount:
        raise LawError(f"captured {placed.there.captured} of {placed.there.amount}, all shipped")
