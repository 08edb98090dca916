"""Two databases behind one call: statements in one transaction, rows of the last.

`await db((sql, params), ...)` commits before it returns. SQL is the same for both, with named
parameters (`:name`); `:now` is the database's own time in unix seconds, so that instances on
machines whose clocks differ agree on what is due. Settings and their reasons:
docs/databases.md.
"""

import asyncio
import functools
import re
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from saleor_kustom.errors import StoreUnavailable

Row = dict[str, Any]
Statement = tuple[str, Mapping[str, Any]]

#: No caller waits longer than this for a commit; what happened meanwhile is then unknown to it.
DEADLINE_S = 15.0


class Conflict(StoreUnavailable):
    """A unique constraint said no. Nothing of the transaction has happened."""


class Database(Protocol):
    """What the rest of the store sees of a database."""

    dialect: str
    tokens: Mapping[str, str]  # the few words that differ, for migrations and queries

    async def __call__(self, *statements: Statement) -> list[Row]:
        """Run statements in one transaction; return the rows of the last one.

        Raises Conflict for a unique constraint, StoreUnavailable for everything else.
        """

    async def read(self, sql: str, params: Mapping[str, Any] | None = None) -> list[Row]:
        """Run one query outside the writers' queue."""

    async def close(self) -> None:
        """Finish what was asked and close."""


