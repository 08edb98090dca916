"""Merchant accounts at Kustom, by shop and channel; and accounts that are paused."""

from collections.abc import Sequence
from dataclasses import dataclass

from saleor_kustom.capture.parties import Account
from saleor_kustom.capture.plan import Binding
from saleor_kustom.store.capture_sql import WAKE_PAUSED
from saleor_kustom.store.database import Database, Row
from saleor_kustom.store.history import of_shop
from saleor_kustom.store.link_sql import WAKE_WAITING
from saleor_kustom.store.pauses import Pause, Pauses, Scope, lift
from saleor_kustom.store.secrets import Secrets


@dataclass(frozen=True, slots=True)
class Kept:
    """An account as a page may show it. `channels` "" is the shop's default; none: an older one."""

    environment: str
    merchant_id: str
    username: str
    kept_at: float  # unix seconds
    channels: tuple[str, ...]


class Accounts:
    """Rows of `account` and `channel_account`, and the pauses of accounts."""

    def __init__(self, db: Database, secrets: Secrets) -> None:
        self._db = db
        self._secrets = secrets
        self._pauses = Pauses(db)

    async def set(
        self, api_url: str, channel: str | None, account: Account, *, who: str = ""
    ) -> None:
        """Keep credentials and use them for the channel (None: the shop's default).

        The account that the channel had before is kept for its orders; a pause of the account
        ends, since its credentials are new.
        """
        name = _name(account.environment, account.merchant_id)
        params = {
            "api_url": api_url,
            "channel": channel or "",
            "environment": account.environment,
            "merchant_id": account.merchant_id,
            "username": account.username,
            "password": self._secrets.seal(
                account.password, shop=api_url, purpose=_purpose(account.merchant_id)
            ),
        }
        detail = {"channel": channel, "account": name, "username": account.username, "who": who}
        await self._db(
            (_KEEP, params),
            (_USE, params),
            lift(Scope.ACCOUNT, api_url, name),
            lift(Scope.ACCOUNT, "", name),
            (WAKE_PAUSED, params),
            (WAKE_WAITING, params),
            of_shop(api_url, "credentials_set", detail),
        )

    async def get(self, api_url: str, channel: str | None) -> Account | None:
        """Return the channel's own account, else the shop's default, else None."""
        params = {"api_url": api_url, "channel": channel or ""}
        rows = await self._db.read(_OF_CHANNEL, params)
        return self._account(rows[0]) if rows else None

    async def by_binding(self, api_url: str, binding: Binding) -> Account | None:
        """Return the credentials of the merchant that an order is bound to."""
        return await self.of_merchant(api_url, binding.environment, binding.merchant_id)

    async def of_merchant(self, api_url: str, environment: str, merchant_id: str) -> Account | None:
        """Return the credentials that are kept of a merchant, in use or older."""
        params = {"api_url": api_url, "environment": environment, "merchant_id": merchant_id}
        rows = await self._db.read(_OF_MERCHANT, params)
        return self._account(rows[0]) if rows else None

    async def list(self, api_url: str) -> Sequence[tuple[str | None, Account]]:
        """Return (channel or None, account) of every channel that has one."""
        sql = """select c.channel, a.* from channel_account c join account a
            using (api_url, environment, merchant_id) where api_url = :api_url order by channel"""
        rows = await self._db.read(sql, {"api_url": api_url})
        return [(row["channel"] or None, self._account(row)) for row in rows]

    async def kept(self, api_url: str) -> Sequence[Kept]:
        """Return every account of a shop without its password, those in use first."""
        rows = await self._db.read(_KEPT, {"api_url": api_url})
        channels: dict[tuple[str, str], list[str]] = {}
        for row in await self._db.read(_USED, {"api_url": api_url}):
            used = channels.setdefault((row["environment"], row["merchant_id"]), [])
            used.append(row["channel"])
        found = [
            Kept(**row, channels=tuple(channels.get((row["environment"], row["merchant_id"]), ())))
            for row in rows
        ]
        return sorted(found, key=lambda kept: (not kept.channels, kept.channels, -kept.kept_at))

    async def an_order_of(self, api_url: str, environment: str, merchant_id: str) -> str | None:
        """Return a Kustom order that the shop bound to an account lately, or None."""
        params = {"api_url": api_url, "environment": environment, "merchant_id": merchant_id}
        rows = await self._db.read(_AN_ORDER, params)
        return str(rows[0]["kustom_order_id"]) if rows else None

    async def pause(
        self, environment: str, merchant_id: str, why: str, *, api_url: str = ""
    ) -> None:
        """Stop all work of an account: Kustom refuses its credentials.

        With `api_url` only of that shop's: another shop may have other credentials for the
        same merchant.
        """
        name = _name(environment, merchant_id)
        await self._pauses.set(Scope.ACCOUNT, api_url, name, who="saleor-kustom", why=why)

    async def resume(self, environment: str, merchant_id: str, *, api_url: str = "") -> None:
        """Go on: the credentials tested well. Ends the pause for every shop too."""
        name = _name(environment, merchant_id)
        await self._db(
            lift(Scope.ACCOUNT, api_url, name),
            lift(Scope.ACCOUNT, "", name),
            (WAKE_PAUSED, {"api_url": api_url}),
            (WAKE_WAITING, {"api_url": api_url}),
        )

    async def paused(self) -> Sequence[Pause]:
        """Return the paused accounts, oldest first; `key` is environment/merchant id."""
        return await self._pauses.accounts()

    def _account(self, row: Row) -> Account:
        purpose = _purpose(row["merchant_id"])
        return Account(
            environment=row["environment"],
            merchant_id=row["merchant_id"],
            username=row["username"],
            password=self._secrets.open(row["password"], shop=row["api_url"], purpose=purpose),
        )


def _name(environment: str, merchant_id: str) -> str:
    return f"{environment}/{merchant_id}"


def _purpose(merchant_id: str) -> str:
    return f"password of {merchant_id}"


_KEEP = """insert into account (api_url, environment, merchant_id, username, password, kept_at)
    values (:api_url, :environment, :merchant_id, :username, :password, :now)
    on conflict (api_url, environment, merchant_id) do update
    set username = excluded.username, password = excluded.password, kept_at = excluded.kept_at"""
_USE = """insert into channel_account (api_url, channel, environment, merchant_id)
    values (:api_url, :channel, :environment, :merchant_id)
    on conflict (api_url, channel) do update
    set environment = excluded.environment, merchant_id = excluded.merchant_id"""
_OF_MERCHANT = """select * from account where api_url = :api_url
    and environment = :environment and merchant_id = :merchant_id"""
_OF_CHANNEL = """select a.* from channel_account c join account a
    using (api_url, environment, merchant_id)
    where api_url = :api_url and channel in (:channel, '')
    order by channel desc limit 1"""
_KEPT = """select environment, merchant_id, username, kept_at from account
    where api_url = :api_url"""
_USED = """select channel, environment, merchant_id from channel_account
    where api_url = :api_url order by channel"""
_AN_ORDER = """select b.kustom_order_id from
    (select api_url, order_id from capture where api_url = :api_url order by id desc limit 200) c
    join binding b on b.api_url = c.api_url and b.order_id = c.order_id
    where b.environment = :environment and b.merchant_id = :merchant_id limit 1"""
