"""What an operation costs when the table is large: claim, list, search, and a page's numbers.

The rows of a thousand shops are written by SQL: all but a few are done, which is what time makes
of a table. Each size is measured in a process of its own, so that its memory is its own.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any

from saleor_kustom.bench.child import BenchmarkError, Talk, begin, child
from saleor_kustom.bench.stage import Stage, median
from saleor_kustom.store import Store, Wanted
from saleor_kustom.store.database import Statement
from saleor_kustom.store.finding import Status

SHOPS = 1000
#: Open at any time, however much is done: due, and held.
_DUE, _HELD = 400, 100
_WORKER = "the benchmark"


def measure(stage: Stage) -> list[dict[str, Any]]:
    """Return milliseconds of each operation, by database and rows."""
    sizes = (1000, 5000) if stage.quick else (1000, 100_000, 1_000_000)
    rows = []
    for engine in stage.engines:
        for size in sizes:
            with stage.database(engine, shop_url(0)) as settings:
                rows.append(_at(stage, engine, size, settings))
    return rows


def _at(stage: Stage, engine: str, size: int, settings: dict[str, Any]) -> dict[str, Any]:
    given = {
        "url": settings["database_url"],
        "secret_key": settings["secret_key"],
        "rows": size,
        "times": stage.of(40, 3),
    }
    with child("scale", **given) as made:
        row = {
            "database": engine,
            "rows": size,
            **made.ask()["ms"],
            "memory_mb": round(made.memory_mb(peak=True)),
        }
    stage.tell(f"scale {engine} {size} rows: {row}")
    return row


def shop_url(number: int) -> str:
    """Return a shop's API URL; every second row is of shop 0."""
    return f"http://shop-{number}.bench/graphql/"


async def main(given: dict[str, Any], talk: Talk) -> None:
    """Fill the database, then measure when asked."""
    store = await Store.open(given["url"], secret_key=given["secret_key"])
    await _fill(store, given["rows"])
    talk.say(ready=True)
    while await talk.heard() is not None:
        talk.say(ms=await _measured(store, given["rows"], given["times"]))
    await store.close()


async def _measured(store: Store, rows: int, times: int) -> dict[str, float]:
    spent: dict[str, list[float]] = {}
    operations = _Operations(store, rows).by_name()
    for turn in range(times):
        for name, operation in operations.items():
            began = time.perf_counter()
            await operation(turn)
            spent.setdefault(name, []).append((time.perf_counter() - began) * 1000)
    return {name: median(taken) for name, taken in spent.items()}


class _Operations:
    """What a worker and a merchant's pages do, each with the turn that it is done in."""

    def __init__(self, store: Store, rows: int) -> None:
        self._store = store
        self._rows = rows
        self._url = shop_url(0)

    def by_name(self) -> dict[str, Callable[[int], Awaitable[Any]]]:
        """Return all of them."""
        return {
            "claim": self._claim,
            "list": self._list,
            "by_status": self._by_status,
            "search": self._search,
            "page_numbers": self._page_numbers,
            "metrics": self._metrics,
            "of_order": self._of_order,
        }

    async def _claim(self, _turn: int) -> None:
        if len(await self._store.captures.claim(_WORKER, 1, 60.0)) != 1:
            raise BenchmarkError("a due capture was not claimed")

    async def _list(self, _turn: int) -> None:
        page = await self._store.captures.list(self._url, Wanted(limit=50))
        await self._store.captures.list(self._url, Wanted(limit=50, before_id=page[-1].id))

    async def _by_status(self, _turn: int) -> None:
        for status in (Status.CAPTURED, Status.HELD, Status.WAITING):
            await self._store.captures.list(self._url, Wanted(status=status, limit=50))

    async def _search(self, turn: int) -> None:
        row = self._rows - 2 * turn
        for term in (f"N{row}", f"Capture-{row}", f"Kustom-{row}"):
            if not await self._store.captures.list(self._url, Wanted(search=term)):
                raise BenchmarkError(f"{term} was not found")

    async def _page_numbers(self, _turn: int) -> None:
        url, overview = self._url, self._store.overview
        await overview.captured(url, int(time.time() // 3600) - 24 * 31)
        await overview.held(url)
        await overview.at_risk(url, time.time() + 7 * 86400)
        await overview.queue(url)
        await overview.channels(url)
        await overview.held_parcels(url)

    async def _metrics(self, _turn: int) -> None:
        await self._store.numbers()

    async def _of_order(self, turn: int) -> None:
        await self._store.captures.of_order(self._url, f"Order-{2 * turn + 2}")


async def _fill(store: Store, rows: int) -> None:
    """Write the rows. By SQL, since the worker would take hours for a million."""
    db = store._db  # noqa: SLF001 - nothing but this fills a database
    params = {"rows": rows, "shops": SHOPS, "due": _DUE, "held": _DUE + _HELD}
    postgresql = db.dialect == "postgresql"
    patient: list[Statement] = [("set local statement_timeout = 0", {})] if postgresql else []
    for sql in (_CAPTURES, _BINDINGS, _HOURS):
        await db(*patient, (sql, params), deadline_s=3600.0)
    if postgresql:
        await db(*patient, ("analyze", {}), deadline_s=3600.0)


_NUMBERED = """with recursive numbered (n) as (
    select 1 union all select n + 1 from numbered where n < cast(:rows as integer))"""
_SHOP = """'http://shop-' || case when n % 2 = 0 then 0 else n % cast(:shops as integer) end
    || '.bench/graphql/'"""
_STATE = "case when n <= cast(:held as integer) then 'received' else 'reported' end"
_CAPTURES = f"""insert into capture (api_url, order_id, fulfillment_id, fulfillment_created,
        order_number, fulfillment_number, channel, currency, line, account, state, held, due_at,
        plan, idempotency_key, amount_minor, worth_minor, capture_id, captured_at, reported_at,
        created_at, updated_at)
    {_NUMBERED} select {_SHOP}, 'Order-' || n, 'Fulfillment-' || n, '2026-01-01', 'N' || n, 1,
        case when n % 4 < 2 then 'se' else 'no' end, 'SEK', 'playground/PM1/Kustom-' || n,
        'playground/PM1', {_STATE},
        case when n > cast(:due as integer) and n <= cast(:held as integer)
            then 'refused_by_kustom' end,
        case when n <= cast(:due as integer) then :now - n end,
        '{{}}', 'key', 30000, 30000,
        case when n > cast(:held as integer) then 'Capture-' || n end,
        case when n > cast(:held as integer) then :now - 3600 * (n % 700) end, :now,
        :now - cast(:rows as integer) + n, :now
    from numbered"""
_BINDINGS = f"""insert into binding
        (api_url, order_id, environment, merchant_id, kustom_order_id, how, bound_at)
    {_NUMBERED} select {_SHOP}, 'Order-' || n, 'playground', 'PM1', 'Kustom-' || n, 'bench', :now
    from numbered"""
_HOURS = """insert into captured_hour (api_url, hour, currency, captures, amount_minor)
    select api_url, cast(captured_at / 3600 as bigint), currency, count(*), sum(amount_minor)
    from capture where captured_at is not null and cast(:rows as integer) > 0
    group by 1, 2, 3"""


if __name__ == "__main__":
    begin(main)
