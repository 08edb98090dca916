"""What must survive a crash: shops, accounts, deliveries, captures."""

import contextlib
import fcntl
from collections.abc import Callable, Iterator
from pathlib import Path

from saleor_kustom.errors import StoreUnavailable
from saleor_kustom.store.accounts import Accounts
from saleor_kustom.store.captures import Capture, Captures, LeaseLost
from saleor_kustom.store.database import Database, Sqlite, open_database
from saleor_kustom.store.deliveries import Deliveries
from saleor_kustom.store.migrate import migrate
from saleor_kustom.store.rate import Rate
from saleor_kustom.store.secrets import Secrets
from saleor_kustom.store.shops import Shops, StoredKeys

__all__ = ["Capture", "LeaseLost", "Store", "StoredKeys"]


class Store:
    """All repositories on one database."""

    def __init__(self, db: Database, secrets: Secrets) -> None:
        self._db = db
        self.shops = Shops(db, secrets)
        self.accounts = Accounts(db, secrets)
        self.deliveries = Deliveries(db)
        self.captures = Captures(db)
        self.rate = Rate(db)

    @classmethod
    async def open(
        cls, database_url: str, *, secret_key: str, clock: Callable[[], float] | None = None
    ) -> "Store":
        """Open the database and bring its schema up to date.

        `clock` (unix seconds) replaces the database's time. Raises StoreUnavailable.
        """
        db = await open_database(database_url, clock)
        try:
            await migrate(db)
        except BaseException:
            await db.close()
            raise
        return cls(db, Secrets(secret_key))

    async def close(self) -> None:
        """Finish what was asked and close."""
        await self._db.close()

    async def ping(self) -> None:
        """Raise StoreUnavailable when the database does not answer."""
        await self._db.read("select 1 as one")

    @contextlib.contextmanager
    def worker_lock(self) -> Iterator[None]:
        """Hold the worker's role. On SQLite only one process may (domain rule 30).

        The lock is the operating system's: it is free at once when its holder dies.
        Raises StoreUnavailable when another process holds it.
        """
        if not isinstance(self._db, Sqlite):
            yield
            return
        path = Path(f"{self._db.path}.worker-lock")
        with path.open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise StoreUnavailable(
                    f"another process works on {self._db.path}; SQLite serves one "
                    "(see docs/databases.md for several)"
                ) from error
            yield
