"""Which database a URL names."""

from saleor_kustom.errors import StoreUnavailable
from saleor_kustom.store.database import Clock, Database
from saleor_kustom.store.sqlite import Sqlite

_SQLITE = "sqlite:///"
_POSTGRESQL = ("postgresql://", "postgres://")


async def open_database(url: str, clock: Clock | None = None) -> Database:
    """Open `sqlite:///path` or `postgresql://…` (domain rule 31). Raises StoreUnavailable."""
    if url.startswith(_SQLITE):
        sqlite = Sqlite(path_of(url), clock)
        await sqlite.open()
        return sqlite
    if url.startswith(_POSTGRESQL):
        from saleor_kustom.store.postgres import Postgres  # noqa: PLC0415 - needs an extra

        postgres = Postgres(url, clock)
        await postgres.open()
        return postgres
    scheme = url.partition(":")[0]
    raise StoreUnavailable(f"{scheme!r} is neither sqlite:///path nor postgresql://…")


def path_of(url: str) -> str:
    """Return the file that a SQLite URL names; three slashes are relative, four absolute."""
    path = url.removeprefix(_SQLITE)
    if not path or path.startswith(":"):
        raise StoreUnavailable("SQLite needs a file: sqlite:///path")
    return path
