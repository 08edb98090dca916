"""Send tracking that comes after its capture: a step of its own, which never touches money.

The same guarantees as for a capture: body and key are on disk before the call leaves, a look comes
before sending, an unknown outcome is asked about under the same key, and what Kustom refuses is
held on its own (domain rules 15, 18 and 21). Kustom appends, so nothing is sent twice.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from saleor_kustom.capture.decide import reference
from saleor_kustom.capture.fulfillment import Fulfillment, Order
from saleor_kustom.capture.parties import Account, Mode
from saleor_kustom.capture.plan import idempotency_key
from saleor_kustom.capture.report import Report, public_tracking
from saleor_kustom.capture.shipping_fields import Entry
from saleor_kustom.capture.shipping_info import tracking
from saleor_kustom.capture.tracking_sent import difference
from saleor_kustom.errors import Refused
from saleor_kustom.store import Capture
from saleor_kustom.worker.journey import Journey
from saleor_kustom.worker.reading import account_of, binding_of, look
from saleor_kustom.worker.sending import KEY_HONOURED_S, SETTLED_AFTER_S
from saleor_kustom.worker.targets import lacking, takes_over, targets, told

#: Why a parcel's tracking waits: another one's, to the same capture, may still be on its way.
UNSETTLED = "tracking_unsettled"


def wanted(journey: Journey, order: Order, fulfillment: Fulfillment) -> tuple[Entry, ...]:
    """Return what is known of the parcel's tracking; what can't be used is noted on its row."""
    found = tracking(order, fulfillment, journey.parts.policy(journey.shop, order.channel))
    journey.learned["tracking_notes"] = found.problems
    return found.entries


async def is_behind(journey: Journey, entries: Sequence[Entry]) -> bool:
    """Tell whether Kustom lacks some of a parcel's tracking, and has not refused it.

    It may have come since the plan was frozen, in an earlier claim: the news of it woke the row
    before this claim, so nothing will wake it again.
    """
    rows = await _rows(journey) if entries else ()
    return any(lack.missing for lack in lacking(journey.capture, rows, entries))


async def follow(journey: Journey, order: Order, fulfillment: Fulfillment) -> None:
    """Send what the parcel's captures lack, and show in Saleor what its tracking is now."""
    entries = wanted(journey, order, fulfillment)
    rows = await _rows(journey)
    try:
        await _tell(_Telling(journey, rows, entries, reference(order, fulfillment)))
    except Refused as error:  # the look itself: tracking is not what a capture is held for
        await _problem(journey, error)
    await _mended(journey, rows, entries)
    await _show(journey, order, fulfillment, entries)


@dataclass(slots=True)
class _Telling:
    """One claim's work on a parcel's tracking, with what a look found at Kustom."""

    journey: Journey
    others: Sequence[Capture]  # the order's rows
    wanted: Sequence[Entry]
    reference: str
    there: Mapping[str, Sequence[Entry]] = field(default_factory=dict)  # by capture id
    one_by_one: bool = False  # several at once were refused, and one of them may be the reason

    @property
    def rows(self) -> list[Capture]:
        """Return the order's rows, this one as it is now."""
        return _current(self.journey, self.others)

    def next(self) -> tuple[str, tuple[Entry, ...]] | None:
        """Return what to send next, and to which capture."""
        for lack in lacking(self.journey.capture, self.rows, self.wanted):
            if lack.missing:
                return lack.capture_id, lack.missing[: 1 if self.one_by_one else None]
        return None


async def _tell(telling: _Telling) -> None:
    """Settle what is pending, then send to capture after capture what it lacks."""
    journey = telling.journey
    pending = _pending(journey.capture)
    if pending is None and telling.next() is None:
        return
    binding = await binding_of(journey)
    account = await account_of(journey, binding)
    if journey.mode(account) is Mode.OBSERVE:
        return
    authorization = await look(journey, binding, account)
    telling.there = {c.capture_id: c.shipping_info for c in authorization.captures}
    telling.one_by_one = journey.capture.without_tracking
    if pending is not None:
        await _settle(telling, account, pending)
    for capture_id in targets(journey.capture, telling.rows):
        await _adopt(telling, capture_id)
    while (found := telling.next()) is not None:
        capture_id, missing = found
        await _wait_for_others(telling, capture_id)
        await _freeze(telling, capture_id, missing)
        await _send(telling, account)


async def _settle(telling: _Telling, account: Account, pending: Mapping[str, Any]) -> None:
    """Find out what became of entries whose outcome is unknown (domain rule 18)."""
    journey, now = telling.journey, telling.journey.parts.clock()
    capture_id, entries = pending["capture_id"], _entries(pending)
    await _adopt(telling, capture_id)
    left = difference(entries, told(capture_id, telling.rows))
    if not left:
        await journey.note("tracking_found", {}, tracking_pending=None)
        return
    untouched = left == entries  # else another parcel has sent a part of it meanwhile
    if untouched and now - pending["first_at"] < KEY_HONOURED_S:
        await journey.note("tracking_sent_again", {"key": pending["key"]}, **_sent_at(pending, now))
        await _send(telling, account)
    elif now - pending["last_at"] < SETTLED_AFTER_S:
        left_s = SETTLED_AFTER_S - (now - pending["last_at"])
        raise await journey.wait(UNSETTLED, left_s + 1.0, {})
    else:  # it never arrived: what is still wanted is planned again
        await journey.note("tracking_planned_again", {}, tracking_pending=None)


