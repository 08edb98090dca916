"""Captures: the ledger and the queue in one table (durable-engine, section 2).

A row is due when `due_at` has passed. A claim is a lease: it sets `worker`, moves `due_at` to
the lease's end and counts `attempts`; every later write of that run is fenced by both, so a
run that lost its lease can't write. A crash needs no code: the row falls due again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from saleor_kustom.capture.plan import Binding
from saleor_kustom.capture.state import State
from saleor_kustom.errors import SaleorKustomError
from saleor_kustom.store.database import Conflict, Database, Row


class LeaseLost(SaleorKustomError):  # noqa: N818 - a fact, not a fault
    """Another run has the capture; nothing was written."""


@dataclass(frozen=True, slots=True)
class Capture:
    """One row. Times are unix seconds, amounts minor units of `currency`."""

    id: int
    api_url: str
    order_id: str
    fulfillment_id: str
    fulfillment_created: str
    order_number: str | None
    fulfillment_number: int | None
    channel: str | None
    currency: str | None
    line: str
    account: str
    state: State
    held: str | None
    held_detail: Mapping[str, Any]
    waiting: str | None
    waiting_detail: Mapping[str, Any]
    canceled: bool
    due_at: float | None
    worker: str | None
    attempts: int
    failures: int
    wakes: int
    plan: str | None
    idempotency_key: str | None
    amount_minor: int | None
    sent_first_at: float | None
    sent_last_at: float | None
    capture_id: str | None
    captured_at: float | None
    reported_at: float | None
    report_problem: str | None
    without_tracking: bool
    tracking_sent: tuple[Mapping[str, str], ...]
    tracking_pending: str | None
    tracking_problem: str | None
    created_at: float
    updated_at: float


class Captures:
    """Rows of `capture`, `binding` and `history`."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._claim_sql = _CLAIM.replace("{lock}", db.tokens["lock"])

    async def start(self) -> None:
        """Free what the only process ran when it died. On PostgreSQL leases end by themselves."""
        if self._db.dialect == "sqlite":
            await self._db(
                (
                    "update capture set worker = null, due_at = :now where worker is not null",
                    {},
                )
            )

    async def claim(self, worker: str, limit: int, lease_s: float) -> list[Capture]:
        """Lease up to `limit` due captures, at most one of each line, money before the rest."""
        params = {"worker": worker, "limit": limit, "lease": lease_s}
        try:
            rows = await self._db((self._claim_sql, params))
        except Conflict:  # a line's earlier id became visible just now: the next poll finds it
            return []
        return [_capture(row) for row in rows]

    async def renew(self, capture: Capture, lease_s: float) -> None:
        """Make the lease last `lease_s` from now. Raises LeaseLost."""
        sql = f"update capture set due_at = :now + :lease where {_FENCE} returning id"
        if not await self._db((sql, {**_fence(capture), "lease": lease_s})):
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
        **columns: Any,
    ) -> Capture:
        """Write columns and one line of history in a transaction, if the lease is still ours.

        keep: go on, with the lease renewed. Else the row is released and due in `due_in_s`
        (None: when news comes); news that came during this run makes it due now.
        Raises LeaseLost.
        """
        params = {
            **_fence(capture),
            **_written(columns),
            "wakes_seen": capture.wakes,
            "lease": lease_s,
            "due_in": due_in_s,
            "history_what": what,
            "history_detail": json.dumps(dict(detail or {}), ensure_ascii=False, default=str),
        }
        sets = "".join(f", {name} = :{name}" for name in columns)
        update = (_KEEP_GOING if keep else _LET_GO).replace("{sets}", sets)
        # The history line comes first, under the same fence, so that the update's row is returned.
        rows = await self._db((_HISTORY_FENCED, params), (update, params))
        if not rows:
            raise LeaseLost(f"capture {capture.id}")
        return _capture(rows[0])

    async def release_all(self, worker: str) -> int:
        """Hand back what `worker` still runs, due now."""
        rows = await self._db(
            (
                """update capture set worker = null, due_at = :now
                   where worker = :worker returning id""",
                {"worker": worker},
            )
        )
        return len(rows)

    async def of_order(self, api_url: str, order_id: str) -> list[Capture]:
        """Return every capture of an order, oldest first: what a plan's ledger is made of."""
        sql = "select * from capture where api_url = :api_url and order_id = :order_id order by id"
        rows = await self._db.read(sql, {"api_url": api_url, "order_id": order_id})
        return [_capture(row) for row in rows]

    async def namesakes(self, capture: Capture) -> list[Capture]:
        """Return older rows of the same fulfillment id with another order or time (rule 3)."""
        sql = """select * from capture where api_url = :api_url and fulfillment_id = :fulfillment_id
            and id < :id"""
        params = {
            "api_url": capture.api_url,
            "fulfillment_id": capture.fulfillment_id,
            "id": capture.id,
        }
        return [_capture(row) for row in await self._db.read(sql, params)]

    async def binding(self, api_url: str, order_id: str) -> Binding | None:
        """Return the Kustom order that an order is bound to."""
        sql = "select * from binding where api_url = :api_url and order_id = :order_id"
        rows = await self._db.read(sql, {"api_url": api_url, "order_id": order_id})
        if not rows:
            return None
        row = rows[0]
        return Binding(row["environment"], row["merchant_id"], row["kustom_order_id"])

    async def bind(self, capture: Capture, binding: Binding, how: str) -> bool:
        """Bind the capture's order for good; False: that Kustom order is another order's.

        All rows of the order move to the Kustom order's line in the same transaction.
        """
        params = {
            "api_url": capture.api_url,
            "order_id": capture.order_id,
            "environment": binding.environment,
            "merchant_id": binding.merchant_id,
            "kustom_order_id": binding.kustom_order_id,
            "how": how,
            "line": binding.line,
            "account": f"{binding.environment}/{binding.merchant_id}",
        }
        rows = await self._db((_BIND, params), (_MOVE_LINE, params), (_IS_BOUND, params))
        return bool(rows)

    async def get(self, api_url: str, capture_row: int) -> Capture | None:
        """Return one capture of that shop."""
        sql = "select * from capture where api_url = :api_url and id = :id"
        rows = await self._db.read(sql, {"api_url": api_url, "id": capture_row})
        return _capture(rows[0]) if rows else None

    async def list(
        self,
        api_url: str,
        *,
        state: State | None = None,
        held: bool | None = None,
        search: str | None = None,
        limit: int = 50,
        before_id: int | None = None,
    ) -> Sequence[Capture]:
        """Return captures of a shop, newest first; `search` is an order number or an id."""
        where = ["api_url = :api_url"]
        if state is not None:
            where.append("state = :state")
        if held is not None:
            where.append("held is not null" if held else "held is null")
        if search:
            where.append(_SEARCH)
        if before_id is not None:
            where.append("id < :before_id")
        sql = f"select * from capture where {' and '.join(where)} order by id desc limit :limit"
        params: dict[str, Any] = {"api_url": api_url, "limit": limit}
        if state is not None:
            params["state"] = state.value
        if search:
            params["search"] = search
        if before_id is not None:
            params["before_id"] = before_id
        return [_capture(row) for row in await self._db.read(sql, params)]

    async def history(self, api_url: str, capture_row: int) -> Sequence[Row]:
        """Return what happened to one capture, oldest first: at, what, detail."""
        sql = """select h.at, h.what, h.detail from history h join capture c on c.id = h.capture_id
            where c.api_url = :api_url and c.id = :id order by h.id"""
        rows = await self._db.read(sql, {"api_url": api_url, "id": capture_row})
        return [{**row, "detail": json.loads(row["detail"])} for row in rows]

    async def resume(self, api_url: str, capture_row: int, who: str, why: str) -> bool:
        """Take a held mark away; the capture goes on from where it stands, now."""
        detail = json.dumps({"who": who, "why": why}, ensure_ascii=False)
        params = {"api_url": api_url, "id": capture_row, "detail": detail}
        return bool(await self._db((_RESUMED, params), (_RESUME, params)))

    async def wake_held(self, api_url: str, reason: str) -> int:
        """Look again at what is held for `reason`: its cause was mended for the whole shop."""
        params = {"api_url": api_url, "reason": reason}
        return len(await self._db((_WAKE_HELD, params)))

    async def busy(self, *, within_s: float) -> bool:
        """Tell whether anything runs or falls due within some seconds, in any shop."""
        sql = """select 1 as busy from capture
            where worker is not null or due_at <= :now + :within limit 1"""
        return bool(await self._db.read(sql, {"within": within_s}))

    async def counts(self, api_url: str) -> Mapping[str, int]:
        """Return how many captures are in each state, and `held`."""
        rows = await self._db.read(
            """select state, count(*) as n, sum(case when held is null then 0 else 1 end) as held
               from capture where api_url = :api_url group by state""",
            {"api_url": api_url},
        )
        return {row["state"]: row["n"] for row in rows} | {"held": sum(r["held"] for r in rows)}


