"""Read both sides before deciding: the order in Saleor, its authorization at Kustom.

A delivery is a trigger, Saleor's API is the truth (domain rule 1); and each plan looks at the
Kustom order first (domain rule 7).
"""

from collections.abc import Sequence

from saleor_kustom.capture.authorization import Authorization, KustomCapture
from saleor_kustom.capture.binding import (
    ANOTHER_SHOPPERS,
    Candidate,
    Source,
    another_shoppers,
    candidates,
    refusal,
)
from saleor_kustom.capture.fulfillment import Fulfillment, Order
from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.parties import Account
from saleor_kustom.capture.plan import Binding, NothingWhy
from saleor_kustom.capture.retry import FRAUD_POLL_S, late_id_wait_s
from saleor_kustom.capture.state import Event
from saleor_kustom.capture.worth import worth_minor
from saleor_kustom.errors import Refused
from saleor_kustom.store import Capture
from saleor_kustom.worker.journey import Journey

NOT_LINKED_YET = "kustom_order_unknown"
PAUSED = "paused"
FRAUD_PENDING = "fraud_pending"
#: What is woken when a pause ends need not look often.
PAUSED_S = 900.0


async def read_saleor(journey: Journey) -> Order:
    """Read order and fulfillment as they are now; hold what the installed Saleor does not know."""
    capture = journey.capture
    await journey.before_call()
    order = await journey.parts.saleor.order(journey.shop, capture.order_id)
    if order is None:
        raise await journey.hold(Held(Reason.FULFILLMENT_UNKNOWN))
    journey.order = order
    fulfillment = journey.fulfillment = order.fulfillment(capture.fulfillment_id)
    # What pages and commands search for.
    journey.learned = {
        "order_number": order.number,
        "fulfillment_number": fulfillment.number if fulfillment else capture.fulfillment_number,
        "channel": order.channel,
        "currency": order.currency,
        "worth_minor": _worth(capture, order, fulfillment),
    }
    return order


def _worth(capture: Capture, order: Order, fulfillment: Fulfillment | None) -> int | None:
    """Return what stands open. What is held keeps what it was held with: the fee may be in it."""
    if fulfillment is None or (capture.held and capture.worth_minor is not None):
        return capture.worth_minor
    return worth_minor(order, fulfillment)


async def check_identity(journey: Journey) -> None:
    """Hold a fulfillment that is not the one that we were told of (domain rules 1 and 3)."""
    capture, fulfillment = journey.capture, journey.fulfillment
    if fulfillment is None and capture.fulfillment_number is not None:
        # It was there when we read it first. Returned units move to a fulfillment of their own,
        # and Saleor deletes the one that they leave empty (saleor-core-observed, section 3).
        raise await _nothing(journey, NothingWhy.RETURNED)
    if fulfillment is None:
        raise await journey.hold(Held(Reason.FULFILLMENT_UNKNOWN))
    created = capture.fulfillment_created
    others = await journey.parts.store.captures.namesakes(capture)
    if others or created != fulfillment.created:
        raise await journey.hold(
            Held(Reason.IDENTITY_CHANGED, {"fulfillment": capture.fulfillment_id})
        )


async def read_kustom(journey: Journey, order: Order) -> Authorization:
    """Return the order's authorization as it is now, binding the order first if it is not."""
    store = journey.parts.store
    binding = await store.captures.binding(journey.shop.api_url, order.id)
    if binding is None:
        return await _bind(journey, order)
    account = await account_of(journey, binding)
    return await look(journey, binding, account)


async def binding_of(journey: Journey) -> Binding:
    """Return the Kustom order that a capture which was sent is bound to."""
    captures = journey.parts.store.captures
    binding = await captures.binding(journey.shop.api_url, journey.capture.order_id)
    if binding is None:
        raise AssertionError("a capture that was sent has a binding")
    return binding


async def account_of(journey: Journey, binding: Binding) -> Account:
    """Return the credentials of the account that the order is bound to, or hold."""
    account = await journey.parts.store.accounts.by_binding(journey.shop.api_url, binding)
    if account is None:
        raise await journey.hold(Held(Reason.NO_CREDENTIALS, {"channel": binding.merchant_id}))
    journey.binding, journey.account = binding, account
    return account


async def look(journey: Journey, binding: Binding, account: Account) -> Authorization:
    """Read the Kustom order once, unless somebody paused what it belongs to."""
    await _respect_pause(journey, account)
    journey.binding, journey.account = binding, account
    await journey.call_kustom(account)
    authorization = await journey.parts.kustom.order(account, binding.kustom_order_id)
    journey.parts.pace.succeeded(account)
    journey.authorization = authorization
    return authorization


async def _respect_pause(journey: Journey, account: Account) -> None:
    """Wait while the channel or the account is paused.

    A claim sees to it for rows that know both; a new row learns them from its order.
    """
    capture = journey.capture
    if capture.account and capture.channel:
        return
    pause = await journey.parts.store.pauses.covering(
        capture,
        channel=journey.order.channel if journey.order else None,
        account=f"{account.environment}/{account.merchant_id}",
    )
    if pause is not None:
        raise await journey.wait(PAUSED, PAUSED_S, {"why": pause.why, "who": pause.who})


