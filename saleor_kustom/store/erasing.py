"""Personal data: raw deliveries are kept for a time, and an order's is erased when asked for.

What stays is what bookkeeping needs: ids, amounts, units, times, capture ids and keys.
"""

import json
from dataclasses import dataclass
from typing import Any

from saleor_kustom.errors import SaleorKustomError
from saleor_kustom.store.capture_row import as_json
from saleor_kustom.store.database import Database, Row
from saleor_kustom.store.history import of_shop

_BATCH = 500
_ERASED = "(erased)"

#: Names of values that may tell of a person, wherever they stand in a plan or a history.
_PERSONAL = frozenset(
    {
        *("name", "description", "merchant_data", "image_url", "product_url"),
        *("product_identifiers", "shipping_company", "shipping_method"),
        *("tracking_number", "tracking_uri", "tracking", "tracking_info"),
        *("return_shipping_company", "return_tracking_number", "return_tracking_uri"),
        *("message", "messages", "why", "note", "notes", "text", "email", "phone"),
    }
)
#: Columns of `capture` that are JSON texts.
_JSON_COLUMNS = ("plan", "held_detail", "waiting_detail", "request", "standing")


class StillOpen(SaleorKustomError):  # noqa: N818 - a verdict
    """Something of the order is under way or waits for a person: money goes first."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased of an order."""

    order_id: str
    captures: int
    deliveries: int


class Erasing:
    """Takes personal data out of the database."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._strip = _STRIP.replace("{blob}", db.tokens["blob"])
        self._strip_order = _STRIP_ORDER.replace("{blob}", db.tokens["blob"])

    async def strip_deliveries(self, older_than_s: float) -> int:
        """Empty raw deliveries that were received so long ago; return how many.

        What a repeat is known by (its digest) and what it was about (ids) stays.
        """
        stripped = 0
        while True:
            rows = await self._db((self._strip, {"age": older_than_s, "limit": _BATCH}))
            stripped += len(rows)
            if len(rows) < _BATCH:
                return stripped

    async def order(self, api_url: str, order: str, *, who: str) -> Erased | None:
        """Erase an order's personal data; `order` is its number or id. None: none is known.

        Raises StillOpen, and changes nothing, while a capture of it is not settled.
        """
        order_id = await self._order_id(api_url, order)
        if order_id is None:
            return None
        params = {"api_url": api_url, "order_id": order_id}
        rows = await self._db.read(_ROWS, params)
        still_open = [row for row in rows if _is_open(row)]
        if still_open:
            what = ", ".join(f"capture {row['id']} ({_standing(row)})" for row in still_open)
            raise StillOpen(f"order {order} is not settled: {what}; settle it first")
        updates = [(_SCRUB, scrubbed(row)) for row in rows]
        history = [
            (_SCRUB_LINE, {"id": line["id"], "detail": scrubbed_text(line["detail"])})
            for line in await self._db.read(_LINES, params)
        ]
        erased = Erased(order_id, len(rows), len(await self._db.read(_RAW, params)))
        done = of_shop(api_url, "erased", {"order": order_id, "who": who})
        cleared = [(query, params) for query in (self._strip_order, _CLOSE, _LINK)]
        await self._db(*updates, *history, *cleared, done)
        return erased

    async def _order_id(self, api_url: str, order: str) -> str | None:
        rows = await self._db.read(_FIND, {"api_url": api_url, "order": order})
        return str(rows[0]["order_id"]) if rows else None


def scrubbed(row: Row) -> Row:
    """Return a capture's columns without what may tell of a person."""
    columns = {name: scrubbed_text(row[name]) for name in _JSON_COLUMNS}
    # The mark keeps later looks from taking the tracking for unsent (capture/tracking_sent.py).
    mark = [{"erased": "true"}]
    told = json.loads(row["tracking_sent"]) or json.loads(row["tracking_refused"])
    columns["tracking_sent"] = as_json(mark if told else [])
    elsewhere = json.loads(row["tracking_elsewhere"])
    columns["tracking_elsewhere"] = as_json(dict.fromkeys(elsewhere, mark))
    return {"id": row["id"], **columns}


def scrubbed_text(text: str | None) -> str | None:
    """Return JSON text with every personal value replaced, in JSON texts inside it too."""
    return None if text is None else as_json(_scrubbed(json.loads(text)))


def _scrubbed(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _blank(inner) if name in _PERSONAL else _scrubbed(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_scrubbed(inner) for inner in value]
    if isinstance(value, str) and value.startswith(("{", "[")):
        try:
            return as_json(_scrubbed(json.loads(value)))
        except ValueError:
            return _ERASED
    return value


def _blank(value: Any) -> Any:
    if isinstance(value, dict | list):
        return type(value)()
    return _ERASED if isinstance(value, str) else value


def _is_open(row: Row) -> bool:
    unsettled = row["state"] not in ("reported", "nothing", "withdrawn")
    return unsettled or row["due_at"] is not None or row["held"] is not None


def _standing(row: Row) -> str:
    return f"{row['state']}, held" if row["held"] else str(row["state"])


_STRIP = """update delivery set body = cast('' as {blob}) where id in (
        select id from delivery where length(body) > 0 and received_at < :now - :age
        order by received_at limit :limit)
    returning id"""
_FIND = """select order_id from capture where api_url = :api_url
        and (order_number = :order or order_id = :order)
    union select order_id from delivery where api_url = :api_url and order_id = :order limit 1"""
_ROWS = "select * from capture where api_url = :api_url and order_id = :order_id order by id"
_RAW = """select id from delivery
    where api_url = :api_url and order_id = :order_id and length(body) > 0"""
_LINES = """select h.id, h.detail from history h join capture c on c.id = h.capture_id
    where c.api_url = :api_url and c.order_id = :order_id order by h.id"""
#: Only while it rests: a run that began meanwhile knows what it wrote.
_SCRUB = """update capture set plan = :plan, held_detail = :held_detail,
        waiting_detail = :waiting_detail, request = :request, standing = :standing,
        tracking_sent = :tracking_sent, tracking_elsewhere = :tracking_elsewhere,
        tracking_notes = '[]', tracking_refused = '[]',
        tracking_pending = null, tracking_problem = null, updated_at = :now
    where id = :id and worker is null and due_at is null"""
_SCRUB_LINE = "update history set detail = :detail where id = :id"
_STRIP_ORDER = """update delivery set body = cast('' as {blob})
    where api_url = :api_url and order_id = :order_id"""
_LINK = "update link set detail = '{}' where api_url = :api_url and order_id = :order_id"
_CLOSE = "delete from open_authorization where api_url = :api_url and order_id = :order_id"
