"""Kustom's answers are read tolerantly where nothing hangs on it, and strictly where money does."""

import contextlib
import json
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saleor_kustom.kustom.wire import (
    Nonsense,
    is_json_or_empty,
    read_captures,
    read_error,
    read_order,
)

ORDER_ID = "f3392f8b-6116-4073-ab96-e330819e2c07"
NEEDED = {
    "order_id": ORDER_ID,
    "status": "AUTHORIZED",
    "purchase_currency": "SEK",
    "order_amount": 349_00,
    "captured_amount": 0,
    "remaining_authorized_amount": 349_00,
}
CAPTURE = {"capture_id": "C-1", "captured_amount": 100_00}


def order(**changed):
    return read_order(json.dumps(NEEDED | changed).encode())


def capture(**changed):
    [found] = read_captures(json.dumps([CAPTURE | changed]).encode())
    return found


def test_an_order_with_nothing_but_what_is_needed_is_read():
    found = order()
    assert (found.kustom_order_id, found.status, found.currency) == (ORDER_ID, "AUTHORIZED", "SEK")
    assert (found.order_amount_minor, found.remaining_minor) == (349_00, 349_00)
    assert found.original_order_amount_minor == 349_00
    assert (found.captured_amount_minor, found.refunded_amount_minor) == (0, 0)
    assert (found.expires_at, found.merchant_reference1, found.captures) == (None, None, ())


def test_every_field_that_decides_something_is_read():
    found = order(
        fraud_status="PENDING",
        original_order_amount=400_00,
        captured_amount=100_00,
        refunded_amount=50_00,
        merchant_reference1="17",
        merchant_reference2="internal",
        expires_at="2026-12-21T10:00:00Z",
        captures=[CAPTURE | {"reference": "17/1", "shipping_info": [{"tracking_number": "SE1"}]}],
    )
    assert found.fraud_status == "PENDING"
    assert found.original_order_amount_minor == 400_00
    assert (found.captured_amount_minor, found.refunded_amount_minor) == (100_00, 50_00)
    assert (found.merchant_reference1, found.merchant_reference2) == ("17", "internal")
    assert found.expires_at == datetime(2026, 12, 21, 10, tzinfo=UTC)
    [listed] = found.captures
    assert (listed.capture_id, listed.amount_minor, listed.reference) == ("C-1", 100_00, "17/1")
    assert listed.shipping_info == ({"tracking_number": "SE1"},)


@pytest.mark.parametrize("field", sorted(NEEDED))
@pytest.mark.parametrize("value", ["absent", None, [], {}])
def test_an_order_without_what_money_hangs_on_is_nonsense(field, value):
    changed = {**NEEDED, field: value}
    if value == "absent":
        del changed[field]
    with pytest.raises(Nonsense) as raised:
        read_order(json.dumps(changed).encode())
    assert field in str(raised.value)


AMOUNTS = ["order_amount", "captured_amount", "remaining_authorized_amount", "refunded_amount"]


@pytest.mark.parametrize("field", [*AMOUNTS, "original_order_amount"])
@pytest.mark.parametrize("value", [1.5, 100.0, "100", True, -1, 2**63, "", [1]])
def test_an_amount_that_is_no_count_of_minor_units_is_nonsense(field, value):
    with pytest.raises(Nonsense):
        order(**{field: value})


@pytest.mark.parametrize(
    "field",
    ["fraud_status", "original_order_amount", "refunded_amount", "expires_at", "captures",
     "merchant_reference1", "merchant_reference2"],
)  # fmt: skip
def test_null_is_as_good_as_absent(field):
    assert order(**{field: None}) == order()


def test_a_capture_may_have_nothing_but_its_id_and_amount():
    found = capture(reference=None, captured_at=None, shipping_info=None)
    assert found == capture()
    assert (found.reference, found.captured_at, found.shipping_info) == (None, None, ())


