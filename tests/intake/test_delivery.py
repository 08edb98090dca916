"""What a verified body says: a trigger. Odd contents are kept for a person, never refused."""

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saleor_kustom.capture.delivery import VerifiedBody, utc_text
from saleor_kustom.contract import read_text
from saleor_kustom.errors import NotGenuine
from saleor_kustom.intake.delivery import EVENTS, read_delivery
from saleor_kustom.sandbox.recordings import load_recordings
from tests.conftest import RECORDINGS

RECORDED = [r for r in load_recordings(RECORDINGS).deliveries if r.event in EVENTS]

#: What our own subscription for a fulfillment delivers.
SLIM = {
    "__typename": "FulfillmentCreated",
    "issuedAt": "2026-11-23T12:11:30.162036+00:00",
    "version": "3.22.67",
    "recipient": {"id": "QXBwOjE="},
    "issuingPrincipal": {"__typename": "User"},
    "fulfillment": {
        "id": "RnVsOjk=",
        "created": "2026-11-23T13:11:29.7+01:00",
        "status": "FULFILLED",
    },
    "order": {"id": "T3JkZXI6MQ==", "number": "1", "channel": {"slug": "se"}},
}


def read(contents, event="fulfillment_created"):
    body = contents if isinstance(contents, bytes) else json.dumps(contents).encode()
    return read_delivery(event, VerifiedBody(body))


def changed(**values):
    return {k: v for k, v in {**SLIM, **values}.items() if v is not ...}


@pytest.mark.parametrize("recording", RECORDED, ids=lambda r: r.name)
def test_a_recorded_delivery_is_understood(recording):
    delivery = read(recording.body, recording.event)
    wire = json.loads(recording.body)
    assert delivery.understood
    assert delivery.recipient_id == "QXBwOjE="
    assert delivery.order_id == wire["order"]["id"]
    if recording.event != "order_cancelled":
        assert delivery.fulfillment_id == wire["fulfillment"]["id"]
        assert delivery.fulfillment_created == wire["fulfillment"]["created"]


def test_our_own_shape_is_understood():
    delivery = read(SLIM)
    assert delivery.understood
    assert (delivery.order_id, delivery.fulfillment_id) == ("T3JkZXI6MQ==", "RnVsOjk=")
    assert delivery.fulfillment_created == "2026-11-23T12:11:29.700000+00:00"
    assert delivery.issuing_app_id is None


def test_every_webhook_of_the_manifest_can_be_read():
    webhooks = json.loads(read_text("manifest.json"))["webhooks"]
    asked = [webhook.get("asyncEvents") or webhook["syncEvents"] for webhook in webhooks]
    served = {event.lower() for events in asked for event in events}
    assert served == set(EVENTS)


@pytest.mark.parametrize("event", EVENTS)
def test_our_document_asks_for_the_type_that_we_expect(event):
    document = read_text(f"webhooks/{event}/subscription.graphql")
    assert re.findall(r"\.\.\. on (\w+) \{\n", document) == [EVENTS[event]]


def test_the_app_that_caused_an_event_is_known():
    app = {"__typename": "App", "id": "QXBwOjE="}
    assert read(changed(issuingPrincipal=app)).issuing_app_id == "QXBwOjE="


@pytest.mark.parametrize("principal", [None, "App", {"__typename": "User", "id": "QXBwOjE="}])
def test_only_an_app_is_taken_for_an_app(principal):
    assert read(changed(issuingPrincipal=principal)).issuing_app_id is None


def test_an_order_event_needs_no_fulfillment():
    body = changed(__typename="OrderCancelled", fulfillment=...)
    assert read(body, "order_cancelled").understood


def test_a_removal_says_which_app():
    body = changed(__typename="AppDeleted", fulfillment=..., order=..., app={"id": "QXBwOjE="})
    delivery = read(body, "app_deleted")
    assert (delivery.understood, delivery.app_id) == (True, "QXBwOjE=")
    assert not read({**body, "app": None}, "app_deleted").understood


@pytest.mark.parametrize("typename", sorted(set(EVENTS.values()) - {"FulfillmentCreated"}))
def test_a_body_of_another_event_is_not_genuine(typename):
    with pytest.raises(NotGenuine) as caught:
        read(changed(__typename=typename))
    assert caught.value.code == "EVENT_DIFFERS"


