"""PostgreSQL through psycopg: a pool, durable commits, and a deadline on everything."""

import asyncio
import functools
import re
import select
from collections.abc import Mapping, Sequence
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
    turn_of,
    with_now,
)

try:
    import psycopg
    import psycopg_pool
    from psycopg.rows import dict_row
except ImportError as missing:  # an optional dependency
    raise StoreUnavailable(
        "PostgreSQL needs an extra: pip install 'saleor-kustom[postgres]'"
    ) from missing

#: Stable within a statement, unlike clock_timestamp(): a volatile function can't bound an index
#: scan, so each claim would read every open row. It is the statement's time, not the
#: transaction's.
_NOW = "extract(epoch from statement_timestamp())::double precision"

_MAY_MAKE_FUNCTIONS = """select has_database_privilege(current_database(), 'temporary') as may,
    quote_ident(current_database()) as name, quote_ident(current_user) as role"""

#: One lock for a name, whether a transaction takes it or a routine.
_TURN = "pg_advisory_xact_lock(hashtextextended({}, 0))"

_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]\w*)")

#: What is acknowledged is on disk, whatever the server's default; queries are written for read
#: committed; nobody holds a lock for longer than our callers wait. Queries of the queue want the
#: first few rows in an index's order: without statistics a bitmap looks cheaper, and reads all.
_SETTINGS = {
    "synchronous_commit": "on",
    "default_transaction_isolation": r"read\ committed",
    "statement_timeout": "14s",
    "idle_in_transaction_session_timeout": "20s",
    "enable_bitmapscan": "off",
}


