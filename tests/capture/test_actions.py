"""What a person can do now is a table."""

import pytest

from saleor_kustom.capture.actions import Act, Parcel, of_order, of_parcel
from saleor_kustom.capture.held import Reason
from saleor_kustom.capture.state import State


@pytest.mark.parametrize(
    ("parcel", "acts"),
    [
        (Parcel(State.RECEIVED), (Act.CAPTURE_NOW, Act.PREVIEW)),
        (Parcel(State.RECEIVED, under_way=True), (Act.PREVIEW,)),
        (Parcel(State.RECEIVED, paused=True), (Act.PREVIEW,)),
        (Parcel(State.RECEIVED, canceled=True), (Act.CAPTURE_NOW,)),
        (Parcel(State.RECEIVED, held=Reason.NOT_LINKED), (Act.RETRY, Act.PREVIEW, Act.SETTLE)),
        (
            Parcel(State.PLANNED, held=Reason.ABOVE_REMAINING),
            (Act.RETRY, Act.PREVIEW, Act.SETTLE),
        ),
        (Parcel(State.SENDING, held=Reason.CAPTURE_DIFFERS), (Act.RETRY,)),
        (Parcel(State.RECEIVED, held=Reason.NOT_LINKED, canceled=True), (Act.RETRY,)),
        (Parcel(State.NOTHING, waiting="settled_outside"), (Act.REOPEN,)),
        (Parcel(State.NOTHING, waiting="settled_outside", canceled=True), ()),
        (Parcel(State.NOTHING, waiting="not_kustom"), ()),
        (Parcel(State.RECEIVED, held=Reason.OBSERVED), (Act.RELEASE, Act.PREVIEW)),
        (Parcel(State.SENDING), (Act.CAPTURE_NOW,)),
        (Parcel(State.CAPTURED), ()),
        (Parcel(State.REPORTED), ()),
        (Parcel(State.REPORTED, held=Reason.CANCELED_AFTER_CAPTURE, canceled=True), (Act.REFUND,)),
        (Parcel(State.REPORTED, held=Reason.CANCELED_AFTER_CAPTURE), ()),
        (Parcel(State.REPORTED, held=Reason.CAPTURE_DIFFERS, canceled=True), (Act.RETRY,)),
        (Parcel(State.RECEIVED, is_parcel=False), (Act.CAPTURE_NOW,)),
        (Parcel(State.RECEIVED, is_parcel=False, held=Reason.REFUND_UNSEEN), (Act.RETRY,)),
        (Parcel(State.NOTHING), ()),
        (Parcel(State.WITHDRAWN), ()),
    ],
)
def test_a_parcel_offers_what_makes_sense(parcel, acts):
    assert of_parcel(parcel) == acts


@pytest.mark.parametrize(
    ("parcels", "paused", "linked", "acts"),
    [
        ([], False, False, (Act.LINK, Act.PAUSE)),
        ([Parcel(State.RECEIVED)], False, False, (Act.LINK, Act.LOOK_AGAIN, Act.PAUSE)),
        ([Parcel(State.RECEIVED)], True, True, (Act.LOOK_AGAIN, Act.UNPAUSE, Act.CLOSE)),
        ([Parcel(State.REPORTED)], False, True, (Act.LOOK_AGAIN, Act.CLOSE)),
    ],
)
def test_an_order_offers_what_makes_sense(parcels, paused, linked, acts):
    assert of_order(parcels, paused=paused, linked=linked) == acts
