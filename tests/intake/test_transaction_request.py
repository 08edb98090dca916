"""What a transaction's button asks is read exactly, or not at all."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saleor_kustom.capture.delivery import VerifiedBody
from saleor_kustom.capture.operation import Request, Source
from saleor_kustom.intake.transaction_request import KINDS, read_request

BODY = {
    "action": {"actionType": "REFUND", "amount": 33.33, "currency": "SEK"},
    "transaction": {"id": "VDox", "order": {"id": "O"}},
    "issuingPrincipal": {"__typename": "User", "id": "VXNlcjox"},
}
GRANTED = {
    "shippingCostsIncluded": True,
    "lines": [
        {"quantity": 1, "orderLine": {"id": "L-1"}},
        {"quantity": 2, "orderLine": {"id": "L-1"}},
        {"quantity": 1, "orderLine": {"id": "L-2"}},
    ],
}


def read(event="transaction_refund_requested", **changed):
    return read_request(event, VerifiedBody(json.dumps(BODY | changed).encode()))


def test_all_of_a_refund_is_read():
    assert read(grantedRefund=GRANTED) == Request(
        source=Source.BUTTON,
        who="VXNlcjox",
        amount=Decimal("33.33"),
        currency="SEK",
        transaction_id="VDox",
        lines={"L-1": 3, "L-2": 1},
        with_shipping=True,
    )


@pytest.mark.parametrize("granted", [None, {}, {"lines": None}])
def test_a_refund_need_not_be_granted(granted):
    read_ = read(grantedRefund=granted)
    assert (dict(read_.lines), read_.with_shipping) == ({}, False)


def test_a_cancelation_has_no_amount():
    action = {"actionType": "CANCEL", "currency": "SEK"}
    assert read("transaction_cancelation_requested", action=action).amount is None


@pytest.mark.parametrize("amount", ["12.30", 12.3, 12, "0.000000001"])
def test_an_amount_may_be_a_number_or_a_text(amount):
    assert read(action=BODY["action"] | {"amount": amount}).amount == Decimal(str(amount))


@pytest.mark.parametrize("amount", [None, "", "a lot", "NaN", "Infinity", 1e30, [], True])
def test_what_is_no_amount_is_not_understood(amount):
    assert read(action=BODY["action"] | {"amount": amount}) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"action": None},
        {"transaction": None},
        {"transaction": {}},
        {"grantedRefund": {"lines": [{"quantity": 1}]}},
        {"grantedRefund": {"lines": [{"quantity": "many", "orderLine": {"id": "L"}}]}},
    ],
)
def test_what_lacks_a_part_is_not_understood(changed):
    assert read(**changed) is None


@pytest.mark.parametrize("who", [None, {}, "me", {"id": 1}])
def test_who_pressed_may_be_unknown(who):
    assert read(issuingPrincipal=who).who == ""


@given(st.sampled_from(sorted(KINDS)), st.binary(max_size=200))
def test_any_bytes_are_read_or_not_understood(event, body):
    read_request(event, VerifiedBody(body))


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
            st.sampled_from(["action", "transaction", "grantedRefund", "lines", "id", "amount",
                             "orderLine", "quantity", "currency"]), inner, max_size=5),
    )
)  # fmt: skip
def test_any_json_is_read_or_not_understood(value):
    read_request("transaction_refund_requested", VerifiedBody(json.dumps(value).encode()))
