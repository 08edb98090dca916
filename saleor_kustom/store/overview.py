"""A shop at a glance: sums and counts that never read its whole history."""

from collections.abc import Sequence
from dataclasses import dataclass

from saleor_kustom.store.capture_row import Capture, capture_of
from saleor_kustom.store.capture_sql import HELD
from saleor_kustom.store.database import Database


@dataclass(frozen=True, slots=True)
class Hour:
    """What was captured in an hour (unix hours) in one currency. Minor units."""

    hour: int
    currency: str
    captures: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Sum:
    """Some parcels or orders together, in one currency. `what`: a reason, or empty."""

    what: str
    currency: str
    count: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits now. Times in unix seconds."""

    waiting: int  # parcels of the shop that are neither captured nor held
    due_since: float | None  # the longest that one of them is due and not begun
    newest_at: float | None  # when the shop's newest fulfillment was heard of


class Overview:
    """Reads of `captured_hour`, of what is open in `capture`, and of `open_authorization`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def captured(self, api_url: str, since_hour: int) -> Sequence[Hour]:
        """Return what was captured from an hour on, oldest first."""
        rows = await self._db.read(_HOURS, {"api_url": api_url, "since": since_hour})
        return [Hour(**row) for row in rows]

    async def held(self, api_url: str) -> Sequence[Sum]:
        """Return what is held by reason and currency; the empty currency is not known yet."""
        rows = await self._db.read(_HELD_SUMS, {"api_url": api_url})
        return [Sum(row["what"], row["currency"], row["n"], int(row["minor"])) for row in rows]

    async def at_risk(self, api_url: str, before: float) -> Sequence[Sum]:
        """Return what authorizations that end before a time have left, by currency."""
        rows = await self._db.read(_AT_RISK, {"api_url": api_url, "before": before})
        return [Sum("", row["currency"], row["n"], int(row["minor"])) for row in rows]

    async def held_parcels(
        self, api_url: str, *, reason: str | None = None, limit: int = 50, after: int = 0
    ) -> Sequence[Capture]:
        """Return held parcels, the most money first; `after`: so many come before this page.

        Without a reason those that were only observed are left out: they are released together.
        """
        which = "held = :reason" if reason else f"{HELD} and held <> 'observed'"
        params = {"api_url": api_url, "limit": limit, "after": after}
        params |= {"reason": reason} if reason else {}
        return [capture_of(r) for r in await self._db.read(_DEAREST.format(which=which), params)]

    async def tracking_refused(self, api_url: str, limit: int = 50) -> Sequence[Capture]:
        """Return captured parcels whose tracking Kustom refused, newest first."""
        rows = await self._db.read(_TRACKING, {"api_url": api_url, "limit": limit})
        return [capture_of(row) for row in rows]

    async def channels(self, api_url: str) -> Sequence[str]:
        """Return the channels that the shop's captures know, one index step each."""
        rows = await self._db.read(_CHANNELS, {"api_url": api_url})
        return [row["channel"] for row in rows]

    async def queue(self, api_url: str) -> Queue:
        """Return what waits."""
        [row] = await self._db.read(_QUEUE, {"api_url": api_url})
        return Queue(row["open"] - row["open_held"], row["due_since"], row["newest_at"])


_HOURS = """select hour, currency, captures, amount_minor from captured_hour
    where api_url = :api_url and hour >= :since order by hour, currency"""
_HELD_SUMS = f"""select held as what, coalesce(currency, '') as currency, count(*) as n,
        sum(coalesce(amount_minor, worth_minor, 0)) as minor
    from capture where api_url = :api_url and {HELD} group by 1, 2 order by 1, 2"""
_AT_RISK = """select currency, count(*) as n, sum(remaining_minor) as minor
    from open_authorization
    where api_url = :api_url and expires_at <= :before and expires_at > :now
      and remaining_minor > 0
    group by currency order by currency"""
_DEAREST = """select * from capture where api_url = :api_url and {which}
    order by coalesce(amount_minor, worth_minor, 0) desc, id desc limit :limit offset :after"""
_TRACKING = """select * from capture where api_url = :api_url and tracking_problem is not null
    and held is null order by id desc limit :limit"""
# A step from channel to channel; `distinct` would read the whole index.
_CHANNELS = """with recursive step (channel) as (
        select min(channel) from capture where api_url = :api_url
        union all
        select (select min(channel) from capture where api_url = :api_url
            and channel > step.channel) from step where step.channel is not null)
    select channel from step where channel is not null limit 200"""
_OPEN = "api_url = :api_url and state in ('received', 'planned', 'sending')"
# Joined with nothing, the shop's address can't mislead SQLite into reading all of its rows where
# the few that are due will do.
_QUEUE = f"""select
    (select count(*) from capture where {_OPEN}) as open,
    (select count(*) from capture where {_OPEN} and {HELD}) as open_held,
    (select due_at from capture where api_url || '' = :api_url and due_at is not null
        and due_at <= :now and worker is null and held is null order by due_at limit 1)
        as due_since,
    (select created_at from capture where api_url = :api_url order by id desc limit 1)
        as newest_at"""
