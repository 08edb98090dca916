"""Link an order to its Kustom order: check, bind, create the transaction, set the reference.

Each step looks before it acts, so that it may be begun again after any death: what was bound is
bound, a transaction that stands is not created again, a reference that is set is not set again.
Source: domain rules 4 to 6, 24 and 25.
"""

import logging
from dataclasses import replace

from saleor_kustom.capture.fulfillment import Order
from saleor_kustom.capture.linking import (
    Covered,
    How,
    LinkState,
    LinkWait,
    references_for,
    standing,
    transaction_for,
)
from saleor_kustom.capture.parties import Mode
from saleor_kustom.capture.plan import idempotency_key
from saleor_kustom.capture.report import NewTransaction, ReportProblem
from saleor_kustom.errors import Refused
from saleor_kustom.store import LeaseLost
from saleor_kustom.worker.errand import Errand
from saleor_kustom.worker.judging import Fits, judge, taken_by
from saleor_kustom.worker.reviewing import report_review
from saleor_kustom.worker.sending import SETTLED_AFTER_S

_log = logging.getLogger(__name__)

#: Who may take a Kustom order from a checkout that was answered for: a person.
_PERSONS = frozenset({How.COMMAND, How.PAGE, How.FILE})


async def advance(errand: Errand) -> None:
    """Take the link as far as it goes now. Ends by raising Rest, LeaseLost or a CallError."""
    if errand.link.under_review:
        await report_review(errand)
    both = await _bound(errand)
    if errand.mode(both.account) is Mode.OBSERVE:
        raise await errand.wait(LinkWait.OBSERVE, None, {})
    await _tell_saleor(errand, both)
    problem = await _tell_kustom(errand, both)
    await _wake_unreported(errand, both.order)
    raise await errand.done(**({"detail": {"references": problem}} if problem else {}))


async def _bound(errand: Errand) -> Fits:
    """Return both sides of the order, binding it first if it is not (domain rule 4)."""
    link = errand.link
    await errand.before_call()
    judged = await judge(
        errand.parts, errand.shop, link.order_id, link.kustom_order_id, errand.look
    )
    if isinstance(judged, Fits):
        if link.state is LinkState.ASKED:
            await _bind(errand, judged)
        return judged
    if link.state is LinkState.ASKED:
        raise await errand.refuse(judged)
    # Bound for good, and then deleted at one side, or its credentials were.
    raise await errand.wait(judged.reason.value, None, {"message": judged.message})


async def _bind(errand: Errand, both: Fits) -> None:
    leased_at = errand.parts.monotonic()
    links, order = errand.parts.store.links, both.order
    bound = await links.bind(
        errand.link,
        both.binding,
        order_id=order.id,
        order_number=order.number,
        checkout_id=order.checkout_id,
        takes_over=errand.link.how in _PERSONS,
        lease_s=errand.parts.lease.lasts_s,
    )
    if bound is not None:
        errand.link, errand.leased_at = bound, leased_at
        return
    for holder in await links.holders(errand.shop.api_url, order.id, both.binding):
        own = (holder.api_url, holder.order_id) == (errand.shop.api_url, order.id)
        if not own:
            raise await errand.refuse(taken_by(errand.shop, holder, errand.link.kustom_order_id))
    # Bound meanwhile, by its capture or another instance: looked at again.
    raise LeaseLost(f"the link of order {order.id}")


async def _tell_saleor(errand: Errand, both: Fits) -> None:
    """Create the transaction that Saleor lacks, never a second one.

    The intent is on disk before the call leaves. After an unknown outcome the order is read
    again, and another one is only asked for once the first request has settled (rule 18).
    """
    parts, order, binding = errand.parts, both.order, both.binding
    wanted = transaction_for(order, both.authorization, binding, parts.portal_url(binding))
    if not isinstance(wanted, NewTransaction):
        there = standing(order, binding.kustom_order_id)
        await errand.keep(transaction_id=there.id if there else None, creating_at=None)
        if wanted is Covered.BY_ANOTHER:
            _log.info("order %s: other payments authorize its total", order.number)
        return
    now = parts.clock()
    asked_at = errand.link.creating_at
    if asked_at is not None and now - asked_at < SETTLED_AFTER_S:
        left_s = SETTLED_AFTER_S - (now - asked_at)
        raise await errand.wait(LinkWait.CREATING, left_s + 1.0, {})
    await errand.keep(creating_at=now)
    await errand.before_call()
    try:
        made = await parts.saleor.create_transaction(errand.shop, wanted)
        problem = "The app lacks the permission HANDLE_PAYMENTS." if made is None else ""
    except Refused as error:  # certainly none was made
        made, problem = None, "; ".join(error.messages)[:500]
    if made is None:
        await errand.keep(creating_at=None)
        raise await errand.wait(LinkWait.REFUSED_BY_SALEOR, None, {"message": problem})
    there = standing(replace(order, transactions=made), binding.kustom_order_id)
    await errand.keep(transaction_id=there.id if there else None, creating_at=None)


async def _tell_kustom(errand: Errand, both: Fits) -> str | None:
    """Set Kustom's reference to the order's number, as the merchant chose.

    Returns why Kustom refused: money does not wait for a name.
    """
    order, binding = both.order, both.binding
    chosen = errand.parts.policy(errand.shop, order.channel).merchant_references
    body = references_for(order, both.authorization, chosen)
    if body is None:
        return None
    await errand.parts.pace(both.account)
    await errand.before_call()
    key = idempotency_key(binding, "merchant-references", order.number, body)
    try:
        await errand.parts.kustom.set_merchant_references(
            both.account, binding.kustom_order_id, body=body, key=key
        )
    except Refused as error:
        _log.warning("order %s: its reference was not set at Kustom: %s", order.number, error)
        return str(error)
    return None


async def _wake_unreported(errand: Errand, order: Order) -> None:
    """What was captured before Saleor had the transaction is reported on it now."""
    captures = errand.parts.store.captures
    rows = await captures.of_order(errand.shop.api_url, order.id)
    if any(row.report_problem == ReportProblem.NO_TRANSACTION for row in rows):
        await captures.wake_order(errand.shop.api_url, order.id)
