"""What is authorized and not captured yet, as last seen at Kustom."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from saleor_kustom.store.database import Database


@dataclass(frozen=True, slots=True)
class OpenAuthorization:
    """One order's authorization. Minor units; times in unix seconds."""

    api_url: str
    order_id: str
    order_number: str
    kustom_order_id: str
    currency: str
    remaining_minor: int
    expires_at: float
    problem: str | None = None  # why its time could not be extended
    seen_at: float = 0.0  # set by the database


class Authorizations:
    """Rows of `open_authorization`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def get(self, api_url: str, order_id: str) -> OpenAuthorization | None:
        """Return what was seen of an order, or None."""
        rows = await self._db.read(_GET, {"api_url": api_url, "order_id": order_id})
        return OpenAuthorization(**rows[0]) if rows else None

    async def put(self, seen: OpenAuthorization) -> None:
        """Keep what was seen just now."""
        await self._db((_PUT, asdict(seen)))

    async def expiring(self, api_url: str, before: float) -> Sequence[OpenAuthorization]:
        """Return those with something left that expire before a time (unix seconds), next first."""
        rows = await self._db.read(_EXPIRING, {"api_url": api_url, "before": before})
        return [OpenAuthorization(**row) for row in rows]


_COLUMNS = """api_url, order_id, order_number, kustom_order_id, currency, remaining_minor,
    expires_at, problem, seen_at"""
_GET = f"""select {_COLUMNS} from open_authorization
    where api_url = :api_url and order_id = :order_id"""
_PUT = f"""insert into open_authorization ({_COLUMNS})
    values (:api_url, :order_id, :order_number, :kustom_order_id, :currency, :remaining_minor,
        :expires_at, :problem, :now)
    on conflict (api_url, order_id) do update set order_number = excluded.order_number,
        kustom_order_id = excluded.kustom_order_id, currency = excluded.currency,
        remaining_minor = excluded.remaining_minor, expires_at = excluded.expires_at,
        problem = excluded.problem, seen_at = excluded.seen_at"""
_EXPIRING = f"""select {_COLUMNS} from open_authorization
    where api_url = :api_url and expires_at <= :before and remaining_minor > 0
    order by expires_at, order_id"""
