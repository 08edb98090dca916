"""Captures: the ledger and the queue in one table (durable-engine, section 2).

A row is due when `due_at` has passed. A claim is a lease: it sets `worker`, moves `due_at` to
the lease's end and counts `attempts`; every later write of that run is fenced by both, so a
run that lost its lease can't write. A crash needs no code: the row falls due again.
"""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from saleor_kustom.capture.plan import Binding
from saleor_kustom.errors import SaleorKustomError
from saleor_kustom.store import capture_sql as sql
from saleor_kustom.store import link_sql
from saleor_kustom.store.capture_row import Capture, as_json, capture_of, written
from saleor_kustom.store.database import Conflict, Database, Row, Statement
from saleor_kustom.store.finding import Wanted, finding
from saleor_kustom.store.history import History


class LeaseLost(SaleorKustomError):  # noqa: N818 - a fact, not a fault
    """Another run has the capture; nothing was written."""


class Captures:
    """Rows of `capture` and `binding`."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._history = History(db)
        self._claim = sql.CLAIM.replace("{lock}", db.tokens["lock"])

    async def start(self) -> int:
        """Free what the only process ran when it died; return how many that were.

        Call it under the worker's lock. On PostgreSQL, where other workers may be alive, it
        does nothing: leases end by themselves.
        """
        if self._db.dialect != "sqlite":
            return 0
        return len(await self._db((sql.RELEASE_DEAD, {})))

    async def claim(
        self,
        worker: str,
        limit: int,
        lease_s: float,
        *,
        shut: Collection[str] = (),
        silent: Collection[str] = (),
    ) -> list[Capture]:
        """Lease up to `limit` due captures, at most one of each line, the longest due first.

        `shut`: environments of Kustom, and `silent`: API addresses of shops, that are not to be
        called now; what needs them stays.
        """
        everywhere = len(shut) > 1
        pattern = "%/%" if everywhere else "".join(f"{env}/%" for env in shut) or "none"
        params = {"worker": worker, "limit": limit, "lease": lease_s, "shut": pattern}
        params["silent"] = f" {' '.join(silent)} "
        try:
            rows = await self._db((self._claim, params))
        except Conflict:  # a line's earlier id became visible just now: the next poll finds it
            return []
        return _oldest_first(rows)

    async def renew(self, capture: Capture, lease_s: float) -> None:
        """Make the lease last `lease_s` from now. Raises LeaseLost."""
        if not await self._db((sql.RENEW, {**_fence(capture), "lease": lease_s})):
            raise LeaseLost(f"capture {capture.id}")

    async def save(
        self,
        capture: Capture,
        *,
        what: str,
        detail: Mapping[str, Any] | None = None,
        keep: bool = True,
        due_in_s: float | None = None,
        lease_s: float = 60.0,
        wakes: str | None = None,
        **columns: Any,
    ) -> Capture:
        """Write columns and one line of history in a transaction, if the lease is still ours.

        keep: go on, with the lease renewed. Else the row is released and due in `due_in_s`
        (None: when news comes); news that came since the claim makes it due now. `wakes`:
        the order's other captures that are held for this reason, or "all", are due too.
        Raises LeaseLost.
        """
        params = {
            **_fence(capture),
            **written(columns),
            "wakes_seen": capture.wakes,
            "lease": lease_s,
            "due_in": due_in_s,
            "history_what": what,
            "history_detail": as_json(dict(detail or {})),
        }
        sets = "".join(f", {name} = :{name}" for name in columns)
        update = (sql.KEEP_GOING if keep else sql.LET_GO).replace("{sets}", sets)
        held = {**_of(capture), "reason": wakes}
        siblings = ((sql.WAKE_SIBLINGS, held),) if wakes else ()
        is_new = columns.get("captured_at") is not None and capture.captures
        counted = _counted(columns, params) if is_new else ()
        rows = await self._db(*siblings, *counted, (sql.HISTORY_FENCED, params), (update, params))
        if not rows:
            raise LeaseLost(f"capture {capture.id}")
        # The run remembers what it had seen when it began, or news would be lost between two saves.
        return dataclasses.replace(capture_of(rows[0]), wakes=capture.wakes)

    async def release_all(self, worker: str) -> int:
        """Hand back what `worker` still runs, due now."""
        return len(await self._db((sql.RELEASE_ALL, {"worker": worker})))

    async def notice(
        self, api_url: str, order_id: str, fulfillment_id: str, fulfillment_created: str
    ) -> bool:
        """Make or wake the capture of a fulfillment that was found by reading Saleor.

        For reconciliation and `link`; a delivery goes through Deliveries.receive. Returns True
        when there was no such capture before.
        """
        params = {
            "api_url": api_url,
            "order_id": order_id,
            "fulfillment_id": fulfillment_id,
            "created": fulfillment_created,
            "unbound_line": unbound_line(api_url, order_id),
        }
        turn = self._db.in_turn(api_url, order_id)
        return bool(await self._db(*turn, (sql.WAKE_FOUND, params), (sql.MAKE_FOUND, params)))

    async def wake_order(self, api_url: str, order_id: str) -> int:
        """Look again at every capture of an order now; return how many there are."""
        params = {"api_url": api_url, "order_id": order_id}
        return len(await self._db((sql.WAKE_ORDER, params)))

    async def wake_held(self, api_url: str, reason: str) -> int:
        """Look again at what is held for `reason`: its cause was mended for the whole shop."""
        params = {"api_url": api_url, "reason": reason}
        return len(await self._db((sql.WAKE_HELD, params)))

    async def wake_paused(self, api_url: str) -> int:
        """Look again at what waited for a pause of the shop's to end."""
        return len(await self._db((f"{sql.WAKE_PAUSED} returning id", {"api_url": api_url})))

    async def resume(self, api_url: str, capture_row: int, who: str, why: str) -> bool:
        """Take a held mark away; the capture goes on from where it stands, now."""
        detail = as_json({"who": who, "why": why})
        params = {"api_url": api_url, "id": capture_row, "detail": detail}
        return bool(await self._db((sql.RESUMED_NOTED, params), (sql.RESUME, params)))

    async def hasten(self, api_url: str, capture_row: int, who: str, why: str = "") -> bool:
        """Make a capture that waits due now. False: it runs, is held, or has been captured."""
        detail = as_json({"who": who, "why": why})
        params = {"api_url": api_url, "id": capture_row, "detail": detail}
        return bool(await self._db((sql.HASTENED, params), (sql.HASTEN, params)))

    async def held_after(
        self, api_url: str, reason: str, *, after: int, until: int, limit: int
    ) -> Sequence[int]:
        """Return ids of captures held for `reason` behind `after`, `until` the last, in order."""
        params = {"api_url": api_url, "reason": reason, "after": after, "until": until}
        rows = await self._db.read(sql.HELD_AFTER, {**params, "limit": limit})
        return [row["id"] for row in rows]

    async def bind(
        self, capture: Capture, binding: Binding, how: str, *, checkout_id: str | None = None
    ) -> bool:
        """Bind the capture's order for good; False: one of the two is bound to another.

        All rows of the order move to the Kustom order's line in the same transaction. What the
        order's own checkout was answered for is taken over from it.
        """
        params = {
            "api_url": capture.api_url,
            "order_id": capture.order_id,
            "environment": binding.environment,
            "merchant_id": binding.merchant_id,
            "kustom_order_id": binding.kustom_order_id,
            "how": how,
            "checkout_id": checkout_id or "",
            "takes_over": 0,
            "line": binding.line,
            "account": f"{binding.environment}/{binding.merchant_id}",
        }
        rows = await self._db(
            *self._db.in_turn(capture.api_url, capture.order_id),
            (link_sql.TAKE_OVER, params),
            (sql.BIND, params),
            (link_sql.FOLLOW_UP, params),
            (sql.MOVE_LINE, params),
            (sql.IS_BOUND, params),
        )
        return bool(rows)

    async def binding(self, api_url: str, order_id: str) -> Binding | None:
        """Return the Kustom order that an order is bound to."""
        rows = await self._db.read(sql.BINDING, {"api_url": api_url, "order_id": order_id})
        if not rows:
            return None
        row = rows[0]
        return Binding(row["environment"], row["merchant_id"], row["kustom_order_id"])

    async def any_binding(self, api_url: str) -> bool:
        """Tell whether any order of the shop has found its Kustom order."""
        query = "select 1 as one from binding where api_url = :api_url limit 1"
        return bool(await self._db.read(query, {"api_url": api_url}))

    async def bindings(self, api_url: str, orders: Collection[str]) -> Mapping[str, Binding]:
        """Return the Kustom orders that some orders are bound to, by order id."""
        names = {f"o{index}": order for index, order in enumerate(orders)}
        if not names:
            return {}
        listed = ", ".join(f":{name}" for name in names)
        query = f"select * from binding where api_url = :api_url and order_id in ({listed})"
        rows = await self._db.read(query, {"api_url": api_url, **names})
        return {
            row["order_id"]: Binding(row["environment"], row["merchant_id"], row["kustom_order_id"])
            for row in rows
        }

    async def of_order(self, api_url: str, order_id: str) -> list[Capture]:
        """Return every capture of an order, oldest first: what a plan's ledger is made of."""
        rows = await self._db.read(sql.OF_ORDER, {"api_url": api_url, "order_id": order_id})
        return _oldest_first(rows)

    async def namesakes(self, capture: Capture) -> list[Capture]:
        """Return older rows of the same fulfillment id with another order or time (rule 3)."""
        params = {
            "api_url": capture.api_url,
            "fulfillment_id": capture.fulfillment_id,
            "id": capture.id,
        }
        return _oldest_first(await self._db.read(sql.NAMESAKES, params))

    async def get(self, api_url: str, capture_row: int) -> Capture | None:
        """Return one capture of a shop."""
        rows = await self._db.read(sql.GET, {"api_url": api_url, "id": capture_row})
        return capture_of(rows[0]) if rows else None

    async def list(self, api_url: str, wanted: Wanted | None = None) -> Sequence[Capture]:
        """Return captures of a shop, newest first."""
        sql_, params = finding(api_url, wanted or Wanted())
        return [capture_of(row) for row in await self._db.read(sql_, params)]

    async def history(self, api_url: str, capture_row: int) -> Sequence[Row]:
        """Return what happened to one capture, oldest first: at, what, detail (see History)."""
        return await self._history.of_capture(api_url, capture_row)

    async def hold(
        self, api_url: str, capture_row: int, reason: str, detail: Mapping[str, Any]
    ) -> bool:
        """Mark a capture that does not run: a person must look. False: it runs, or is held."""
        held = as_json(dict(detail))
        params = {"api_url": api_url, "id": capture_row, "reason": reason, "detail": held}
        return bool(await self._db((sql.HOLD_NOTED, params), (sql.HOLD, params)))

    async def orders_settled_between(
        self, api_url: str, since: float, until: float
    ) -> Sequence[str]:
        """Return the ids of orders with a parcel captured, or found to have nothing to capture,
        between two times (unix seconds).
        """
        params = {"api_url": api_url, "since": since, "until": until}
        rows = await self._db.read(sql.ORDERS_SETTLED_BETWEEN, params)
        return [row["order_id"] for row in rows]

    async def orders_parked(self, api_url: str) -> Sequence[str]:
        """Return the ids of orders with a parcel that only news from Saleor would wake."""
        rows = await self._db.read(sql.ORDERS_PARKED, {"api_url": api_url})
        return [row["order_id"] for row in rows]

    async def orders_held(self, api_url: str) -> Sequence[str]:
        """Return the ids of orders with a held parcel whose Kustom order is known."""
        rows = await self._db.read(sql.ORDERS_HELD, {"api_url": api_url})
        return [row["order_id"] for row in rows]

    async def busy(self, *, within_s: float) -> bool:
        """Tell whether anything runs or falls due within some seconds, in any shop."""
        return bool(await self._db.read(sql.BUSY, {"within": within_s}))


def unbound_line(api_url: str, order_id: str | None) -> str:
    """Return the queue's line of an order whose Kustom order is not known yet."""
    return f"saleor/{api_url}/{order_id}"


def _oldest_first(rows: Sequence[Row]) -> "list[Capture]":
    return sorted((capture_of(row) for row in rows), key=lambda capture: capture.id)


def _counted(columns: Mapping[str, Any], params: Mapping[str, Any]) -> tuple[Statement, ...]:
    """Return what adds a capture to its hour, with what this very save writes."""
    captured = {
        "captured_hour": int(columns["captured_at"] // 3600),
        "captured_currency": columns.get("currency"),
        "captured_minor": columns.get("amount_minor"),
    }
    return ((sql.COUNT_CAPTURED, {**params, **captured}),)


def _of(capture: Capture) -> dict[str, Any]:
    return {"api_url": capture.api_url, "order_id": capture.order_id, "id": capture.id}


def _fence(capture: Capture) -> dict[str, Any]:
    return {"id": capture.id, "attempts": capture.attempts, "worker": capture.worker}