@pytest.mark.parametrize(
    "changed",
    [{"capture_id": ""}, {"capture_id": None}, {"capture_id": 7}, {"captured_amount": None},
     {"captured_amount": "1"}, {"captured_at": "yesterday"}],
)  # fmt: skip
def test_a_capture_that_cannot_be_told_or_counted_is_nonsense(changed):
    with pytest.raises(Nonsense):
        capture(**changed)
    with pytest.raises(Nonsense):
        order(captures=[CAPTURE, CAPTURE | changed])


def test_refunds_are_read_as_captures_are():
    found = order(
        captured_amount=100_00,
        refunded_amount=60_00,
        refunds=[
            {"refund_id": "R-1", "refunded_amount": 50_00, "reference": "17/refund/1",
             "description": "Refund", "refunded_at": "2026-11-21T10:00:00Z", "credit_invoice": 1},
            {"refunded_amount": 10_00, "refund_id": None},
        ],
    )  # fmt: skip
    first, second = found.refunds
    assert (first.refund_id, first.reference, first.amount_minor) == ("R-1", "17/refund/1", 50_00)
    assert (first.description, first.refunded_at) == (
        "Refund", datetime(2026, 11, 21, 10, tzinfo=UTC)
    )  # fmt: skip
    assert (second.refund_id, second.reference, second.amount_minor) == (None, None, 10_00)
    assert (found.refundable_minor, found.lists_refunds) == (40_00, True)
    assert not order(captured_amount=100_00, refunded_amount=60_00).lists_refunds
    assert order().lists_refunds


@pytest.mark.parametrize("amount", [None, -1, 1.5, "100"])
def test_a_refund_that_cannot_be_counted_is_nonsense(amount):
    with pytest.raises(Nonsense):
        order(refunds=[{"refund_id": "R-1", "refunded_amount": amount}])


def test_unknown_fields_and_values_are_kept_out_of_the_way():
    found = order(status="SETTLED", fraud_status="stopped", brand_new={"a": [1]})
    assert (found.status, found.fraud_status) == ("SETTLED", "STOPPED")


@pytest.mark.parametrize("currency", ["sek", "SEK", "Sek"])
def test_the_case_of_a_currency_does_not_matter(currency):
    assert order(purchase_currency=currency).currency == "SEK"


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [
        ("2026-11-23T19:04:05Z", 0),
        ("2026-11-23T19:04:05z", 0),
        ("2026-11-23T19:04:05.678Z", 678000),
        ("2026-11-23T19:04:05.678901Z", 678901),
        ("2026-11-23T19:04:05+00:00", 0),
        ("2026-11-23T20:04:05+01:00", 0),
        ("2026-11-23T20:04:05+0100", 0),
        ("2026-11-23T14:04:05.678-05:00", 678000),
        ("2026-11-23T19:04:05", 0),
        ("2026-11-23 19:04:05Z", 0),
    ],
)
def test_a_time_is_the_same_however_it_is_written(text, microsecond):
    expected = datetime(2026, 11, 23, 19, 4, 5, microsecond, tzinfo=UTC)
    assert order(expires_at=text).expires_at == expected
    assert capture(captured_at=text).captured_at == expected


def test_a_time_without_a_zone_is_utc_wherever_we_run(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        found = order(expires_at="2026-11-23T19:04:05").expires_at
    finally:
        monkeypatch.undo()
        time.tzset()
    assert found == datetime(2026, 11, 23, 19, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "value", ["", "soon", "1700000000", 1700000000, 1.5, True, [], "2026-13-45T00:00:00Z"]
)
def test_what_is_no_time_is_nonsense(value):
    with pytest.raises(Nonsense):
        order(expires_at=value)


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9, minutes=-30))])))
def test_any_time_comes_back_as_it_was(when):
    assert order(expires_at=when.isoformat()).expires_at == when


