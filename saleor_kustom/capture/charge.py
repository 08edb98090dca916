"""Decide what a charge captures: all that is left with its units, or an amount without.

A shop that lets nobody fulfil unpaid orders charges first. Where the amount is all that is left,
the charge pays for every unit and the fee, and what ships later takes them over. Any other amount
is kept without units: parcels are captured beside it for as long as they fit.
"""

from collections.abc import Sequence

from saleor_kustom.capture.allowed import capture_held, currency_held
from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.body import build
from saleor_kustom.capture.fulfillment import Order
from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.ledger import Earlier, Ledger
from saleor_kustom.capture.parcel import Parcel, all_that_is_left, rest_of_fee
from saleor_kustom.capture.plan import Nothing, NothingWhy, Plan
from saleor_kustom.capture.policy import Policy
from saleor_kustom.capture.sums import sum_up
from saleor_kustom.capture.tenders import Tenders, tenders


def decide_charge(
    order: Order,
    earlier: Sequence[Earlier],
    authorization: Authorization,
    policy: Policy,
    *,
    reference: str,
    amount_minor: int,
    own_references: frozenset[str] = frozenset(),
) -> Plan | Held:
    """Return what to capture for a charge over an amount that somebody asked for."""
    held = currency_held(order, authorization, policy)
    if held:
        return held
    if amount_minor <= 0:
        return Held(Reason.NOTHING_REMAINS, {"status": authorization.status})
    ledger = Ledger(tuple(earlier))
    plan = everything_left(order, ledger, authorization, policy, reference)
    if plan is None or plan.amount_minor != amount_minor:
        body, notes = build(amount_minor, reference, (), ())
        plan = Plan(
            reference=reference,
            amount_minor=amount_minor,
            base_minor=0,
            units={},
            body=body,
            notes=notes,
        )
    return capture_held(order, plan, ledger, authorization, own_references) or plan


def everything_left(
    order: Order,
    ledger: Ledger,
    authorization: Authorization | None,
    policy: Policy,
    reference: str,
) -> Plan | None:
    """Return the capture of every unit that is free and what is left of the fee, if it is clear."""
    paid = tenders(order, authorization, policy)
    if not isinstance(paid, Tenders):
        return None
    return sum_up(order, reference, ledger, all_that_is_left(order, ledger), paid, policy)


def decide_fee(
    order: Order,
    earlier: Sequence[Earlier],
    authorization: Authorization | None,
    policy: Policy,
    *,
    reference: str,
    own_references: frozenset[str] = frozenset(),
) -> Plan | Held | Nothing:
    """Return the capture of what is left of the shipping fee alone: nothing more ships (rule 10).

    authorization: None for a preview without Kustom.
    """
    held = currency_held(order, authorization, policy)
    if held:
        return held
    ledger = Ledger(tuple(earlier))
    paid = tenders(order, authorization, policy)
    if not isinstance(paid, Tenders):
        return paid
    plan = sum_up(
        order, reference, ledger, Parcel({}, {}, rest_of_fee(order, ledger)), paid, policy
    )
    if plan.amount_minor <= 0:
        return Nothing(NothingWhy.WORTH_ZERO)
    return capture_held(order, plan, ledger, authorization, own_references) or plan
