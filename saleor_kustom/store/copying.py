"""Move everything from SQLite to PostgreSQL, once, as it is: nothing lost, nothing doubled.

The source is locked against every worker and writer meanwhile, and marked as moved afterwards,
so that two installations can't both capture from the same ledger.
"""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from saleor_kustom.errors import StoreUnavailable
from saleor_kustom.store.database import Database
from saleor_kustom.store.migrate import migrate
from saleor_kustom.store.opening import open_database, path_of
from saleor_kustom.store.secrets import Secrets, check_key
from saleor_kustom.store.worker_lock import worker_lock

#: Told of each table: its name, and how many of its rows are copied so far.
Progress = Callable[[str, int], None]

#: Every table, those that others refer to first.
TABLES = (
    *("shop", "installation", "account", "channel_account", "pause", "delivery", "binding"),
    *("capture", "history", "rate", "meta", "open_authorization", "policy", "captured_hour"),
    *("link", "link_token"),
)
_COUNTED = ("capture", "history", "link")  # their ids go on from the highest
_PORTION = 1000
_MOVED = "moved"


async def copy(
    source_url: str, target_url: str, secret_key: str, progress: Progress = lambda _table, _n: None
) -> int:
    """Copy all rows from a SQLite database to an empty PostgreSQL one; return how many.

    Stop `serve` first: the source's worker lock is taken. The SECRET_KEY stays the same.
    Raises StoreUnavailable; nothing has been copied then.
    """
    path = path_of(source_url)
    if not target_url.startswith(("postgresql://", "postgres://")):
        raise StoreUnavailable("the target is to be postgresql://…")
    with worker_lock(path):
        await _prepare(source_url, secret_key)
        await _prepare(target_url, secret_key)
        return await asyncio.to_thread(_move, path, target_url, progress)


async def refuse_moved(db: Database) -> None:
    """Raise StoreUnavailable for a database that was copied away."""
    rows = await db.read("select value from meta where name = :name", {"name": _MOVED})
    if rows:
        raise StoreUnavailable(
            f"this database was moved to {rows[0]['value']} and must not be used any more"
        )


async def _prepare(url: str, secret_key: str) -> None:
    """Bring a schema up to date, and refuse a database that is not to be copied."""
    db = await open_database(url)
    try:
        await migrate(db)
        await refuse_moved(db)
        await check_key(db, Secrets(secret_key))
    finally:
        await db.close()


def _move(path: str, target_url: str, progress: Progress) -> int:
    """Copy in one transaction of the target, under the source's write lock. Blocking."""
    import psycopg  # noqa: PLC0415 - an optional dependency

    try:
        with _source(path) as source, psycopg.connect(target_url) as target:
            _refuse_rows(target)
            copied = sum(_copy_table(source, target, table, progress) for table in TABLES)
            for table in _COUNTED:
                target.execute(_count_on(table))
            target.commit()
            _mark_moved(source, target_url)
    except (psycopg.Error, sqlite3.Error) as error:
        raise StoreUnavailable(f"nothing was copied: {error}") from error
    return copied


@contextlib.contextmanager
def _source(path: str) -> Iterator[sqlite3.Connection]:
    """Hold the source: nobody else writes to it until this ends."""
    connection = sqlite3.connect(path, timeout=10.0, isolation_level=None)
    try:
        connection.execute("pragma synchronous=full")
        connection.execute("begin immediate")
        yield connection
    finally:
        connection.close()


def _refuse_rows(target: Any) -> None:
    target.execute(f"lock table {', '.join(TABLES)} in exclusive mode")
    for table in TABLES:
        if target.execute(f"select 1 from {table} limit 1").fetchone():
            raise StoreUnavailable(f"the target is not empty: it has rows in {table!r}")


def _copy_table(source: sqlite3.Connection, target: Any, table: str, progress: Progress) -> int:
    rows = source.execute(f"select * from {table}")
    columns = ", ".join(f'"{column[0]}"' for column in rows.description)
    copied = 0
    with target.cursor().copy(f"copy {table} ({columns}) from stdin") as out:
        while portion := rows.fetchmany(_PORTION):
            for row in portion:
                out.write_row(row)
            copied += len(portion)
            progress(table, copied)
    return copied


def _count_on(table: str) -> str:
    return f"""select setval(pg_get_serial_sequence('{table}', 'id'),
        coalesce(max(id), 0) + 1, false) from {table}"""


def _mark_moved(source: sqlite3.Connection, target_url: str) -> None:
    parts = urlsplit(target_url)  # without its password
    where = f"postgresql://{parts.hostname or ''}{parts.path}"
    source.execute(
        "insert into meta (name, value, at) values (?, ?, ?)", (_MOVED, where, time.time())
    )
    source.execute("commit")
