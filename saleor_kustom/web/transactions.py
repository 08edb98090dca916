"""Saleor's own buttons: charge, refund and cancel of a transaction that this app owns.

These are synchronous events: Saleor waits for our answer. Each has its method here, which gets a
verified delivery (genuine.py) and returns what Saleor reads.
"""

from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

from saleor_kustom.store import Store
from saleor_kustom.web.genuine import Genuine
from saleor_kustom.web.webhooks import Answering


class Transactions:
    """Serves TRANSACTION_CHARGE_REQUESTED, _REFUND_REQUESTED and _CANCELATION_REQUESTED."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def answering(self) -> Mapping[str, Answering]:
        """Return who answers which event."""
        return {
            "transaction_charge_requested": self.requested,
            "transaction_refund_requested": self.requested,
            "transaction_cancelation_requested": self.requested,
        }

    async def requested(self, genuine: Genuine) -> Response:
        """Answer one request."""
        await self._store.deliveries.receive(genuine.shop.api_url, genuine.delivery, genuine.body)
        about = genuine.delivery.event.split("_")[1].upper().replace("CANCELATION", "CANCEL")
        return JSONResponse({"result": f"{about}_FAILURE", "message": "Not served yet."})