_FLAGS = ("canceled", "without_tracking")
_MAPPINGS = ("held_detail", "waiting_detail")
_WRITABLE = frozenset(Capture.__dataclass_fields__) - {
    "id",
    "api_url",
    "order_id",
    "fulfillment_id",
    "fulfillment_created",
    "line",
    "account",
    "due_at",
    "worker",
    "attempts",
    "wakes",
    "created_at",
    "updated_at",
}


def _capture(row: Row) -> Capture:
    values = {name: row[name] for name in Capture.__dataclass_fields__}
    values["state"] = State(row["state"])
    for name in _FLAGS:
        values[name] = bool(row[name])
    for name in _MAPPINGS:
        values[name] = json.loads(row[name])
    values["tracking_sent"] = tuple(json.loads(row["tracking_sent"]))
    return Capture(**values)


def _written(columns: Mapping[str, Any]) -> dict[str, Any]:
    unknown = columns.keys() - _WRITABLE
    if unknown:
        raise ValueError(f"not columns that a run may write: {sorted(unknown)}")
    written = dict(columns)
    for name in written.keys() & set(_FLAGS):
        written[name] = int(written[name])
    for name in written.keys() & {*_MAPPINGS}:
        written[name] = json.dumps(dict(written[name]), ensure_ascii=False, default=str)
    if "tracking_sent" in written:
        entries = [dict(entry) for entry in written["tracking_sent"]]
        written["tracking_sent"] = json.dumps(entries, ensure_ascii=False)
    if "state" in written:
        written["state"] = State(written["state"]).value
    return written


