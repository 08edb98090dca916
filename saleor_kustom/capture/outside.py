"""What happened at Kustom that this app did not do, and what Saleor is told of it.

In Kustom's portal a merchant may capture, refund, cancel, release and change an order at any time.
What is not ours is known by ids and references of our own ledger; it is never a parcel's
(lessons, row 21). Saleor counts each (transaction, pspReference, type) once, so that to tell it
again changes nothing; and nothing is told that would make Saleor show more than Kustom has.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from saleor_kustom.capture.authorization import Authorization, KustomRefund
from saleor_kustom.capture.fulfillment import Transaction


class Kind(StrEnum):
    """What happened there."""

    CAPTURE = "capture"
    REFUND = "refund"
    CANCEL = "cancel"  # the order was cancelled before anything was captured
    RELEASE = "release"  # what was not captured was released
    EXPIRY = "expiry"  # the authorization's time was over
    AUTHORIZATION = "authorization"  # its amount was changed
    DISPUTE = "dispute"  # Kustom told of one; there is no way to look at it


#: Kind → the event that tells Saleor's transaction.
EVENT: Mapping[Kind, str] = {
    Kind.CAPTURE: "CHARGE_SUCCESS",
    Kind.REFUND: "REFUND_SUCCESS",
    Kind.CANCEL: "CANCEL_SUCCESS",
    Kind.RELEASE: "CANCEL_SUCCESS",
    Kind.EXPIRY: "CANCEL_SUCCESS",
    Kind.AUTHORIZATION: "AUTHORIZATION_ADJUSTMENT",
}
#: What the event says for a person.
MESSAGE: Mapping[Kind, str] = {
    Kind.CAPTURE: "Captured at Kustom outside this app",
    Kind.REFUND: "Refunded at Kustom outside this app",
    Kind.CANCEL: "The order was cancelled at Kustom",
    Kind.RELEASE: "The remaining authorization was released at Kustom",
    Kind.EXPIRY: "The authorization expired at Kustom",
    Kind.AUTHORIZATION: "The authorization was changed at Kustom",
}
#: Kinds that there can be one of; each ends the authorization.
_ENDS = frozenset({Kind.CANCEL, Kind.RELEASE, Kind.EXPIRY})
#: In these Kustom captures nothing more, whatever it shows as remaining (contract, 6: assumed).
_OVER = frozenset({"CANCELLED", "EXPIRED", "CLOSED", "CAPTURED"})


@dataclass(frozen=True, slots=True)
class Outside:
    """One thing that happened. `amount_minor` in the order's currency; None: not known.

    `kustom_id` is Kustom's own id, or, where Kustom gives none, one that follows from the order.
    """

    kind: Kind
    kustom_id: str
    amount_minor: int | None
    happened_at: datetime | None = None
    told: bool = False  # Saleor took it

    @property
    def key(self) -> tuple[Kind, str]:
        """Return what makes it the one that it is, within its order."""
        return self.kind, self.kustom_id


@dataclass(frozen=True, slots=True)
class Ours:
    """What the order's rows of our own ledger did, or are about to do.

    `refunds` are those that Kustom confirmed. `under_way`: something of ours may have moved money
    that either side does not show yet.
    """

    ids: frozenset[str] = frozenset()
    references: frozenset[str] = frozenset()
    refunds: tuple[KustomRefund, ...] = ()
    under_way: bool = False


def happened(
    there: Authorization, ours: Ours, known: Iterable[Outside] = ()
) -> tuple[Outside, ...]:
    """Return the captures and refunds at Kustom that are none of ours, oldest first.

    `known`: what was found before.
    """
    captures = [
        Outside(Kind.CAPTURE, c.capture_id, c.amount_minor, c.captured_at)
        for c in there.captures
        if c.capture_id not in ours.ids and c.reference not in ours.references
    ]
    refunds = [
        Outside(Kind.REFUND, r.refund_id, r.amount_minor, r.refunded_at)
        for r in there.refunds
        if r.refund_id and r.refund_id not in ours.ids and r.reference not in ours.references
    ]
    return (*captures, *refunds, *_unlisted(there, ours, known))


def _unlisted(there: Authorization, ours: Ours, known: Iterable[Outside]) -> tuple[Outside, ...]:
    """Return what was refunded beyond every refund that can be named, if Kustom lists not all.

    That it lists refunds, and their ids, nobody here has seen (contract, section 5.1). The sum
    so far makes the id, so that a later refund is another one.
    """
    if ours.under_way:
        return ()
    listed = {r.refund_id for r in there.refunds}
    references = {r.reference for r in there.refunds}
    named = [r.amount_minor for r in there.refunds if r.refund_id or r.reference in ours.references]
    named += [
        r.amount_minor
        for r in ours.refunds
        if r.refund_id not in listed and r.reference not in references
    ]
    named += [
        k.amount_minor or 0 for k in known if k.kind is Kind.REFUND and k.kustom_id not in listed
    ]
    rest = there.refunded_amount_minor - sum(named)
    if rest <= 0:
        return ()
    made_id = f"{there.kustom_order_id}/refunded/{there.refunded_amount_minor}"
    return (Outside(Kind.REFUND, made_id, rest),)


def to_tell(
    transaction: Transaction, there: Authorization, untold: Sequence[Outside]
) -> tuple[Outside, ...]:
    """Return which captures and refunds to tell Saleor's transaction of.

    Never more than Kustom has in all: what the transaction shows already may have come from
    elsewhere under another reference.
    """
    charged = transaction.charged_minor + transaction.refunded_minor
    refunded = transaction.refunded_minor
    chosen = []
    for one in untold:
        minor = one.amount_minor or 0
        if one.kind is Kind.CAPTURE and charged + minor <= there.captured_amount_minor:
            charged += minor
            chosen.append(one)
        if one.kind is Kind.REFUND and refunded + minor <= there.refunded_amount_minor:
            refunded += minor
            chosen.append(one)
    return tuple(chosen)


def is_shown(transaction: Transaction, there: Authorization, kind: Kind) -> bool:
    """Tell whether the transaction has all that Kustom has of a kind: the answer was lost, or

    the transaction's owner told it.
    """
    if kind is Kind.REFUND:
        return transaction.refunded_minor == there.refunded_amount_minor
    charged = transaction.charged_minor + transaction.refunded_minor
    return charged == there.captured_amount_minor


def change_of_authorization(
    transaction: Transaction,
    there: Authorization,
    telling: Sequence[Outside],
    known: Sequence[Outside],
) -> Outside | None:
    """Return what makes Saleor show the same authorization as Kustom, once `telling` is told.

    None too while Saleor lacks a charge: its authorized amount means nothing then. Saleor takes
    every charge and cancellation off an adjustment, so that one names the whole.
    """
    new = sum(one.amount_minor or 0 for one in telling if one.kind is Kind.CAPTURE)
    charged = transaction.charged_minor + transaction.refunded_minor + new
    if charged != there.captured_amount_minor:
        return None
    shown = max(0, transaction.authorized_minor - new)
    remains = 0 if there.status in _OVER else there.remaining_minor
    # Saleor may show less than Kustom has for reasons of the checkout's own.
    changed = there.order_amount_minor != there.original_order_amount_minor
    changed = changed or any(one.kind is Kind.AUTHORIZATION for one in known)
    if shown == remains or (shown < remains and not changed):
        return None
    ends = _end(there) if remains == 0 else None
    if ends is not None:
        made = Outside(ends, f"{there.kustom_order_id}/{ends}", shown)
        before = [one for one in known if one.key == made.key]
        if not before or (before[0].amount_minor == shown and not before[0].told):
            return made
    return _adjustment(there, remains + charged + transaction.canceled_minor, known)


def shows_the_same(transaction: Transaction, there: Authorization) -> bool:
    """Tell whether Saleor's transaction has the charges and the authorization that Kustom has."""
    charged = transaction.charged_minor + transaction.refunded_minor
    remains = 0 if there.status in _OVER else there.remaining_minor
    return charged == there.captured_amount_minor and transaction.authorized_minor == remains


def _end(there: Authorization) -> Kind | None:
    """Return how an authorization came to its end, if it was not changed to what is captured."""
    if there.status == "CANCELLED":
        return Kind.CANCEL
    if there.status == "EXPIRED":
        return Kind.EXPIRY
    return Kind.RELEASE if there.order_amount_minor > there.captured_amount_minor else None


def _adjustment(there: Authorization, whole: int, known: Sequence[Outside]) -> Outside | None:
    """Return the adjustment to an amount, which may come again after another one.

    None when the last one said the same and Saleor took it: once more would change nothing.
    """
    earlier = [one for one in known if one.kind is Kind.AUTHORIZATION]
    number = len(earlier) + 1
    if earlier and earlier[-1].amount_minor == whole:
        if earlier[-1].told:
            return None
        number = len(earlier)
    return Outside(Kind.AUTHORIZATION, f"{there.kustom_order_id}/authorization/{number}", whole)
