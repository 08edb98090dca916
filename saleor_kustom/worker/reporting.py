"""Tell Saleor what Kustom did, and follow up on tracking that comes later."""

import logging
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from saleor_kustom.capture.fulfillment import Order, Transaction
from saleor_kustom.capture.plan import Binding, Plan
from saleor_kustom.capture.report import (
    Captured,
    ReportProblem,
    lost_metadata,
)
from saleor_kustom.capture.report import (
    report as report_of,
)
from saleor_kustom.capture.state import Event
from saleor_kustom.worker.canceled import rest_canceled
from saleor_kustom.worker.journey import Journey
from saleor_kustom.worker.own_transaction import is_being_linked, make_own, reportable, wants_own
from saleor_kustom.worker.reading import binding_of, read_saleor
from saleor_kustom.worker.standing import actions_now
from saleor_kustom.worker.tracking import follow, is_behind, wanted

_log = logging.getLogger(__name__)


async def report(journey: Journey) -> None:
    """Write capture id and tracking to Saleor: one request, idempotent, so asked until it took."""
    order = journey.order or await read_saleor(journey)
    captured = await _captured(journey)
    tracking = wanted(journey, order, journey.fulfillment) if journey.fulfillment else ()
    captured = replace(captured, tracking=tracking)
    chosen = reportable(journey.parts, journey.shop, order, captured.binding)
    if isinstance(chosen, ReportProblem):
        chosen = await _own_transaction(journey, order, captured.binding) or chosen
    problem = chosen if isinstance(chosen, ReportProblem) else None
    transaction = None if isinstance(chosen, ReportProblem) else chosen
    await journey.before_call()
    reported = await journey.parts.saleor.report(
        journey.shop,
        report_of(
            order, journey.fulfillment, journey.capture.fulfillment_id, captured, transaction
        ),
    )
    if reported.transaction_refused:
        problem = ReportProblem.FOREIGN_TRANSACTION
    if problem:
        _log.info(
            "capture %s: told Saleor without its transaction: %s", captured.capture_id, problem
        )
    columns: dict[str, Any] = {
        "reported_at": journey.parts.clock(),
        "report_problem": problem.value if problem else None,
    }
    if journey.capture.canceled:
        raise await rest_canceled(journey, order, Event.REPORT_ACCEPTED, **columns)
    detail = {"problem": columns["report_problem"]}
    if await is_behind(journey, tracking):
        await journey.advance(Event.REPORT_ACCEPTED, detail=detail, **columns)
        return
    raise await journey.rest(Event.REPORT_ACCEPTED, what="reported", detail=detail, **columns)


async def _own_transaction(
    journey: Journey, order: Order, binding: Binding
) -> Transaction | ReportProblem | None:
    """Make a transaction of our own for the charges, where the merchant chose that (rule 24)."""
    if not wants_own(journey.parts, journey.shop, order):
        return None
    if await is_being_linked(journey.parts, journey.shop, order):
        return None  # that makes the transaction, and has the charge reported then
    await journey.before_call()
    return await make_own(journey.parts, journey.shop, order, binding)


async def follow_up(journey: Journey) -> None:
    """News about a capture that is done: a cancellation, or tracking that came late."""
    order = await read_saleor(journey)
    fulfillment = journey.fulfillment
    await _write_again(journey, order)
    await _report_late(journey, order)
    if journey.capture.canceled or (fulfillment and fulfillment.status == "CANCELED"):
        raise await rest_canceled(journey, order, canceled=True)
    if fulfillment is None:  # emptied by returns: nothing left to track
        raise await journey.rest(what="rests", detail={})
    await follow(journey, order, fulfillment)
    raise await journey.rest(what="rests", detail={})


async def _write_again(journey: Journey, order: Order) -> None:
    """Write metadata that a concurrent save in Saleor lost (saleor-core-observed, section 6)."""
    capture, fulfillment = journey.capture, journey.fulfillment
    if not capture.capture_id or not lost_metadata(order, fulfillment, capture.capture_id):
        return
    captured = await _captured(journey)
    report = report_of(order, fulfillment, capture.fulfillment_id, captured, None)
    await journey.before_call()
    await journey.parts.saleor.report(journey.shop, report)
    await journey.note("metadata_written_again", {})


async def _report_late(journey: Journey, order: Order) -> None:
    """Report on a transaction that Saleor lacked when Kustom captured, or did not let us report on.

    The order was linked since, or the app has the permission again that it lacked.
    """
    before = journey.capture.report_problem
    if before is None:
        return
    captured = await _captured(journey)
    transaction = reportable(journey.parts, journey.shop, order, captured.binding)
    problem = transaction if isinstance(transaction, ReportProblem) else None
    if problem is not None and problem == before:
        return
    if isinstance(transaction, Transaction):
        report = report_of(order, None, journey.capture.fulfillment_id, captured, transaction)
        await journey.before_call()
        reported = await journey.parts.saleor.report(journey.shop, report)
        problem = ReportProblem.FOREIGN_TRANSACTION if reported.transaction_refused else None
        if problem == before:
            return
    value = problem.value if problem else None
    await journey.note("reported_late", {"problem": value}, report_problem=value)


async def _captured(journey: Journey) -> Captured:
    """Put together what the capture's own row knows."""
    capture = journey.capture
    if capture.capture_id is None or capture.plan is None:
        raise AssertionError("a captured row has a capture id and a plan")
    binding = journey.binding or await binding_of(journey)
    plan = Plan.model_validate_json(capture.plan)
    at = capture.captured_at if capture.captured_at is not None else journey.parts.clock()
    return Captured(
        binding=binding,
        capture_id=capture.capture_id,
        amount_minor=plan.amount_minor,
        reference=plan.reference,
        captured_at=datetime.fromtimestamp(at, UTC),
        portal_url=journey.parts.portal_url(binding),
        actions=await actions_now(journey),
    )
