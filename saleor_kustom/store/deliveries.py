"""Deliveries from Saleor, stored raw before they are answered (domain rule 2)."""

import hashlib
import uuid
from collections.abc import Sequence
from typing import Any

from saleor_kustom.capture.delivery import Delivery, VerifiedBody
from saleor_kustom.store.database import Database, Statement

#: This event leaves a tombstone, even for a fulfillment that was not seen yet (domain rule 20).
_CANCELED = "fulfillment_canceled"


class Deliveries:
    """Rows of `delivery`; each new one makes or wakes its capture in the same transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def receive(self, api_url: str, delivery: Delivery, body: VerifiedBody) -> bool:
        """Store a delivery durably; return False for one that is stored already.

        A repeat changes nothing: neither the row it made nor what that row waits for.
        Raises StoreUnavailable when it is not known to be on disk.
        """
        params = {
            "id": uuid.uuid4().hex,
            "api_url": api_url,
            "event": delivery.event,
            "sha256": hashlib.sha256(body).hexdigest(),
            "body": bytes(body),
            "order_id": delivery.order_id,
            "fulfillment_id": delivery.fulfillment_id,
            "created": delivery.fulfillment_created,
            "problem": delivery.problem,
            "canceled": 1 if delivery.event == _CANCELED else 0,
            "unbound_line": f"saleor/{api_url}/{delivery.order_id}",
        }
        statements: list[Statement] = [(_KEEP, params)]
        if delivery.understood and delivery.fulfillment_id is not None:
            statements += [(_WAKE, params), (_MAKE, params)]
        statements.append(("select 1 as new from delivery where id = :id", params))
        return bool(await self._db(*statements))

    async def not_understood(self, api_url: str) -> Sequence[dict[str, Any]]:
        """Return genuine deliveries whose contents were not understood, newest first."""
        sql = """select id, event, received_at, problem from delivery
            where api_url = :api_url and problem is not null order by received_at desc limit 100"""
        return await self._db.read(sql, {"api_url": api_url})


_KEEP = """insert into delivery
        (id, api_url, event, body_sha256, body, received_at, order_id, fulfillment_id, problem)
    values (:id, :api_url, :event, :sha256, :body, :now, :order_id, :fulfillment_id, :problem)
    on conflict (api_url, event, body_sha256) do nothing"""

# News for a row that runs makes it due again when that run ends (captures.py).
_WAKE = """update capture
    set wakes = wakes + 1,
        canceled = case when :canceled = 1 then 1 else canceled end,
        due_at = case when worker is null then :now else due_at end,
        updated_at = :now
    where api_url = :api_url and order_id = :order_id and fulfillment_id = :fulfillment_id
      and fulfillment_created = :created
      and exists (select 1 from delivery where id = :id)"""

_MAKE = """insert into capture (api_url, order_id, fulfillment_id, fulfillment_created, line,
        account, canceled, due_at, created_at, updated_at)
    select d.api_url, d.order_id, d.fulfillment_id, :created,
        coalesce(b.environment || '/' || b.merchant_id || '/' || b.kustom_order_id, :unbound_line),
        coalesce(b.environment || '/' || b.merchant_id, ''),
        :canceled, :now, :now, :now
    from delivery d left join binding b on b.api_url = d.api_url and b.order_id = d.order_id
    where d.id = :id
    on conflict (api_url, order_id, fulfillment_id, fulfillment_created) do nothing"""
