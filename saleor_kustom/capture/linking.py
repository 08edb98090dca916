"""Give an order its Kustom order because somebody says so: what may happen, and what is told.

A link is asked for by a person, a list, a checkout's server or a storefront; the Kustom order must
fit all the same (domain rule 4). What was asked is stored before anything is looked at, and no
answer is no event: so it goes on from where it stood, whatever dies.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.binding import beside_minor, is_kustoms
from saleor_kustom.capture.fulfillment import Order, Transaction
from saleor_kustom.capture.money import to_decimal
from saleor_kustom.capture.plan import Binding
from saleor_kustom.capture.policy import MerchantReferences
from saleor_kustom.capture.report import NewTransaction
from saleor_kustom.capture.standing import Standing
from saleor_kustom.errors import IllegalTransition

#: Kustom's limit is not published; its settlement references take this many.
_LONGEST_REFERENCE = 255


class How(StrEnum):
    """Who asked for a link."""

    COMMAND = "command"  # a person
    PAGE = "page"  # a person, in the store admin
    FILE = "file"  # a person, with a list
    API = "api"  # a checkout's server, with the shop's link token
    SESSION = "session"  # a storefront, through Saleor


class LinkState(StrEnum):
    """Where a link stands."""

    ASKED = "asked"  # stored; nothing is checked yet
    BOUND = "bound"  # the order has its Kustom order for good; the others may not know yet
    LINKED = "linked"  # a transaction stands for it in Saleor, and its references are as chosen
    REFUSED = "refused"  # it does not fit, and why


class LinkEvent(StrEnum):
    """What can be learned about a link."""

    FITS = "fits"
    DOES_NOT_FIT = "does_not_fit"
    BOTH_KNOW = "both_know"  # Saleor and Kustom


#: Asking again begins anew, except for what is bound: that is never given another Kustom order.
LINK_TRANSITIONS: Mapping[LinkState, Mapping[LinkEvent, LinkState]] = {
    LinkState.ASKED: {
        LinkEvent.FITS: LinkState.BOUND,
        LinkEvent.DOES_NOT_FIT: LinkState.REFUSED,
    },
    LinkState.BOUND: {LinkEvent.BOTH_KNOW: LinkState.LINKED},
    LinkState.LINKED: {},
    LinkState.REFUSED: {},
}


def kind_of(global_id: str) -> str:
    """Return what a Saleor id is of ("T3JkZXI6MQ==" is an Order), or an empty text."""
    try:
        kind, _, pk = base64.b64decode(global_id, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return ""
    return kind if pk else ""


def link_after(state: LinkState, event: LinkEvent) -> LinkState:
    """Return the state that follows, or raise IllegalTransition."""
    try:
        return LINK_TRANSITIONS[state][event]
    except KeyError:
        raise IllegalTransition(f"{event} is not possible when {state}") from None


class LinkRefusal(StrEnum):
    """Why an order does not get the Kustom order that was asked for."""

    ORDER_UNKNOWN = "order_unknown"
    ORDER_BOUND = "order_bound"
    KUSTOM_ORDER_BOUND = "kustom_order_bound"
    KUSTOM_ORDER_IN_USE = "kustom_order_in_use"
    KUSTOM_ORDER_UNKNOWN = "kustom_order_unknown"
    DOES_NOT_FIT = "does_not_fit"
    NO_CREDENTIALS = "no_credentials"


#: What is wrong; `{name}` is filled from the detail.
REFUSALS: Mapping[LinkRefusal, str] = {
    LinkRefusal.ORDER_UNKNOWN: "Saleor knows no order {order}.",
    LinkRefusal.ORDER_BOUND: (
        "The order belongs to the Kustom order {bound} already; asked for was {asked}."
    ),
    LinkRefusal.KUSTOM_ORDER_BOUND: (
        "The Kustom order {asked} belongs to another order already: {holder}."
    ),
    LinkRefusal.KUSTOM_ORDER_IN_USE: (
        "The Kustom order {asked} is used by the checkout {holder}. A person can link it all the "
        "same, with the command."
    ),
    LinkRefusal.KUSTOM_ORDER_UNKNOWN: (
        "Kustom does not give the order {asked} to the merchant {merchant} ({environment}): {why}. "
        "Check id, environment and credentials."
    ),
    LinkRefusal.DOES_NOT_FIT: "The Kustom order {asked} does not fit this order: {why}.",
    LinkRefusal.NO_CREDENTIALS: (
        "No Kustom credentials are set for the channel {channel}; set them, then link again."
    ),
}


class LinkWait(StrEnum):
    """What a bound link waits for; whatever else is waited for is named by its error code."""

    OBSERVE = "observe"  # the shop writes nothing until it is switched on
    CREATING = "creating"  # a transaction was asked for, and whether it was made is not known
    FRAUD_PENDING = "fraud_pending"  # Saleor is told when Kustom's review has ended
    REFUSED_BY_SALEOR = "refused_by_saleor"  # a person must mend it and link again


@dataclass(frozen=True, slots=True)
class Refusing:
    """A refusal with the values that its words need."""

    reason: LinkRefusal
    detail: Mapping[str, str] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """Return what is wrong, with all ids and amounts."""
        return REFUSALS[self.reason].format_map(_Known(self.detail))


class Told(StrEnum):
    """How a link stands for whoever asked for it."""

    LINKED = "linked"
    KEPT = "kept"  # stored; it goes on by itself, or says what it waits for
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What whoever asked for a link is told. `code` says it to programs; empty: linked."""

    told: Told
    code: str = ""
    message: str = ""


