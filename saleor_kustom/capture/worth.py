"""What a parcel is worth before it is planned: the money at risk while it is held."""

from collections import Counter

from saleor_kustom.capture.fulfillment import Fulfillment, Order
from saleor_kustom.capture.money import share_minor


def worth_minor(order: Order, fulfillment: Fulfillment) -> int:
    """Return what the fulfillment's units cost. An estimate to sort by, never charged.

    The shipping fee and other tenders are left aside, and the lowest units of each line are
    taken, whichever are free.
    """
    units: Counter[str] = Counter()
    for line in fulfillment.lines:
        units[line.order_line_id] += max(0, line.quantity)
    return sum(
        share_minor(line.total_minor, line.quantity, 0, min(units[line.id], line.quantity))
        for line in order.lines
        if line.quantity
    )
