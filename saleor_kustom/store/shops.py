"""The shops that installed us, their keys, and every installation there was."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from saleor_kustom.capture.parties import Mode, Shop
from saleor_kustom.store.capture_sql import WAKE_SHOP
from saleor_kustom.store.database import Database, Row
from saleor_kustom.store.history import of_shop
from saleor_kustom.store.link_sql import WAKE_WAITING
from saleor_kustom.store.secrets import Secrets


@dataclass(frozen=True, slots=True)
class StoredKeys:
    """A shop's public keys as they were fetched (JSON text) and when (unix seconds)."""

    jwks: str
    fetched_at: float


class Shops:
    """Rows of `shop` and `installation`."""

    def __init__(self, db: Database, secrets: Secrets) -> None:
        self._db = db
        self._secrets = secrets

    async def get(self, api_url: str) -> Shop | None:
        """Return the shop, or None when it has not installed us (or removed us)."""
        rows = await self._db.read(f"{_SHOPS} where s.api_url = :api_url", {"api_url": api_url})
        return self._shop(rows) if rows else None

    async def all(self) -> Sequence[Shop]:
        """Return every installed shop."""
        rows = await self._db.read(f"{_SHOPS} order by s.api_url")
        return [self._shop(list(of)) for _, of in groupby(rows, key=lambda row: row["api_url"])]

    async def addresses(self) -> Sequence[str]:
        """Return the API URL of every installed shop."""
        rows = await self._db.read("select api_url from shop order by 1")
        return [row["api_url"] for row in rows]

    async def install(
        self, api_url: str, app_id: str, token: str, *, saleor_version: str, jwks: str
    ) -> None:
        """Store an installation; a re-install replaces the shop's row and keeps its mode.

        Waiting captures of the shop fall due: the new token may be what they waited for.
        """
        params = {
            "api_url": api_url,
            "app_id": app_id,
            "token": self._secrets.seal(token, shop=api_url, purpose="token"),
            "saleor_version": saleor_version,
            "jwks": jwks,
        }
        await self._db(
            (_END_OTHERS, params),
            (_BEGIN, params),
            (_PUT_SHOP, params),
            (WAKE_SHOP, params),
            of_shop(api_url, "installed", {"app_id": app_id, "saleor_version": saleor_version}),
        )

    async def upgraded(self, api_url: str, saleor_version: str) -> None:
        """Keep which release of Saleor the shop runs by now."""
        params = {"api_url": api_url, "saleor_version": saleor_version}
        sql = "update shop set saleor_version = :saleor_version where api_url = :api_url"
        change = of_shop(api_url, "upgraded", {"saleor_version": saleor_version})
        await self._db(change, (sql, params))

    async def uninstall(self, api_url: str, app_id: str) -> bool:
        """Remove the shop if that installation is the current one; a late event removes nothing."""
        params = {"api_url": api_url, "app_id": app_id}
        gone = of_shop(api_url, "uninstalled", {"app_id": app_id})
        return bool(await self._db((_END, params), gone, (_REMOVE, params)))

    async def installations(self, api_url: str) -> Sequence[Row]:
        """Return every installation that there was: app_id, installed_at, ended_at."""
        sql = """select app_id, installed_at, ended_at from installation
            where api_url = :api_url order by installed_at"""
        return await self._db.read(sql, {"api_url": api_url})

    async def set_mode(self, api_url: str, mode: Mode | None, *, who: str = "") -> None:
        """Say whether the shop's fulfillments move money."""
        params = {"api_url": api_url, "mode": mode.value if mode else None}
        change = of_shop(api_url, "mode_set", {"mode": params["mode"], "who": who})
        sql = "update shop set mode = :mode where api_url = :api_url"
        # Links that wait for the shop to write look again.
        await self._db(change, (WAKE_WAITING, params), (sql, params))

    async def keys(self, api_url: str) -> StoredKeys | None:
        """Return the kept public keys."""
        sql = "select jwks, jwks_fetched_at from shop where api_url = :api_url"
        rows = await self._db.read(sql, {"api_url": api_url})
        return StoredKeys(rows[0]["jwks"], rows[0]["jwks_fetched_at"]) if rows else None

    async def keep_keys(self, api_url: str, jwks: str) -> None:
        """Replace the kept public keys."""
        sql = "update shop set jwks = :jwks, jwks_fetched_at = :now where api_url = :api_url"
        await self._db((sql, {"api_url": api_url, "jwks": jwks}))

    def _shop(self, rows: Sequence[Row]) -> Shop:
        """Make a shop of its row, joined with each document of its policies."""
        row = rows[0]
        return Shop(
            api_url=row["api_url"],
            app_id=row["app_id"],
            token=self._secrets.open(row["token"], shop=row["api_url"], purpose="token"),
            saleor_version=row["saleor_version"],
            mode=Mode(row["mode"]) if row["mode"] else None,
            policies={r["channel"]: json.loads(r["value"]) for r in rows if r["value"]},
        )


#: A capture reads its shop in any case, so its policies cost no query of their own.
_SHOPS = """select s.*, p.channel, p.value from shop s left join policy p
    on p.api_url = s.api_url"""

_END_OTHERS = """update installation set ended_at = :now
    where api_url = :api_url and app_id <> :app_id and ended_at is null"""
_END = """update installation set ended_at = :now
    where api_url = :api_url and app_id = :app_id and ended_at is null"""
_REMOVE = """delete from shop where api_url = :api_url and app_id = :app_id
    returning api_url"""
_BEGIN = """insert into installation (api_url, app_id, installed_at)
    values (:api_url, :app_id, :now)
    on conflict (api_url, app_id) do update set installed_at = :now, ended_at = null"""
_PUT_SHOP = """insert into shop
        (api_url, app_id, token, saleor_version, jwks, jwks_fetched_at, installed_at)
    values (:api_url, :app_id, :token, :saleor_version, :jwks, :now, :now)
    on conflict (api_url) do update set app_id = excluded.app_id, token = excluded.token,
        saleor_version = excluded.saleor_version, jwks = excluded.jwks,
        jwks_fetched_at = excluded.jwks_fetched_at, installed_at = excluded.installed_at"""
