"""What an extension may change of a plan, and what it never may."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saleor_kustom.capture.body import build
from saleor_kustom.capture.extension import CHANGED_BY, Unlawful, extended, is_extended
from saleor_kustom.capture.plan import Plan

LINE = {
    "type": "physical", "reference": "MUG", "name": "Mug", "quantity": 3, "unit_price": 334,
    "tax_rate": 2500, "total_amount": 1000, "total_discount_amount": 2, "total_tax_amount": 200,
    "image_url": "https://shop.example/mug.png",
}  # fmt: skip
FEE = {
    "type": "shipping_fee", "name": "Shipping", "quantity": 1, "unit_price": 4900,
    "tax_rate": 2500, "total_amount": 4900, "total_tax_amount": 980,
}  # fmt: skip
TRACKING = [{"tracking_number": "SE1"}]
BODY, _ = build(5900, "1/1/F", [LINE, FEE], TRACKING)
PLAN = Plan(reference="1/1/F", amount_minor=5900, base_minor=5900, units={}, body=BODY)
FIXED = ("type", "quantity", "unit_price", "tax_rate", "total_amount", "total_discount_amount",
         "total_tax_amount")  # fmt: skip


def changed(**at):
    body = json.loads(BODY)
    for path, value in at.items():
        where, _, name = path.rpartition("__")
        target = {"": body, "line": body["order_lines"][0], "fee": body["order_lines"][1],
                  "parcel": body["shipping_info"][0]}[where]  # fmt: skip
        target[name] = value
    return body


GOOD = [
    ("line__name", "Mugg, blå"),
    ("line__reference", "MUG-BLUE"),
    ("line__quantity_unit", "pcs"),
    ("line__image_url", "https://cdn.example/mug.png"),
    ("line__product_url", "https://shop.example/mug"),
    ("line__merchant_data", '{"a": 1}'),
    ("line__product_identifiers", {"brand": "Rörstrand", "size": None}),
    ("fee__reference", "FREIGHT"),
    ("parcel__shipping_company", "PostNord SE"),
    ("parcel__shipping_method", "PickUpPoint"),
    ("parcel__tracking_uri", "https://track.example/SE1"),
    ("description", "Your mugs"),
    ("shipping_info", [{"tracking_number": "SE1"}, {"return_tracking_number": "RET1"}]),
]


@pytest.mark.parametrize(("path", "value"), GOOD)
def test_what_is_told_may_change_and_no_amount_does(path, value):
    made = extended(PLAN, changed(**{path: value}), "brands")
    body = json.loads(made.body)
    assert body != json.loads(BODY)
    assert (body["captured_amount"], body["reference"]) == (5900, "1/1/F")
    for before, after in zip([LINE, FEE], body["order_lines"], strict=True):
        assert {name: after.get(name) for name in FIXED} == {n: before.get(n) for n in FIXED}
    assert made.notes == (f"{CHANGED_BY}brands.",)
    assert is_extended(made)
    assert made.model_copy(update={"body": BODY, "notes": ()}) == PLAN


BAD = [
    ("captured_amount", 5901),
    ("captured_amount", 5900.0),
    ("captured_amount", True),
    ("reference", "another"),
    ("shipping_delay", 3),
    ("order_lines", None),
    ("order_lines", []),
    ("order_lines", [LINE]),
    ("order_lines", [LINE, FEE, FEE]),
    ("order_lines", [FEE, LINE]),
    ("order_lines", [LINE, "fee"]),
    ("order_lines", "lines"),
    *[(f"line__{name}", 1) for name in FIXED],
    ("line__quantity", 3.0),
    ("line__total_amount", "1000"),
    ("fee__total_discount_amount", 0),
    ("line__subscription", {}),
    ("line__name", ""),
    ("line__name", None),
    ("line__name", "x" * 256),
    ("line__name", 7),
    ("line__quantity_unit", "x" * 11),
    ("line__merchant_data", "x" * 1025),
    ("line__merchant_data", {"a": 1}),
    ("line__image_url", "javascript:alert(1)"),
    ("line__product_url", "https://x.example/" + "a" * 1024),
    ("line__product_identifiers", {"brand": "x" * 71}),
    ("line__product_identifiers", {"colour": "blue"}),
    ("line__product_identifiers", "brand"),
    ("parcel__shipping_company", "x" * 101),
    ("parcel__shipping_method", "Drone"),
    ("parcel__weight", "1 kg"),
    ("parcel__tracking_number", "SE2"),  # SE1 would be sent once more later
    ("shipping_info", []),
    ("shipping_info", "SE1"),
    ("shipping_info", ["SE1"]),
    ("shipping_info", [{"tracking_number": f"SE{n}"} for n in range(501)]),
]


@pytest.mark.parametrize(("path", "value"), BAD)
def test_what_breaks_a_law_is_not_used(path, value):
    with pytest.raises(Unlawful):
        extended(PLAN, changed(**{path: value}), "brands")


@pytest.mark.parametrize("result", [[], "body", 7, {}, {"captured_amount": 5900}])
def test_what_is_no_body_is_not_used(result):
    with pytest.raises(Unlawful):
        extended(PLAN, result, "brands")


def test_an_unchanged_body_is_no_change():
    assert extended(PLAN, json.loads(BODY), "brands") is PLAN


def test_without_tracking_none_goes_along_whatever_an_extension_adds():
    body, _ = build(5900, "1/1/F", [LINE, FEE], ())
    plan = PLAN.model_copy(update={"body": body})
    more = json.loads(body) | {"shipping_info": [{"tracking_number": "X1"}]}
    assert extended(plan, more, "brands", tracking=False) == plan
    assert extended(plan, more, "brands").shipping_info == ({"tracking_number": "X1"},)


def test_two_extensions_are_both_named():
    once = extended(PLAN, changed(line__name="One"), "a")
    body = json.loads(once.body) | {"description": "Two"}
    assert extended(once, body, "b").notes == (f"{CHANGED_BY}a.", f"{CHANGED_BY}b.")


def test_a_description_stays_when_another_extension_follows():
    once = extended(PLAN, changed(description="Yours"), "a")
    twice = extended(once, json.loads(once.body) | {}, "b")
    assert json.loads(twice.body)["description"] == "Yours"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
FIELDS = st.sampled_from([*LINE, *FEE, "product_url", "merchant_data", "product_identifiers",
                          "tracking_number", "description", "shipping_info", "order_lines",
                          "captured_amount"])  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 3), FIELDS, JSON), max_size=4))
def test_whatever_it_returns_no_amount_changes(changes):
    body = copy.deepcopy(json.loads(BODY))
    places = [body, body["order_lines"][0], body["order_lines"][1], body["shipping_info"][0]]
    for place, name, value in changes:
        places[place][name] = value
    try:
        made = extended(PLAN, body, "any")
    except Unlawful:
        return
    sent = json.loads(made.body)
    assert sent["captured_amount"] == sum(line["total_amount"] for line in sent["order_lines"])
    for before, after in zip([LINE, FEE], sent["order_lines"], strict=True):
        assert [(n, type(after[n])) for n in after if n in FIXED] == [
            (n, type(before[n])) for n in before if n in FIXED
        ]
        assert all(after[n] == before[n] for n in FIXED if n in before)
