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
        (Parcel(State.RECEIVED, held=Reason.NOT_LINKED), (Act.RETRY, Act.PREVIEW)),
        (Parcel(State.RECEIVED, held=Reason.OBSERVED), (Act.RELEASE, Act.PREVIEW)),
        (Parcel(State.SENDING), (Act.CAPTURE_NOW,)),
        (Parcel(State.CAPTURED), ()),
        (Parcel(State.REPORTED), ()),
        (Parcel(State.REPORTED, held=Reason.CANCELED_AFTER_CAPTURE), (Act.RETRY,)),
        (Parcel(State.NOTHING), ()),
        (Parcel(State.WITHDRAWN), ()),
    ],
)
def test_a_parcel_offers_what_makes_sense(parcel, acts):
    assert of_parcel(parcel) == acts


@pytest.mark.parametrize(
    ("parcels", "paused", "acts"),
    [
        ([], False, (Act.PAUSE,)),
        ([Parcel(State.RECEIVED)], False, (Act.LOOK_AGAIN, Act.PAUSE)),
        ([Parcel(State.RECEIVED)], True, (Act.LOOK_AGAIN, Act.UNPAUSE)),
        ([Parcel(State.REPORTED)], False, (Act.LOOK_AGAIN,)),
    ],
)
def test_an_order_offers_what_makes_sense(parcels, paused, acts):
    assert of_order(parcels, paused=paused) == acts
