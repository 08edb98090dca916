"""Whether what was posted comes from a shop that installed us: every webhook's first question.

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
from starlette.responses import Response

from saleor_kustom.capture.delivery import Delivery, VerifiedBody
from saleor_kustom.capture.parties import Shop
from saleor_kustom.errors import NotGenuine, SaleorKustomError
from saleor_kustom.intake.delivery import read_delivery
from saleor_kustom.intake.signature import key_id, verify
from saleor_kustom.saleor.keys import KeyRing
from saleor_kustom.store import Store
from saleor_kustom.web.bodies import read_body, refusal, single

_log = logging.getLogger(__name__)

#: Our own subscriptions make a few hundred bytes; a thousand lines of a refund would fit too.
LARGEST_BYTES = 2 * 1024 * 1024
#: With several instances another one may have taken a re-installation.
_SHOP_KEPT_S = 5.0


@dataclass(frozen=True, slots=True)
class Genuine:
    """A delivery that is believed: whose it is, what it says, and its bytes as signed."""

    shop: Shop
    delivery: Delivery
    body: VerifiedBody


@dataclass(frozen=True, slots=True)
class _Known:
    shop: Shop
    until: float


class Verifier:
    """Verifies deliveries. The same for those that only tell and those that want an answer."""

    def __init__(
        self, store: Store, keys: KeyRing, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._keys = keys
        self._monotonic = monotonic
        self._shops: dict[str, _Known] = {}

    def forget(self, api_url: str) -> None:
        """Drop what is cached: the shop was installed again or removed."""
        self._shops.pop(api_url, None)
        self._keys.forget(api_url)

    async def genuine(self, request: Request, event: str) -> Genuine:
        """Return the delivery, whose signature is right and which was meant for us.

        Raises NotGenuine (final), KeysUnavailable or StoreUnavailable (to come again), and
        HTTPException for a body that is too large.
        """
        shop = await self._shop(request, event)
        verified = await self._verified(request, shop)
        delivery = read_delivery(event, verified)
        return Genuine(await self._recipient(shop, delivery), delivery, verified)

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


def refused(event: str, error: SaleorKustomError) -> Response:
    """Return the answer to a delivery that was not taken: final, or to come again."""
    if isinstance(error, NotGenuine):
        _log.warning("refused a delivery of %s: %s %s", event, error.code, error)
        return refusal(_STATUS.get(error.code, 400), error.code, str(error))
    _log.warning("could not take a delivery of %s now: %s", event, error)
    return refusal(503, "TRY_AGAIN", "The delivery could not be stored; send it again.")


_STATUS = {
    "NOT_INSTALLED": 401,
    "SIGNATURE_WITHOUT_KEY_ID": 401,
    "SIGNATURE_MALFORMED": 401,
    "SIGNATURE_KEY_UNKNOWN": 401,
    "SIGNATURE_WRONG": 401,
    "RECIPIENT_DIFFERS": 403,
}
