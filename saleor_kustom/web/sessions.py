"""A storefront pays through Saleor: PAYMENT_GATEWAY_ and TRANSACTION_INITIALIZE_SESSION.

Saleor waits for the answer, and tells it to the shopper's browser. What Saleor reads of it is in
its webhook/response_schemas/transaction.py; an amount of 0, or none, it would replace by the one
that the storefront asked for. A refusal is a 200 that says so: anything else Saleor only records
as a delivery that failed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from starlette.responses import JSONResponse, Response

from saleor_kustom.capture.parties import Shop
from saleor_kustom.capture.session import Code, Result, Session, SessionAnswer, failure
from saleor_kustom.intake.session import read_session
from saleor_kustom.store import Store
from saleor_kustom.web.genuine import Genuine
from saleor_kustom.web.webhooks import Answering

#: Saleor waits 18 seconds, a shopper less (saleor-app-protocol, C).
PATIENCE_S = 8.0
_NOT_READY = "Kustom is not set up for this channel."


class Authorized(Protocol):
    """An answer with what goes along with an authorization."""

    @property
    def answer(self) -> SessionAnswer:
        """Return what is answered."""

    @property
    def actions(self) -> tuple[str, ...]:
        """Return what Saleor's buttons can do with it."""

    @property
    def portal_url(self) -> str | None:
        """Return the link to Kustom's portal."""


class Asking(Protocol):
    """Who reads both sides: the worker's Sessions. Raises StoreUnavailable."""

    async def environment(self, shop: Shop, source_id: str) -> str | None:
        """Return where the channel is paid with Kustom, or None."""

    async def authorize(self, shop: Shop, session: Session) -> Authorized:
        """Return what is authorized."""


class Storefronts:
    """Serves the two events that start a payment."""

    def __init__(
        self,
        store: Store,
        asking: Asking,
        *,
        wake: Callable[[], None],
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._store = store
        self._asking = asking
        self._patience_s = patience_s
        self._wake = wake

    def answering(self) -> Mapping[str, Answering]:
        """Return who answers which event."""
        return {
            "payment_gateway_initialize_session": self.gateway,
            "transaction_initialize_session": self.transaction,
        }

    async def gateway(self, genuine: Genuine) -> Response:
        """Say whether the channel can be paid with Kustom, and in which environment."""
        source_id = genuine.delivery.order_id or ""
        found = await self._in_time(self._asking.environment(genuine.shop, source_id))
        if found is None:
            return JSONResponse({"data": {"ready": False, "message": _NOT_READY}})
        return JSONResponse({"data": {"ready": True, "environment": found}})

    async def transaction(self, genuine: Genuine) -> Response:
        """Answer with what Kustom has authorized, or why it is nothing."""
        # Kept as it was signed: what a shopper asked for is looked at when it is disputed.
        await self._store.deliveries.receive(genuine.shop.api_url, genuine.delivery, genuine.body)
        session = read_session(genuine.body)
        if session is None:
            return JSONResponse(_told(failure(Code.MALFORMED)))
        found = await self._in_time(self._asking.authorize(genuine.shop, session))
        if found is None:
            return JSONResponse(_told(failure(Code.TRY_AGAIN)))
        self._wake()
        return JSONResponse(_told(found.answer, found.actions, found.portal_url))

    async def _in_time(self, asked: Awaitable[Any]) -> Any:
        """Wait for an answer as long as Saleor may be kept waiting; None: it took too long."""
        try:
            async with asyncio.timeout(self._patience_s):
                return await asked
        except TimeoutError:
            return None


def _told(
    answer: SessionAnswer, actions: tuple[str, ...] = (), portal_url: str | None = None
) -> dict[str, Any]:
    """Return what Saleor reads; `data` goes on to the storefront."""
    data: dict[str, Any] = {"status": _STATUS[answer.result], "message": answer.message}
    if answer.code is not None:
        data["code"] = answer.code.value
    told: dict[str, Any] = {
        "result": answer.result.value,
        "message": answer.message,
        "data": data,
    }
    if answer.kustom_order_id is None or answer.amount is None:
        return told  # no pspReference: Saleor would make it the transaction's own
    told |= {
        "pspReference": answer.kustom_order_id,
        "amount": format(answer.amount, "f"),
        "actions": list(actions),
    }
    return told | ({"externalUrl": portal_url} if portal_url else {})


_STATUS = {
    Result.SUCCESS: "authorized",
    Result.REQUEST: "pending",
    Result.FAILURE: "refused",
}
