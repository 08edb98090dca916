"""Which units of an order are spent, free, or to be taken over: from our own plans only.

Never from order.fulfillments: returns move lines away, a second parcel of the same call is
listed already, and a cancelled one stays listed (saleor-core-observed, section 8).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from saleor_kustom.capture.fulfillment import OrderLine
from saleor_kustom.capture.plan import Plan
from saleor_kustom.capture.units import Ranges, count, lowest, union, without

#: The shipping fee as a line of its own, where it is spread over the units.
SHIPPING = "shipping"


@dataclass(frozen=True, slots=True)
class Earlier:
    """Another parcel of the same order. A plan that was withdrawn or refused is None here.

    So is one whose money went back. A charge is a parcel that never ships: what ships later
    takes its units over, as those of a parcel that was cancelled.
    """

    fulfillment_id: str
    plan: Plan | None
    captured: bool = False  # money certainly moved
    canceled: bool = False  # its fulfillment was cancelled in Saleor; or it is a charge


@dataclass(frozen=True, slots=True)
class Taking:
    """Units that a parcel takes of one line."""

    new: Ranges = ()  # nobody has paid them yet
    taken_over: Ranges = ()  # captured with a cancelled parcel, or a charge (domain rule 20)

    @property
    def units(self) -> int:
        """Return how many units they are."""
        return count(self.new) + count(self.taken_over)


@dataclass(frozen=True, slots=True)
class Again:
    """Units of a cancelled parcel that have shipped again, of those that its capture paid."""

    units: int
    paid: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """The order's earlier plans, and what can be asked of them."""

    earlier: Sequence[Earlier] = field(default_factory=tuple)

    @property
    def plans(self) -> list[Plan]:
        """Return every plan that holds units or money."""
        return [e.plan for e in self.earlier if e.plan is not None]

    def spent(self, line_id: str) -> Ranges:
        """Return the units that plans have paid or will pay."""
        return union(*(plan.units.get(line_id, ()) for plan in self.plans))

    def free(self, line_id: str, quantity: int) -> Ranges:
        """Return the units of a line of `quantity` that no plan holds."""
        return without(((0, quantity),), self.spent(line_id))

    def take(self, line_id: str, quantity: int, wanted: int) -> Taking:
        """Return units for a parcel of `wanted`; fewer when there are not so many.

        First what a cancelled parcel's capture has paid: then never more is captured than
        ships. The rest are the lowest free units.
        """
        again = lowest(self._orphaned(line_id), wanted)
        return Taking(lowest(self.free(line_id, quantity), wanted - count(again)), again)

    def takes_over(self, taken: Mapping[str, Ranges]) -> tuple[str, ...]:
        """Return the cancelled fulfillments whose captures pay the given units."""
        return tuple(
            e.fulfillment_id for e in self._canceled() if e.plan and _overlap(e.plan.units, taken)
        )

    def taken_over(self, fulfillment_id: str) -> bool:
        """Tell whether every unit that a cancelled parcel's capture paid has shipped again."""
        again = self.again(fulfillment_id)
        return again is not None and again.units == again.paid

    def again(self, fulfillment_id: str) -> "Again | None":
        """Return how much of what a cancelled parcel's capture paid has shipped again.

        None: there is no such parcel, or its money went back.
        """
        plans = [e.plan for e in self._canceled() if e.fulfillment_id == fulfillment_id and e.plan]
        if not plans:
            return None
        paid = left = 0
        for plan in plans:
            for line_id, units in plan.units.items():
                if line_id != SHIPPING:
                    paid += count(units)
                    left += count(units) - count(without(units, self._orphaned(line_id)))
        return Again(units=paid - left, paid=paid)

    def completes(self, lines: Iterable[OrderLine], new: Mapping[str, Ranges]) -> bool:
        """Tell whether no unit of the lines is left after a parcel that takes `new`."""
        return all(
            count(union(self.spent(line.id), new.get(line.id, ()))) >= line.quantity
            for line in lines
        )

    def _canceled(self) -> list[Earlier]:
        """Return what has no live parcel and moved money: only that pays for units again."""
        return [e for e in self.earlier if e.captured and e.canceled]

    def _orphaned(self, line_id: str) -> Ranges:
        """Return captured units without a parcel that no live parcel has taken over."""
        paid = union(*(e.plan.units.get(line_id, ()) for e in self._canceled() if e.plan))
        live = [e.plan for e in self.earlier if e.plan is not None and not e.canceled]
        return without(paid, union(*(plan.taken_over.get(line_id, ()) for plan in live)))


def _overlap(units: Mapping[str, Ranges], taken: Mapping[str, Ranges]) -> bool:
    return any(
        count(without(units.get(line_id, ()), ranges)) < count(units.get(line_id, ()))
        for line_id, ranges in taken.items()
    )
