"""A cancellation that was delivered is believed when Saleor shows it too (domain rule 1).

A staging copy of a shop signs with the shop's own key and knows its parcels. What is cancelled
there must neither keep money from moving unseen nor, by a refund, send it back.
"""

from typing import Any

from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.retry import nth
from saleor_kustom.capture.state import Event
from saleor_kustom.worker.journey import Journey
from saleor_kustom.worker.reading import read_saleor

#: When Saleor is asked again, whose replica may lag; then only on news, or when a person retries.
_LOOK_AGAIN_S = (60.0, 600.0, 3600.0)


async def confirm(journey: Journey, *events: Event, **columns: Any) -> None:
    """Hold a capture whose cancellation was delivered while Saleor shows the parcel as shipped.

    Returns when Saleor agrees or does not know the parcel. Nothing is captured meanwhile
    (domain rule 20).
    """
    if journey.order is None:
        await read_saleor(journey)
    shipped, capture = journey.fulfillment, journey.capture
    if shipped is None or shipped.status != "FULFILLED":
        return
    if shipped.created != capture.fulfillment_created:
        return  # another parcel under the same id
    again = capture.held == Reason.CANCELLATION_UNCONFIRMED
    looked = int(capture.held_detail.get("looked", 0)) if again else 0
    held = Held(Reason.CANCELLATION_UNCONFIRMED, {"looked": looked + 1})
    raise await journey.hold(held, *events, due_in_s=nth(_LOOK_AGAIN_S, looked), **columns)
