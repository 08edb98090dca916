"""Webhooks in: verify, store, answer, stop. The work runs later at our own pace.

What makes a delivery genuine, and what is answered when it is not: genuine.py. A synchronous
event wants an answer; whoever serves it (transactions.py) gets the verified delivery and returns
the response.
"""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from saleor_kustom.capture.parties import Shop
from saleor_kustom.capture.policy import Policy
from saleor_kustom.errors import KeysUnavailable, NotGenuine, StoreUnavailable
from saleor_kustom.intake.delivery import EVENTS
from saleor_kustom.store import Store
from saleor_kustom.web.bodies import refusal
from saleor_kustom.web.genuine import Genuine, Verifier, refused

#: Answers one verified synchronous delivery.
Answering = Callable[[Genuine], Awaitable[Response]]


class Webhooks:
    """The route for Saleor's deliveries.

    `answering`: who serves synchronous events, by name. `policy`: by shop and channel.
    """

    def __init__(
        self,
        store: Store,
        verifier: Verifier,
        wake: Callable[[], None],
        answering: Mapping[str, Answering],
        policy: Callable[[Shop, str], Policy],
    ) -> None:
        self._store = store
        self._verifier = verifier
        self._wake = wake
        self._answering = answering
        self._policy = policy

    async def receive(self, request: Request) -> Response:
        """Answer one delivery."""
        event = request.path_params["event"]
        if event not in EVENTS:
            return refusal(404, "UNKNOWN_EVENT", f"No webhook is called {event}.")
        try:
            genuine = await self._verifier.genuine(request, event)
            answer = self._answering.get(event)
            if answer is not None:
                return await answer(genuine)
            await self._take(genuine)
        except (NotGenuine, KeysUnavailable, StoreUnavailable) as error:
            return refused(event, error)
        return JSONResponse({"success": True})

    async def _take(self, genuine: Genuine) -> None:
        """Store what is meant for us, and tell the worker of what is new."""
        shop, delivery = genuine.shop, genuine.delivery
        if delivery.event == "app_deleted" and delivery.understood:
            await self._removed(genuine)
            return
        own = delivery.issuing_app_id == shop.app_id
        if delivery.event == "fulfillment_metadata_updated" and own:
            return  # our own write came back to us (domain rule 23)
        receive = self._store.deliveries.receive
        if delivery.event == "order_cancelled" and self._cancels(genuine):
            receive = self._store.operations.order_cancelled
        if await receive(shop.api_url, delivery, genuine.body):
            self._wake()

    def _cancels(self, genuine: Genuine) -> bool:
        """Tell whether a cancelled order is to be cancelled at Kustom: the worker sees to that."""
        channel = genuine.delivery.channel or ""
        wanted = self._policy(genuine.shop, channel).cancel_at_kustom
        return wanted and genuine.delivery.order_id is not None

    async def _removed(self, genuine: Genuine) -> None:
        """Forget a removed shop; a late event of an older installation removes nothing."""
        shop = genuine.shop
        if genuine.delivery.app_id == shop.app_id:
            await self._store.shops.uninstall(shop.api_url, shop.app_id)
            self._verifier.forget(shop.api_url)
