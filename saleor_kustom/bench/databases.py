"""Databases on a PostgreSQL server that are made for the benchmark and dropped after it."""

import contextlib
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

from saleor_kustom.errors import StoreUnavailable


@contextlib.contextmanager
def created(server_url: str) -> Iterator[str]:
    """Create a database, yield its URL, and drop it. No other database is touched.

    Raises StoreUnavailable when that can't be done.
    """
    name = f"kustom_bench_{uuid.uuid4().hex}"
    _run(server_url, f"create database {name} template template0")
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        _run(server_url, f"drop database if exists {name} with (force)")


def _run(server_url: str, sql: str) -> None:
    try:
        import psycopg  # noqa: PLC0415 - an extra
    except ImportError:
        raise StoreUnavailable(
            "PostgreSQL needs an extra: pip install 'saleor-kustom[postgres]'"
        ) from None
    try:
        with psycopg.connect(server_url, autocommit=True, connect_timeout=10) as connection:
            connection.execute(sql.encode())
    except psycopg.Error as error:
        raise StoreUnavailable(f"the benchmark's PostgreSQL: {error}") from error
