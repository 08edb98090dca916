"""Whether the authorization allows what a plan would capture. Nothing is ever clamped (rule 12)."""

from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.fulfillment import Order
from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.ledger import Ledger
from saleor_kustom.capture.money import KUSTOM_CURRENCIES, shown
from saleor_kustom.capture.plan import Plan
from saleor_kustom.capture.policy import Policy

#: The largest amount that Kustom takes (kustom-order-management, section 5.2).
LARGEST_MINOR = 200_000_000
#: Of these nothing is captured, released or cancelled any more.
ENDED = frozenset({"CANCELLED", "EXPIRED", "CLOSED"})
_REJECTED = frozenset({"REJECTED", "STOPPED"})


def currency_held(order: Order, authorization: Authorization | None, policy: Policy) -> Held | None:
    """Return why the order's currency keeps it from being captured."""
    if authorization is not None and authorization.currency.upper() != order.currency.upper():
        detail = {"saleor": order.currency, "kustom": authorization.currency}
        return Held(Reason.CURRENCY_DIFFERS, detail)
    if order.currency.upper() not in KUSTOM_CURRENCIES | policy.extra_currencies:
        return Held(Reason.CURRENCY_UNTESTED, {"currency": order.currency})
    return None


def capture_held(
    order: Order,
    plan: Plan,
    ledger: Ledger,
    authorization: Authorization | None,
    own_references: frozenset[str],
) -> Held | None:
    """Return why the authorization does not allow the plan, with both numbers."""
    amount = shown(plan.amount_minor, order.currency)
    if plan.amount_minor > LARGEST_MINOR:
        limit = shown(LARGEST_MINOR, order.currency)
        return Held(Reason.TOO_LARGE, {"value": amount, "limit": limit})
    if authorization is None:
        return None
    if authorization.fraud_status in _REJECTED:
        return Held(Reason.FRAUD_REJECTED, {"status": authorization.fraud_status})
    if authorization.status in ENDED:
        return Held(Reason.ORDER_NOT_CAPTURABLE, {"status": authorization.status, "amount": amount})
    if plan.amount_minor <= authorization.remaining_minor:
        return None
    remaining = shown(authorization.remaining_minor, order.currency)
    detail = {"amount": amount, "remaining": remaining}
    outside = [c for c in authorization.captures if c.reference not in own_references]
    if outside:
        total = sum(c.amount_minor for c in outside)
        return Held(Reason.CAPTURED_OUTSIDE, detail | {"outside": shown(total, order.currency)})
    charged = sum(p.amount_minor for p in ledger.plans if not p.allocated)
    if charged:
        return Held(Reason.CHARGED_BEFORE, detail | {"charged": shown(charged, order.currency)})
    return Held(Reason.ABOVE_REMAINING, detail)
