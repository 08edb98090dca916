"""Webhooks in: verify, store, answer, stop. The work runs later at our own pace.

What makes a delivery genuine, and what is answered when it is not: genuine.py. A synchronous
event wants an answer; whoever serves it (transactions.py) gets the verified delivery and returns
the response.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from saleor_kustom.capture.parties import Shop
from saleor_kustom.capture.policy import Policy
from saleor_kustom.errors import CallError, KeysUnavailable, NotGenuine, StoreUnavailable
from saleor_kustom.intake.delivery import EVENTS
from saleor_kustom.saleor.client import SaleorClient
from saleor_kustom.saleor.install import standing_app
from saleor_kustom.store import Store
from saleor_kustom.watch import trace
from saleor_kustom.watch.context import bound, trace_headers
from saleor_kustom.watch.metrics import ACKNOWLEDGED, DELIVERIES
from saleor_kustom.web.bodies import refusal
from saleor_kustom.web.genuine import Genuine, Verifier, refused

_log = logging.getLogger(__name__)

#: Answers one verified synchronous delivery.
Answering = Callable[[Genuine], Awaitable[Response]]


class Webhooks:
    """The route for Saleor's deliveries.

    `policy`: by shop and channel. `answering`: who serves synchronous events, by name.
    """

    def __init__(
        self,
        store: Store,
        verifier: Verifier,
        saleor: SaleorClient,
        wake: Callable[[], None],
        policy: Callable[[Shop, str], Policy],
        answering: Mapping[str, Answering],
    ) -> None:
        self._store = store
        self._verifier = verifier
        self._saleor = saleor
        self._wake = wake
        self._policy = policy
        self._answering = answering

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one delivery. A function would be wrapped by Starlette twice more."""
        answer = await self._received(Request(scope, receive))
        await answer(scope, receive, send)

    async def _received(self, request: Request) -> Response:
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
            genuine = await self._verifier.genuine(request, event)
            with bound(shop=genuine.shop.api_url):
                answer = self._answering.get(event)
                if answer is not None:
                    return "answered", await answer(genuine)
                outcome = await self._take(genuine)
        except (NotGenuine, KeysUnavailable, StoreUnavailable, CallError) as error:
            kind = "not_genuine" if isinstance(error, NotGenuine) else "not_now"
            return kind, refused(event, error)
        return outcome, JSONResponse({"success": True})

    async def _take(self, genuine: Genuine) -> str:
        """Store what is meant for us, and tell the worker of what is new; return the outcome."""
        shop, delivery = genuine.shop, genuine.delivery
        if delivery.event == "app_deleted" and delivery.understood:
            await self._removed(genuine)
            return "removed"
        own = delivery.issuing_app_id == shop.app_id
        if delivery.event == "fulfillment_metadata_updated" and own:
            return "own"  # our own write came back to us (domain rule 23)
        receive = self._store.deliveries.receive
        if delivery.event == "order_cancelled" and self._cancels(genuine):
            receive = self._store.operations.order_cancelled
        traceparent = trace_headers().get(trace.HEADER)
        if not await receive(shop.api_url, delivery, genuine.body, traceparent=traceparent):
            return "repeated"
        self._wake()
        _log.info(
            "took a delivery",
            extra={"order_id": delivery.order_id, "fulfillment": delivery.fulfillment_id},
        )
        return "stored"

    def _cancels(self, genuine: Genuine) -> bool:
        """Tell whether a cancelled order is to be cancelled at Kustom: the worker sees to that."""
        channel = genuine.delivery.channel or ""
        wanted = self._policy(genuine.shop, channel).cancel_at_kustom
        return wanted and genuine.delivery.order_id is not None

    async def _removed(self, genuine: Genuine) -> None:
        """Forget a removed shop; a late event of an older installation removes nothing.

        A staging copy of the shop signs with the same key and bears the same ids, and an app
        that is removed there is not removed here: so the shop is asked (domain rule 1).
        """
        shop = genuine.shop
        if genuine.delivery.app_id != shop.app_id:
            return
        if await standing_app(self._saleor, shop) is not None:
            _log.error("%s told of our removal but knows us; did a copy of it?", shop.api_url)
            return
        await self._store.shops.uninstall(shop.api_url, shop.app_id)
        self._verifier.forget(shop.api_url)
