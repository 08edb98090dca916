"""Why a person must look: every reason, in plain words, with what to do.

A reason is stored by its value; its words take the numbers from the capture's own row, so that
both sides of a difference are always shown (domain rules 10 to 14).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Reason(StrEnum):
    """What keeps a capture from going on by itself."""

    NOT_UNDERSTOOD = "not_understood"
    FULFILLMENT_UNKNOWN = "fulfillment_unknown"
    IDENTITY_CHANGED = "identity_changed"
    NOT_LINKED = "not_linked"
    LINK_REFUSED = "link_refused"
    NO_CREDENTIALS = "no_credentials"
    CURRENCY_DIFFERS = "currency_differs"
    CURRENCY_UNTESTED = "currency_untested"
    GIFT_CARD = "gift_card"
    OTHER_TENDER = "other_tender"
    TOTAL_DIFFERS = "total_differs"
    UNITS_MISSING = "units_missing"
    ABOVE_REMAINING = "above_remaining"
    CHARGED_BEFORE = "charged_before"
    CAPTURED_OUTSIDE = "captured_outside"
    CAPTURE_DIFFERS = "capture_differs"
    LEDGER_INCOMPLETE = "ledger_incomplete"
    ORDER_NOT_CAPTURABLE = "order_not_capturable"
    FRAUD_REJECTED = "fraud_rejected"
    REFUSED_BY_KUSTOM = "refused_by_kustom"
    REFUSED_BY_SALEOR = "refused_by_saleor"
    CANCELED_AFTER_CAPTURE = "canceled_after_capture"
    REFUND_ABOVE_CAPTURED = "refund_above_captured"
    REFUND_UNSEEN = "refund_unseen"
    REFUNDED_OTHERWISE = "refunded_otherwise"
    REFUNDED_MEANWHILE = "refunded_meanwhile"
    PARTLY_SHIPPED_AGAIN = "partly_shipped_again"
    NOTHING_REMAINS = "nothing_remains"
    NOT_ITS_TRANSACTION = "not_its_transaction"
    AMOUNT_NOT_UNDERSTOOD = "amount_not_understood"
    TOO_LARGE = "too_large"
    OBSERVED = "observed"
    HELD_BY_HAND = "held_by_hand"


@dataclass(frozen=True, slots=True)
class Words:
    """What is wrong, and what a person does about it. `{name}` is filled from the detail."""

    problem: str
    cure: str


WORDS: Mapping[Reason, Words] = {
    Reason.NOT_UNDERSTOOD: Words(
        "A genuine delivery from Saleor could not be understood.",
        "Update the app; the delivery is kept and the fulfillment is read again on retry.",
    ),
    Reason.FULFILLMENT_UNKNOWN: Words(
        "The installed Saleor does not know this fulfillment.",
        "Check whether a copy of the shop (staging) sent it. Nothing was captured.",
    ),
    Reason.IDENTITY_CHANGED: Words(
        "Fulfillment {fulfillment} came before with another order or time.",
        "Saleor's database was probably restored. Compare both, then retry or settle by hand.",
    ),
    Reason.NOT_LINKED: Words(
        "No Kustom order is known for this order.",
        "Link the order to its Kustom order, or settle it outside if it was paid another way.",
    ),
    Reason.LINK_REFUSED: Words(
        "The Kustom order {kustom_order} does not fit this order: {why}.",
        "Check the id in the order's metadata, then link the right Kustom order.",
    ),
    Reason.NO_CREDENTIALS: Words(
        "No Kustom credentials are set for the channel {channel}.",
        "Set the channel's credentials; what waits is captured then.",
    ),
    Reason.CURRENCY_DIFFERS: Words(
        "Saleor's order is in {saleor}, Kustom's in {kustom}.",
        "Check that the order is linked to the right Kustom order.",
    ),
    Reason.CURRENCY_UNTESTED: Words(
        "Kustom does not list the currency {currency}.",
        "The operator may allow it, after a test on the playground.",
    ),
    Reason.GIFT_CARD: Words(
        "A gift card paid {gift_card} of the order's {base}.",
        "Capture by hand, or wait for the app to support it.",
    ),
    Reason.OTHER_TENDER: Words(
        "Other payments of {other} stand beside Kustom's {kustom}, and how is ambiguous.",
        "Decide what Kustom shall capture and settle the fulfillment by hand.",
    ),
    Reason.TOTAL_DIFFERS: Words(
        "The order's total is {total}, its parts sum to {parts}.",
        "Compare the order in Saleor; then capture by hand or correct the order.",
    ),
    Reason.UNITS_MISSING: Words(
        "{wanted} units of {line} are shipped, but only {free} are not captured yet.",
        "Compare the order's fulfillments; settle this one by hand if it was captured before.",
    ),
    Reason.ABOVE_REMAINING: Words(
        "{amount} is to be captured, but only {remaining} remains authorized.",
        "Look at the Kustom order: something was captured, released or changed there.",
    ),
    Reason.CHARGED_BEFORE: Words(
        "{amount} is to be captured, but only {remaining} remains: {charged} was charged in Saleor "
        "without saying for which units.",
        "If that charge paid for this, mark it as settled outside.",
    ),
    Reason.CAPTURED_OUTSIDE: Words(
        "{outside} was captured at Kustom outside this app; {amount} would exceed what remains, "
        "{remaining}.",
        "If that capture was for this fulfillment, mark it as settled outside.",
    ),
    Reason.CAPTURE_DIFFERS: Words(
        "Kustom has a capture with this reference over {kustom}, planned was {planned}.",
        "Compare both in Kustom's portal, then settle by hand.",
    ),
    Reason.LEDGER_INCOMPLETE: Words(
        "Kustom has {unknown} capture(s) of this order's other fulfillments that the app's "
        "database lacks; it was probably restored.",
        "They are adopted now, and this one goes on by itself; look only if it stays here.",
    ),
    Reason.ORDER_NOT_CAPTURABLE: Words(
        "The Kustom order is {status}; {amount} can't be captured.",
        "Ask the shopper for another payment, or settle the fulfillment outside.",
    ),
    Reason.FRAUD_REJECTED: Words(
        "Kustom's fraud review rejected the order ({status}).",
        "Do not ship; cancel the fulfillment if it has not left.",
    ),
    Reason.REFUSED_BY_KUSTOM: Words(
        "Kustom refused {amount}: {code} {message}",
        "Mend the cause and retry; no money moved.",
    ),
    Reason.REFUSED_BY_SALEOR: Words(
        "Saleor refused what the app asked or wrote: {code} {message}",
        "Mend the cause in Saleor and retry; money that moved is not touched.",
    ),
    Reason.CANCELED_AFTER_CAPTURE: Words(
        "The fulfillment was cancelled in Saleor after {amount} had been captured.",
        "Refund it, or ship the units again: they take over this capture.",
    ),
    Reason.REFUND_ABOVE_CAPTURED: Words(
        "{amount} is to be refunded, but of {captured} captured only {left} is not refunded yet.",
        "Look at the Kustom order: something was refunded there. Refund no more than is left.",
    ),
    Reason.REFUND_UNSEEN: Words(
        "Kustom says that {refunded} was refunded, but lists only {listed}.",
        "Look in Kustom's portal whether this refund is there; retry only if it is not.",
    ),
    Reason.REFUNDED_OTHERWISE: Words(
        "{refunded} of the order was refunded already, perhaps for this parcel of {amount}.",
        "Look at the Kustom order; refund the parcel by hand if that was for something else.",
    ),
    Reason.REFUNDED_MEANWHILE: Words(
        "The units were captured before, but {refunded} of {captured} was refunded since, and "
        "{left} does not pay for all that ships, {needed}.",
        "Take payment for these another way; if the refund was for other units, mark it as settled "
        "outside.",
    ),
    Reason.PARTLY_SHIPPED_AGAIN: Words(
        "{again} of the {units} units of this cancelled parcel have shipped again: its {amount} "
        "can't be refunded as a whole.",
        "Refund what did not ship again with the order's refund button in Saleor.",
    ),
    Reason.NOTHING_REMAINS: Words(
        "Nothing of the Kustom order remains authorized; it is {status}.",
        "Look at the Kustom order: all was captured, released or has expired.",
    ),
    Reason.NOT_ITS_TRANSACTION: Words(
        "The transaction does not stand for a Kustom order that this order is linked to.",
        "Use the button of the transaction whose reference is the Kustom order's id.",
    ),
    Reason.AMOUNT_NOT_UNDERSTOOD: Words(
        "{amount} {given} is no amount of this order in {currency}.",
        "Ask again with an amount in the order's currency.",
    ),
    Reason.OBSERVED: Words(
        "The shop was in observe mode: {amount} would have been captured.",
        "Switch the shop to capture mode, look at the sum, and release what was observed.",
    ),
    Reason.HELD_BY_HAND: Words(
        "{who} holds it: {why}",
        "Resume it when that is settled.",
    ),
    Reason.TOO_LARGE: Words(
        "{value} is above Kustom's limit of {limit}.",
        "Capture by hand in Kustom's portal.",
    ),
}


@dataclass(frozen=True, slots=True)
class Held:
    """A decision that a person must look, with the numbers that its words need."""

    reason: Reason
    detail: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def problem(self) -> str:
        """Return what is wrong, with both numbers."""
        return WORDS[self.reason].problem.format_map(_Known(self.detail))

    @property
    def cure(self) -> str:
        """Return what a person does about it."""
        return WORDS[self.reason].cure.format_map(_Known(self.detail))


class _Known(dict[str, str | int]):
    def __missing__(self, key: str) -> str:
        return "?"  # a page must show a reason even if an older row lacks a number
