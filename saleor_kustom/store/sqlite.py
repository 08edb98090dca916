"""SQLite: one writer in one thread with group commit; reads beside it (durable-engine, 3.3)."""

import asyncio
import contextlib
import os
import queue
import sqlite3
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from saleor_kustom.errors import StoreUnavailable
from saleor_kustom.store.database import (
    DEADLINE_S,
    Clock,
    Conflict,
    Routine,
    Row,
    Statement,
    Written,
    storable,
    with_now,
)

_OLDEST = (3, 35)  # `returning`
_AGAIN_S = 0.01
_BUSY_MS = 10_000  # below the deadline, so that a busy database is told as such
_BATCH = 500  # callers in one commit; the rest goes into the next
_WAITING = 20_000  # more callers than this are turned away at once
_READERS = 4
_NOW = "((julianday('now') - 2440587.5) * 86400.0)"  # unixepoch('subsec') needs SQLite 3.42
_UNIQUE = ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY")

#: What executing a statement raises; the last two for parameters that it can't take.
_FAULTS = (sqlite3.Error, ValueError, OverflowError)

_Asked = tuple[Sequence[Statement], "asyncio.Future[list[Row]]"]
_Result = list[Row] | StoreUnavailable


class Sqlite:
    """All that waits while a commit runs goes into the next one and shares its disk flush.

    More writers would starve each other (durable-engine, section 1). Reads have connections of
    their own and never wait for the writer (WAL).
    """

    dialect = "sqlite"
    tokens: Mapping[str, str] = {
        "serial": "integer primary key",
        "blob": "blob",
        "real": "real",
        "lock": "",
        "postgresql": "--",  # the rest of the line is for PostgreSQL alone
        "hour_of_captured_at": "cast(captured_at / 3600 as integer)",  # cut off
    }

    def __init__(
        self,
        path: str,
        clock: Clock | None = None,
        *,
        deadline_s: float = DEADLINE_S,
        busy_ms: int = _BUSY_MS,
    ) -> None:
        self.path = path
        self._clock = clock
        self._deadline_s = deadline_s
        self._busy_ms = busy_ms
        self._writer: sqlite3.Connection | None = None
        self._readers: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        self._write_thread = ThreadPoolExecutor(1, "sqlite-writer")
        self._read_threads = ThreadPoolExecutor(_READERS, "sqlite-reader")
        self._waiting: list[_Asked] = []
        self._pump_task: asyncio.Task[None] | None = None
        self._closed = False
        self.written = Written()

    async def open(self) -> None:
        """Make the file if there is none, and connect. Raises StoreUnavailable."""
        if sqlite3.sqlite_version_info < _OLDEST:
            raise StoreUnavailable(
                f"this Python has SQLite {sqlite3.sqlite_version}; 3.35 or newer is needed "
                "(or PostgreSQL, see docs/databases.md)"
            )
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._write_thread, self._open)
        except (sqlite3.Error, OSError) as error:
            await self.close()
            raise StoreUnavailable(f"SQLite can't open {self.path}: {error}") from error

    async def __call__(self, *statements: Statement, deadline_s: float | None = None) -> list[Row]:
        if self._closed or len(self._waiting) >= _WAITING:
            why = "is closed" if self._closed else "has too many callers waiting"
            raise StoreUnavailable(f"SQLite {self.path} {why}")
        done: asyncio.Future[list[Row]] = asyncio.get_running_loop().create_future()
        self._waiting.append((statements, done))
        if self._pump_task is None:
            self._pump_task = asyncio.create_task(self._pump())
        # A caller that gives up cancels `done`; what was not begun for it is then left out.
        return await self._in_time(done, deadline_s)

    async def read(self, sql: str, params: Mapping[str, Any] | None = None) -> list[Row]:
        if self._closed:
            raise StoreUnavailable(f"SQLite {self.path} is closed")
        loop = asyncio.get_running_loop()
        done = loop.run_in_executor(self._read_threads, self._query, sql, params or {})
        return await self._in_time(done, None)

    def in_turn(self, *names: str | None) -> tuple[Statement, ...]:  # noqa: ARG002
        return ()  # there is one writer

    def routine(self, routine: Routine) -> tuple[str, ...]:
        return routine.statements

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._pump_task is not None:
            await asyncio.wait({self._pump_task}, timeout=self._deadline_s)
        hung = self._pump_task is not None
        self._read_threads.shutdown(wait=not hung)
        self._write_thread.shutdown(wait=not hung)
        if hung:
            return  # a thread still uses the connection; the process is about to end
        if self._writer is not None:
            self._writer.close()
        while not self._readers.empty():
            self._readers.get().close()

    async def _in_time(
        self, done: "asyncio.Future[list[Row]]", deadline_s: float | None
    ) -> list[Row]:
        deadline_s = deadline_s or self._deadline_s
        try:
            async with asyncio.timeout(deadline_s):
                return await done
        except TimeoutError:
            raise StoreUnavailable(f"SQLite did not answer within {deadline_s:.0f} s") from None

    async def _pump(self) -> None:
        """Commit batch after batch. The list is swapped here, on the loop, never in the thread."""
        batch: list[_Asked] = []
        try:
            while self._waiting:
                batch = [asked for asked in self._waiting[:_BATCH] if not asked[1].done()]
                del self._waiting[:_BATCH]
                for (_, done), result in zip(batch, await self._committed(batch), strict=True):
                    _tell(done, result)
                self.written.transactions += len(batch)
                self.written.commits += 1
        finally:
            self._pump_task = None
            stopped = StoreUnavailable("SQLite's writer was stopped")
            for _, done in (*batch, *self._waiting):  # none of them may wait for ever
                _tell(done, stopped)
            self._waiting.clear()

    async def _committed(self, batch: list[_Asked]) -> list[_Result]:
        loop = asyncio.get_running_loop()
        asked = [statements for statements, _ in batch]
        try:
            return await loop.run_in_executor(self._write_thread, self._commit, asked)
        except Exception as error:  # noqa: BLE001 - every caller must hear of it
            return [StoreUnavailable(f"SQLite's writer failed: {error!r}")] * len(batch)

    def _commit(self, batch: list[Sequence[Statement]]) -> list[_Result]:
        """Run the batch in one transaction."""
        try:
            writer = self._writer = self._writer or self._connect()
            writer.execute("begin immediate")
            results = self._all_callers(writer, batch)
            writer.execute("commit")
        except sqlite3.Error as error:
            # Not durable: none of them may be acknowledged.
            self._roll_back()
            return [StoreUnavailable(f"SQLite can't write {self.path}: {error}")] * len(batch)
        except BaseException:
            self._roll_back()
            raise
        return results

    def _all_callers(
        self, writer: sqlite3.Connection, batch: list[Sequence[Statement]]
    ) -> list[_Result]:
        """Run all callers' statements; only where one's fail, all again with a savepoint each.

        Savepoints cost a third of what most batches take, in which nobody's statement fails.
        """
        try:
            return [self._rows(writer, statements) for statements in batch]
        except _FAULTS:
            if not writer.in_transaction:  # a full disk: SQLite has rolled all of it back
                raise
            writer.execute("rollback")
            writer.execute("begin immediate")
        return [self._one_caller(writer, statements) for statements in batch]

    def _rows(self, writer: sqlite3.Connection, statements: Sequence[Statement]) -> list[Row]:
        rows: list[Row] = []
        for sql, params in statements:
            rows = self._run(writer, sql, params)
        return rows

    def _one_caller(self, writer: sqlite3.Connection, statements: Sequence[Statement]) -> _Result:
        """Run one caller's statements; its errors are its own, unless the transaction is gone."""
        writer.execute("savepoint one")
        try:
            rows = self._rows(writer, statements)
        except _FAULTS as error:
            if not writer.in_transaction:
                raise
            writer.execute("rollback to one")
            writer.execute("release one")
            return self._verdict(error)
        writer.execute("release one")
        return rows

    def _roll_back(self) -> None:
        """Leave no transaction open; a connection that can't do that is given up."""
        if self._writer is None:
            return
        try:
            if self._writer.in_transaction:
                self._writer.execute("rollback")
        except sqlite3.Error:
            with contextlib.suppress(sqlite3.Error):
                self._writer.close()
            self._writer = None  # the next batch connects again

    def _query(self, sql: str, params: Mapping[str, Any]) -> list[Row]:
        connection = self._readers.get()
        until = time.monotonic() + self._deadline_s
        # A query that nobody waits for any more must not keep its thread.
        connection.set_progress_handler(lambda: time.monotonic() > until, 100_000)
        try:
            return self._run(connection, sql, params)
        except _FAULTS as error:
            raise self._verdict(error) from error
        finally:
            self._readers.put(connection)

    def _verdict(self, error: Exception) -> StoreUnavailable:
        name = getattr(error, "sqlite_errorname", "")
        verdict = Conflict if name in _UNIQUE else StoreUnavailable
        return verdict(f"SQLite {self.path}: {error}")

    def _run(
        self, connection: sqlite3.Connection, sql: str, params: Mapping[str, Any]
    ) -> list[Row]:
        values = storable(params)
        if self._clock is None:
            sql = with_now(sql, _NOW)
        else:
            values = {**values, "now": self._clock()}
        return [dict(row) for row in connection.execute(sql, values).fetchall()]

    def _open(self) -> None:
        file = Path(self.path).absolute()
        file.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            # Orders and sealed secrets are nobody else's to read. Only a new file is opened
            # here: closing one that SQLite has open would drop its locks.
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        for path in (file, file.parent):  # its log stands beside it; a command would find out late
            if not os.access(path, os.W_OK):
                raise PermissionError(f"no permission to write {path}")
        self._writer = self._connect()
        for _ in range(_READERS):
            reader = self._connect()
            reader.execute("pragma query_only=on")
            self._readers.put(reader)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path,
            timeout=self._busy_ms / 1000,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.row_factory = sqlite3.Row
        self._use_wal(connection)
        for pragma in ("synchronous=full", "foreign_keys=on"):
            connection.execute(f"pragma {pragma}")
        return connection

    def _use_wal(self, connection: sqlite3.Connection) -> None:
        """Ask until it took: SQLite does not wait here where two open a new file at once."""
        until = time.monotonic() + self._busy_ms / 1000
        while True:
            try:
                connection.execute("pragma journal_mode=wal")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(_AGAIN_S)
            else:
                return


def _tell(done: "asyncio.Future[list[Row]]", result: _Result) -> None:
    if done.done():  # its caller gave up
        return
    if isinstance(result, StoreUnavailable):
        done.set_exception(result)
    else:
        done.set_result(result)
