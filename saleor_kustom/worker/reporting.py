"""Tell Saleor what Kustom did, and follow up on tracking that comes later."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from saleor_kustom.capture.decide import reference
from saleor_kustom.capture.fulfillment import Fulfillment, Order, Transaction
from saleor_kustom.capture.plan import Binding, Plan, idempotency_key
from saleor_kustom.capture.policy import ForeignTransaction
from saleor_kustom.capture.report import (
    Captured,
    NewTransaction,
    Report,
    ReportProblem,
    lost_metadata,
    public_tracking,
    transaction_of,
)
from saleor_kustom.capture.report import (
    report as report_of,
)
from saleor_kustom.capture.shipping_info import difference, entries
from saleor_kustom.capture.state import Event
from saleor_kustom.errors import Refused
from saleor_kustom.worker.canceled import rest_canceled
from saleor_kustom.worker.journey import Journey
from saleor_kustom.worker.reading import account_of, found, look, read_saleor
from saleor_kustom.worker.standing import actions_now

_log = logging.getLogger(__name__)

Entries = Sequence[Mapping[str, str]]


async def report(journey: Journey) -> None:
    """Write capture id and tracking to Saleor: one request, idempotent, so asked until it took."""
    order = journey.order or await read_saleor(journey)
    captured = await _captured(journey)
    chosen = _transaction(journey, order, captured.binding)
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
    if _tracking_is_behind(journey, order):
        await journey.advance(Event.REPORT_ACCEPTED, detail=detail, **columns)
        return
    raise await journey.rest(Event.REPORT_ACCEPTED, what="reported", detail=detail, **columns)


async def _own_transaction(
    journey: Journey, order: Order, binding: Binding
) -> Transaction | ReportProblem | None:
    """Make a transaction of our own for the charges, where the merchant chose that (rule 24).

    The order that was read just now has none. An earlier request whose answer was lost may have
    made one meanwhile: of two the older is taken, by every later report too.
    """
    policy = journey.parts.policy(journey.shop, order.channel)
    if policy.foreign_transaction is not ForeignTransaction.OWN:
        return None
    link = await journey.parts.store.links.get(journey.shop.api_url, order.id)
    if link is not None and link.open:
        return None  # it makes the transaction, and has the charge reported then
    await journey.before_call()
    made = await journey.parts.saleor.create_transaction(
        journey.shop,
        NewTransaction(
            order.id,
            order.currency,
            binding.kustom_order_id,
            external_url=journey.parts.portal_url(binding),
        ),
    )
    if made is None:
        return None
    return _transaction(journey, replace(order, transactions=made), binding)


def _transaction(journey: Journey, order: Order, binding: Binding) -> Transaction | ReportProblem:
    identity = journey.shop.app_id, journey.parts.app_identifier
    return transaction_of(order, binding.kustom_order_id, *identity)


def _tracking_is_behind(journey: Journey, order: Order) -> bool:
    """Tell whether Saleor has tracking that Kustom lacks.

    It may have come since the plan was frozen, in an earlier claim: the news of it woke the row
    before this claim, so nothing will wake it again.
    """
    fulfillment = journey.fulfillment
    if fulfillment is None or journey.tracking_refused:
        return False
    return bool(difference(entries(order, fulfillment), journey.capture.tracking_sent))


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
    if journey.capture.tracking_pending is None:
        missing = difference(entries(order, fulfillment), journey.capture.tracking_sent)
        if missing:
            await _freeze_tracking(journey, order, fulfillment, missing)
    if journey.capture.tracking_pending is not None:
        await _send_tracking(journey)
    await _show_tracking(journey, order, fulfillment)
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
    """Report on a transaction that Saleor lacked when Kustom captured: the order was linked."""
    if journey.capture.report_problem != ReportProblem.NO_TRANSACTION:
        return
    captured = await _captured(journey)
    transaction = transaction_of(
        order,
        captured.binding.kustom_order_id,
        journey.shop.app_id,
        journey.parts.app_identifier,
    )
    if transaction is ReportProblem.NO_TRANSACTION:
        return
    problem: ReportProblem | None = ReportProblem.FOREIGN_TRANSACTION
    if not isinstance(transaction, ReportProblem):
        report = report_of(order, None, journey.capture.fulfillment_id, captured, transaction)
        await journey.before_call()
        reported = await journey.parts.saleor.report(journey.shop, report)
        problem = problem if reported.transaction_refused else None
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
        tracking=capture.tracking_sent,
        portal_url=journey.parts.portal_url(binding),
        actions=await actions_now(journey),
    )


async def binding_of(journey: Journey) -> Binding:
    """Return the Kustom order that a captured row's order is bound to."""
    captures = journey.parts.store.captures
    binding = await captures.binding(journey.shop.api_url, journey.capture.order_id)
    if binding is None:
        raise AssertionError("a captured row has a binding")
    return binding


async def _freeze_tracking(
    journey: Journey, order: Order, fulfillment: Fulfillment, missing: Entries
) -> None:
    """Commit body and key before the call: Kustom appends, so nothing may be sent twice."""
    binding = await binding_of(journey)
    body = json.dumps({"shipping_info": [dict(entry) for entry in missing]}, ensure_ascii=False)
    operation = f"shipping-info/{journey.capture.capture_id}/{len(journey.capture.tracking_sent)}"
    key = idempotency_key(binding, operation, reference(order, fulfillment), body)
    pending = {"body": body, "key": key, "since": journey.parts.clock()}
    await journey.note("tracking_planned", {"key": key}, tracking_pending=json.dumps(pending))


async def _send_tracking(journey: Journey) -> None:
    """Send the pending entries to the right capture, unless a look shows them there already."""
    capture = journey.capture
    if capture.tracking_pending is None or capture.capture_id is None:
        raise AssertionError("tracking is frozen before it is sent")
    pending = json.loads(capture.tracking_pending)
    wanted: list[dict[str, str]] = json.loads(pending["body"])["shipping_info"]
    binding = await binding_of(journey)
    account = await account_of(journey, binding)
    authorization = await look(journey, binding, account)
    plan = Plan.model_validate_json(capture.plan or "")
    there = found(authorization, plan.reference)
    sent = tuple(there.shipping_info) if there else ()
    if difference(wanted, sent):
        await journey.call_kustom(account)
        try:
            await journey.parts.kustom.add_shipping_info(
                account,
                binding.kustom_order_id,
                capture.capture_id,
                body=pending["body"],
                key=pending["key"],
            )
        except Refused as error:
            raise await journey.rest(
                what="tracking_refused",
                detail={"code": error.code, "correlation_id": error.correlation_id},
                tracking_pending=None,
                tracking_problem=str(error),
            ) from error
    await journey.note(
        "tracking_sent",
        {"entries": len(wanted)},
        tracking_pending=None,
        tracking_problem=None,
        tracking_sent=(*capture.tracking_sent, *wanted),
    )


async def _show_tracking(journey: Journey, order: Order, fulfillment: Fulfillment) -> None:
    """Write the tracking to the fulfillment's public metadata, where a storefront may show it.

    Compared with what Saleor has, since a concurrent save there can lose metadata
    (saleor-core-observed, section 6).
    """
    shown = public_tracking(journey.capture.tracking_sent)
    if all(fulfillment.metadata.get(key) == value for key, value in shown.items()):
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
