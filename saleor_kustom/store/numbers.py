"""What all instances share, in numbers: read at each scrape, so each query reads open rows only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from saleor_kustom.store.capture_sql import HELD
from saleor_kustom.store.database import Database


@dataclass(frozen=True, slots=True)
class Money:
    """Orders or parcels together, in one currency. Minor units."""

    currency: str
    count: int
    minor: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """The queue at one moment. Ages in seconds."""

    waiting: int  # rows that something is to be done about, now or at a known time
    due: int  # of these, due now and not begun
    running: int
    oldest_due_s: float  # how long the longest due one has been so; 0: none is due
    held: Mapping[str, int]  # by reason
    paused: Mapping[str, int]  # pauses by scope
    waiting_money: Sequence[Money]  # of parcels that are not captured yet, as far as known
    authorized: Sequence[Money]  # not captured, not expired, as the last night saw it
    expiring: Sequence[Money]  # of these, within a week


_WEEK_S = 7 * 86400.0


async def read_numbers(db: Database) -> Numbers:
    """Read all of it. Raises StoreUnavailable."""
    [queue] = await db.read(_QUEUE)
    held = await db.read(_HELD)
    paused = await db.read(_PAUSED)
    open_money = await db.read(_OPEN_MONEY)
    money = await db.read(_MONEY, {"week": _WEEK_S})
    return Numbers(
        waiting=queue["waiting"],
        due=queue["due"] or 0,
        running=queue["running"] or 0,
        oldest_due_s=max(0.0, queue["oldest"] or 0.0),
        held={row["held"]: row["n"] for row in held},
        paused={row["scope"]: row["n"] for row in paused},
        waiting_money=[Money(r["currency"], r["n"], int(r["minor"])) for r in open_money],
        authorized=[Money(r["currency"], r["n"], int(r["minor"])) for r in money],
        expiring=[
            Money(r["currency"], r["soon"], int(r["soon_minor"])) for r in money if r["soon"]
        ],
    )


# By the partial index of open rows (capture_due).
_QUEUE = """select count(*) as waiting,
        sum(case when worker is null and due_at <= :now then 1 else 0 end) as due,
        sum(case when worker is null then 0 else 1 end) as running,
        :now - min(case when worker is null and due_at <= :now then due_at end) as oldest
    from capture where due_at is not null"""
_HELD = f"select held, count(*) as n from capture where {HELD} group by held order by held"
_PAUSED = "select scope, count(*) as n from pause group by scope order by scope"
# Each arm has a partial index: what falls due, and what is held.
_OPEN_MONEY = f"""select coalesce(currency, '') as currency, count(*) as n,
        sum(coalesce(amount_minor, worth_minor, 0)) as minor
    from capture where state in ('received', 'planned', 'sending')
      and kind in ('fulfillment', 'charge') and id in (
        select id from capture where due_at is not null
        union select id from capture where {HELD})
    group by 1 order by 1"""
# By the partial index open_authorization_left.
_MONEY = """select currency, count(*) as n, sum(remaining_minor) as minor,
        sum(case when expires_at <= :now + :week then 1 else 0 end) as soon,
        sum(case when expires_at <= :now + :week then remaining_minor else 0 end) as soon_minor
    from open_authorization where remaining_minor > 0 and expires_at > :now
    group by currency order by currency"""
