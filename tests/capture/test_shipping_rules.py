"""The merchant's mapping as a JSON document: read, shown, and every fault told."""

import json

import pytest

from saleor_kustom.capture.policy import Policy
from saleor_kustom.capture.shipping_rules import ShippingRule, read_rules, rule_for, shown_rules

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
    rules = read_rules(json.loads(json.dumps(FULL)), "shipping_methods")
    assert rules[0].tracking_uri == "https://track.example/?id={number}"
    assert rules[1] == ShippingRule("Bring", shipping_company="Bring")
    assert shown_rules(rules) == FULL


def test_without_a_mapping_there_are_no_rules():
    assert read_rules(None, "warehouses") == read_rules({}, "warehouses") == ()
    assert Policy().shipping_methods == Policy().warehouses == ()


def test_blanks_around_are_not_meant_and_null_is_absent():
    [rule] = read_rules({" A ": {"shipping_company": " B ", "shipping_method": None}}, "x")
    assert rule == ShippingRule("A", shipping_company="B")


def test_a_name_is_found_whatever_its_case_and_blanks():
    rules = read_rules({"Post  Nord": {}}, "x")
    assert rule_for("post nord ", rules) is rules[0]
    assert rule_for("PostNord", rules) is None
    assert rule_for(None, rules) is None
    assert rule_for("", (ShippingRule(" "),)) is None


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ([], 'shipping_methods: must be an object, as {"PostNord MyPack": {…}}'),
        ({"": {}}, 'shipping_methods, "": the name must have 1 to 255 characters'),
        ({"a" * 256: {}}, "the name must have 1 to 255 characters"),
        ({"A": "B"}, 'shipping_methods, "A": must be an object, as {"shipping_company": '),
        ({"A": {}, " a": {}}, 'shipping_methods, " a": stands there twice, but for case'),
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
    with pytest.raises(ValueError, match="shipping_methods") as raised:
        read_rules(given, "shipping_methods")
    assert fault in str(raised.value)


def test_all_faults_are_told_at_once():
    wrong = {"A": {"tracked": 1, "x": 1}, "B": {"shipping_method": "?"}, "C": {}}
    with pytest.raises(ValueError, match="tracked") as raised:
        read_rules(wrong, "warehouses")
    lines = str(raised.value).splitlines()
    assert [line.split(":")[0] for line in lines] == ['warehouses, "A"'] * 2 + ['warehouses, "B"']
