"""What merchants chose, by shop and channel. Reading them for a capture is Shops' business."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from saleor_kustom.capture.held import Reason
from saleor_kustom.capture.policy import Policy, merged, policy_from
from saleor_kustom.errors import StoreUnavailable
from saleor_kustom.store.capture_row import as_json
from saleor_kustom.store.capture_sql import WAKE_HELD
from saleor_kustom.store.database import Database, Row, Statement

#: What is held for such a reason may go on when that choice is another.
_WAKES: Mapping[str, Reason] = {
    "extra_currencies": Reason.CURRENCY_UNTESTED,
    "kustom_order_id_key": Reason.NOT_LINKED,
    "refund_canceled": Reason.CANCELED_AFTER_CAPTURE,
    "refund_canceled_after_s": Reason.CANCELED_AFTER_CAPTURE,
}
#: Of writers that meet one gets through, so nobody is this unlucky.
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Chosen:
    """One document; `channel` "" is the shop's default. `at` in unix seconds."""

    channel: str
    document: Mapping[str, Any]
    who: str
    at: float


class Policies:
    """Rows of `policy`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def get(self, api_url: str, channel: str, base: Policy) -> Policy:
        """Return the channel's policy: `base` under the shop's default under its own."""
        found = {one.channel: one.document for one in await self.list(api_url)}
        policy, _ = merged(base, [found.get("", {}), found.get(channel, {})])
        return policy

    async def list(self, api_url: str) -> Sequence[Chosen]:
        """Return a shop's documents, its default first."""
        sql = "select * from policy where api_url = :api_url order by channel"
        return [_chosen(row) for row in await self._db.read(sql, {"api_url": api_url})]

    async def set(
        self, api_url: str, channel: str, chosen: Mapping[str, Any], *, who: str
    ) -> Mapping[str, Any]:
        """Choose; what is not named stays as it was. Returns the document.

        Values are as JSON has them. Raises BadPolicy with every fault; nothing is changed then.
        """
        policy_from(chosen)
        return await self._write(api_url, channel, chosen, (), who)

    async def unset(
        self, api_url: str, channel: str, keys: Collection[str], *, who: str
    ) -> Mapping[str, Any]:
        """Leave choices to what they are inherited from. Returns the document.

        A key that no release knows any more can be left too.
        """
        return await self._write(api_url, channel, {}, keys, who)

    async def _write(
        self,
        api_url: str,
        channel: str,
        chosen: Mapping[str, Any],
        left: Collection[str],
        who: str,
    ) -> Mapping[str, Any]:
        """Replace the document if it is still the one that was read, else read it again."""
        for _ in range(_TRIES):
            before = await self._value(api_url, channel)
            old: dict[str, Any] = json.loads(before or "{}")
            new = {k: v for k, v in (old | dict(chosen)).items() if k not in left}
            if new == old:
                return new
            params = {
                "api_url": api_url,
                "channel": channel,
                "before": before or "",
                "value": as_json(new),
                "who": who,
                "detail": as_json(_told(channel, who, old, new)),
            }
            changed = {key for key in old | new if old.get(key) != new.get(key)}
            wakes = [_wake(api_url, _WAKES[key]) for key in sorted(changed & _WAKES.keys())]
            turn = self._db.in_turn("policy", api_url, channel)
            if await self._db(*turn, *wakes, (_NOTED, params), (_PUT, params)):
                return new
        raise StoreUnavailable("others change this policy all the time; try again")

    async def _value(self, api_url: str, channel: str) -> str | None:
        sql = "select value from policy where api_url = :api_url and channel = :channel"
        rows = await self._db.read(sql, {"api_url": api_url, "channel": channel})
        return str(rows[0]["value"]) if rows else None


def _told(
    channel: str, who: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return the line of history: each changed choice before and after, None where inherited."""
    keys = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    changes = {key: {"before": old.get(key), "after": new.get(key)} for key in keys}
    return {"channel": channel, "who": who, "changes": changes}


def _wake(api_url: str, reason: Reason) -> Statement:
    return (WAKE_HELD, {"api_url": api_url, "reason": reason.value})


def _chosen(row: Row) -> Chosen:
    return Chosen(row["channel"], json.loads(row["value"]), row["who"], float(row["at"]))


# Both only while the document is the one that was read: "" where there was none.
_UNCHANGED = """coalesce((select value from policy
    where api_url = :api_url and channel = :channel), '') = :before"""
_NOTED = f"""insert into history (api_url, capture_id, at, what, detail)
    select :api_url, null, :now, 'policy_set', :detail where {_UNCHANGED}"""
_PUT = f"""insert into policy (api_url, channel, value, who, at)
    select :api_url, :channel, :value, :who, :now where {_UNCHANGED}
    on conflict (api_url, channel) do update
    set value = excluded.value, who = excluded.who, at = excluded.at returning channel"""
