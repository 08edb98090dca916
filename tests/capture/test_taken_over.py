"""When the money of a cancelled parcel no longer waits for a person."""

from saleor_kustom.capture.ledger import Earlier, Ledger
from saleor_kustom.capture.plan import Plan


def plan(units=None, taken_over=None):
    return Plan.model_construct(units=units or {}, taken_over=taken_over or {}, takes_over=())


def canceled(units, **more):
    return Earlier("first", plan(units), captured=True, canceled=True, **more)


def taker(taken_over, *, canceled=False):
    return Earlier("again", plan(taken_over=taken_over), captured=False, canceled=canceled)


def taken_over(*earlier):
    return Ledger(earlier).taken_over("first")


def test_not_before_every_unit_of_every_line_has_shipped_again():
    first = canceled({"a": ((0, 2),), "b": ((0, 1),), "shipping": ((0, 1),)})
    assert not taken_over(first)
    assert not taken_over(first, taker({"a": ((0, 2),)}))
    assert not taken_over(first, taker({"a": ((0, 1),), "b": ((0, 1),)}))
    assert taken_over(first, taker({"a": ((0, 2),), "b": ((0, 1),)}))
    assert taken_over(first, taker({"a": ((0, 2),)}), taker({"b": ((0, 1),)}))


def test_a_taker_that_was_cancelled_itself_has_taken_nothing():
    first = canceled({"a": ((0, 2),)})
    assert not taken_over(first, taker({"a": ((0, 2),)}, canceled=True))


def test_the_units_of_another_cancelled_parcel_do_not_matter():
    other = Earlier("other", plan({"a": ((2, 3),)}), captured=True, canceled=True)
    assert taken_over(canceled({"a": ((0, 2),)}), other, taker({"a": ((0, 2),)}))


def test_what_is_not_cancelled_or_moved_no_money_is_not_taken_over():
    assert not taken_over(Earlier("first", plan({"a": ((0, 1),)}), captured=True))
    assert not taken_over(Earlier("first", plan({"a": ((0, 1),)}), canceled=True))
    assert not taken_over(Earlier("first", None, captured=True, canceled=True))
    assert not taken_over()
