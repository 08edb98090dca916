"""What a person looks for: by any id or number, in every shop."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from saleor_kustom.store.capture_row import Capture, capture_of
from saleor_kustom.store.capture_sql import HELD, SEARCH
from saleor_kustom.store.database import Database, Row


@dataclass(frozen=True, slots=True)
class Period:
    """Captures of a time. Unix seconds; `api_url`: of one shop; `after_id`: the next page."""

    since: float = 0.0
    until: float = 1e12
    api_url: str | None = None
    after_id: int = 0
    limit: int = 500


class Looking:
    """Reads of everything, by people; nothing on the way of a capture."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def find(self, term: str, api_url: str | None = None) -> Sequence[Capture]:
        """Return captures by order number or any id of Saleor's or Kustom's, oldest first.

        `row:97` is our own number; shops that removed the app are searched too.
        """
        if term.startswith("row:") and term[4:].isdecimal():
            rows = await self._db.read(
                "select * from capture where id = :id", {"id": int(term[4:])}
            )
        else:
            rows = []
            for shop in await self._shops():
                rows += await self._db.read(_FIND, {"api_url": shop, "search": term})
        found = (capture_of(row) for row in rows if api_url in (None, row["api_url"]))
        return sorted(found, key=lambda capture: (capture.api_url, capture.id))

    async def held(self, limit: int = 50) -> Sequence[Capture]:
        """Return what a person must look at, the longest untouched first."""
        return [capture_of(row) for row in await self._db.read(_HELD, {"limit": limit})]

    async def overdue(self, limit: int = 10) -> Sequence[Capture]:
        """Return what is due and not begun, the longest due first."""
        return [capture_of(row) for row in await self._db.read(_OVERDUE, {"limit": limit})]

    async def deliveries(self, api_url: str, order_id: str) -> Sequence[Row]:
        """Return an order's deliveries, oldest first: event, received_at, fulfillment_id, …"""
        return await self._db.read(_DELIVERIES, {"api_url": api_url, "order_id": order_id})

    async def bound(self, api_url: str, order_id: str) -> Row | None:
        """Return an order's binding with how and when it was made."""
        params = {"api_url": api_url, "order_id": order_id}
        rows = await self._db.read(_BOUND, params)
        return rows[0] if rows else None

    async def captured(self, period: Period) -> Sequence[Row]:
        """Return captures and refunds of a period with their Kustom orders, by id, a page."""
        sql, params = _of(period, _CAPTURED)
        return await self._db.read(sql, {**params, "after": period.after_id, "limit": period.limit})

    async def captured_count(self, period: Period) -> int:
        """Return how many there are in all."""
        [row] = await self._db.read(*_of(period, _COUNT))
        return int(row["n"])

    async def _shops(self) -> list[str]:
        rows = await self._db.read("select distinct api_url from installation order by api_url")
        return [row["api_url"] for row in rows]


def _of(period: Period, sql: str) -> tuple[str, dict[str, Any]]:
    """Return the query for one shop or all, and its parameters."""
    params: dict[str, Any] = {"since": period.since, "until": period.until}
    if period.api_url is None:
        return sql.replace("{where}", ""), params
    return sql.replace("{where}", "c.api_url = :api_url and "), {
        **params,
        "api_url": period.api_url,
    }


_FIND = f"select * from capture where {SEARCH}"
_HELD = f"select * from capture where {HELD} order by updated_at, id limit :limit"
_OVERDUE = """select * from capture where due_at is not null and due_at <= :now
    and worker is null order by due_at, id limit :limit"""
_DELIVERIES = """select id, event, received_at, fulfillment_id, problem, traceparent, body_sha256,
        length(body) as bytes
    from delivery where api_url = :api_url and order_id = :order_id order by received_at, id"""
_BOUND = """select environment, merchant_id, kustom_order_id, how, bound_at from binding
    where api_url = :api_url and order_id = :order_id"""
_PERIOD = """{where}c.captured_at >= :since and c.captured_at < :until
    and c.state in ('captured', 'reported') and c.kind in ('fulfillment', 'charge', 'refund')"""
_CAPTURED = f"""select c.*, b.environment, b.merchant_id, b.kustom_order_id
    from capture c left join binding b on b.api_url = c.api_url and b.order_id = c.order_id
    where {_PERIOD} and c.id > :after order by c.id limit :limit"""
_COUNT = f"select count(*) as n from capture c where {_PERIOD}"
