"""The merchant's mapping as a JSON document: read, shown, and every fault told."""

import json
import re

import pytest

from saleor_kustom.capture.policy import (
    Policy,
    as_json,
    choices,
    document_of,
    policy_from,
    value_of,
)
from saleor_kustom.capture.shipping_rules import ShippingRule, read_rules, rule_for, shown_rules
from saleor_kustom.errors import BadPolicy

FULL = {
    "PostNord MyPack": {
        "shipping_company": "PostNord SE",
        "shipping_method": "PickUpPoint",
        "tracking_uri": "https://track.example/?id={number}",
        "return_shipping_company": "DHL SE",
        "return_tracking_uri": "https://track.example/r/{number}",
        "tracked": False,
    },
    "Bring": {"shipping_company": "Bring"},
}


def test_it_is_read_and_shown_the_same():
    rules = read_rules(json.loads(json.dumps(FULL)))
    assert rules[0].tracking_uri == "https://track.example/?id={number}"
    assert rules[1] == ShippingRule("Bring", shipping_company="Bring")
    assert shown_rules(rules) == FULL


def test_without_a_mapping_there_are_no_rules():
    assert read_rules(None) == read_rules({}) == ()
    assert Policy().shipping_methods == Policy().warehouses == ()


def test_blanks_around_are_not_meant_and_null_is_absent():
    [rule] = read_rules({" A ": {"shipping_company": " B ", "shipping_method": None}})
    assert rule == ShippingRule("A", shipping_company="B")


def test_a_name_is_found_whatever_its_case_and_blanks():
    rules = read_rules({"Post  Nord": {}})
    assert rule_for("post nord ", rules) is rules[0]
    assert rule_for("PostNord", rules) is None
    assert rule_for(None, rules) is None
    assert rule_for("", (ShippingRule(" "),)) is None


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ([], "must be an object of names, each with an object of fields"),
        ({"": {}}, '"": the name must have 1 to 255 characters'),
        ({"a" * 256: {}}, "the name must have 1 to 255 characters"),
        ({"A": "B"}, '"A": must be an object, as {"shipping_company": '),
        ({"A": {}, " a": {}}, '" a": stands there twice, but for case'),
        ({"A": {"company": "B"}}, "company is no field; did you mean shipping_company?"),
        ({"A": {"xyz": "B"}}, "xyz is no field; known are shipping_company, shipping_method, "),
        ({"A": {"tracked": "no"}}, "tracked must be true or false"),
        ({"A": {"shipping_company": ""}}, "shipping_company must be a text; leave the field out"),
        ({"A": {"shipping_company": 1}}, "shipping_company must be a text"),
        ({"A": {"shipping_company": "å" * 101}}, "must be a text of at most 100 characters"),
        ({"A": {"shipping_method": "home"}}, "shipping_method must be one of BoxReg, "),
        ({"A": {"tracking_uri": "https://t.example"}}, "must hold {number} exactly once"),
        ({"A": {"return_tracking_uri": "t/{number}"}}, "must be an address, as https://"),
    ],
)  # fmt: skip
def test_a_fault_says_where_it_is_and_what_would_be_right(given, fault):
    with pytest.raises(ValueError, match=re.escape(fault)):
        read_rules(given)


WRONG = {"A": {"tracked": 1, "x": 1}, "B": {"shipping_method": "?"}, "C": {}}


def test_all_faults_are_told_at_once():
    with pytest.raises(ValueError, match="tracked") as raised:
        read_rules(WRONG)
    assert [part.split(":")[0] for part in str(raised.value).split("; ") if part[0] == '"'] == [
        '"A"', '"A"', '"B"'
    ]  # fmt: skip


class TestAsAChoice:
    """Of a channel's policy."""

    def test_the_document_has_the_json_form(self):
        made = policy_from({"shipping_methods": FULL, "warehouses": {"oslo": FULL["Bring"]}})
        assert made.warehouses == (ShippingRule("oslo", shipping_company="Bring"),)
        assert document_of(made) == {
            "shipping_methods": FULL,
            "warehouses": {"oslo": FULL["Bring"]},
        }
        assert as_json(Policy())["warehouses"] == {}

    def test_a_page_may_ask_for_its_form(self):
        assert choices()["warehouses"].adapter.json_schema() == {"type": "object"}

    def test_it_is_typed_as_json(self):
        assert value_of("shipping_methods", json.dumps(FULL)) == FULL
        assert value_of("warehouses", "") == {}

    def test_a_fault_in_it_is_told(self):
        with pytest.raises(BadPolicy) as raised:
            value_of("warehouses", json.dumps(WRONG))
        [fault] = raised.value.faults
        assert '"B": shipping_method must be one of BoxReg' in fault
        assert fault.endswith(
            'right would be, for example: {"oslo": {"shipping_company": "Bring"}}'
        )
        with pytest.raises(BadPolicy, match="must be an object of names"):
            value_of("warehouses", "oslo")
        with pytest.raises(BadPolicy, match="did you mean shipping_company"):
            policy_from({"warehouses": {"oslo": {"company": "Bring"}}})
