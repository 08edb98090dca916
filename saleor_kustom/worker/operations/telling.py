"""Tell Saleor how an operation ended, under the reference that it knows it by.

Saleor's own request was answered by the edge, with the result or with our operation's id
(web/transactions.py); which of both is settled in the database. It is told all the same, since
the answer may not have arrived: what it knows already it recognises.
"""

import logging
from dataclasses import replace
from datetime import UTC, datetime
from typing import NoReturn

from saleor_kustom.capture.answer import failure_message
from saleor_kustom.capture.fulfillment import Order, Transaction
from saleor_kustom.capture.operation_report import Finished, failure, success
from saleor_kustom.capture.report import ReportProblem, transaction_of
from saleor_kustom.capture.state import Event
from saleor_kustom.store.operations import SETTLES_S
from saleor_kustom.worker.entries import is_parcel_refund, plan_of
from saleor_kustom.worker.journey import Journey
from saleor_kustom.worker.operations.deciding import asked
from saleor_kustom.worker.reading import binding_of, read_saleor
from saleor_kustom.worker.standing import actions_now

_log = logging.getLogger(__name__)

#: The edge answers within eight seconds, or has died.
UNANSWERED_S = 12.0
_ANSWERING = "answering"


async def tell_done(journey: Journey) -> NoReturn:
    """Report the success: asked until Saleor took it."""
    await _settle_answer(journey)
    order = journey.order or await read_saleor(journey)
    capture, plan = journey.capture, plan_of(journey.capture)
    if plan is None or capture.capture_id is None:
        raise AssertionError("what Kustom has confirmed has a plan and an id")
    binding = await binding_of(journey)
    later = capture.by_button and capture.answer == "later"
    finished = Finished(
        kind=capture.kind,
        operation_id=capture.operation_id,
        kustom_id=capture.capture_id,
        plan=plan,
        binding=binding,
        at=datetime.fromtimestamp(capture.captured_at or journey.parts.clock(), UTC),
        psp_reference=capture.operation_id if later else capture.capture_id,
        fulfillment_id=capture.fulfillment_id if is_parcel_refund(capture) else None,
        actions=await actions_now(journey) or (),
        portal_url=journey.parts.portal_url(binding),
    )
    chosen = _transaction(journey, order, binding.kustom_order_id)
    problem = chosen if isinstance(chosen, ReportProblem) else None
    transaction = None if isinstance(chosen, ReportProblem) else chosen
    await journey.before_call()
    reported = await journey.parts.saleor.report(
        journey.shop, success(order, finished, transaction)
    )
    if reported.transaction_refused:
        problem = ReportProblem.FOREIGN_TRANSACTION
    if problem:
        _log.info("operation %s: told Saleor without its transaction: %s", capture.id, problem)
    raise await journey.rest(
        Event.REPORT_ACCEPTED,
        what="reported",
        detail={"problem": problem and problem.value},
        reported_at=journey.parts.clock(),
        report_problem=problem and problem.value,
    )


async def tell_refused(journey: Journey) -> NoReturn:
    """Report why Saleor's request was refused: asked until Saleor took it."""
    await _settle_answer(journey)
    capture, request = journey.capture, asked(journey.capture)
    report = failure(
        capture.operation_id,
        capture.kind,
        request,
        order_id=capture.order_id,
        message=failure_message(capture.waiting, capture.waiting_detail),
        actions=await actions_now(journey),
    )
    await journey.before_call()
    reported = await journey.parts.saleor.report(journey.shop, report)
    problem = ReportProblem.FOREIGN_TRANSACTION.value if reported.transaction_refused else None
    raise await journey.rest(
        what="reported",
        detail={"problem": problem},
        reported_at=journey.parts.clock(),
        report_problem=problem,
        waiting=capture.waiting,
        waiting_detail=capture.waiting_detail,
    )


async def _settle_answer(journey: Journey) -> None:
    """Wait until it is settled what Saleor's request was answered, and Saleor has read that.

    An edge that died has answered nothing: then Saleor is told under our operation's id.
    """
    capture, now = journey.capture, journey.parts.clock()
    if not capture.by_button:
        return
    if capture.answer is None:
        left_s = capture.created_at + UNANSWERED_S - now
        if left_s > 0:
            raise await journey.wait(_ANSWERING, left_s, {})
        settled = await journey.parts.store.operations.answer(capture, "later")
        journey.capture = replace(capture, answer=settled.answer)
        return
    left_s = (capture.answered_at or now) + SETTLES_S - now
    if capture.answer == "result" and left_s > 0:
        raise await journey.wait(_ANSWERING, min(left_s, SETTLES_S), {})


def _transaction(
    journey: Journey, order: Order, kustom_order_id: str
) -> Transaction | ReportProblem:
    """Return the transaction to report on: the one whose button was pressed, where one was."""
    wanted = asked(journey.capture).transaction_id
    pressed = next((t for t in order.transactions if t.id == wanted), None)
    if pressed is not None:
        return pressed
    return transaction_of(order, kustom_order_id, journey.shop.app_id, journey.parts.app_identifier)
