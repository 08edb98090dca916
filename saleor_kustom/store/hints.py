"""Orders that Kustom's own webhooks hinted at, and the secret of the URL that they come to.

A hint proves nothing: it only makes an order that we know due for a look. There is one row an
order and one look an interval, however many hints come.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from saleor_kustom.store.database import Database, Row
from saleor_kustom.store.history import of_shop

#: Our own call's answer comes meanwhile: a hint about what we did ourselves needs no look then.
DUE_IN_S = 5.0
#: At most one look an order in this time.
APART_S = 30.0
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Hint:
    """A look that is due. `named`: the capture or refund that it was about; empty: several."""

    api_url: str
    order_id: str
    named: str
    looks: int
    failures: int


class KustomWebhooks:
    """Rows of `kustom_webhook`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def rotate(self, api_url: str, *, who: str) -> str:
        """Make a new secret and return it; it is not kept, and the one before ends at once."""
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        params = {"api_url": api_url, "sha256": _sha256(secret), "who": who}
        await self._db(of_shop(api_url, "kustom_webhook_set", {"who": who}), (_ROTATE, params))
        return secret

    async def since(self, api_url: str) -> float | None:
        """Return when the shop's secret was made (unix seconds), or None."""
        sql = "select at from kustom_webhook where api_url = :api_url"
        rows = await self._db.read(sql, {"api_url": api_url})
        return float(rows[0]["at"]) if rows else None

    async def shop_of(self, secret: str) -> str | None:
        """Return whose secret it is. Takes as long for a wrong one as for a right one."""
        sha256 = _sha256(secret)
        sql = """select s.api_url, w.secret_sha256 from kustom_webhook w
            join shop s on s.api_url = w.api_url where w.secret_sha256 = :sha256"""
        rows = await self._db.read(sql, {"sha256": sha256})
        kept = rows[0]["secret_sha256"] if rows else _NOBODYS
        right = hmac.compare_digest(kept, sha256)
        return rows[0]["api_url"] if rows and right else None


class Hints:
    """Rows of `hint`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def order_of(self, api_url: str, kustom_order_id: str) -> str | None:
        """Return the shop's order that is bound to a Kustom order; None: we know of none."""
        params = {"api_url": api_url, "kustom_order_id": kustom_order_id}
        rows = await self._db.read(_ORDER_OF, params)
        return str(rows[0]["order_id"]) if rows else None

    async def take(self, api_url: str, order_id: str, named: str = "") -> bool:
        """Make the order due for a look; False: it is already, and nothing was written."""
        params = {"api_url": api_url, "order_id": order_id, "named": named}
        rows = await self._db.read(_GET, params)
        if rows and _covers(rows[0], named):
            return False
        await self._db((_TAKE, params | {"due_in": DUE_IN_S, "apart": APART_S}))
        return True

    async def due(self, *, limit: int = 20) -> Sequence[Hint]:
        """Return looks that are due, the longest due first."""
        return [_hint(row) for row in await self._db.read(_DUE, {"limit": limit})]

    async def waiting(self) -> bool:
        """Tell whether any look is under way or will be due."""
        return bool(await self._db.read(_WAITING))

    async def claim(self, hint: Hint, lease_s: float) -> Hint | None:
        """Lease a look; None: another instance has it, or it is done."""
        params = {"api_url": hint.api_url, "order_id": hint.order_id, "looks": hint.looks}
        rows = await self._db((_CLAIM, params | {"lease": lease_s}))
        return _hint(rows[0]) if rows else None

    async def done(self, hint: Hint) -> None:
        """End a look; a hint that came meanwhile makes the order due again."""
        await self._db((_DONE, _fence(hint) | {"apart": APART_S}))

    async def failed(self, hint: Hint, again_in_s: float) -> None:
        """Look again later."""
        await self._db((_FAILED, _fence(hint) | {"again_in": again_in_s}))

    async def is_ours(self, hint: Hint) -> bool:
        """Tell whether our own ledger has what the hint named: then there is nothing to learn."""
        params = {"api_url": hint.api_url, "order_id": hint.order_id, "named": hint.named}
        return bool(hint.named and await self._db.read(_IS_OURS, params))


def _sha256(secret: str) -> str:
    """A random secret of 256 bits needs no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


_NOBODYS = "0" * 64


def _covers(row: Row, named: str) -> bool:
    """Tell whether the look that is due already will do for one more hint."""
    if row["running"]:
        return bool(row["again"])
    return row["due_at"] is not None and row["named"] in ("", named)


def _fence(hint: Hint) -> dict[str, object]:
    return {"api_url": hint.api_url, "order_id": hint.order_id, "looks": hint.looks}


def _hint(row: Row) -> Hint:
    return Hint(**{name: row[name] for name in Hint.__dataclass_fields__})


_ROTATE = """insert into kustom_webhook (api_url, secret_sha256, who, at)
    values (:api_url, :sha256, :who, :now)
    on conflict (api_url) do update set secret_sha256 = excluded.secret_sha256,
        who = excluded.who, at = excluded.at"""
_ORDER_OF = """select order_id from binding
    where kustom_order_id = :kustom_order_id and api_url = :api_url"""
_THIS = "api_url = :api_url and order_id = :order_id"
_GET = f"select * from hint where {_THIS}"
# Not sooner than `apart` after the last look; what is due already stays due when it was.
_TAKE = """insert into hint (api_url, order_id, named, due_at)
    values (:api_url, :order_id, :named, :now + :due_in)
    on conflict (api_url, order_id) do update set
        named = case when hint.due_at is null or hint.named = excluded.named
            then excluded.named else '' end,
        again = hint.running,
        due_at = case when hint.due_at is not null then hint.due_at
            when hint.looked_at + :apart > excluded.due_at then hint.looked_at + :apart
            else excluded.due_at end"""
_DUE = "select * from hint where due_at is not null and due_at <= :now order by due_at limit :limit"
_WAITING = "select 1 as waiting from hint where due_at is not null limit 1"
_CLAIM = f"""update hint set running = 1, again = 0, looks = looks + 1, due_at = :now + :lease
    where {_THIS} and looks = :looks and due_at <= :now returning *"""
_FENCE = f"{_THIS} and looks = :looks and running = 1"
_DONE = f"""update hint set running = 0, failures = 0, looked_at = :now, named = '',
    due_at = case when again = 1 then :now + :apart end, again = 0 where {_FENCE}"""
_FAILED = f"""update hint set running = 0, again = 0, failures = failures + 1,
    due_at = :now + :again_in where {_FENCE}"""
_IS_OURS = f"select 1 as ours from capture where {_THIS} and capture_id = :named limit 1"
