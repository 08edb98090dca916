"""Ranges of units: what is spent, what is free, and the lowest of it."""

import pytest
from making import order_line

from saleor_kustom.capture.ledger import Earlier, Ledger, Taking
from saleor_kustom.capture.plan import Plan
from saleor_kustom.capture.units import count, lowest, union, without


def earlier(name, units, *, taken_over=(), captured=True, canceled=False):
    plan = Plan(
        reference=name,
        amount_minor=1,
        base_minor=1,
        units={"a": units} if units else {},
        taken_over={"a": taken_over} if taken_over else {},
    )
    return Earlier(name, plan, captured=captured, canceled=canceled)


def test_ranges_count_their_units():
    assert count(()) == 0
    assert count(((0, 2), (4, 5))) == 3


def test_a_union_joins_what_touches_and_what_overlaps():
    assert union(((4, 5), (0, 2)), ((2, 3),)) == ((0, 3), (4, 5))
    assert union(((0, 9),), ((2, 3),), ((8, 12),)) == ((0, 12),)
    assert union() == ()


@pytest.mark.parametrize(
    ("ranges", "taken", "left"),
    [
        (((0, 5),), (), ((0, 5),)),
        (((0, 5),), ((0, 5),), ()),
        (((0, 5),), ((0, 2),), ((2, 5),)),
        (((0, 5),), ((3, 5),), ((0, 3),)),
        (((0, 5),), ((1, 2), (3, 4)), ((0, 1), (2, 3), (4, 5))),
        (((0, 2), (4, 6)), ((1, 5),), ((0, 1), (5, 6))),
        (((2, 4),), ((0, 2), (4, 9)), ((2, 4),)),
    ],
)
def test_what_is_taken_is_not_left(ranges, taken, left):
    assert without(ranges, taken) == left


def test_the_lowest_units_are_taken_across_gaps_and_no_more_than_there_are():
    assert lowest(((4, 9), (0, 2)), 3) == ((0, 2), (4, 5))
    assert lowest(((0, 2),), 2) == ((0, 2),)
    assert lowest(((0, 2),), 5) == ((0, 2),)
    assert lowest(((0, 2),), 0) == ()


def test_a_parcel_takes_the_lowest_free_units():
    ledger = Ledger((earlier("F1", ((0, 1),)), earlier("F2", ((2, 3),))))
    assert ledger.take("a", 5, 2) == Taking(new=((1, 2), (3, 4)))
    assert ledger.take("b", 5, 2) == Taking(new=((0, 2),))


def test_a_parcel_takes_no_more_than_there_are():
    ledger = Ledger((earlier("F1", ((0, 1),)),))
    assert ledger.free("a", 2) == ((1, 2),)
    assert ledger.take("a", 2, 2) == Taking(new=((1, 2),))
    assert ledger.take("a", 2, 2).units == 1


def test_a_withdrawn_plan_frees_its_units():
    ledger = Ledger((Earlier("F1", None),))
    assert ledger.plans == []
    assert ledger.take("a", 2, 2) == Taking(new=((0, 2),))


def test_units_of_a_captured_and_cancelled_parcel_are_taken_over_first():
    ledger = Ledger((earlier("F1", ((1, 3),), canceled=True),))
    taking = ledger.take("a", 5, 3)
    assert taking == Taking(new=((0, 1),), taken_over=((1, 3),))
    assert ledger.takes_over({"a": taking.taken_over}) == ("F1",)
    assert ledger.takes_over({"a": ((0, 1),)}) == ()
    assert taking.units == 3
    assert ledger.free("a", 5) == ((0, 1), (3, 5))


def test_a_cancelled_parcel_that_was_not_captured_has_nothing_to_take_over():
    ledger = Ledger((earlier("F1", ((0, 2),), captured=False, canceled=True),))
    assert ledger.take("a", 3, 1) == Taking(new=((2, 3),))


def test_units_are_taken_over_once():
    first = earlier("F1", ((0, 2),), canceled=True)
    second = earlier("F2", (), taken_over=((0, 1),))
    assert Ledger((first, second)).take("a", 3, 2) == Taking(((2, 3),), ((1, 2),))


def test_units_taken_over_by_a_parcel_that_was_cancelled_too_are_taken_over_again():
    first = earlier("F1", ((0, 2),), canceled=True)
    second = earlier("F2", (), taken_over=((0, 2),), canceled=True)
    assert Ledger((first, second)).take("a", 2, 2) == Taking((), ((0, 2),))


def test_lines_are_complete_when_no_unit_of_them_is_left():
    both = [order_line(100, 2), order_line(100, 1, "file")]
    ledger = Ledger((earlier("F1", ((0, 1),)),))
    assert not ledger.completes(both[:1], {})
    assert ledger.completes(both[:1], {"a": ((1, 2),)})
    assert not ledger.completes(both, {"a": ((1, 2),)})
    assert ledger.completes(both, {"a": ((1, 2),), "file": ((0, 1),)})