class Sqlite:
    """One writer connection in one thread; all that waits goes into the next commit together.

    So many callers share one disk flush (durable-engine, sections 1 and 3.3). Reads have a
    connection and a thread of their own and never wait for a writer (WAL).
    """

    dialect = "sqlite"
    tokens: Mapping[str, str] = {
        "serial": "integer primary key",
        "blob": "blob",
        "lock": "",
        "real": "real",
    }
    _now = "((julianday('now') - 2440587.5) * 86400.0)"

    def __init__(self, path: str, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock
        self.path = path
        try:
            self._writer = _connect(path)
            self._reader = _connect(path)
        except sqlite3.Error as error:
            raise StoreUnavailable(f"SQLite can't open {path}: {error}") from error
        self._write_thread = ThreadPoolExecutor(1, "sqlite-writer")
        self._read_thread = ThreadPoolExecutor(1, "sqlite-reader")
        self._waiting: list[tuple[Sequence[Statement], asyncio.Future[list[Row]]]] = []
        self._pump_task: asyncio.Task[None] | None = None

    async def __call__(self, *statements: Statement) -> list[Row]:
        done: asyncio.Future[list[Row]] = asyncio.get_running_loop().create_future()
        self._waiting.append((statements, done))
        if self._pump_task is None or self._pump_task.done():
            self._pump_task = asyncio.create_task(self._pump())
        return await _in_time(done)

    async def read(self, sql: str, params: Mapping[str, Any] | None = None) -> list[Row]:
        loop = asyncio.get_running_loop()
        done = loop.run_in_executor(self._read_thread, self._query, sql, params or {})
        return await _in_time(done)

    async def close(self) -> None:
        if self._pump_task is not None:
            await asyncio.wait({self._pump_task}, timeout=DEADLINE_S)
        self._write_thread.shutdown(wait=True)
        self._read_thread.shutdown(wait=True)
        self._writer.close()
        self._reader.close()

    async def _pump(self) -> None:
        """Commit batch after batch. The list is swapped here, on the loop, never in the thread."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting, []
            asked = [statements for statements, _ in batch]
            results: list[list[Row] | Exception]
            try:
                results = await loop.run_in_executor(self._write_thread, self._commit, asked)
            except Exception as error:  # noqa: BLE001 - every caller must hear of it
                results = [StoreUnavailable(f"SQLite's writer failed: {error!r}")] * len(batch)
            for (_, done), result in zip(batch, results, strict=True):
                if done.done():  # its caller gave up
                    continue
                if isinstance(result, Exception):
                    done.set_exception(result)
                else:
                    done.set_result(result)

    def _commit(self, batch: list[Sequence[Statement]]) -> list[list[Row] | Exception]:
        """Run the batch in one transaction, a savepoint for each caller."""
        results: list[list[Row] | Exception] = []
        try:
            self._writer.execute("begin immediate")
            results.extend(self._one_caller(statements) for statements in batch)
            self._writer.execute("commit")
        except sqlite3.Error as error:
            # Not durable: none of them may be acknowledged.
            if self._writer.in_transaction:
                self._writer.execute("rollback")
            return [StoreUnavailable(f"SQLite did not commit: {error}")] * len(batch)
        return results

    def _one_caller(self, statements: Sequence[Statement]) -> list[Row] | Exception:
        self._writer.execute("savepoint one")
        rows: list[Row] = []
        try:
            for sql, params in statements:
                rows = self._run(self._writer, sql, params)
        except sqlite3.IntegrityError as error:
            self._back()
            return Conflict(str(error))
        except sqlite3.OperationalError as error:
            if not self._writer.in_transaction:  # disk full: SQLite rolled all of it back
                raise
            self._back()
            return StoreUnavailable(f"SQLite: {error}")
        except Exception as error:  # noqa: BLE001 - a bug of one caller must not fail the others
            self._back()
            return error
        self._writer.execute("release one")
        return rows

    def _back(self) -> None:
        self._writer.execute("rollback to one")
        self._writer.execute("release one")

    def _query(self, sql: str, params: Mapping[str, Any]) -> list[Row]:
        try:
            return self._run(self._reader, sql, params)
        except sqlite3.Error as error:
            raise StoreUnavailable(f"SQLite: {error}") from error

    def _run(
        self, connection: sqlite3.Connection, sql: str, params: Mapping[str, Any]
    ) -> list[Row]:
        if self._clock is not None:
            cursor = connection.execute(sql, {**params, "now": self._clock()})
        else:
            cursor = connection.execute(_with_now(sql, self._now), params)
        return [dict(row) for row in cursor.fetchall()]


class Postgres:
    """A pool of connections; single statements commit by themselves."""

    dialect = "postgresql"
    tokens: Mapping[str, str] = {
        "serial": "bigserial primary key",
        "blob": "bytea",
        "lock": "for update skip locked",
        "real": "double precision",
    }
    _now = "extract(epoch from clock_timestamp())::double precision"

    def __init__(
        self, url: str, clock: Callable[[], float] | None = None, *, size: int = 10
    ) -> None:
        try:
            from psycopg.rows import dict_row  # noqa: PLC0415 - an optional dependency
            from psycopg_pool import AsyncConnectionPool  # noqa: PLC0415
        except ImportError as error:
            raise StoreUnavailable(
                "PostgreSQL needs the extra: pip install 'saleor-kustom[postgres]'"
            ) from error
        self._clock = clock
        self.url = url
        self._pool = AsyncConnectionPool(
            url,
            min_size=1,
            max_size=size,
            open=False,
            timeout=DEADLINE_S,
            check=AsyncConnectionPool.check_connection if size > 1 else None,
            kwargs={
                "autocommit": True,
                "row_factory": dict_row,
                # What is acknowledged is on disk, whatever the server's default.
                "options": "-c synchronous_commit=on -c statement_timeout=14000",
            },
        )

    async def open(self) -> None:
        """Connect, or raise StoreUnavailable."""
        await self._guard(self._pool.open(wait=True, timeout=DEADLINE_S))

    async def __call__(self, *statements: Statement) -> list[Row]:
        rows: list[Row] = await self._guard(self._transaction(statements))
        return rows

    async def read(self, sql: str, params: Mapping[str, Any] | None = None) -> list[Row]:
        return await self((sql, params or {}))

    async def close(self) -> None:
        await self._pool.close()

    async def _transaction(self, statements: Sequence[Statement]) -> list[Row]:
        async with asyncio.timeout(DEADLINE_S), self._pool.connection() as connection:
            if len(statements) == 1:
                return await self._one(connection, *statements[0])
            rows: list[Row] = []
            async with connection.transaction():
                for sql, params in statements:
                    rows = await self._one(connection, sql, params)
            return rows

    async def _one(self, connection: Any, sql: str, params: Mapping[str, Any]) -> list[Row]:
        values = dict(params)
        if self._clock is not None:
            values["now"] = self._clock()
        else:
            sql = _with_now(sql, self._now)
        cursor = await connection.execute(_pyformat(sql), values)
        return await cursor.fetchall() if cursor.description else []

    async def _guard(self, work: Any) -> Any:
        import psycopg  # noqa: PLC0415 - an optional dependency
        import psycopg_pool  # noqa: PLC0415

        try:
            return await work
        except psycopg.errors.IntegrityError as error:
            raise Conflict(str(error)) from error
        except (psycopg.Error, psycopg_pool.PoolTimeout, TimeoutError, OSError) as error:
            raise StoreUnavailable(f"PostgreSQL: {error!r}") from error


async def open_database(url: str, clock: Callable[[], float] | None = None) -> Database:
    """Open `sqlite:///path` or `postgresql://…` (domain rule 31)."""
    if url.startswith("sqlite:///"):
        path = url.removeprefix("sqlite:///")
        _make_folder(path)
        return Sqlite(path, clock)
    database = Postgres(url, clock)
    await database.open()
    return database


def _make_folder(path: str) -> None:
    try:
        Path(path).absolute().parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(f"the folder of {path} can't be made: {error}") from error


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    for pragma in ("journal_mode=wal", "synchronous=full", "foreign_keys=on", "busy_timeout=10000"):
        connection.execute(f"pragma {pragma}")
    return connection


async def _in_time(done: "asyncio.Future[list[Row]]") -> list[Row]:
    try:
        async with asyncio.timeout(DEADLINE_S):
            return await asyncio.shield(done)
    except TimeoutError:
        done.add_done_callback(lambda late: late.cancelled() or late.exception())
        raise StoreUnavailable(f"the database did not answer within {DEADLINE_S:.0f} s") from None


@functools.lru_cache(maxsize=512)
def _with_now(sql: str, now: str) -> str:
    return re.sub(r"(?<![:\w]):now\b", now, sql)


@functools.lru_cache(maxsize=512)
def _pyformat(sql: str) -> str:
    return re.sub(r"(?<![:\w]):([a-z_]\w*)", r"%(\1)s", sql.replace("%", "%%"))


def wall_clock() -> float:
    """Return this machine's time in unix seconds: for what is shown, not for what is due."""
    return time.time()
