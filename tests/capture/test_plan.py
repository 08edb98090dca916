"""A plan is frozen, its stored words and names stay, and its key follows its body alone."""

import pytest
from pydantic import ValidationError

from saleor_kustom.capture.ledger import Earlier
from saleor_kustom.capture.plan import Binding, Nothing, NothingWhy, Plan, idempotency_key

LEAST = {"reference": "1001/1/F-1", "amount_minor": 100, "base_minor": 100, "units": {}}
BINDING = Binding("playground", "PM1", "37c5d807-277c-434f-95eb-5871b1c79748")


def test_a_plan_can_not_be_changed():
    plan = Plan(**LEAST)
    with pytest.raises(ValidationError):
        plan.amount_minor = 101


def test_a_stored_plan_of_unknown_contents_is_refused():
    with pytest.raises(ValidationError):
        Plan(**LEAST, surprise=1)


def test_what_a_stored_plan_lacks_is_nothing():
    plan = Plan(**LEAST)
    assert plan.charges_shipping is False
    assert (plan.shipping_minor, plan.gift_card_minor, plan.store_credit_minor) == (0, 0, 0)
    assert (plan.adjustment_minor, plan.taken_over, plan.takes_over) == (0, {}, ())
    assert (plan.body, plan.notes, plan.shipping_info) == ("", (), ())


def test_a_plan_tells_the_tracking_that_goes_along():
    body = '{"captured_amount":100,"shipping_info":[{"tracking_number":"SE1"}]}'
    assert Plan(**LEAST, body=body).shipping_info == ({"tracking_number": "SE1"},)
    assert Plan(**LEAST, body='{"captured_amount":100}').shipping_info == ()


def test_a_plan_comes_back_from_the_store_as_it_was():
    plan = Plan(**LEAST | {"units": {"mug": ((0, 2), (4, 5))}}, body="{}", notes=("a",))
    assert Plan.model_validate_json(plan.model_dump_json()) == plan


def test_money_has_not_moved_unless_it_is_said():
    earlier = Earlier("F-1", Plan(**LEAST))
    assert (earlier.captured, earlier.canceled) == (False, False)
    assert Nothing(NothingWhy.WORTH_ZERO).plan is None


def test_stored_words_stay():
    assert [*NothingWhy] == [
        "worth_zero", "paid_by_others", "not_kustom", "replacement", "taken_over", "returned",
        "shipped_again", "nothing_left", "has_captures", "not_canceled", "switched_off", "refused",
        "settled_outside",
    ]  # fmt: skip


def test_the_queues_line_is_the_kustom_order():
    assert BINDING.line == "playground/PM1/37c5d807-277c-434f-95eb-5871b1c79748"


def test_the_key_is_the_same_for_ever():
    # Written out: a release that made another key of the same body could capture twice.
    key = idempotency_key(BINDING, "capture", "1001/1/F-1", '{"captured_amount":100}')
    assert key == "b65cd8a5-b0c7-5a4a-91b0-d655a1a9c7d0"


@pytest.mark.parametrize(
    "other",
    [
        (Binding("live", "PM1", BINDING.kustom_order_id), "capture", "1001/1/F-1", "{}"),
        (Binding("playground", "PM2", BINDING.kustom_order_id), "capture", "1001/1/F-1", "{}"),
        (Binding("playground", "PM1", "other"), "capture", "1001/1/F-1", "{}"),
        (BINDING, "shipping_info", "1001/1/F-1", "{}"),
        (BINDING, "capture", "1001/2/F-2", "{}"),
        (BINDING, "capture", "1001/1/F-1", "{} "),
    ],
)
def test_whatever_differs_has_another_key(other):
    assert idempotency_key(*other) != idempotency_key(BINDING, "capture", "1001/1/F-1", "{}")
