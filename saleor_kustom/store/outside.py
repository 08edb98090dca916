"""What happened at Kustom that this app did not do, so that each is told to Saleor once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from saleor_kustom.capture.outside import Kind, Outside
from saleor_kustom.store.database import Database, Row, Statement

#: Disputes are known from hints alone, which prove nothing: no more rows than this an order.
MOST_DISPUTES = 5


@dataclass(frozen=True, slots=True)
class SeenOutside:
    """One row. Times in unix seconds, amount in minor units of `currency`."""

    api_url: str
    order_id: str
    what: Outside
    currency: str
    seen_at: float
    reported_at: float | None
    problem: str | None


class OutsideRows:
    """Rows of `outside`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def of_order(self, api_url: str, order_id: str) -> Sequence[SeenOutside]:
        """Return what was seen of an order, in the order in which it was."""
        params = {"api_url": api_url, "order_id": order_id}
        return [_seen(row) for row in await self._db.read(_OF_ORDER, params)]

    async def newest(self, api_url: str, *, limit: int = 50) -> Sequence[SeenOutside]:
        """Return what was seen in a shop, newest first."""
        rows = await self._db.read(_NEWEST, {"api_url": api_url, "limit": limit})
        return [_seen(row) for row in rows]

    async def see(
        self, api_url: str, order_id: str, currency: str, happened: Sequence[Outside]
    ) -> None:
        """Keep what was seen; what is kept already stays as it is."""
        if happened:
            made = [_see(api_url, order_id, currency, one) for one in happened]
            await self._db(*self._db.in_turn(api_url, order_id), *made)

    async def dispute(self, api_url: str, order_id: str, dispute_id: str) -> bool:
        """Keep that a hint named a dispute; False: it is kept already, or there are too many."""
        params = {"api_url": api_url, "order_id": order_id, "kustom_id": dispute_id}
        turn = self._db.in_turn(api_url, order_id)
        return bool(await self._db(*turn, (_DISPUTE, params | {"most": MOST_DISPUTES})))

    async def told(self, api_url: str, order_id: str, one: Outside) -> None:
        """Keep that Saleor took it."""
        await self._db((_TOLD, _named(api_url, order_id, one)))

    async def not_told(self, api_url: str, order_id: str, one: Outside, problem: str) -> None:
        """Keep why Saleor was not told."""
        await self._db((_NOT_TOLD, _named(api_url, order_id, one) | {"problem": problem[:500]}))


def _named(api_url: str, order_id: str, one: Outside) -> dict[str, str]:
    return {
        "api_url": api_url,
        "order_id": order_id,
        "kind": one.kind.value,
        "kustom_id": one.kustom_id,
    }


def _see(api_url: str, order_id: str, currency: str, one: Outside) -> Statement:
    happened_at = one.happened_at.timestamp() if one.happened_at else None
    params = {
        **_named(api_url, order_id, one),
        "amount_minor": one.amount_minor,
        "currency": currency,
        "happened_at": happened_at,
    }
    return (_SEE, params)


def _seen(row: Row) -> SeenOutside:
    at = row["happened_at"]
    what = Outside(
        kind=Kind(row["kind"]),
        kustom_id=row["kustom_id"],
        amount_minor=row["amount_minor"],
        happened_at=None if at is None else datetime.fromtimestamp(at, UTC),
        told=row["reported_at"] is not None,
    )
    kept = {name: row[name] for name in SeenOutside.__dataclass_fields__ if name != "what"}
    return SeenOutside(what=what, **kept)


_OF_ORDER = """select * from outside where api_url = :api_url and order_id = :order_id
    order by number"""
_NEWEST = """select * from outside where api_url = :api_url
    order by seen_at desc, number desc limit :limit"""
_NUMBER = """(select count(*) from outside
        where api_url = :api_url and order_id = :order_id)"""
_SEE = f"""insert into outside (api_url, order_id, kind, kustom_id, amount_minor, currency,
        happened_at, seen_at, number)
    values (:api_url, :order_id, :kind, :kustom_id, :amount_minor, :currency,
        :happened_at, :now, {_NUMBER})
    on conflict (api_url, order_id, kind, kustom_id) do nothing"""
_DISPUTE = f"""insert into outside (api_url, order_id, kind, kustom_id, currency, seen_at, number)
    select :api_url, :order_id, 'dispute', :kustom_id, '', :now, {_NUMBER}
    where (select count(*) from outside where api_url = :api_url and order_id = :order_id
        and kind = 'dispute') < :most
    on conflict (api_url, order_id, kind, kustom_id) do nothing returning number"""
_THIS = """api_url = :api_url and order_id = :order_id and kind = :kind
    and kustom_id = :kustom_id"""
_TOLD = f"""update outside set reported_at = :now, problem = null
    where {_THIS} and reported_at is null"""
_NOT_TOLD = f"update outside set problem = :problem where {_THIS} and reported_at is null"
