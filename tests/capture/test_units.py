"""Ranges of unit indexes behave as the sets of units that they stand for."""

from hypothesis import given
from hypothesis import strategies as st

from saleor_kustom.capture.units import count, lowest, union, without

ranges = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 8)).map(lambda r: (r[0], r[0] + r[1])), max_size=6
)


def units(of):
    return {unit for start, stop in of for unit in range(start, stop)}


def well_formed(of):
    """Sorted, apart, and none empty."""
    edges = [edge for r in of for edge in r]
    return edges == sorted(set(edges))


@given(ranges, ranges)
def test_a_union_holds_the_units_of_both(some, others):
    joined = union(some, others)
    assert units(joined) == units(some) | units(others)
    assert well_formed(joined)
    assert count(joined) == len(units(joined))


@given(ranges, ranges)
def test_what_is_taken_is_left_out(some, taken):
    left = without(some, taken)
    assert units(left) == units(some) - units(taken)
    assert well_formed(left)


@given(ranges, st.integers(-2, 60))
def test_the_lowest_units_are_taken(some, wanted):
    taken = lowest(some, wanted)
    assert sorted(units(taken)) == sorted(units(some))[: max(0, wanted)]
    assert well_formed(taken)


def test_ranges_that_touch_are_joined():
    assert union(((0, 2),), ((2, 3), (5, 6))) == ((0, 3), (5, 6))
    assert union() == union(()) == ()


def test_nothing_empty_is_left_at_an_edge():
    assert without(((0, 5),), ((0, 2),)) == ((2, 5),)
    assert without(((0, 5),), ((2, 5),)) == ((0, 2),)
    assert without(((0, 5), (7, 9)), ((0, 5),)) == ((7, 9),)
    assert lowest(((0, 2), (3, 5)), 2) == ((0, 2),)
