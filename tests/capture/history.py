"""A warehouse that ships, cancels and ships again, and a ledger as the app keeps it."""

from dataclasses import dataclass, field, replace

from saleor_kustom.capture.authorization import Authorization, KustomCapture
from saleor_kustom.capture.charge import decide_charge, decide_fee
from saleor_kustom.capture.decide import Earlier, decide, reference
from saleor_kustom.capture.fulfillment import Fulfillment, FulfillmentLine
from saleor_kustom.capture.plan import Nothing, Plan
from tests.capture.generated_orders import KUSTOM, Case


@dataclass
class Warehouse:
    """Knows how many units are left to ship; asks `decide` for every parcel."""

    case: Case
    left: dict[str, int] = field(init=False)
    ledger: list[Earlier] = field(default_factory=list)
    shipped: dict[str, dict[str, int]] = field(default_factory=dict)
    decisions: list = field(default_factory=list)
    number: int = 0
    cards_known_from: int = 0  # the first parcel that knows gift cards from other payments

    def __post_init__(self):
        self.left = {line.id: line.quantity for line in self.case.order.lines}

    @property
    def plans(self):
        return [earlier.plan for earlier in self.ledger if earlier.plan]

    @property
    def captured(self):
        return [e.plan for e in self.ledger if e.plan and e.captured]

    def ship(self, units, policy, *, capture=True):
        """Ship units by line id; return the decision, which is in the ledger then."""
        units = {line_id: n for line_id, n in units.items() if n}
        self.number += 1
        parcel = Fulfillment(
            id=f"fulfillment-{self.number}",
            number=self.number,
            status="FULFILLED",
            created="2026-11-23T12:00:00.000000+00:00",
            lines=tuple(FulfillmentLine(line_id, n) for line_id, n in units.items()),
        )
        for line_id, n in units.items():
            self.left[line_id] -= n
        decision = self.decide(parcel, policy)
        assert self.decide(parcel, policy) == decision
        plan = decision if isinstance(decision, Plan) else getattr(decision, "plan", None)
        captured = capture and isinstance(decision, Plan)
        self.ledger.append(Earlier(parcel.id, plan, captured=captured))
        self.shipped[parcel.id] = units
        self.decisions.append(decision)
        return decision

    def decide(self, parcel, policy):
        order = self.case.order
        if parcel.number < self.cards_known_from:
            unknown = (replace(each, is_gift_card=False) for each in order.transactions)
            order = replace(order, transactions=tuple(unknown))
        return decide(
            order,
            parcel,
            self.ledger,
            self.authorization(),
            self.allowing(policy),
            own_references=frozenset(plan.reference for plan in self.plans)
            | {reference(order, parcel)},
        )

    def charge_the_rest(self, policy):
        """Charge all that no plan holds, as Saleor's button does; it is captured at once."""
        amount = self.case.kustom - sum(plan.amount_minor for plan in self.plans)
        reference = f"charge-{len(self.ledger)}"
        charge = decide_charge(
            self.case.order,
            self.ledger,
            self.authorization(),
            self.allowing(policy),
            reference=reference,
            amount_minor=amount,
            own_references=frozenset(plan.reference for plan in self.plans) | {reference},
        )
        if isinstance(charge, Plan):
            self.ledger.append(Earlier(reference, charge, captured=True, canceled=True))
        return amount, charge

    def charge_the_fee(self, policy):
        """Charge what is left of the fee, since nothing more ships."""
        fee = decide_fee(
            self.case.order, self.ledger, self.authorization(), self.allowing(policy),
            reference="fee", own_references=frozenset(plan.reference for plan in self.plans),
        )  # fmt: skip
        if isinstance(fee, Plan):
            self.ledger.append(Earlier("fee", fee, captured=True, canceled=True))
        return fee

    def allowing(self, policy):
        return replace(policy, extra_currencies=frozenset({self.case.order.currency}))

    def authorization(self):
        whole, captured = self.case.kustom, sum(plan.amount_minor for plan in self.captured)
        return Authorization(
            kustom_order_id=KUSTOM,
            status="PART_CAPTURED" if captured else "AUTHORIZED",
            fraud_status="ACCEPTED",
            currency=self.case.order.currency,
            order_amount_minor=whole,
            original_order_amount_minor=whole,
            captured_amount_minor=captured,
            refunded_amount_minor=0,
            remaining_minor=whole - captured,
            captures=tuple(
                KustomCapture(f"capture-{plan.reference}", plan.reference, plan.amount_minor)
                for plan in self.captured
            ),
        )

    def cancel(self, index, *, returned=0):
        """Cancel a parcel: withdrawn when no money moved, else left to be taken over.

        What the shopper had returned before stays out of the warehouse.
        """
        earlier = self.ledger[index]
        if earlier.canceled:
            return
        for line_id, n in self.shipped.get(earlier.fulfillment_id, {}).items():
            self.left[line_id] += max(0, n - returned)
        plan = earlier.plan if earlier.captured else None
        self.ledger[index] = replace(earlier, plan=plan, canceled=True)

    def capture_all(self):
        """Kustom takes what was only planned so far."""
        moved = {d.reference for d in self.decisions if isinstance(d, Plan)}
        self.ledger = [
            replace(e, captured=e.captured or (e.plan is not None and e.plan.reference in moved))
            for e in self.ledger
        ]

    def nothings(self):
        return [d for d in self.decisions if isinstance(d, Nothing)]
