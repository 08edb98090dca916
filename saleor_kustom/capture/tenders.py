"""What Kustom pays of an order, and what gift cards and other payments do (rules 11 and 12)."""

from collections.abc import Sequence
from dataclasses import dataclass

from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.binding import candidates, is_kustoms, paid_minor
from saleor_kustom.capture.fulfillment import Order, Transaction
from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.money import shown
from saleor_kustom.capture.plan import Nothing, NothingWhy, Plan
from saleor_kustom.capture.policy import GiftCard, Policy


@dataclass(frozen=True, slots=True)
class Tenders:
    """How an order's price divides. base = gift card + other + what Kustom pays - difference."""

    base_minor: int  # all lines and the shipping fee
    gift_card_minor: int
    other_minor: int
    difference_minor: int  # what order.total is more (or less) than its parts, a rounding

    @property
    def kustom_minor(self) -> int:
        """Return what Kustom pays when everything has shipped."""
        return self.base_minor - self.gift_card_minor - self.other_minor + self.difference_minor


@dataclass(frozen=True, slots=True)
class Shares:
    """A parcel's part of the tenders, and of the rounding difference (signed)."""

    gift_card_minor: int
    other_minor: int
    adjustment_minor: int


def tenders(
    order: Order, authorization: Authorization | None, policy: Policy
) -> Tenders | Held | Nothing:
    """Return how the order is paid, a reason to hold, or that nothing is left for Kustom."""
    lines = [line for line in order.lines if line.quantity]
    base = sum(line.total_minor for line in lines) + order.shipping_minor
    gift_card, difference = _gift_card(order, base, tolerance=len(lines))
    if abs(difference) > len(lines) or gift_card > base:
        parts = order.total_minor - difference
        return Held(Reason.TOTAL_DIFFERS, _shown(order, total=order.total_minor, parts=parts))
    other = sum(map(paid_minor, other_transactions(order, authorization, policy)))
    found = Tenders(base, gift_card, other, difference)
    if other and not _is_rest(found, authorization):
        return _ambiguous(order, found, authorization)
    if found.kustom_minor <= 0:
        return Nothing(NothingWhy.PAID_BY_OTHERS if base else NothingWhy.WORTH_ZERO)
    if gift_card + other > base:  # only a rounding is left for Kustom: nothing to spread it over
        return _ambiguous(order, found, authorization)
    return found


def other_transactions(
    order: Order, authorization: Authorization | None, policy: Policy
) -> list[Transaction]:
    """Return the payments that are neither Kustom's nor a gift card's."""
    payments = [t for t in order.transactions if not t.is_gift_card and paid_minor(t)]
    if authorization is not None:
        return [t for t in payments if not is_kustoms(t, authorization.kustom_order_id)]
    claimed = [c.kustom_order_id for c in candidates(order, policy)]
    kustoms = next((t for i in claimed for t in payments if is_kustoms(t, i)), None)
    # A preview without Kustom takes the first payment for Kustom's when no id tells.
    return [t for t in payments if t is not (kustoms or payments[0])]


def shares(paid: Tenders, policy: GiftCard, plans: Sequence[Plan], base_minor: int) -> Shares:
    """Return what a parcel of `base_minor` carries, after what `plans` carry already.

    Each tender is spread over what the one before left: so none takes a parcel below zero.
    """
    before = sum(plan.base_minor for plan in plans)
    gift_cards, others = _carried(paid, plans)
    adjusted = sum(plan.adjustment_minor for plan in plans)
    gift_card = spread(
        policy, paid.gift_card_minor, paid.base_minor, before, base_minor, gift_cards
    )
    whole, before, left = (
        paid.base_minor - paid.gift_card_minor,
        before - gift_cards,
        base_minor - gift_card,
    )
    other = spread(policy, paid.other_minor, whole, before, left, others)
    whole, before, left = whole - paid.other_minor, before - others, left - other
    if paid.difference_minor < 0:
        # On the last parcel; where that is worth less, the one before carries the rest.
        lack = -paid.difference_minor
        return Shares(
            gift_card, other, -spread(GiftCard.LAST, lack, whole, before, left, -adjusted)
        )
    last = before + left == whole
    return Shares(gift_card, other, paid.difference_minor - adjusted if last else 0)


def _carried(paid: Tenders, plans: Sequence[Plan]) -> tuple[int, int]:
    """Return what plans carry of gift cards and of other payments.

    A shop's upgrade to 3.23 tells gift cards apart that were other payments to earlier plans:
    what one has too much and the other too little is the same money under another name.
    """
    gift_cards = sum(plan.gift_card_minor for plan in plans)
    others = sum(plan.store_credit_minor for plan in plans)
    renamed = sorted((others - paid.other_minor, 0, paid.gift_card_minor - gift_cards))[1]
    return gift_cards + renamed, others - renamed


def spread(
    policy: GiftCard,
    tender_minor: int,
    whole_minor: int,
    before_minor: int,
    parcel_minor: int,
    carried_minor: int,
) -> int:
    """Return how much of a tender this parcel carries.

    `whole_minor` is what the order's parcels sum to, `before_minor` what the other parcels
    have of it, `carried_minor` what they carry of the tender.

    The share is the policy's, kept between what must be carried now so that the rest can
    still be, and what fits: so the tender is carried exactly once everything has shipped,
    whatever was withdrawn and planned again, and no parcel falls below zero. As late as
    possible is no more than what must be.
    """
    after_minor = before_minor + parcel_minor
    left_minor = tender_minor - carried_minor
    # An order that shrank after its first parcels has nothing to come, and not less than that.
    least = max(0, left_minor - max(0, whole_minor - after_minor))
    if policy is GiftCard.LAST or not whole_minor:
        return least
    wanted = tender_minor * after_minor // whole_minor - carried_minor
    return max(least, min(wanted, parcel_minor, left_minor))


def _gift_card(order: Order, base: int, *, tolerance: int) -> tuple[int, int]:
    """Return what gift cards pay, and what of order.total its parts do not explain.

    Until 3.22 the total is reduced by the gift card; from 3.23 the card is a transaction of
    its own (saleor-core-observed, section 8), whether the total is then reduced or not.
    """
    whole = order.subtotal_minor + order.shipping_minor
    missing = whole - order.total_minor
    cards = sum(paid_minor(t) for t in order.transactions if t.is_gift_card)
    if cards:
        reduced = cards if missing == cards else 0
        return cards, order.total_minor + reduced - base
    used = missing > tolerance if order.gift_cards_used is None else order.gift_cards_used > 0
    if used and missing > 0:
        return missing, whole - base
    return 0, order.total_minor - base


def _is_rest(found: Tenders, authorization: Authorization | None) -> bool:
    """Tell whether Kustom's authorization is exactly what the other payments leave."""
    if authorization is None:
        return True
    amounts = (authorization.original_order_amount_minor, authorization.order_amount_minor)
    return found.kustom_minor in amounts


def _ambiguous(order: Order, found: Tenders, authorization: Authorization | None) -> Held:
    kustom = authorization.original_order_amount_minor if authorization else found.kustom_minor
    other = found.other_minor + found.gift_card_minor
    return Held(Reason.OTHER_TENDER, _shown(order, other=other, kustom=kustom))


def _shown(order: Order, **amounts: int) -> dict[str, str]:
    return {name: shown(minor, order.currency) for name, minor in amounts.items()}
