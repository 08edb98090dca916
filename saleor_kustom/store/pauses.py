"""What is paused, by whom and why: a shop, a channel, an order, or a merchant account.

The captures of what is paused are not claimed (capture_sql), except to tell Saleor of money
that has moved already.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from saleor_kustom.store.capture_row import Capture
from saleor_kustom.store.database import Database, Row, Statement
from saleor_kustom.store.history import of_shop


class Scope(StrEnum):
    """What a pause is about, and what its key names."""

    SHOP = "shop"  # no key
    CHANNEL = "channel"  # the slug
    ORDER = "order"  # Saleor's global id
    ACCOUNT = "account"  # environment/merchant id; of one shop, or (no shop) for all


@dataclass(frozen=True, slots=True)
class Pause:
    """One pause; `at` in unix seconds."""

    scope: Scope
    api_url: str  # empty: an account, for every shop
    key: str
    who: str
    why: str
    at: float


class Pauses:
    """Rows of `pause`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def set(self, scope: Scope, api_url: str, key: str = "", *, who: str, why: str) -> None:
        """Pause; a pause that is there already stays as it is."""
        params = {"name": _name(scope, api_url, key), "scope": scope.value}
        params |= {"api_url": api_url, "key": key, "who": who, "why": why}
        detail = {"scope": scope.value, "key": key, "who": who, "why": why}
        await self._db((_SET, params), of_shop(api_url, "paused", detail))

    async def lift(
        self, scope: Scope, api_url: str, key: str = "", *, who: str, why: str = ""
    ) -> bool:
        """End a pause; False: there was none. What waited is claimed within a poll."""
        detail = {"scope": scope.value, "key": key, "who": who, "why": why}
        lifted = lift(scope, api_url, key)
        return bool(await self._db(of_shop(api_url, "pause_lifted", detail), lifted))

    async def list(self, api_url: str) -> Sequence[Pause]:
        """Return a shop's pauses, and those of accounts for every shop, oldest first."""
        sql = "select * from pause where api_url in (:api_url, '') order by at"
        return [_pause(row) for row in await self._db.read(sql, {"api_url": api_url})]

    async def accounts(self) -> Sequence[Pause]:
        """Return every paused account, oldest first."""
        sql = "select * from pause where scope = 'account' order by at"
        return [_pause(row) for row in await self._db.read(sql)]

    async def covering(
        self, capture: Capture, *, channel: str | None = None, account: str = ""
    ) -> Pause | None:
        """Return a pause that a claimed capture is under, or None.

        A new capture's channel and account are known only when its order has been read, so a
        run asks with them before it sends. `account` is environment/merchant id.
        """
        url, channel = capture.api_url, channel or capture.channel or ""
        account = account or capture.account
        names = [
            _name(Scope.SHOP, url),
            _name(Scope.CHANNEL, url, channel),
            _name(Scope.ORDER, url, capture.order_id),
            _name(Scope.ACCOUNT, url, account),
            _name(Scope.ACCOUNT, "", account),
        ]
        params = dict(zip("abcde", names, strict=True))
        sql = "select * from pause where name in (:a, :b, :c, :d, :e) order by at limit 1"
        rows = await self._db.read(sql, params)
        return _pause(rows[0]) if rows else None

    async def of_account(self, api_url: str, account: str) -> Pause | None:
        """Return a pause of a merchant account (environment/merchant id), for this shop or all."""
        params = {
            "own": _name(Scope.ACCOUNT, api_url, account),
            "all": _name(Scope.ACCOUNT, "", account),
        }
        sql = "select * from pause where name in (:own, :all) order by at limit 1"
        rows = await self._db.read(sql, params)
        return _pause(rows[0]) if rows else None


def lift(scope: Scope, api_url: str, key: str) -> Statement:
    """Return the statement that ends a pause, to go into the transaction that cures its cause."""
    return (
        "delete from pause where name = :name returning name",
        {"name": _name(scope, api_url, key)},
    )


def _name(scope: Scope, api_url: str, key: str = "") -> str:
    """Return the name as capture_sql spells it."""
    return " ".join(part for part in (scope.value, api_url, key) if part)


def _pause(row: Row) -> Pause:
    return Pause(Scope(row["scope"]), row["api_url"], row["key"], row["who"], row["why"], row["at"])


_SET = """insert into pause (name, scope, api_url, key, who, why, at)
    values (:name, :scope, :api_url, :key, :who, :why, :now) on conflict (name) do nothing"""
