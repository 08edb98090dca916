"""Merchant accounts at Kustom, by shop and channel; and accounts that are paused."""

from collections.abc import Sequence

from saleor_kustom.capture.parties import Account
from saleor_kustom.capture.plan import Binding
from saleor_kustom.store.capture_sql import WAKE_PAUSED
from saleor_kustom.store.database import Database, Row
from saleor_kustom.store.history import of_shop
from saleor_kustom.store.link_sql import WAKE_WAITING
from saleor_kustom.store.pauses import Pause, Pauses, Scope, lift
from saleor_kustom.store.secrets import Secrets


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
        params = {
            "api_url": api_url,
            "environment": binding.environment,
            "merchant_id": binding.merchant_id,
        }
        rows = await self._db.read(_OF_MERCHANT, params)
        return self._account(rows[0]) if rows else None

    async def list(self, api_url: str) -> Sequence[tuple[str | None, Account]]:
        """Return (channel or None, account) of every channel that has one."""
        sql = """select c.channel, a.* from channel_account c join account a
            using (api_url, environment, merchant_id) where api_url = :api_url order by channel"""
        rows = await self._db.read(sql, {"api_url": api_url})
        return [(row["channel"] or None, self._account(row)) for row in rows]

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
