"""What happened, line by line: written with what it tells of, never changed."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from saleor_kustom.store.capture_row import as_json
from saleor_kustom.store.database import Database, Row, Statement


class History:
    """Rows of `history`: of a capture, or of a shop as a whole (no capture)."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(self, api_url: str, what: str, detail: Mapping[str, Any]) -> None:
        """Write a line about a shop as a whole."""
        await self._db(of_shop(api_url, what, detail))

    async def of_capture(self, api_url: str, capture_row: int) -> Sequence[Row]:
        """Return what happened to one capture, oldest first: at, what, detail."""
        sql = """select at, what, detail from history
            where api_url = :api_url and capture_id = :id order by id"""
        return _read(await self._db.read(sql, {"api_url": api_url, "id": capture_row}))

    async def of_shop(self, api_url: str, *, limit: int = 100) -> Sequence[Row]:
        """Return what happened to a shop as a whole, newest first: at, what, detail."""
        sql = """select at, what, detail from history
            where api_url = :api_url and capture_id is null order by id desc limit :limit"""
        return _read(await self._db.read(sql, {"api_url": api_url, "limit": limit}))

    async def newest(self) -> int:
        """Return the id of the newest line of all shops; 0: there is none."""
        rows = await self._db.read("select id from history order by id desc limit 1")
        return int(rows[0]["id"]) if rows else 0

    async def since(self, after: int, *, settled_s: float, limit: int) -> Sequence[Row]:
        """Return captures' lines behind an id, of all shops: id, api_url, capture_id, what.

        None that is younger than `settled_s`, nor what stands behind it: ids become visible out
        of order.
        """
        sql = """select id, api_url, capture_id, what from history h where id > :after
            and capture_id is not null and not exists (select 1 from history y
                where y.id > :after and y.id <= h.id and y.at > :now - :settled)
            order by id limit :limit"""
        return await self._db.read(sql, {"after": after, "settled": settled_s, "limit": limit})


def of_shop(api_url: str, what: str, detail: Mapping[str, Any]) -> Statement:
    """Return the statement that writes a line, to go into the transaction that it tells of."""
    return (
        """insert into history (api_url, capture_id, at, what, detail)
           values (:api_url, null, :now, :what, :detail)""",
        {"api_url": api_url, "what": what, "detail": as_json(dict(detail))},
    )


def _read(rows: Sequence[Row]) -> list[Row]:
    return [{**row, "detail": json.loads(row["detail"])} for row in rows]
