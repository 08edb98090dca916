"""Merchant accounts at Kustom, by shop and channel; and accounts that are paused."""

from collections.abc import Sequence
from typing import Any

from saleor_kustom.capture.parties import Account
from saleor_kustom.capture.plan import Binding
from saleor_kustom.store.database import Database
from saleor_kustom.store.secrets import Secrets


class Accounts:
    """Rows of `account`, `channel_account` and `account_pause`."""

    def __init__(self, db: Database, secrets: Secrets) -> None:
        self._db = db
        self._secrets = secrets

    async def set(self, api_url: str, channel: str | None, account: Account) -> None:
        """Keep credentials and use them for the channel (None: the shop's default).

        The account that the channel had before is kept for its orders; a pause of the account
        ends, since its credentials are new.
        """
        params = {
            "api_url": api_url,
            "channel": channel or "",
            "environment": account.environment,
            "merchant_id": account.merchant_id,
            "username": account.username,
            "password": self._secrets.seal(
                account.password, shop=api_url, purpose=_purpose(account.merchant_id)
            ),
            "account": _name(account.environment, account.merchant_id),
        }
        await self._db((_KEEP, params), (_USE, params), (_UNPAUSE, params))

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
        rows = await self._db.read(
            """select * from account where api_url = :api_url
               and environment = :environment and merchant_id = :merchant_id""",
            params,
        )
        return self._account(rows[0]) if rows else None

    async def list(self, api_url: str) -> Sequence[tuple[str | None, Account]]:
        """Return (channel or None, account) of every channel that has one."""
        sql = """select c.channel, a.* from channel_account c join account a
            using (api_url, environment, merchant_id) where api_url = :api_url order by channel"""
        rows = await self._db.read(sql, {"api_url": api_url})
        return [(row["channel"] or None, self._account(row)) for row in rows]

    async def pause(self, environment: str, merchant_id: str, why: str) -> None:
        """Stop all work of an account: Kustom refuses its credentials."""
        params = {"account": _name(environment, merchant_id), "why": why}
        await self._db(
            (
                """insert into account_pause (account, why, since) values (:account, :why, :now)
                   on conflict (account) do nothing""",
                params,
            )
        )

    async def resume(self, environment: str, merchant_id: str) -> None:
        """Go on: the credentials tested well."""
        await self._db((_UNPAUSE, {"account": _name(environment, merchant_id)}))

    async def paused(self) -> Sequence[dict[str, Any]]:
        """Return the paused accounts: account, why, since."""
        return await self._db.read("select * from account_pause order by since")

    def _account(self, row: dict[str, Any]) -> Account:
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
_UNPAUSE = "delete from account_pause where account = :account"
_OF_CHANNEL = """select a.* from channel_account c join account a
    using (api_url, environment, merchant_id)
    where api_url = :api_url and channel in (:channel, '')
    order by channel desc limit 1"""
