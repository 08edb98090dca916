"""Deliveries from Saleor, stored raw before they are answered (domain rule 2)."""

import hashlib
import uuid
from collections.abc import Sequence
from typing import Any

from saleor_kustom.capture.delivery import Delivery, VerifiedBody
from saleor_kustom.store.capture_sql import TAKE_IN
from saleor_kustom.store.captures import unbound_line
from saleor_kustom.store.database import Database, Routine, Row, turn_of

#: This event leaves a tombstone, even for a fulfillment that was not seen yet (domain rule 20).
_CANCELED = "fulfillment_canceled"


class Deliveries:
    """Rows of `delivery`; each new one makes or wakes its capture in the same transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._receive = db.routine(_RECEIVE)

    async def receive(
        self,
        api_url: str,
        delivery: Delivery,
        body: VerifiedBody,
        *,
        traceparent: str | None = None,
    ) -> bool:
        """Store a delivery durably; return False for one that is stored already.

        A repeat changes nothing: neither the row it made nor what that row waits for.
        Raises StoreUnavailable when it is not known to be on disk.
        """
        params = kept_params(api_url, delivery, body, traceparent) | {
            "created": delivery.fulfillment_created,
            "canceled": int(delivery.understood and delivery.event == _CANCELED),
            "unbound_line": unbound_line(api_url, delivery.order_id),
            "turn": turn_of(api_url, delivery.order_id),
        }
        # Even where the rest makes no sense: the worker reads the fulfillment itself (rule 2).
        if delivery.order_id and delivery.fulfillment_id and delivery.fulfillment_created:
            statements = self._receive
        else:
            statements = (KEEP, IS_NEW)
        return bool(await self._db(*((sql, params) for sql in statements)))

    async def not_understood(self, api_url: str) -> Sequence[Row]:
        """Return genuine deliveries whose contents were not understood, newest first."""
        sql = """select id, event, received_at, problem from delivery
            where api_url = :api_url and problem is not null order by received_at desc limit 100"""
        return await self._db.read(sql, {"api_url": api_url})

    async def of_fulfillment(
        self, api_url: str, order_id: str, fulfillment_id: str
    ) -> Sequence[Row]:
        """Return what came about one fulfillment, oldest first: event, received_at, problem."""
        sql = """select event, received_at, problem from delivery where api_url = :api_url
            and order_id = :order_id and fulfillment_id = :fulfillment_id order by received_at"""
        params = {"api_url": api_url, "order_id": order_id, "fulfillment_id": fulfillment_id}
        return await self._db.read(sql, params)

    async def body(self, api_url: str, delivery_id: str) -> bytes | None:
        """Return a delivery's raw bytes, as they were signed."""
        sql = "select body from delivery where api_url = :api_url and id = :id"
        rows = await self._db.read(sql, {"api_url": api_url, "id": delivery_id})
        return bytes(rows[0]["body"]) if rows else None


def kept_params(
    api_url: str, delivery: Delivery, body: VerifiedBody, traceparent: str | None
) -> dict[str, Any]:
    """Return what KEEP stores, under a new id."""
    return {
        "delivery": uuid.uuid4().hex,
        "api_url": api_url,
        "event": delivery.event,
        "sha256": hashlib.sha256(body).hexdigest(),
        "body": bytes(body),
        "order_id": delivery.order_id,
        "fulfillment_id": delivery.fulfillment_id,
        "problem": delivery.problem,
        "traceparent": traceparent,
    }


#: A delivery; one with the same bytes is there already.
KEEP = """insert into delivery
        (id, api_url, event, body_sha256, body, received_at, order_id, fulfillment_id, problem,
        traceparent)
    values (:delivery, :api_url, :event, :sha256, :body, :now, :order_id, :fulfillment_id, :problem,
        :traceparent)
    on conflict (api_url, event, body_sha256) do nothing"""
IS_NEW = "select 1 as new from delivery where id = :delivery"

_TEXTS = ("delivery", "api_url", "event", "sha256", "order_id", "fulfillment_id", "problem")
#: In turn with the order's binding: a row would else be made on a line that it has just left.
_RECEIVE = Routine(
    name="saleor_kustom_receive",
    types={
        **dict.fromkeys((*_TEXTS, "traceparent", "created", "unbound_line", "turn"), "text"),
        "body": "bytea",
        "canceled": "integer",
    },
    statements=(KEEP, TAKE_IN),
    returns="new",
)
