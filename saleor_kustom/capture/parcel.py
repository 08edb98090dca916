"""Which units, and how much of the shipping fee, one fulfillment takes (rules 8, 10 and 20)."""

from collections.abc import Mapping
from dataclasses import dataclass

from saleor_kustom.capture.fulfillment import Fulfillment, Order, OrderLine
from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.ledger import SHIPPING, Ledger, Taking
from saleor_kustom.capture.money import units_minor
from saleor_kustom.capture.policy import Policy, ShippingFee
from saleor_kustom.capture.units import Ranges, count, lowest


@dataclass(frozen=True, slots=True)
class Fee:
    """A parcel's part of the shipping fee. `charged` is true even where that is 0."""

    minor: int = 0
    undiscounted_minor: int = 0
    charged: bool = False
    units: Ranges = ()  # where the fee is spread over the units


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a fulfillment takes. Units by order line id; the fee's own under SHIPPING."""

    new: Mapping[str, Ranges]
    taken_over: Mapping[str, Ranges]
    fee: Fee


def parcel(order: Order, fulfillment: Fulfillment, ledger: Ledger, policy: Policy) -> Parcel | Held:
    """Take the fulfillment's units and its part of the fee, or hold when units are missing."""
    lines = {line.id: line for line in order.lines}
    taken: dict[str, Taking] = {}
    for line_id, quantity in _wanted(fulfillment).items():
        line = lines.get(line_id)
        taking = ledger.take(line_id, line.quantity, quantity) if line else Taking()
        if taking.units < quantity:
            name = (line and (line.name or line.sku)) or line_id or "a deleted line"
            return Held(
                Reason.UNITS_MISSING, {"line": name, "wanted": quantity, "free": taking.units}
            )
        taken[line_id] = taking
    new = {line_id: taking.new for line_id, taking in taken.items() if taking.new}
    again = {line_id: taking.taken_over for line_id, taking in taken.items() if taking.taken_over}
    fee = _fee(order, new, ledger, policy)
    return Parcel({**new, SHIPPING: fee.units} if fee.units else new, again, fee)


def all_that_is_left(order: Order, ledger: Ledger) -> Parcel:
    """Take every unit that nobody has paid, and what is left of the fee: as if all shipped now."""
    free = {line.id: ledger.free(line.id, line.quantity) for line in order.lines}
    new = {line_id: units for line_id, units in free.items() if units}
    return Parcel(new, {}, rest_of_fee(order, ledger))


def rest_of_fee(order: Order, ledger: Ledger) -> Fee:
    """Return the whole of the fee that was not charged yet, whatever the policy."""
    return _rest(order, _left(order, ledger), untouched=_untouched(ledger))


def _left(order: Order, ledger: Ledger) -> int:
    """Return what of the fee is left, in money: it is charged once, whatever the policy does."""
    return max(0, order.shipping_minor - sum(plan.shipping_minor for plan in ledger.plans))


def _untouched(ledger: Ledger) -> bool:
    return not any(plan.charges_shipping for plan in ledger.plans)


def _wanted(fulfillment: Fulfillment) -> dict[str, int]:
    """Return the units by order line: Saleor may list a line twice, for two stocks."""
    wanted: dict[str, int] = {}
    for fulfilled in fulfillment.lines:
        if fulfilled.quantity > 0:
            so_far = wanted.get(fulfilled.order_line_id, 0)
            wanted[fulfilled.order_line_id] = so_far + fulfilled.quantity
    return wanted


def _fee(order: Order, new: Mapping[str, Ranges], ledger: Ledger, policy: Policy) -> Fee:
    """Return the parcel's part of the fee: never more than is left of it (domain rule 10).

    What is left is counted in money, so that the fee is charged exactly once even if the
    merchant changes the policy between two parcels.
    """
    bearing = _bearing(order)
    if not any(line.id in new for line in bearing):
        return Fee()  # also for units taken over only: those capture nothing new (rule 20)
    left, untouched = _left(order, ledger), _untouched(ledger)
    completes = ledger.completes(bearing, new)
    ships = any(line.requires_shipping for line in bearing)
    match policy.shipping_fee if ships else ShippingFee.FIRST:
        case ShippingFee.FIRST:
            return _rest(order, left, untouched=untouched)
        case ShippingFee.LAST:
            return _rest(order, left, untouched=untouched) if completes else Fee()
        case ShippingFee.PROPORTIONAL:
            return _share(order, bearing, new, ledger, left, completes=completes)


def _bearing(order: Order) -> list[OrderLine]:
    """Return the lines with which the fee goes: those that ship, or all if none does."""
    lines = [line for line in order.lines if line.quantity]
    return [line for line in lines if line.requires_shipping] or lines


def _rest(order: Order, left: int, *, untouched: bool) -> Fee:
    if untouched:
        return Fee(order.shipping_minor, order.undiscounted_shipping_minor, charged=True)
    return Fee(left, charged=left > 0)


def _share(
    order: Order,
    bearing: list[OrderLine],
    new: Mapping[str, Ranges],
    ledger: Ledger,
    left: int,
    *,
    completes: bool,
) -> Fee:
    """Return the part of the parcel's new units; units taken over have paid theirs."""
    whole = sum(line.quantity for line in bearing)
    shipped = sum(count(new.get(line.id, ())) for line in bearing)
    units = lowest(ledger.free(SHIPPING, whole), shipped)
    share = units_minor(order.shipping_minor, whole, units)
    minor = left if completes else min(share, left)
    undiscounted = units_minor(order.undiscounted_shipping_minor, whole, units)
    return Fee(minor, undiscounted, charged=True, units=units)
