"""Webhooks in: verify, store, answer, stop. The work runs later at our own pace.

The order of the questions, cheapest first: what the headers say is judged before the body is
read, and nothing is fetched for a shop that did not install us. A 4xx is final for Saleor, a 5xx
comes again: so what is not genuine gets 4xx, and what we can't judge or can't store gets 503
(domain rule 2).
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from saleor_kustom.capture.delivery import Delivery, VerifiedBody
from saleor_kustom.capture.parties import Shop
from saleor_kustom.errors import CallError, KeysUnavailable, NotGenuine, StoreUnavailable
from saleor_kustom.intake.delivery import EVENTS, read_delivery
from saleor_kustom.intake.signature import key_id, verify
from saleor_kustom.saleor.client import SaleorClient
from saleor_kustom.saleor.install import standing_app
from saleor_kustom.saleor.keys import KeyRing
from saleor_kustom.store import Store
from saleor_kustom.watch import trace
from saleor_kustom.watch.context import bound, trace_headers
from saleor_kustom.watch.metrics import ACKNOWLEDGED, DELIVERIES
from saleor_kustom.web.bodies import read_body, refusal, single

_log = logging.getLogger(__name__)

#: Our own subscriptions make a few hundred bytes; a thousand lines of a refund would fit too.
LARGEST_BYTES = 2 * 1024 * 1024
#: With several instances another one may have taken a re-installation.
_SHOP_KEPT_S = 5.0


@dataclass(frozen=True, slots=True)
class _Known:
    shop: Shop
    until: float


class Webhooks:
    """The route for Saleor's deliveries."""

    def __init__(
        self,
        store: Store,
        keys: KeyRing,
        saleor: SaleorClient,
        wake: Callable[[], None],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._keys = keys
        self._saleor = saleor
        self._wake = wake
        self._monotonic = monotonic
        self._shops: dict[str, _Known] = {}

    def forget(self, api_url: str) -> None:
        """Drop what is cached: the shop was installed again or removed."""
        self._shops.pop(api_url, None)
        self._keys.forget(api_url)

    async def receive(self, request: Request) -> Response:
        """Answer one delivery."""
        event = request.path_params["event"]
        if event not in EVENTS:
            return refusal(404, "UNKNOWN_EVENT", f"No webhook is called {event}.")
        began = time.perf_counter()
        outcome, answer = await self._judged(request, event)
        DELIVERIES.labels(event, outcome).inc()
        ACKNOWLEDGED.labels(event).observe(time.perf_counter() - began)
        return answer

    async def _judged(self, request: Request, event: str) -> tuple[str, Response]:
        """Return what became of the delivery, for the count, and the answer."""
        try:
            shop = await self._shop(request, event)
            verified = await self._verified(request, shop)
            with bound(shop=shop.api_url):
                outcome = await self._take(shop, read_delivery(event, verified), verified)
        except NotGenuine as error:
            _log.warning("refused a delivery of %s: %s %s", event, error.code, error)
            status = _STATUS.get(error.code, 400)
            return "not_genuine", refusal(status, error.code, str(error))
        except (KeysUnavailable, StoreUnavailable, CallError) as error:
            _log.warning("could not take a delivery of %s now: %s", event, error)
            message = "The delivery could not be stored; send it again."
            return "not_now", refusal(503, "TRY_AGAIN", message)
        return outcome, JSONResponse({"success": True})

    async def _shop(self, request: Request, event: str) -> Shop:
        """Return the shop that the headers name. They are not signed; the rest is judged later."""
        api_url = single(request, "saleor-api-url")
        shop = await self._installed(api_url)
        if shop is None:
            raise NotGenuine("NOT_INSTALLED", "This shop has not installed the app.")
        if single(request, "saleor-event").lower() != event:
            raise NotGenuine("EVENT_DIFFERS", "The header saleor-event is not the path's event.")
        if single(request, "saleor-domain").lower() != urlsplit(api_url).netloc.lower():
            raise NotGenuine("DOMAIN_DIFFERS", "saleor-domain is not the API URL's host.")
        return shop

    async def _installed(self, api_url: str) -> Shop | None:
        now = self._monotonic()
        known = self._shops.get(api_url)
        if known is not None and known.until > now:
            return known.shop
        return await self._read_again(api_url)

    async def _read_again(self, api_url: str) -> Shop | None:
        shop = await self._store.shops.get(api_url)
        if shop is None:
            self._shops.pop(api_url, None)
            return None
        self._shops[api_url] = _Known(shop, self._monotonic() + _SHOP_KEPT_S)
        return shop

    async def _verified(self, request: Request, shop: Shop) -> VerifiedBody:
        signature = single(request, "saleor-signature")
        keys = await self._keys.keys_for(shop.api_url, key_id(signature))
        return verify(await read_body(request, LARGEST_BYTES), signature, keys)

    async def _take(self, shop: Shop, delivery: Delivery, body: VerifiedBody) -> str:
        """Store what is meant for us, and tell the worker of what is new; return the outcome."""
        shop = await self._recipient(shop, delivery)
        if delivery.event == "app_deleted" and delivery.understood:
            await self._removed(shop, delivery)
            return "removed"
        own = delivery.issuing_app_id == shop.app_id
        if delivery.event == "fulfillment_metadata_updated" and own:
            return "own"  # our own write came back to us (domain rule 23)
        traceparent = trace_headers().get(trace.HEADER)
        if not await self._store.deliveries.receive(
            shop.api_url, delivery, body, traceparent=traceparent
        ):
            return "repeated"
        self._wake()
        _log.info(
            "took a delivery",
            extra={"order_id": delivery.order_id, "fulfillment": delivery.fulfillment_id},
        )
        return "stored"

    async def _recipient(self, shop: Shop, delivery: Delivery) -> Shop:
        """Check that it was sent to us; a delivery that can't say so is kept for a person."""
        if delivery.recipient_id is None:  # not understood, so it moves nothing
            return shop
        if delivery.recipient_id != shop.app_id:
            again = await self._read_again(shop.api_url)  # installed again just now?
            if again is None or delivery.recipient_id != again.app_id:
                raise NotGenuine("RECIPIENT_DIFFERS", "The delivery was meant for another app.")
            return again
        return shop

    async def _removed(self, shop: Shop, delivery: Delivery) -> None:
        """Forget a removed shop; a late event of an older installation removes nothing.

        A staging copy of the shop signs with the same key and bears the same ids, and an app
        that is removed there is not removed here: so the shop is asked (domain rule 1).
        """
        if delivery.app_id != shop.app_id:
            return
        if await standing_app(self._saleor, shop) is not None:
            _log.error("%s told of our removal but knows us; did a copy of it?", shop.api_url)
            return
        await self._store.shops.uninstall(shop.api_url, shop.app_id)
        self.forget(shop.api_url)


_STATUS = {
    "NOT_INSTALLED": 401,
    "SIGNATURE_WITHOUT_KEY_ID": 401,
    "SIGNATURE_MALFORMED": 401,
    "SIGNATURE_KEY_UNKNOWN": 401,
    "SIGNATURE_WRONG": 401,
    "RECIPIENT_DIFFERS": 403,
}
