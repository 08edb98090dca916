"""Saleor's own buttons: charge, refund and cancel of a transaction that this app owns.

These events want an answer. The request is stored durably first, as an operation that the worker
carries out. If that has ended within eight seconds Saleor hears the result; else it hears our
operation's id, and the worker reports under that later. Which of both was said is settled in the
database, so that the report follows the answer, and the same request gets the same answer again.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.responses import JSONResponse, Response

from saleor_kustom.capture.answer import failed, failure_message, not_understood, succeeded
from saleor_kustom.capture.operation import operation_id
from saleor_kustom.capture.plan import Binding, Plan
from saleor_kustom.capture.state import State
from saleor_kustom.intake.transaction_request import KINDS, read_request
from saleor_kustom.store import Capture, Store
from saleor_kustom.watch import trace
from saleor_kustom.watch.context import trace_headers
from saleor_kustom.web.genuine import Genuine
from saleor_kustom.web.webhooks import Answering

#: Saleor waits 18 seconds, and records a failure if it hears nothing (saleor-app-protocol, C).
PATIENCE_S = 8.0
_FIRST_LOOK_S, _LONGEST_PAUSE_S = 0.05, 0.4


class Transactions:
    """Serves TRANSACTION_CHARGE_REQUESTED, _REFUND_REQUESTED and _CANCELATION_REQUESTED."""

    def __init__(
        self,
        store: Store,
        wake: Callable[[], None],
        portal_url: Callable[[Binding], str | None],
        *,
        patience_s: float = PATIENCE_S,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._wake = wake
        self._portal_url = portal_url
        self._patience_s = patience_s
        self._monotonic = monotonic
        self._sleep = sleep

    def answering(self) -> Mapping[str, Answering]:
        """Return who answers which event."""
        return dict.fromkeys(KINDS, self.requested)

    async def requested(self, genuine: Genuine) -> Response:
        """Answer one request. Raises StoreUnavailable: Saleor asks again then."""
        delivery, api_url = genuine.delivery, genuine.shop.api_url
        kind = KINDS[delivery.event]
        request = read_request(delivery.event, genuine.body)
        if request is None or not delivery.understood:
            # Kept for a person; but there is nothing that could be carried out.
            await self._store.deliveries.receive(api_url, delivery, genuine.body)
            digest = hashlib.sha256(genuine.body).hexdigest()
            reference = operation_id(api_url, delivery.order_id or "", (digest, kind.value))
            return JSONResponse(not_understood(kind, reference))
        operation = await self._store.operations.receive(
            api_url,
            delivery,
            genuine.body,
            kind,
            request,
            traceparent=trace_headers().get(trace.HEADER),
        )
        self._wake()
        operation = await self._ended(operation)
        if operation.answer is None:
            said = "result" if _has_ended(operation) else "later"
            operation = await self._store.operations.answer(operation, said)
        return JSONResponse(await self._answer(operation))

    async def _ended(self, operation: Capture) -> Capture:
        """Wait for the end of an operation that is not answered yet, as long as we may."""
        until, pause_s = self._monotonic() + self._patience_s, _FIRST_LOOK_S
        while operation.answer is None and not _has_ended(operation):
            left_s = until - self._monotonic()
            if left_s <= 0:
                break
            await self._sleep(min(pause_s, left_s))
            pause_s = min(_LONGEST_PAUSE_S, pause_s * 1.5)
            found = await self._store.captures.get(operation.api_url, operation.id)
            operation = found or operation
        return operation

    async def _answer(self, operation: Capture) -> dict[str, Any]:
        """Return what was settled to be said."""
        if operation.request is None:
            raise AssertionError("Saleor asked for it")
        if operation.answer == "later":
            return {"pspReference": operation.operation_id}
        if operation.state is State.NOTHING:
            message = failure_message(operation.waiting, operation.waiting_detail)
            return failed(operation.kind, operation.request, operation.operation_id, message)
        binding = await self._store.captures.binding(operation.api_url, operation.order_id)
        standing = operation.standing
        return succeeded(
            operation.kind,
            Plan.model_validate_json(operation.plan or ""),
            operation.currency or "",
            operation.capture_id or "",
            at=datetime.fromtimestamp(operation.captured_at or 0.0, UTC),
            actions=standing.actions if standing else (),
            external_url=self._portal_url(binding) if binding else None,
        )


def _has_ended(operation: Capture) -> bool:
    """Tell whether Kustom has confirmed it, or it was definitely refused."""
    return operation.state in (State.CAPTURED, State.REPORTED, State.NOTHING)
