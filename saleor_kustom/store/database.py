"""What the store asks of a database: statements in one transaction, rows of the last.

`await db((sql, params), ...)` has committed when it returns. SQL is the same for SQLite and
PostgreSQL, with named parameters (`:name`); `:now` is the database's own time in unix seconds,
so that instances on machines whose clocks differ agree on what is due. Settings and their
reasons: docs/databases.md.
"""

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from saleor_kustom.errors import StoreUnavailable

Row = dict[str, Any]
Statement = tuple[str, Mapping[str, Any]]
Clock = Callable[[], float]  # unix seconds; replaces the database's time in simulations

#: No caller waits longer than this. What a later answer would have said is then unknown, which
#: is safe here: a delivery comes again, and a save that is not known to be done is looked at
#: again under a new claim.
DEADLINE_S = 15.0


class Conflict(StoreUnavailable):
    """A unique constraint said no. Nothing of the transaction has happened."""


@dataclass(slots=True)
class Written:
    """What this process had a database write: callers' transactions, and commits they shared."""

    transactions: int = 0
    commits: int = 0


@dataclass(frozen=True, slots=True)
class Routine:
    """Statements that are always run together, in turn with what names the same `turn`.

    `types`: SQL's type of each parameter, of which `turn` is text; `:now` is not among them. The
    last statement returns its rows as `returns`, the only column, of type integer.
    """

    name: str
    types: Mapping[str, str]
    statements: tuple[str, ...]
    returns: str


class Database(Protocol):
    """What the rest of the store sees of a database."""

    dialect: str
    written: Written
    tokens: Mapping[str, str]  # the few words that differ, for migrations and queries

    async def __call__(self, *statements: Statement, deadline_s: float | None = None) -> list[Row]:
        """Run statements in one transaction; return the rows of the last one.

        Raises Conflict for a unique constraint, StoreUnavailable for everything else.
        """

    async def read(self, sql: str, params: Mapping[str, Any] | None = None) -> list[Row]:
        """Run one query, beside the writers."""

    def in_turn(self, *names: str | None) -> tuple[Statement, ...]:
        """Return what makes transactions that name the same thing wait for each other.

        To be put first, so that the statements behind it see all that the one before wrote.
        """

    def routine(self, routine: Routine) -> tuple[str, ...]:
        """Return the statements that carry a routine out, each with the routine's parameters."""

    async def close(self) -> None:
        """Finish what was asked and close."""


@functools.lru_cache(maxsize=512)
def with_now(sql: str, now: str) -> str:
    """Put the dialect's words for the present in place of `:now`."""
    return re.sub(r"(?<![:\w]):now\b", now, sql)


def turn_of(*names: str | None) -> str:
    """Return what transactions that name the same thing wait for (Database.in_turn)."""
    return "\n".join(name or "" for name in names)


def storable(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return parameters that both databases can store; mostly they are that as they come.

    PostgreSQL's text has no NUL and neither database has lone surrogates; JSON may escape both,
    and what a genuine delivery or an answer holds must not keep its row from being written.
    """
    for value in params.values():
        if isinstance(value, str) and ("\0" in value or not value.isascii()):
            return {name: _text(v) if isinstance(v, str) else v for name, v in params.items()}
    return params


def _text(value: str) -> str:
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
