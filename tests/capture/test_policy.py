"""Choices: what may be chosen, how it is merged, and how a wrong one is told."""

import json
import math
from dataclasses import fields, make_dataclass

import pytest

from saleor_kustom.capture import policy as module
from saleor_kustom.capture.policy import (
    GiftCard,
    Policy,
    ShippingFee,
    as_json,
    choices,
    document_of,
    merged,
    policy_from,
    typed,
    value_of,
)
from saleor_kustom.errors import BadPolicy

CHOSEN = {
    "shipping_fee": "last",
    "extend_authorizations": True,
    "extra_currencies": ["CZK", "HUF"],
    "product_url": "https://shop.example/{slug}",
}


def test_nothing_chosen_is_the_default():
    assert policy_from({}) == Policy()


def test_what_is_chosen_is_taken_and_the_rest_stays_as_below():
    base = Policy(gift_card=GiftCard.LAST)
    made = policy_from(CHOSEN, base)
    assert (made.shipping_fee, made.gift_card) == (ShippingFee.LAST, GiftCard.LAST)
    assert made.extra_currencies == frozenset({"CZK", "HUF"})


def test_written_is_only_what_differs_and_reading_it_gives_the_same_policy():
    made = policy_from(CHOSEN)
    assert document_of(made) == CHOSEN
    assert policy_from(json.loads(json.dumps(document_of(made)))) == made
    assert document_of(made, made) == {}
    assert set(as_json(made)) == {field.name for field in fields(Policy)}


def test_a_later_document_goes_before_an_earlier_one():
    shop, channel = {"shipping_fee": "last", "gift_card": "last"}, {"shipping_fee": "first"}
    made, told = merged(Policy(), [shop, channel])
    assert (made, told) == (Policy(gift_card=GiftCard.LAST), ())


def test_what_another_release_stored_stops_nothing_and_is_told():
    stored = {"shipping_fee": "last", "gift_card": "second", "from_the_future": 1}
    made, told = merged(Policy(), [stored])
    assert made == Policy(shipping_fee=ShippingFee.LAST)
    assert [fault.partition(":")[0] for fault in told] == ["gift_card", "from_the_future"]


def test_every_fault_is_told_with_its_key_and_a_right_example():
    with pytest.raises(BadPolicy) as caught:
        policy_from({"shiping_fee": "last", "gift_card": "middle", "extra_currencies": ["kr"]})
    assert caught.value.faults == (
        "shiping_fee: there is no such choice; right would be, for example: shipping_fee",
        "gift_card: 'middle' should be 'proportional' or 'last'; right would be, for example: last",
        (
            "extra_currencies: '[\"kr\"]' should match pattern '^[A-Z]{3}$'; "
            "right would be, for example: CZK,HUF"
        ),
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("shipping_fee", None),
        ("shipping_fee", ["last"]),
        ("extend_authorizations", "true"),
        ("extend_authorizations", 1),
        ("extra_currencies", "CZK"),
        ("extra_currencies", ["CZK", None]),
        ("product_url", "https://shop.example/"),
        ("product_url", "javascript:{slug}"),
        ("product_url", ""),
        ("kustom_order_id_key", ""),
        ("kustom_order_id_key", "å"),
        ("kustom_order_id_key", "a\nb"),
    ],
)
def test_a_value_of_another_kind_is_refused(key, value):
    with pytest.raises(BadPolicy, match=rf"^{key}: .*; right would be, for example: "):
        policy_from({key: value})


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("shipping_fee", "last", "last"),
        ("extend_authorizations", "true", True),
        ("extra_currencies", "HUF, CZK", ["CZK", "HUF"]),
        ("extra_currencies", '["CZK"]', ["CZK"]),
        ("extra_currencies", "", []),
        ("product_url", "https://shop.example/{slug}", "https://shop.example/{slug}"),
        ("product_url", "", None),
        ("kustom_order_id_key", "true", "true"),
        ("kustom_order_id_key", "24", "24"),
    ],
)
def test_what_a_person_types_is_read_by_the_choices_type(key, text, value):
    assert value_of(key, text) == value


@pytest.mark.parametrize(
    ("key", "text", "fault"),
    [
        ("nope", "1", "there is no such choice"),
        ("shipping_fee", "", "should be 'first'"),
        ("extend_authorizations", "yes", "should be a valid boolean"),
        ("extra_currencies", "CZK,kr", "should match pattern"),
        ("extra_currencies", "[" * 100_000, "should match pattern"),
    ],
)
def test_what_can_not_be_meant_is_told(key, text, fault):
    with pytest.raises(BadPolicy, match=rf"^{key}: .*{fault}"):
        value_of(key, text)


@pytest.mark.parametrize("key", choices())
def test_every_choice_has_words_and_its_example_is_right_and_not_the_default(key):
    choice = choices()[key]
    assert choice.description
    policy_from({key: choice.example})
    assert value_of(key, typed(choice.example)) == choice.example
    assert value_of(key, typed(choice.default)) == choice.default
    assert choice.example != choice.default or key == "kustom_order_id_key"


class TestAnyType:
    """A new field of Policy needs nothing else: whatever simple type it has."""

    @pytest.fixture(autouse=True)
    def other_fields(self, monkeypatch):
        made = make_dataclass(
            "Policy",
            [
                ("tries", int, 3),
                ("wait_s", float, 86400.0),
                ("carriers", "dict[str, str] | None", None),
                ("steps", tuple[int, ...], (1, 2)),
            ],
            frozen=True,
            slots=True,
        )
        monkeypatch.setattr(module, "Policy", made)
        choices.cache_clear()
        yield
        choices.cache_clear()

    @pytest.mark.parametrize(
        ("key", "text", "value"),
        [
            ("tries", "5", 5),
            ("wait_s", "3600", 3600.0),
            ("carriers", '{"Express": "postnord"}', {"Express": "postnord"}),
            ("carriers", "", None),
            ("steps", "[3, 4]", [3, 4]),
        ],
    )
    def test_it_is_read_written_and_read_again(self, key, text, value):
        assert value_of(key, text) == value
        again = policy_from({key: value})
        assert document_of(again) == ({} if value is None else {key: value})
        assert value_of(key, typed(value)) == value

    @pytest.mark.parametrize(
        ("key", "value"),
        [("tries", 1.5), ("tries", "1"), ("wait_s", math.nan), ("carriers", {"a": 1})],
    )
    def test_it_is_refused(self, key, value):
        with pytest.raises(BadPolicy, match=f"^{key}: .*right would be, for example: "):
            policy_from({key: value})
