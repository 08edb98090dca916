"""Find captures for a list: by status, channel, time and ids, page by page.

Every arm of a query reads one index from its newest entry on, so that a page costs the same in a
table of a thousand and of a million captures.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from saleor_kustom.capture.state import State
from saleor_kustom.store.capture_sql import HELD, SEARCH

#: More rows than a clock and an id may disagree by: ids are given before, times at the commit.
_DISORDER = 1000


class Status(StrEnum):
    """What a merchant tells apart."""

    WAITING = "waiting"
    HELD = "held"
    CAPTURED = "captured"
    NOTHING = "nothing"
    WITHDRAWN = "withdrawn"


_STATES: Mapping[Status, tuple[State, ...]] = {
    Status.WAITING: (State.RECEIVED, State.PLANNED, State.SENDING),
    Status.CAPTURED: (State.CAPTURED, State.REPORTED),
    Status.NOTHING: (State.NOTHING,),
    Status.WITHDRAWN: (State.WITHDRAWN,),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is to hold. Times in unix seconds; `search` is an order number or any id."""

    status: Status | None = None
    channel: str | None = None
    since: float | None = None
    until: float | None = None
    search: str | None = None
    before_id: int | None = None  # the page after the one that ended there
    limit: int = 50


def finding(api_url: str, wanted: Wanted) -> tuple[str, Mapping[str, Any]]:
    """Return the query and its parameters."""
    asked: dict[str, tuple[str, Any]] = {
        # A search names the shop itself, arm by arm; said once more it would mislead SQLite.
        "api_url": ("true" if wanted.search else "api_url = :api_url", api_url),
        "search": (SEARCH, wanted.search or None),
        "channel": ("channel = :channel", wanted.channel or None),
        "since": (_SINCE, wanted.since),
        "until": (_UNTIL, wanted.until),
        "before_id": ("id < :before_id", wanted.before_id),
    }
    params = {name: value for name, (_, value) in asked.items() if value is not None}
    where = " and ".join(asked[name][0] for name in params)
    arms = _arms(wanted.status, where)
    sql = f"select * from capture where id in ({arms}) order by id desc limit :limit"
    return sql, {**params, "limit": wanted.limit, "disorder": _DISORDER}


def _arms(status: Status | None, where: str) -> str:
    """Return one arm a state: as one `in` the states would be sorted in full."""
    if status is None:
        return _arm(where)
    if status is Status.HELD:
        return _arm(f"{where} and {HELD}")
    # What is held is shown as such, whatever its state.
    return " union all ".join(
        _arm(f"{where} and held is null and state = '{state.value}'") for state in _STATES[status]
    )


def _arm(where: str) -> str:
    newest = f"select id from capture where {where} order by id desc limit :limit"
    return f"select id from ({newest}) arm"


#: Times become ids, whose order the page has anyway. No row before `until`: then nothing is found.
_SINCE = """created_at >= :since and id >= coalesce((select id - :disorder from capture
        where api_url = :api_url and created_at >= :since order by created_at limit 1), 0)"""
_UNTIL = """created_at < :until and id <= (select id + :disorder from capture
        where api_url = :api_url and created_at < :until order by created_at desc limit 1)"""
