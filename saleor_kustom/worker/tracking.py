"""Send tracking that comes after its capture: a step of its own, which never touches money."""

import json
from collections.abc import Mapping, Sequence

from saleor_kustom.capture.decide import reference
from saleor_kustom.capture.fulfillment import Fulfillment, Order
from saleor_kustom.capture.plan import Plan, idempotency_key
from saleor_kustom.capture.report import Report, public_tracking
from saleor_kustom.capture.shipping_info import difference, entries
from saleor_kustom.errors import Refused
from saleor_kustom.worker.journey import Journey
from saleor_kustom.worker.reading import account_of, binding_of, found, look

Entries = Sequence[Mapping[str, str]]


def is_behind(journey: Journey, order: Order) -> bool:
    """Tell whether Saleor has tracking that Kustom lacks.

    It may have come since the plan was frozen, in an earlier claim: the news of it woke the row
    before this claim, so nothing will wake it again.
    """
    fulfillment = journey.fulfillment
    if fulfillment is None or journey.tracking_refused:
        return False
    return bool(difference(entries(order, fulfillment), journey.capture.tracking_sent))


async def send_tracking(journey: Journey, order: Order, fulfillment: Fulfillment) -> None:
    """Send what Kustom lacks: body and key are frozen before the call leaves."""
    if journey.capture.tracking_pending is None:
        missing = difference(entries(order, fulfillment), journey.capture.tracking_sent)
        if missing:
            await _freeze(journey, order, fulfillment, missing)
    if journey.capture.tracking_pending is not None:
        await _send(journey)


async def _freeze(
    journey: Journey, order: Order, fulfillment: Fulfillment, missing: Entries
) -> None:
    """Commit body and key before the call: Kustom appends, so nothing may be sent twice."""
    binding = await binding_of(journey)
    body = json.dumps({"shipping_info": [dict(entry) for entry in missing]}, ensure_ascii=False)
    operation = f"shipping-info/{journey.capture.capture_id}/{len(journey.capture.tracking_sent)}"
    key = idempotency_key(binding, operation, reference(order, fulfillment), body)
    pending = {"body": body, "key": key, "since": journey.parts.clock()}
    await journey.note("tracking_planned", {"key": key}, tracking_pending=json.dumps(pending))


async def _send(journey: Journey) -> None:
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


async def show_tracking(journey: Journey, order: Order, fulfillment: Fulfillment) -> None:
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