ODD = {
    "nothing": b"",
    "no JSON": b"<html>",
    "no UTF-8": b"\xff\xfe\xfa",
    "nested junk": b"[" * 100_000,
    "a number too long to read": b'{"a": ' + b"1" * 5000 + b"}",
    "a list": [SLIM],
    "null": None,
    "a string": "x",
    "wrapped in data": {"data": SLIM},
    "no typename": changed(__typename=...),
    "an odd typename": changed(__typename=5),
    "no recipient": changed(recipient=None),
    "an odd recipient": changed(recipient="QXBwOjE="),
    "no order": changed(order=None),
    "an odd order": changed(order=["T3JkZXI6MQ=="]),
    "an order without id": changed(order={"number": "1"}),
    "no fulfillment": changed(fulfillment=...),
    "a fulfillment with a number as id": changed(fulfillment={**SLIM["fulfillment"], "id": 9}),
    "an empty id": changed(order={"id": ""}),
    "a huge id": changed(order={"id": "x" * 501}),
    "an id that no database keeps": changed(order={"id": "a\x00b"}),
    "half a surrogate as id": changed(order={"id": "\ud800"}),
    "no time": changed(fulfillment={**SLIM["fulfillment"], "created": "yesterday"}),
    "a time without offset": changed(
        fulfillment={**SLIM["fulfillment"], "created": "2026-11-23T12:11:29"}
    ),
    "a time before all time": changed(
        fulfillment={**SLIM["fulfillment"], "created": "0001-01-01T00:00:00+23:59"}
    ),
    "errors beside nulls": changed(order=None, errors=[{"message": "no permission"}]),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_contents_are_kept_for_a_person(name):
    delivery = read(ODD[name])
    assert not delivery.understood
    assert delivery.problem.isascii()


def test_errors_are_for_a_person_and_the_fulfillment_is_looked_at_all_the_same():
    delivery = read(changed(errors=[{"message": "no permission for giftCards"}]))
    assert delivery.problem == "with errors of Saleor"
    assert (delivery.order_id, delivery.fulfillment_id) == ("T3JkZXI6MQ==", "RnVsOjk=")
    assert delivery.fulfillment_created is not None


def test_a_status_of_tomorrow_changes_nothing():
    fulfillment = {**SLIM["fulfillment"], "status": "TELEPORTED"}
    assert read(changed(fulfillment=fulfillment, news={"a": 1})).understood


_ODD = st.sampled_from([None, True, 5, 1.5, "", "x", "\x00", "é", [], [1], {}, {"id": "a"}])


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(list(SLIM)), _ODD), st.sampled_from(sorted(EVENTS)))
def test_no_contents_crash_the_reader(values, event):
    try:
        delivery = read({**SLIM, **values}, event)
    except NotGenuine:
        return
    for text in (delivery.order_id, delivery.fulfillment_id, delivery.recipient_id):
        assert text is None or (text.isascii() and text.isprintable())


@pytest.mark.parametrize(
    ("given", "utc"),
    [
        ("2026-11-23T12:11:29.699994+00:00", "2026-11-23T12:11:29.699994+00:00"),
        ("2026-11-23T12:11:29Z", "2026-11-23T12:11:29.000000+00:00"),
        ("2026-11-23T23:11:29.5-05:00", "2026-11-24T04:11:29.500000+00:00"),
    ],
)
def test_a_time_has_one_form_however_it_is_written(given, utc):
    assert utc_text(given) == utc


#: As a running Saleor 3.22.67 sends it when a refund was not granted before.
NOT_GRANTED = {
    "message": "Cannot return null for non-nullable field OrderGrantedRefund.id.",
    "locations": [{"line": 13, "column": 9}],
    "path": ["event", "grantedRefund", "id"],
}
REFUND = {
    "__typename": "TransactionRefundRequested",
    "recipient": {"id": "QXBwOjE="},
    "issuingPrincipal": None,
    "action": {"actionType": "REFUND", "amount": 10.0, "currency": "SEK"},
    "transaction": {"id": "VDox", "order": {"id": "T3JkZXI6MQ=="}},
    "grantedRefund": None,
    "errors": [NOT_GRANTED],
}


def test_a_refund_that_was_not_granted_is_understood():
    assert read(REFUND, "transaction_refund_requested").understood


@pytest.mark.parametrize(
    "differs",
    [
        {"errors": [NOT_GRANTED, {"message": "no permission", "path": ["event", "action"]}]},
        {"errors": [NOT_GRANTED | {"path": None}]},
        {"errors": [NOT_GRANTED["message"]]},
        {"errors": "some"},
        {"errors": None},
        {"grantedRefund": {"id": None, "lines": None}},
    ],
)
def test_any_other_error_beside_a_refund_is_for_a_person(differs):
    delivery = read(REFUND | differs, "transaction_refund_requested")
    assert delivery.problem == "with errors of Saleor"


def test_a_refund_without_the_field_and_with_errors_is_for_a_person():
    contents = {name: value for name, value in REFUND.items() if name != "grantedRefund"}
    assert not read(contents, "transaction_refund_requested").understood
