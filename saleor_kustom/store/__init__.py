"""What must survive a crash: shops, accounts, deliveries, captures."""

import contextlib
from collections.abc import Iterator

from saleor_kustom.store.accounts import Accounts, Kept
from saleor_kustom.store.authorizations import Authorizations, OpenAuthorization
from saleor_kustom.store.by_hand import ByHand
from saleor_kustom.store.capture_row import RESUMED, Capture
from saleor_kustom.store.captures import Captures, LeaseLost
from saleor_kustom.store.copying import copy, refuse_moved
from saleor_kustom.store.database import Clock, Database, Written
from saleor_kustom.store.deliveries import Deliveries
from saleor_kustom.store.erasing import Erased, Erasing, StillOpen
from saleor_kustom.store.finding import Status, Wanted
from saleor_kustom.store.hints import Hint, Hints, KustomWebhooks
from saleor_kustom.store.history import History
from saleor_kustom.store.link_row import Link
from saleor_kustom.store.link_tokens import LinkTokens
from saleor_kustom.store.links import Holder, Links
from saleor_kustom.store.looking import Looking, Period
from saleor_kustom.store.meta import Meta
from saleor_kustom.store.migrate import migrate
from saleor_kustom.store.numbers import Numbers, read_numbers
from saleor_kustom.store.opening import open_database
from saleor_kustom.store.operations import Operations
from saleor_kustom.store.outside import OutsideRows, SeenOutside
from saleor_kustom.store.overview import Overview, Queue, Sum
from saleor_kustom.store.pauses import Pause, Pauses, Scope
from saleor_kustom.store.policies import Chosen, Policies
from saleor_kustom.store.rate import Rate
from saleor_kustom.store.secrets import Secrets, check_key, rotate
from saleor_kustom.store.shops import Shops, StoredKeys
from saleor_kustom.store.sqlite import Sqlite
from saleor_kustom.store.worker_lock import worker_lock

__all__ = [
    "RESUMED",
    "Capture",
    "Chosen",
    "Erased",
    "Hint",
    "Holder",
    "Kept",
    "LeaseLost",
    "Link",
    "Numbers",
    "OpenAuthorization",
    "Overview",
    "Pause",
    "Period",
    "Queue",
    "Scope",
    "SeenOutside",
    "Status",
    "StillOpen",
    "Store",
    "StoredKeys",
    "Sum",
    "Wanted",
    "copy",
]


class Store:
    """All repositories on one database."""

    def __init__(self, db: Database, secrets: Secrets) -> None:
        self._db = db
        self._secrets = secrets
        self.shops = Shops(db, secrets)
        self.accounts = Accounts(db, secrets)
        self.deliveries = Deliveries(db)
        self.captures = Captures(db)
        self.operations = Operations(db)
        self.history = History(db)
        self.pauses = Pauses(db)
        self.looking = Looking(db)
        self.by_hand = ByHand(db)
        self.policies = Policies(db)
        self.rate = Rate(db)
        self.meta = Meta(db)
        self.erasing = Erasing(db)
        self.authorizations = Authorizations(db)
        self.outside = OutsideRows(db)
        self.kustom_webhooks = KustomWebhooks(db)
        self.hints = Hints(db)
        self.links = Links(db)
        self.link_tokens = LinkTokens(db)
        self.overview = Overview(db)

    @classmethod
    async def open(
        cls,
        database_url: str,
        *,
        secret_key: str,
        previous_key: str = "",
        clock: Clock | None = None,
    ) -> "Store":
        """Open the database, bring its schema up to date and check that the key is its own.

        `previous_key` still opens what it sealed. `clock` (unix seconds) replaces the database's
        time. Raises StoreUnavailable.
        """
        secrets = Secrets(*filter(None, (secret_key, previous_key)))
        db = await open_database(database_url, clock)
        try:
            await migrate(db)
            await refuse_moved(db)
            await check_key(db, secrets)
        except BaseException:
            await db.close()
            raise
        return cls(db, secrets)

    async def close(self) -> None:
        """Finish what was asked and close."""
        await self._db.close()

    @property
    def written(self) -> Written:
        """Return how often this process had the database write."""
        return self._db.written

    async def rotate_secrets(self) -> int:
        """Seal anew with the present key what the previous one sealed; return how many."""
        return await rotate(self._db, self._secrets)

    async def ping(self) -> None:
        """Raise StoreUnavailable when the database does not answer."""
        await self._db.read("select 1 as one")

    async def numbers(self) -> Numbers:
        """Return the queue in numbers, over all shops. Raises StoreUnavailable."""
        return await read_numbers(self._db)

    @contextlib.contextmanager
    def worker_lock(self) -> Iterator[None]:
        """Hold the worker's role. On SQLite only one process may (domain rule 30).

        The lock is the operating system's: it is free at once when its holder dies.
        Raises StoreUnavailable when another process holds it.
        """
        if isinstance(self._db, Sqlite):
            with worker_lock(self._db.path):
                yield
        else:
            yield