_WAITS: Mapping[str, str] = {
    LinkWait.OBSERVE: (
        "The order has its Kustom order now. The shop observes: Saleor and Kustom are told when it "
        "is switched to capture mode."
    ),
    LinkWait.CREATING: (
        "The order has its Kustom order now. Whether Saleor made the transaction is not known yet; "
        "it is looked for within a minute."
    ),
    LinkWait.REFUSED_BY_SALEOR: (
        "The order has its Kustom order now, but Saleor refused the transaction: {message} "
        "Mend it, then link again."
    ),
}
_KEPT = "Kept; it is tried again by itself ({code})."


def outcome(
    state: LinkState, code: str | None, detail: Mapping[str, str], kustom_order_id: str, asked: str
) -> Outcome:
    """Return how a link stands for whoever asked for the Kustom order `asked`."""
    if kustom_order_id != asked:
        bound = {"bound": kustom_order_id, "asked": asked}
        refusing = Refusing(LinkRefusal.ORDER_BOUND, bound)
        return Outcome(Told.REFUSED, refusing.reason.value, refusing.message)
    message = str(detail.get("message", ""))
    match state:
        case LinkState.LINKED:
            return Outcome(Told.LINKED)
        case LinkState.REFUSED:
            return Outcome(Told.REFUSED, code or "", message)
        case LinkState.ASKED | LinkState.BOUND:
            words = _WAITS.get(code or "", message or _KEPT)
            known = _Known({"code": code or "busy", "message": message})
            return Outcome(Told.KEPT, code or "busy", words.format_map(known))


class Covered(StrEnum):
    """Why no transaction is created."""

    STANDS = "stands"  # one has the Kustom order's id
    BY_ANOTHER = "by_another"  # other payments authorize the total: one more would do so twice


def transaction_for(
    order: Order, authorization: Authorization, binding: Binding, portal_url: str | None
) -> NewTransaction | Covered:
    """Return the transaction that Saleor lacks, or why it lacks none.

    Its amount is what Kustom really authorized: captured and remaining. Source: domain rule 24.
    """
    if standing(order, binding.kustom_order_id) is not None:
        return Covered.STANDS
    amount_minor = authorization.captured_amount_minor + authorization.remaining_minor
    if beside_minor(order, order.transactions) + amount_minor > order.total_minor:
        return Covered.BY_ANOTHER
    return NewTransaction(
        order_id=order.id,
        currency=order.currency,
        psp_reference=binding.kustom_order_id,
        external_url=portal_url,
        authorized=to_decimal(amount_minor, order.currency),
        message=f"Authorized by Kustom: {binding.kustom_order_id}",
        available_actions=Standing.of(authorization, 0.0).actions,
    )


def standing(order: Order, kustom_order_id: str) -> Transaction | None:
    """Return the transaction that stands for a Kustom order in Saleor, whoever owns it."""
    named = (t for t in order.transactions if not t.is_gift_card)
    return next((t for t in named if is_kustoms(t, kustom_order_id)), None)


def references_for(
    order: Order, authorization: Authorization, chosen: MerchantReferences
) -> str | None:
    """Return the body that sets Kustom's merchant_reference1 to the order's number, or None.

    A field that is present overwrites (Kustom contract, 4), so nothing else is sent.
    """
    now = authorization.merchant_reference1
    if chosen is MerchantReferences.NEVER or now == order.number:
        return None
    if now and chosen is MerchantReferences.IF_EMPTY:
        return None
    return json.dumps({"merchant_reference1": order.number[:_LONGEST_REFERENCE]})


class _Known(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "?"
