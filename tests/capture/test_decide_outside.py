"""What happened outside: none of ours, and told so that Saleor shows what Kustom has."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saleor_kustom.capture.authorization import KustomCapture, KustomRefund
from saleor_kustom.capture.outside import (
    Kind,
    Ours,
    Outside,
    change_of_authorization,
    happened,
    shows_the_same,
    to_tell,
)
from tests.capture.examples import KUSTOM, authorization, payment

OURS = Ours(ids=frozenset({"c-ours", "r-ours"}), references=frozenset({"1/1/F"}))


def there(total=1000, captures=(), refunds=(), **fields):
    """Return a Kustom order with captures and refunds of (id, reference, amount)."""
    captured, refunded = sum(c[2] for c in captures), sum(r[2] for r in refunds)
    made = {
        "status": "PART_CAPTURED" if captures else "AUTHORIZED",
        "captured_amount_minor": captured,
        "refunded_amount_minor": refunded,
        "remaining_minor": total - captured,
        "captures": tuple(KustomCapture(*c) for c in captures),
        "refunds": tuple(KustomRefund(*r) for r in refunds),
    }
    return replace(authorization(total), **{**made, **fields})


def shown(authorized=0, charged=0, refunded=0, canceled=0):
    return replace(
        payment(KUSTOM, authorized, charged), refunded_minor=refunded, canceled_minor=canceled
    )


def keys(found):
    return [(one.kind.value, one.kustom_id, one.amount_minor) for one in found]


class TestWhatHappened:
    def test_ours_is_known_by_id_or_by_reference(self):
        order = there(
            captures=[("c-ours", None, 1), ("c-2", "1/1/F", 2), ("c-3", "by hand", 4)],
            refunds=[("r-ours", None, 1), ("r-2", "1/1/F", 2), ("r-3", None, 3)],
        )
        assert keys(happened(order, OURS)) == [("capture", "c-3", 4), ("refund", "r-3", 3)]

    def test_a_refund_that_is_not_listed_is_one_of_the_rest(self):
        order = there(captures=[("c-ours", None, 500)], refunded_amount_minor=150)
        assert keys(happened(order, OURS)) == [("refund", f"{KUSTOM}/refunded/150", 150)]

    def test_the_next_that_is_not_listed_is_another_one(self):
        first = Outside(Kind.REFUND, f"{KUSTOM}/refunded/150", 150)
        order = there(captures=[("c-ours", None, 500)], refunded_amount_minor=200)
        assert keys(happened(order, OURS, [first])) == [("refund", f"{KUSTOM}/refunded/200", 50)]

    def test_our_own_refund_that_is_not_listed_is_no_rest(self):
        ours = replace(OURS, refunds=(KustomRefund("r-ours", "1/refund/x", 150),))
        order = there(captures=[("c-ours", None, 500)], refunded_amount_minor=150)
        assert happened(order, ours) == ()

    def test_while_ours_is_under_way_the_rest_means_nothing(self):
        order = there(captures=[("c-ours", None, 500)], refunded_amount_minor=150)
        assert happened(order, replace(OURS, under_way=True)) == ()

    def test_a_refund_without_an_id_is_counted_by_its_sum(self):
        order = there(captures=[("c-ours", None, 500)], refunds=[(None, None, 70)])
        assert keys(happened(order, OURS)) == [("refund", f"{KUSTOM}/refunded/70", 70)]


class TestWhatIsTold:
    def test_never_more_than_kustom_has_in_all(self):
        one, other = Outside(Kind.CAPTURE, "a", 60), Outside(Kind.CAPTURE, "b", 50)
        order = there(captures=[("a", None, 60), ("b", None, 50)])
        assert to_tell(shown(1000), order, [one, other]) == (one, other)
        # The transaction's owner told of one of them under a reference of its own.
        assert to_tell(shown(940, charged=60), order, [one, other]) == (other,)

    def test_a_refund_lowers_what_is_charged_and_hides_no_charge(self):
        capture, refund = Outside(Kind.CAPTURE, "a", 60), Outside(Kind.REFUND, "r", 60)
        order = there(captures=[("a", None, 60)], refunds=[("r", None, 60)])
        assert to_tell(shown(1000), order, [capture, refund]) == (capture, refund)
        assert to_tell(shown(940, refunded=60), order, [capture, refund]) == ()


class TestTheAuthorization:
    def change(self, transaction, order, telling=(), known=()):
        made = change_of_authorization(transaction, order, telling, known)
        return made and (made.kind.value, made.kustom_id.removeprefix(KUSTOM), made.amount_minor)

    def test_where_both_agree_nothing_is_told(self):
        assert self.change(shown(1000), there()) is None
        assert shows_the_same(shown(1000), there())
        assert self.change(shown(900, charged=100), there(captures=[("c", None, 100)])) is None

    @pytest.mark.parametrize(
        ("order", "told"),
        [
            (there(status="CANCELLED", remaining_minor=0), ("cancel", "/cancel", 1000)),
            (there(status="CANCELLED"), ("cancel", "/cancel", 1000)),
            (there(status="EXPIRED", remaining_minor=0), ("expiry", "/expiry", 1000)),
        ],
    )
    def test_an_end_is_told_with_all_that_saleor_shows(self, order, told):
        assert self.change(shown(1000), order) == told

    def test_a_release_after_a_capture(self):
        order = there(captures=[("c", None, 100)], status="CAPTURED", remaining_minor=0)
        assert self.change(shown(900, charged=100), order) == ("release", "/release", 900)

    def test_what_is_told_in_the_same_look_counts_as_told(self):
        order = there(captures=[("c", None, 100)], status="CAPTURED", remaining_minor=0)
        telling = [Outside(Kind.CAPTURE, "c", 100)]
        assert self.change(shown(1000), order, telling) == ("release", "/release", 900)

    def test_while_saleor_lacks_a_charge_nothing_is_told(self):
        order = there(captures=[("c", None, 100)], status="CAPTURED", remaining_minor=0)
        assert self.change(shown(1000), order) is None

    def test_a_lower_amount_is_the_whole_from_which_saleor_takes_charges(self):
        order = there(
            700, captures=[("c", None, 100)], original_order_amount_minor=1000, remaining_minor=600
        )
        told = self.change(shown(900, charged=100, canceled=5), order)
        assert told == ("authorization", "/authorization/1", 705)

    def test_lowered_to_what_is_captured_is_no_release(self):
        order = there(100, captures=[("c", None, 100)], original_order_amount_minor=1000)
        assert self.change(shown(900, charged=100), order) == (
            "authorization", "/authorization/1", 100,
        )  # fmt: skip

    def test_a_higher_amount_is_told_only_if_it_was_changed(self):
        raised = there(1200, original_order_amount_minor=1000)
        assert self.change(shown(1000), raised) == ("authorization", "/authorization/1", 1200)
        assert self.change(shown(0), there(1000)) is None
        lowered_before = [Outside(Kind.AUTHORIZATION, "x/1", 700, told=True)]
        told = self.change(shown(700), there(1000), known=lowered_before)
        assert told == ("authorization", "/authorization/2", 1000)

    def test_the_same_amount_later_on_is_another_adjustment(self):
        order = there(700, original_order_amount_minor=1000)
        first = Outside(Kind.AUTHORIZATION, "x/1", 700, told=True)
        second = Outside(Kind.AUTHORIZATION, "x/2", 1000, told=True)
        assert self.change(shown(1000), order, known=[first, second]) == (
            "authorization", "/authorization/3", 700,
        )  # fmt: skip

    def test_what_saleor_took_and_does_not_show_is_not_told_for_ever(self):
        order = there(700, original_order_amount_minor=1000)
        last = Outside(Kind.AUTHORIZATION, "x/1", 700, told=True)
        assert self.change(shown(1000), order, known=[last]) is None

    def test_a_lost_answer_sends_the_same_again(self):
        order = there(700, original_order_amount_minor=1000)
        made = change_of_authorization(shown(1000), order, (), ())
        assert change_of_authorization(shown(1000), order, (), [made]) == made
        order = there(status="CANCELLED", remaining_minor=0)
        made = change_of_authorization(shown(1000), order, (), ())
        assert change_of_authorization(shown(1000), order, (), [made]) == made

    def test_an_end_that_was_told_with_another_amount_is_put_right_by_an_adjustment(self):
        order = there(status="CANCELLED", remaining_minor=0)
        told = Outside(Kind.CANCEL, f"{KUSTOM}/cancel", 900, told=True)
        transaction = shown(100, canceled=900)
        assert self.change(transaction, order, known=[told]) == (
            "authorization", "/authorization/1", 900,
        )  # fmt: skip


def saleor_after(transaction, told):
    """Add events up as Saleor does; authorizations first."""
    charged = sum(o.amount_minor for o in told if o.kind is Kind.CAPTURE)
    refunded = sum(o.amount_minor for o in told if o.kind is Kind.REFUND)
    canceled = sum(
        o.amount_minor for o in told if o.kind in (Kind.CANCEL, Kind.RELEASE, Kind.EXPIRY)
    )
    gross = transaction.charged_minor + transaction.refunded_minor
    whole = transaction.authorized_minor + gross + transaction.canceled_minor
    for one in told:
        if one.kind is Kind.AUTHORIZATION:
            whole = one.amount_minor
    gross, canceled = gross + charged, transaction.canceled_minor + canceled
    refunded += transaction.refunded_minor
    authorized = max(0, whole - gross - canceled)
    return shown(authorized, gross - refunded, refunded, canceled)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    total=st.integers(1, 1000),
    captured=st.lists(st.integers(1, 300), max_size=4),
    refunded=st.lists(st.integers(1, 100), max_size=3),
    end=st.sampled_from(["open", "CANCELLED", "EXPIRED", "released"]),
    lowered=st.integers(0, 500),
    ours=st.integers(0, 4),
)
def test_in_the_end_saleor_shows_what_kustom_has(total, captured, refunded, end, lowered, ours):
    captures = [(f"c{n}", None, minor) for n, minor in enumerate(captured)]
    while sum(c[2] for c in captures) > total:
        captures.pop()
    gross = sum(c[2] for c in captures)
    refunds = [(f"r{n}", None, minor) for n, minor in enumerate(refunded)]
    while sum(r[2] for r in refunds) > gross:
        refunds.pop()
    amount = max(gross, total - lowered)
    over = end == "EXPIRED" or (end == "CANCELLED" and not captures) or end == "released"
    status = {"open": "PART_CAPTURED", "released": "CAPTURED"}.get(end, end)
    order = there(
        amount, captures, refunds,
        status=status if over else "PART_CAPTURED",
        remaining_minor=0 if over else amount - gross,
        original_order_amount_minor=total,
    )  # fmt: skip
    known_to_us = frozenset(c[0] for c in captures[:ours])
    ledger = Ours(ids=known_to_us)
    own = sum(c[2] for c in captures[:ours])
    transaction = shown(total - own, charged=own)
    found = happened(order, ledger)
    telling = to_tell(transaction, order, found)
    assert telling == found
    change = change_of_authorization(transaction, order, telling, found)
    after = saleor_after(transaction, (*telling, *((change,) if change else ())))
    assert after.charged_minor == gross - sum(r[2] for r in refunds)
    assert after.refunded_minor == sum(r[2] for r in refunds)
    assert shows_the_same(after, order)
    known = [replace(one, told=True) for one in (*telling, change) if one]
    assert happened(order, ledger, known) == found
    assert change_of_authorization(after, order, (), known) is None