_FENCE = "id = :id and attempts = :attempts and worker = :worker"


def _fence(capture: Capture) -> dict[str, Any]:
    return {"id": capture.id, "attempts": capture.attempts, "worker": capture.worker}


# The head of a line: who runs, then what is not held, then money before reports and tracking,
# then the oldest. Running first is what keeps the unique index from failing whole claims
# (durable-engine, section 3.1); the scalar subquery is fast without statistics (3.2).
_CLAIM = """with head as (
    select c.id from capture c
    where c.due_at is not null and c.due_at <= :now
      and c.id = (
        select e.id from capture e where e.line = c.line and e.due_at is not null
        order by (e.worker is not null) desc, (e.held is not null),
            (e.state in ('received', 'planned', 'sending')) desc, e.id
        limit 1)
      and not exists (
        select 1 from account_pause p where p.account = c.account and c.state <> 'captured')
    order by c.due_at limit :limit {lock})
update capture set worker = :worker, due_at = :now + :lease, attempts = attempts + 1
where id in (select id from head) returning *"""

_HISTORY_FENCED = f"""insert into history (capture_id, at, what, detail)
    select id, :now, :history_what, :history_detail from capture where {_FENCE}"""
_KEEP_GOING = f"""update capture set due_at = :now + :lease, updated_at = :now{{sets}}
    where {_FENCE} returning *"""
# The casts tell PostgreSQL the type of a parameter that may be null.
_LET_GO = f"""update capture set worker = null, updated_at = :now,
    due_at = case when wakes <> :wakes_seen then :now
                  else :now + cast(:due_in as double precision) end{{sets}}
    where {_FENCE} returning *"""

_BIND = """insert into binding
        (api_url, order_id, environment, merchant_id, kustom_order_id, how, bound_at)
    values (:api_url, :order_id, :environment, :merchant_id, :kustom_order_id, :how, :now)
    on conflict do nothing"""
_IS_BOUND = """select 1 as bound from binding
    where api_url = :api_url and order_id = :order_id and environment = :environment
      and merchant_id = :merchant_id and kustom_order_id = :kustom_order_id"""
_MOVE_LINE = f"""update capture set line = :line, account = :account
    where api_url = :api_url and order_id = :order_id and exists ({_IS_BOUND})"""

_SEARCH = """(order_number = :search or capture_id = :search or order_id = :search
    or fulfillment_id = :search or exists (select 1 from binding b
        where b.api_url = capture.api_url and b.order_id = capture.order_id
          and b.kustom_order_id = :search))"""

_RESUMED = """insert into history (capture_id, at, what, detail)
    select id, :now, 'resumed', :detail from capture
    where api_url = :api_url and id = :id and held is not null"""
_RESUME = """update capture set held = null, held_detail = '{}', waiting = 'resumed', failures = 0,
    wakes = wakes + 1, due_at = case when worker is null then :now else due_at end,
    updated_at = :now
    where api_url = :api_url and id = :id and held is not null returning id"""
_WAKE_HELD = """update capture set wakes = wakes + 1, updated_at = :now,
    due_at = case when worker is null then :now else due_at end
    where api_url = :api_url and held = :reason returning id"""
