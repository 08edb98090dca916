"""What Kustom pays of an order, and what gift cards and other payments do (rules 11 and 12)."""

from dataclasses import dataclass

from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.fulfillment import Order, Transaction
from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.money import shown
from saleor_kustom.capture.plan import Nothing, NothingWhy
from saleor_kustom.capture.policy import GiftCard


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
        paid = self.gift_card_minor + self.other_minor
        return self.base_minor - paid + self.difference_minor


def tenders(order: Order, authorization: Authorization | None) -> Tenders | Held | Nothing:
    """Return how the order is paid, a reason to hold, or that others pay all of it."""
    base = sum(line.total_minor for line in order.lines) + order.shipping_minor
    gift_card, difference = _gift_card(order, base)
    if abs(difference) > len(order.lines) + 1 or gift_card > base:
        detail = _both(order, total=order.total_minor, parts=base - gift_card)
        return Held(Reason.TOTAL_DIFFERS, detail)
    other = sum(_pays(t) for t in other_transactions(order, authorization))
    found = Tenders(base, gift_card, other, difference)
    if found.kustom_minor <= 0:
        why = NothingWhy.WORTH_ZERO if base == 0 else NothingWhy.PAID_BY_OTHERS
        return Nothing(why)
    if other and not _is_rest(found, authorization):
        authorized = authorization.original_order_amount_minor if authorization else 0
        return Held(Reason.OTHER_TENDER, _both(order, other=other, kustom=authorized))
    return found


def other_transactions(order: Order, authorization: Authorization | None) -> list[Transaction]:
    """Return the payments that are neither Kustom's nor a gift card's."""
    payments = [t for t in order.transactions if not t.is_gift_card and _pays(t)]
    if authorization is not None:
        return [t for t in payments if t.psp_reference != authorization.kustom_order_id]
    return payments[1:]  # a preview without Kustom takes the first payment for Kustom's


def _pays(transaction: Transaction) -> int:
    return transaction.authorized_minor + transaction.charged_minor


def _gift_card(order: Order, base: int) -> tuple[int, int]:
    """Return what gift cards pay and what remains unexplained of order.total.

    Until 3.22 the total is reduced by the gift card; from 3.23 the card is a transaction and
    the total stays full (saleor-core-observed, section 8).
    """
    cards = sum(_pays(t) for t in order.transactions if t.is_gift_card)
    missing = base - order.total_minor
    if cards and missing != cards:
        return cards, -missing
    used = order.gift_cards_used is None or order.gift_cards_used > 0
    rounding = abs(missing) <= len(order.lines) + 1
    if missing > 0 and used and not (order.gift_cards_used is None and rounding):
        return missing, 0
    return 0, -missing


def _is_rest(found: Tenders, authorization: Authorization | None) -> bool:
    """Tell whether Kustom's authorization is exactly what the other payments leave."""
    return authorization is None or authorization.original_order_amount_minor == found.kustom_minor


def _both(order: Order, **amounts: int) -> dict[str, str]:
    return {name: shown(minor, order.currency) for name, minor in amounts.items()}


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
    whatever was withdrawn and planned again, and no parcel falls below zero.
    """
    after_minor = before_minor + parcel_minor
    if policy is GiftCard.LAST:
        wanted = max(0, after_minor - (whole_minor - tender_minor)) - carried_minor
    else:
        wanted = tender_minor * after_minor // whole_minor - carried_minor if whole_minor else 0
    left_minor = tender_minor - carried_minor
    least = max(0, left_minor - (whole_minor - after_minor))
    return max(least, min(wanted, parcel_minor, left_minor))