@pytest.mark.parametrize(
    ("given_info", "kept"),
    [
        ([{"tracking_number": 12345, "shipping_company": None}], ({"tracking_number": "12345"},)),
        ([{}, "text", None, 7, {"tracking_number": "SE1"}], ({}, {"tracking_number": "SE1"})),
        ({"tracking_number": "SE1"}, ()),
        ("SE1", ()),
    ],
)
def test_odd_tracking_is_no_reason_to_doubt_an_amount(given_info, kept):
    assert capture(shipping_info=given_info).shipping_info == kept


BODIES = [b"", b"null", b"[]", b"{}", b"7", b'"text"', b"<html>", b'{"order_id": ', b"\xff\xfe",
          b"[" * 100_000, b"[7]", b"[[]]", b'{"captures": 7}', b'{"order_id": "\\ud800"}',
          b"9" * 5000, b"NaN"]  # fmt: skip


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_a_body_that_is_no_order_is_nonsense(body):
    with pytest.raises(Nonsense):
        read_order(body)


@pytest.mark.parametrize("body", [b for b in BODIES if b != b"[]"])
def test_a_body_that_is_no_list_of_captures_is_nonsense(body):
    with pytest.raises(Nonsense):
        read_captures(body)


def read_or_nonsense(body):
    for read in (read_order, read_captures):
        with contextlib.suppress(Nonsense):
            read(body)
    read_error(body)
    is_json_or_empty(body)


@given(st.binary())
def test_any_bytes_are_read_or_nonsense(body):
    read_or_nonsense(body)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*NEEDED, "x"]), inner),
    )
)
def test_any_json_is_read_or_nonsense(value):
    read_or_nonsense(json.dumps(value).encode())


def test_what_is_said_about_nonsense_names_fields_and_never_values():
    secret = "Astrid Shopper"
    for changed in ({"order_amount": secret}, {"status": [secret]}, {"expires_at": secret}):
        with pytest.raises(Nonsense) as raised:
            order(**changed)
        assert secret not in str(raised.value)
        assert raised.value.__cause__ is None


def test_an_order_keeps_no_personal_data():
    personal = {
        "customer": {"date_of_birth": "1990-01-01"},
        "billing_address": {"given_name": "Astrid", "email": "astrid@example.com"},
    }
    found = order(**personal, captures=[CAPTURE | personal])
    assert "Astrid" not in repr(found)
    assert "1990" not in repr(found)


ERROR = {
    "error_code": "CAPTURE_NOT_ALLOWED",
    "error_messages": ["Capture not possible.", "Really."],
    "correlation_id": "66782175-ae05-44fc-9eb3-eeceadbad271",
}


def error(**changed):
    return read_error(json.dumps(ERROR | changed).encode())


def test_an_error_is_read():
    messages = ("Capture not possible.", "Really.")
    assert error() == ("CAPTURE_NOT_ALLOWED", messages, "66782175-ae05-44fc-9eb3-eeceadbad271")


@pytest.mark.parametrize("odd", [None, "text", 7, {}, []])
def test_an_error_needs_only_its_code(odd):
    code, messages, correlation_id = error(error_messages=odd, correlation_id=odd)
    assert (code, messages) == ("CAPTURE_NOT_ALLOWED", ())
    assert correlation_id == (odd if odd == "text" else None)


@pytest.mark.parametrize("code", [None, "", "  ", 7, [], {}])
def test_without_a_code_it_is_no_error_object(code):
    assert error(error_code=code) is None


def test_an_error_can_be_stored_and_shown_anywhere():
    code, messages, correlation_id = error(
        error_code="X" * 1000,
        error_messages=["line\nbreak\x00\x1b[31m", "\ud800", "y" * 1000, *["z"] * 50],
        correlation_id="c" * 1000,
    )
    assert (len(code), len(messages), len(correlation_id)) == (100, 10, 100)
    assert messages[:2] == ("line break  [31m", " ")
    assert len(messages[2]) == 500
    "".join(messages).encode()
