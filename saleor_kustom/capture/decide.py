"""Decide what one fulfillment captures: a plan, a reason to hold, or nothing.

Pure: everything that matters comes as an argument. The order of the questions:

1. Is it the right currency, and one that Kustom lists?
2. Which units does it take, and which were paid with a parcel that was cancelled?
3. How is the order paid, and do its parts add up?
4. What do these units, the fee and the tenders sum to?
5. Does the authorization allow it? Nothing is ever clamped.
"""

from collections.abc import Mapping, Sequence

from saleor_kustom.capture.allowed import capture_held, currency_held
from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.fulfillment import Fulfillment, Order
from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.kept import refunded_meanwhile
from saleor_kustom.capture.ledger import Earlier, Ledger
from saleor_kustom.capture.money import shown
from saleor_kustom.capture.parcel import parcel
from saleor_kustom.capture.plan import Nothing, NothingWhy, Plan
from saleor_kustom.capture.policy import Policy
from saleor_kustom.capture.sums import sum_up
from saleor_kustom.capture.tenders import Tenders, tenders
from saleor_kustom.capture.text import cut

__all__ = ["Earlier", "decide", "reference"]

_REFERENCE = 255


def reference(order: Order, fulfillment: Fulfillment) -> str:
    """Return how a capture is recognised at Kustom, the same for every attempt (rule 3)."""
    return unique_reference(order, f"{fulfillment.number}/{fulfillment.id}")


def unique_reference(order: Order, own: str) -> str:
    """Return the order's number and what is unique within it, as settlement files show it."""
    # Only the order's number may be cut: the rest tells its operations apart.
    number = cut(order.number, _REFERENCE - len(own) - 1) or ""
    return f"{number}/{own}"


def decide(
    order: Order,
    fulfillment: Fulfillment,
    earlier: Sequence[Earlier],
    authorization: Authorization | None,
    policy: Policy,
    *,
    own_references: frozenset[str] = frozenset(),
    shipping_info: Sequence[Mapping[str, str]] = (),
) -> Plan | Held | Nothing:
    """Return what to capture for `fulfillment`.

    earlier: the order's other parcels (never this one). authorization: the Kustom order as
    read just now; None for a preview without Kustom. own_references: of our own captures,
    to tell those made outside. Source: domain rules 8 to 14 and 20.
    """
    held = currency_held(order, authorization, policy)
    if held:
        return held
    ledger = Ledger(tuple(earlier))
    taken = parcel(order, fulfillment, ledger, policy)
    if isinstance(taken, Held):
        return taken
    paid = tenders(order, authorization, policy)
    if not isinstance(paid, Tenders):
        return paid
    own = reference(order, fulfillment)
    plan = sum_up(order, own, ledger, taken, paid, policy, shipping_info)
    refunded = refunded_meanwhile(order, plan, ledger, authorization)
    if refunded:
        return refunded
    if plan.amount_minor == 0:
        return Nothing(_why_nothing(plan), plan)
    if plan.amount_minor < 0:  # the order was changed after its first parcels
        detail = {"total": order.total_minor, "parts": order.total_minor - plan.amount_minor}
        return Held(
            Reason.TOTAL_DIFFERS, {name: shown(v, order.currency) for name, v in detail.items()}
        )
    return capture_held(order, plan, ledger, authorization, own_references) or plan


def _why_nothing(plan: Plan) -> NothingWhy:
    if plan.taken_over:
        return NothingWhy.TAKEN_OVER
    return NothingWhy.PAID_BY_OTHERS if plan.base_minor else NothingWhy.WORTH_ZERO