async def _adopt(telling: _Telling, capture_id: str) -> None:
    """Enter what a capture has at Kustom, and our ledger lacks: it needs no sending."""
    there = telling.there.get(capture_id, ())
    unknown = difference(there, told(capture_id, telling.rows))
    if unknown:
        columns = _entered(telling.journey.capture, capture_id, unknown)
        await telling.journey.note("tracking_found", {"entries": len(unknown)}, **columns)


async def _wait_for_others(telling: _Telling, capture_id: str) -> None:
    """Wait while another parcel's request to the same capture may still be on its way."""
    journey, now = telling.journey, telling.journey.parts.clock()
    for row in telling.others:
        pending = _pending(row)
        if row.id == journey.capture.id or not pending or pending["capture_id"] != capture_id:
            continue
        left_s = SETTLED_AFTER_S - (now - pending["last_at"])
        if left_s > 0:
            raise await journey.wait(UNSETTLED, left_s + 1.0, {})


async def _freeze(telling: _Telling, capture_id: str, missing: Sequence[Entry]) -> None:
    """Commit body and key before the call."""
    journey = telling.journey
    binding = await binding_of(journey)
    body = json.dumps({"shipping_info": [dict(entry) for entry in missing]}, ensure_ascii=False)
    operation = f"shipping-info/{capture_id}/{len(told(capture_id, telling.rows))}"
    key = idempotency_key(binding, operation, telling.reference, body)
    pending = {"capture_id": capture_id, "body": body, "key": key}
    now = journey.parts.clock()
    columns = _sent_at(pending | {"first_at": now}, now)
    await journey.note("tracking_planned", {"key": key, "capture_id": capture_id}, **columns)


async def _send(telling: _Telling, account: Account) -> None:
    """Send what is frozen. An unknown outcome leaves it pending."""
    journey = telling.journey
    pending = _pending(journey.capture)
    if pending is None:
        raise AssertionError("tracking is frozen before it is sent")
    binding = await binding_of(journey)
    capture_id, entries = pending["capture_id"], _entries(pending)
    await journey.call_kustom(account)
    try:
        await journey.parts.kustom.add_shipping_info(
            account, binding.kustom_order_id, capture_id, body=pending["body"], key=pending["key"]
        )
    except Refused as error:
        await _refused(telling, capture_id, entries, error)
        return
    columns = _entered(journey.capture, capture_id, entries)
    detail = {"entries": len(entries), "capture_id": capture_id}
    await journey.note("tracking_sent", detail, tracking_pending=None, **columns)


async def _refused(
    telling: _Telling, capture_id: str, entries: Sequence[Entry], error: Refused
) -> None:
    """Hold refused tracking on its own; of several each is tried alone, or one spoils them all."""
    capture = telling.journey.capture
    wrong = error.status in (400, 422)  # something in it; else tracking as such is refused
    if wrong and len(entries) > 1:
        telling.one_by_one = True
        refused = capture.tracking_refused
    else:
        new = ({"capture_id": capture_id, "entry": dict(entry)} for entry in entries)
        refused = (*capture.tracking_refused, *new)
    await _problem(telling.journey, error, tracking_pending=None, tracking_refused=refused)


async def _problem(journey: Journey, error: Refused, **columns: Any) -> None:
    detail = {"code": error.code, "correlation_id": error.correlation_id}
    await journey.note("tracking_refused", detail, tracking_problem=str(error), **columns)


async def _mended(journey: Journey, rows: Sequence[Capture], wanted: Sequence[Entry]) -> None:
    """Take a problem away that is none any more: its number was corrected, or taken after all."""
    if journey.capture.tracking_problem is None:
        return
    if not lacking(journey.capture, _current(journey, rows), wanted):
        await journey.note("tracking_mended", {}, tracking_problem=None, tracking_refused=())


async def _show(
    journey: Journey, order: Order, fulfillment: Fulfillment, entries: Sequence[Entry]
) -> None:
    """Write the tracking to the fulfillment's public metadata, where a storefront may show it.

    Compared with what Saleor has, since a concurrent save there can lose metadata
    (saleor-core-observed, section 6).
    """
    shown = public_tracking(entries, fulfillment)
    if not shown:
        return
    await journey.before_call()
    await journey.parts.saleor.report(
        journey.shop,
        Report(
            order_id=order.id,
            fulfillment_id=journey.capture.fulfillment_id,
            fulfillment_public=shown,
        ),
    )


# ---- the row's columns


async def _rows(journey: Journey) -> list[Capture]:
    """Return the rows that matter: the order's, where the parcel took over another's capture."""
    if not takes_over(journey.capture):
        return [journey.capture]
    return await journey.parts.store.captures.of_order(
        journey.capture.api_url, journey.capture.order_id
    )


def _current(journey: Journey, rows: Sequence[Capture]) -> list[Capture]:
    """Return the order's rows with this one as this claim has written it."""
    own = journey.capture
    return [own if row.id == own.id else row for row in rows]


def _pending(row: Capture) -> dict[str, Any] | None:
    return json.loads(row.tracking_pending) if row.tracking_pending else None


def _entries(pending: Mapping[str, Any]) -> tuple[Entry, ...]:
    return tuple(json.loads(pending["body"])["shipping_info"])


def _sent_at(pending: Mapping[str, Any], now: float) -> dict[str, str]:
    return {"tracking_pending": json.dumps({**pending, "last_at": now})}


def _entered(row: Capture, capture_id: str, entries: Sequence[Entry]) -> dict[str, Any]:
    """Return the columns that say which entries a capture has now."""
    if capture_id == row.capture_id:
        return {"tracking_sent": (*row.tracking_sent, *entries)}
    elsewhere = row.tracking_elsewhere
    return {
        "tracking_elsewhere": {
            **elsewhere,
            capture_id: [*elsewhere.get(capture_id, ()), *entries],
        }
    }