class Postgres:
    """A pool of connections; a single statement commits by itself."""

    dialect = "postgresql"
    tokens: Mapping[str, str] = {
        "serial": "bigserial primary key",
        "blob": "bytea",
        "real": "double precision",
        "lock": "for update skip locked",
        "postgresql": "",
        "hour_of_captured_at": "cast(floor(captured_at / 3600) as bigint)",  # a cast rounds
    }

    def __init__(
        self,
        url: str,
        clock: Clock | None = None,
        *,
        size: int = 10,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._clock = clock
        self._deadline_s = deadline_s
        self._running: set[asyncio.Task[list[Row]]] = set()
        self._connect: dict[str, Any] = {
            "autocommit": True,
            "row_factory": dict_row,
            "application_name": "saleor-kustom",
            "connect_timeout": 5,
            "keepalives_idle": 15,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 15_000,
            "options": " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items()),
        }
        self.written = Written()
        self._functions: dict[str, str] = {}  # call → what makes it in a connection
        self._url = url
        self._pool = psycopg_pool.AsyncConnectionPool(
            url,
            min_size=min(2, size),
            max_size=size,
            open=False,
            timeout=deadline_s,
            check=_refuse_closed,
            kwargs=self._connect,
        )

    async def open(self) -> None:
        """Connect. Raises StoreUnavailable that says what is wrong, at once."""
        try:
            # The pool would try again and again and then only say that it timed out.
            first = await psycopg.AsyncConnection.connect(self._url, **self._connect)
            async with first:
                cursor = await first.execute(_MAY_MAKE_FUNCTIONS)
                [may] = await cursor.fetchall()
            if not may["may"]:
                raise StoreUnavailable(
                    "PostgreSQL: the role may make no temporary functions, and deliveries need "
                    f"one: grant temporary on database {may['name']} to {may['role']}"
                )
            await self._pool.open(wait=True, timeout=self._deadline_s)
        except (psycopg.Error, OSError) as error:
            await self._pool.close()
            raise _verdict(error) from error
        except StoreUnavailable:
            await self._pool.close()
            raise

    async def __call__(self, *statements: Statement, deadline_s: float | None = None) -> list[Row]:
        self.written.transactions += 1
        self.written.commits += 1
        return await self._in_time(statements, deadline_s)

    async def _in_time(
        self, statements: Sequence[Statement], deadline_s: float | None
    ) -> list[Row]:
        # A task of its own, so that a server that does not even answer a cancellation can't
        # hold the caller beyond its deadline.
        task = asyncio.create_task(self._transaction(statements))
        self._running.add(task)
        task.add_done_callback(self._finished)
        deadline_s = deadline_s or self._deadline_s
        try:
            done, _ = await asyncio.wait({task}, timeout=deadline_s)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if not done:
            task.cancel()
            raise StoreUnavailable(f"PostgreSQL did not answer within {deadline_s:.0f} s")
        try:
            return task.result()
        except (psycopg.Error, OSError, ValueError) as error:
            raise _verdict(error) from error

    async def read(self, sql: str, params: Mapping[str, Any] | None = None) -> list[Row]:
        return await self._in_time(((sql, params or {}),), None)

    def in_turn(self, *names: str | None) -> tuple[Statement, ...]:
        lock = _TURN.format("cast(:name as text)")
        return ((f"select {lock}", {"name": turn_of(*names)}),)

    def routine(self, routine: Routine) -> tuple[str, ...]:
        call, made_by = _function(routine)
        self._functions[call] = made_by
        return (call,)

    async def close(self) -> None:
        if self._running:
            await asyncio.wait(self._running, timeout=self._deadline_s)
        await self._pool.close()

    def _finished(self, task: "asyncio.Task[list[Row]]") -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # of one that nobody waits for any more

    async def _transaction(self, statements: Sequence[Statement]) -> list[Row]:
        async with self._pool.connection() as connection:
            try:
                if len(statements) == 1:
                    return await _rows(await self._execute_one(connection, *statements[0]))
                # No pipeline: an instance that stands still in the middle of one would hold its
                # locks for ever, since PostgreSQL counts that neither as a running statement nor
                # as idle (tests/processes/test_three_instances.py).
                async with connection.transaction():
                    for sql, params in statements:
                        cursor = await self._execute(connection, sql, params)
                return await _rows(cursor)
            except psycopg.errors.ReadOnlySqlTransaction:
                # The session stays so when the server no longer is: the next caller gets another.
                await connection.close()
                raise

    async def _execute_one(self, connection: Any, sql: str, params: Mapping[str, Any]) -> Any:
        try:
            return await self._execute(connection, sql, params)
        except (psycopg.errors.UndefinedFunction, psycopg.errors.InvalidSchemaName):
            if sql not in self._functions:
                raise
        # The connection is new. In one transaction, for a pooler may use another for each.
        async with connection.transaction():
            await connection.execute(self._functions[sql])
            return await self._execute(connection, sql, params)

    async def _execute(self, connection: Any, sql: str, params: Mapping[str, Any]) -> Any:
        values = storable(params)
        if sql in self._functions:
            values = {**values, "moment": None if self._clock is None else self._clock()}
        elif self._clock is None:
            sql = with_now(sql, _NOW)
        else:
            values = {**values, "now": self._clock()}
        return await connection.execute(_pyformat(sql), values)


async def _rows(cursor: Any) -> list[Row]:
    return await cursor.fetchall() if cursor.description else []


async def _refuse_closed(connection: Any) -> None:
    """Raise for a connection that the server has closed, without asking the server.

    Nothing is to be read from an idle connection, unless it ended. After a restart of the
    server all connections of the pool are so replaced before anybody's statement meets them.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        await connection.close()  # or the pool would take it for a good one, again and again
        raise psycopg.OperationalError("the server closed the connection")


def _verdict(error: Exception) -> StoreUnavailable:
    verdict = Conflict if isinstance(error, psycopg.errors.UniqueViolation) else StoreUnavailable
    # The primary message alone: the detail would quote the row.
    said = getattr(getattr(error, "diag", None), "message_primary", None) or str(error)
    return verdict(f"PostgreSQL: {said.strip()} ({type(error).__name__})")


def _function(routine: Routine) -> tuple[str, str]:
    """Return a routine's call and what makes it: one round trip, where six would be.

    Each statement in a function sees what others committed before it, so the turn is taken within.
    It is the connection's own, for versions of the app that run side by side.
    """
    names = (*routine.types, "moment")
    types = [*routine.types.values(), "double precision"]
    places = {name: f"${at}" for at, name in enumerate(names, 1)}

    def placed(sql: str) -> str:
        return _PARAMETER.sub(lambda found: places[found[1]], with_now(sql, "moment"))

    *first, last = map(placed, routine.statements)
    made_by = f"""create or replace function pg_temp.{routine.name}({", ".join(types)})
        returns setof integer language plpgsql as $function$
        declare moment double precision;
        begin
            perform {_TURN.format(places["turn"])};
            moment := coalesce({places["moment"]}, extract(epoch from clock_timestamp()));
            {"; ".join(first)};
            return query {last};
        end $function$"""
    given = ", ".join(f"cast(:{name} as {type_})" for name, type_ in routine.types.items())
    call = f"""select {routine.returns} from
        pg_temp.{routine.name}({given}, cast(:moment as double precision)) as {routine.returns}"""
    return call, made_by


@functools.lru_cache(maxsize=512)
def _pyformat(sql: str) -> str:
    return _PARAMETER.sub(r"%(\1)s", sql.replace("%", "%%"))