async def await_review(journey: Journey, authorization: Authorization) -> None:
    """Wait for Kustom's fraud review, which may take hours: nothing is captured before it."""
    if authorization.fraud_status == "PENDING":
        waited = journey.waited(FRAUD_PENDING)
        due_in_s = FRAUD_POLL_S[min(waited, len(FRAUD_POLL_S) - 1)]
        raise await journey.wait(FRAUD_PENDING, due_in_s, {})


def found(authorization: Authorization, reference: str) -> KustomCapture | None:
    """Return the capture at Kustom that bears our reference, if there is one."""
    return next((c for c in authorization.captures if c.reference == reference), None)


async def _bind(journey: Journey, order: Order) -> Authorization:
    """Try the order's candidates in their order; freeze the first that fits (domain rule 4)."""
    if order.origin == "REISSUE":  # inherits all metadata, our binding too (domain rule 5)
        raise await _nothing(journey, NothingWhy.REPLACEMENT)
    if order.total_minor == 0:
        raise await _nothing(journey, NothingWhy.WORTH_ZERO)
    policy = journey.parts.policy(journey.shop, order.channel)
    account = await journey.parts.store.accounts.get(journey.shop.api_url, order.channel)
    known = candidates(order, policy, journey.parts.app_identifier)
    if not known:
        raise await _wait_for_id(journey, order)
    if account is None:
        raise await journey.hold(Held(Reason.NO_CREDENTIALS, {"channel": order.channel}))
    for candidate in known:
        if candidate.source is Source.PUBLIC_METADATA:
            await _refuse_rival(journey, account, candidate, known)
        authorization = await _try(journey, order, account, candidate)
        if authorization is not None:
            return authorization
    raise await _nothing(journey, NothingWhy.NOT_KUSTOM)


async def _refuse_rival(
    journey: Journey, account: Account, claim: Candidate, known: Sequence[Candidate]
) -> None:
    """Hold when public metadata names another Kustom order than the order's own payment.

    A shopper may have paid with the one and have another shopper's captured. A payment's id that
    Kustom does not know is another provider's, and no rival.
    """
    for rival in known:
        if rival.source is not Source.TRANSACTION:
            continue
        binding = Binding(account.environment, account.merchant_id, rival.kustom_order_id)
        try:
            await look(journey, binding, account)
        except Refused as error:
            if error.status in (403, 404):  # which of both a stranger's order is, is not known
                continue
            raise
        why = f"public metadata names it, but the order was paid with {rival.kustom_order_id}"
        detail = {"kustom_order": claim.kustom_order_id, "why": why}
        raise await journey.hold(Held(Reason.LINK_REFUSED, detail))


async def _try(
    journey: Journey, order: Order, account: Account, candidate: Candidate
) -> Authorization | None:
    """Return the candidate's authorization when it fits; None: not a Kustom order."""
    shown = {"kustom_order": candidate.kustom_order_id}
    if not candidate.valid:
        why = "its id is not a UUID"
        raise await journey.hold(Held(Reason.LINK_REFUSED, {**shown, "why": why}))
    binding = Binding(account.environment, account.merchant_id, candidate.kustom_order_id)
    try:
        authorization = await look(journey, binding, account)
    except Refused as error:
        if candidate.guessed and error.status == 404:  # noqa: PLR2004 - HTTP's own number
            return None
        raise await journey.hold(Held(Reason.LINK_REFUSED, {**shown, "why": str(error)})) from error
    why_not = refusal(order, authorization)
    if why_not is None and candidate.source is not Source.PRIVATE_METADATA:
        why_not = ANOTHER_SHOPPERS if another_shoppers(order, authorization) else None
    if why_not is not None:
        raise await journey.hold(Held(Reason.LINK_REFUSED, {**shown, "why": why_not}))
    if not await journey.parts.store.captures.bind(
        journey.capture, binding, candidate.source, checkout_id=order.checkout_id
    ):
        why = "it belongs to another order already"
        raise await journey.hold(Held(Reason.LINK_REFUSED, {**shown, "why": why}))
    return authorization


async def _wait_for_id(journey: Journey, order: Order) -> Exception:
    if order.total_charged_minor >= order.total_minor:
        return await _nothing(journey, NothingWhy.PAID_BY_OTHERS)
    age_s = journey.parts.clock() - journey.capture.created_at
    due_in_s = late_id_wait_s(age_s, looked=journey.waited(NOT_LINKED_YET))
    if due_in_s is None:
        return await journey.hold(Held(Reason.NOT_LINKED))
    return await journey.wait(NOT_LINKED_YET, due_in_s, {})


async def _nothing(journey: Journey, why: NothingWhy) -> Exception:
    return await journey.rest(
        Event.NOTHING_TO_CAPTURE, what="nothing", detail={"why": why}, waiting=why.value
    )
