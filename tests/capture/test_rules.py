"""Domain rules 8 to 11 word by word, against a second, slower way to compute them.

The second way counts single units in lists and sums up from the start each time; it shares no
code with ours.
"""

import json
from dataclasses import replace
from fractions import Fraction
from math import floor

from hypothesis import given, settings
from hypothesis import strategies as st

from saleor_kustom.capture.plan import Plan
from saleor_kustom.capture.policy import GiftCard, ShippingFee
from tests.capture.examples import Parcels, line, order

small_lines = st.lists(
    st.tuples(st.integers(1, 9), st.integers(0, 9_999), st.booleans()), min_size=1, max_size=4
)
moves = st.lists(
    st.tuples(st.booleans(), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=10
)


def made(lines, shipping_minor=0):
    return order(
        *(
            line(f"L{i}", quantity, total, requires_shipping=ships)
            for i, (quantity, total, ships) in enumerate(lines)
        ),
        shipping_minor=shipping_minor,
    )


class Counted:
    """The units of every line one by one: False is free."""

    def __init__(self, of):
        self.prices = {
            each.id: [
                floor(Fraction(each.total_minor * (i + 1), each.quantity))
                - floor(Fraction(each.total_minor * i, each.quantity))
                for i in range(each.quantity)
            ]
            for each in of.lines
        }
        self.taken = {each.id: [False] * each.quantity for each in of.lines}

    def take(self, line_id, wanted):
        free = [i for i, taken in enumerate(self.taken[line_id]) if not taken][:wanted]
        for i in free:
            self.taken[line_id][i] = True
        return free

    def give_back(self, units):
        for line_id, indexes in units.items():
            for i in indexes:
                self.taken[line_id][i] = False

    def cost(self, units):
        return {
            line_id: sum(self.prices[line_id][i] for i in indexes)
            for line_id, indexes in units.items()
        }


def totals(plan):
    lines = json.loads(plan.body or "{}").get("order_lines", ())
    return {each["reference"]: each["total_amount"] for each in lines if "reference" in each}


@given(small_lines, moves)
def test_a_parcel_takes_the_lowest_free_units_and_a_withdrawn_one_frees_its_own(lines, moves):
    parcels, counted, held = Parcels(made(lines)), Counted(made(lines)), {}
    for ships, which, much in moves:
        if ships or not held:
            line_id = f"L{which % len(lines)}"
            free = counted.taken[line_id].count(False)
            number = len(parcels.ledger) + 1
            units = {line_id: counted.take(line_id, min(much, free))}
            decision = parcels(captured=False, **{line_id: len(units[line_id])})
            held[number] = units
            if isinstance(decision, Plan):
                [(reference, total)] = totals(decision).items()
                assert (reference, total) == (f"SKU-{line_id}", counted.cost(units)[line_id])
            else:
                assert sum(counted.cost(units).values()) == 0
        else:
            number = sorted(held)[which % len(held)]
            parcels.withdraw(number)
            counted.give_back(held.pop(number))


def shipped_in_parts(lines, cuts):
    """Return parcels that ship every line, each cut at the given places."""
    parts = [{} for _ in range(3)]
    for i, ((quantity, _, _), cut) in enumerate(zip(lines, cuts, strict=False)):
        first = quantity * cut // 10
        second = (quantity - first) * cut // 10
        for part, n in zip(parts, (first, second, quantity - first - second), strict=True):
            if n:
                part[f"L{i}"] = n
    return [part for part in parts if part]


cuts = st.lists(st.integers(0, 10), min_size=4, max_size=4)


@given(small_lines, cuts, st.integers(0, 5_000), st.data())
def test_a_gift_card_follows_its_rule_parcel_by_parcel(lines, cuts, fee, data):
    of = made(lines, fee)
    whole = of.total_minor
    gift = data.draw(st.integers(0, max(0, whole - 1)))
    policy = data.draw(st.sampled_from(GiftCard))
    of = replace(of, total_minor=whole - gift, gift_cards_used=1 if gift else 0)
    parcels = Parcels(of, gift_card=policy)
    base = carried = 0
    for part in shipped_in_parts(lines, cuts):
        decision = parcels(**part)
        plan = getattr(decision, "plan", decision)
        if plan is None:  # the order is worth nothing
            return
        base += plan.base_minor
        carried += plan.gift_card_minor
        if policy is GiftCard.LAST:
            assert carried == max(0, base - (whole - gift))
        else:
            assert carried == floor(Fraction(gift * base, whole)) if whole else carried == 0
    assert (base, carried) == (whole, gift)


@given(small_lines, cuts, st.integers(0, 5_000), st.sampled_from(ShippingFee))
def test_the_fee_follows_its_rule_parcel_by_parcel(lines, cuts, fee, policy):
    parcels = Parcels(made(lines, fee), shipping_fee=policy)
    parts = shipped_in_parts(lines, cuts)
    ships = {f"L{i}" for i, (_, _, requires) in enumerate(lines) if requires}
    bearing = [bool(ships & part.keys()) for part in parts]
    whole = sum(quantity for quantity, _, requires in lines if requires)
    charged, units = [], 0
    for part in parts:
        decision = parcels(**part)
        plan = getattr(decision, "plan", decision)
        if plan is None:
            return
        charged.append(plan.shipping_minor)
        units += sum(n for line_id, n in part.items() if line_id in ships)
        if policy is ShippingFee.PROPORTIONAL and ships:
            assert sum(charged) == floor(Fraction(fee * units, whole))
    if policy is ShippingFee.FIRST or not ships:
        with_it = bearing.index(True) if ships else 0
        assert charged == [fee if i == with_it else 0 for i in range(len(parts))]
    elif policy is ShippingFee.LAST:
        with_it = len(parts) - 1 - bearing[::-1].index(True)
        assert charged == [fee if i == with_it else 0 for i in range(len(parts))]


@settings(max_examples=200)
@given(small_lines, cuts, st.integers(0, 5_000), st.sampled_from(ShippingFee))
def test_units_shipped_again_after_their_capture_cost_nothing(lines, cuts, fee, policy):
    parcels = Parcels(made(lines, fee), shipping_fee=policy)
    first, *rest = shipped_in_parts(lines, cuts)
    before = parcels(**first)
    if not isinstance(before, Plan):
        return
    parcels.cancel(1)
    again = parcels(**first)
    late_fee = again.plan.shipping_minor if not isinstance(again, Plan) else again.shipping_minor
    plan = getattr(again, "plan", again)
    assert plan.units == {}
    assert plan.takes_over == ("F-1",)
    assert plan.amount_minor == late_fee == 0
    for part in rest:
        parcels(**part)
    paid = [e.plan.amount_minor for e in parcels.ledger if e.plan]
    assert sum(paid) == parcels.order.total_minor
