"""Whether money that was captured before its units shipped is still there when they do.

A parcel that takes units over captures nothing. If the money was refunded meanwhile, which names
no units, the goods would leave unpaid; so what is kept must pay for all that has shipped.
"""

from collections.abc import Iterable

from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.fulfillment import Order
from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.ledger import Ledger
from saleor_kustom.capture.money import ceil_div, shown, units_minor
from saleor_kustom.capture.plan import Plan
from saleor_kustom.capture.units import Ranges, union, without

_CAME_BACK = frozenset({"RETURNED", "REPLACED", "REFUNDED", "REFUNDED_AND_RETURNED"})


def refunded_meanwhile(
    order: Order, plan: Plan, ledger: Ledger, authorization: Authorization | None
) -> Held | None:
    """Return that too much was refunded for a parcel that takes units over, with the numbers.

    Goods that came back need not be paid: their refund is no lack.
    """
    if not plan.taken_over or authorization is None or not authorization.refunded_amount_minor:
        return None
    live = [e for e in ledger.earlier if e.plan is not None and not e.canceled]
    own = sum(e.plan.amount_minor for e in live if e.plan and e.captured)
    again = _worth(order, ledger, [plan, *(e.plan for e in live if e.plan)])
    needed = own + again - _came_back(order)
    if needed <= authorization.refundable_minor:
        return None
    amounts = {
        "refunded": authorization.refunded_amount_minor,
        "captured": authorization.captured_amount_minor,
        "left": authorization.refundable_minor,
        "needed": needed,
    }
    detail = {name: shown(minor, order.currency) for name, minor in amounts.items()}
    return Held(Reason.REFUNDED_MEANWHILE, detail)


def _worth(order: Order, ledger: Ledger, takers: Iterable[Plan]) -> int:
    """Return what was captured for the units that are taken over: their part of each capture."""
    takers = list(takers)
    worth = 0
    for entry in ledger.earlier:
        if entry.plan and entry.captured and entry.canceled and entry.plan.base_minor:
            taken = sum(_price(order, line_id, entry.plan, takers) for line_id in entry.plan.units)
            worth += entry.plan.amount_minor * taken // entry.plan.base_minor
    return worth


def _price(order: Order, line_id: str, paying: Plan, takers: Iterable[Plan]) -> int:
    """Return the price of a capture's units of a line that live parcels have taken over."""
    line = next((line for line in order.lines if line.id == line_id), None)
    taken = union(*(taker.taken_over.get(line_id, ()) for taker in takers))
    units: Ranges = paying.units.get(line_id, ())
    if line is None:
        return 0
    return units_minor(line.total_minor, line.quantity, without(units, without(units, taken)))


def _came_back(order: Order) -> int:
    """Return about what the units cost that the shopper returned."""
    lines = {line.id: line for line in order.lines}
    parts = [part for f in order.fulfillments if f.status in _CAME_BACK for part in f.lines]
    known = [(lines[p.order_line_id], p.quantity) for p in parts if p.order_line_id in lines]
    return sum(ceil_div(line.total_minor * n, line.quantity) for line, n in known)
