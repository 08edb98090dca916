"""A merchant's days: their browser knows where midnights are, so no time zone data is needed here.

The header x-midnights holds unix hours: the month's begin, a semicolon, then the begin of each of
the last 30 days and of tomorrow, comma-separated. Where a zone is off by half an hour, the sums
are cut at the full hour before.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.requests import Request

from saleor_kustom.store.overview import Hour

DAYS = 30
_DAY = 24  # hours


@dataclass(frozen=True, slots=True)
class Days:
    """Begins in unix hours. `starts`: of the last 30 days, the last of them today."""

    month: int
    starts: tuple[int, ...]

    @property
    def since(self) -> int:
        """Return the first hour that any of it needs."""
        return min(self.month, self.starts[0])

    @property
    def today(self) -> int:
        """Return the hour that today began at."""
        return self.starts[-1]


@dataclass(frozen=True, slots=True)
class Captured:
    """What was captured in one currency. Minor units."""

    currency: str
    today_minor: int
    today: int
    month_minor: int
    month: int
    by_day: tuple[int, ...]  # minor units, one a day of the last 30


def days_of(request: Request, now: float) -> Days:
    """Return the browser's days; where it told none that make sense, UTC's."""
    month, _, listed = request.headers.get("x-midnights", "")[:1000].partition(";")
    starts = tuple(int(n) for n in listed.split(",") if n.isascii() and n.isdecimal())
    today = starts[-1] if starts else 0
    near = abs(today - now / 3600) < 2 * _DAY
    ordered = list(starts) == sorted(set(starts)) and len(starts) == DAYS
    begun = int(month) if month.isascii() and month.isdecimal() else 0
    if near and ordered and today - 32 * _DAY <= begun <= today:
        return Days(begun, starts)
    return _utc(now)


def captured(hours: Iterable[Hour], days: Days) -> Sequence[Captured]:
    """Return the sums by currency, the largest month first."""
    by_currency: dict[str, list[Hour]] = {}
    for hour in hours:
        by_currency.setdefault(hour.currency, []).append(hour)
    found = [_summed(currency, listed, days) for currency, listed in by_currency.items()]
    return sorted(found, key=lambda one: one.month_minor, reverse=True)


def _summed(currency: str, hours: Sequence[Hour], days: Days) -> Captured:
    by_day = [0] * len(days.starts)
    for hour in hours:
        day = bisect_right(days.starts, hour.hour) - 1
        if day >= 0:
            by_day[day] += hour.amount_minor
    today = [h for h in hours if h.hour >= days.today]
    month = [h for h in hours if h.hour >= days.month]
    return Captured(
        currency,
        sum(h.amount_minor for h in today),
        sum(h.captures for h in today),
        sum(h.amount_minor for h in month),
        sum(h.captures for h in month),
        tuple(by_day),
    )


def _utc(now: float) -> Days:
    today = int(now // 86_400) * _DAY
    starts = tuple(today - _DAY * back for back in range(DAYS - 1, -1, -1))
    begin = datetime.fromtimestamp(now, UTC).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    return Days(int(begin.timestamp() // 3600), starts)
