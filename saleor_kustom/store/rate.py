"""The rate of calls to each merchant account, shared by all instances (domain rule 26)."""

from saleor_kustom.store.database import Database

#: Longer than anybody waits: every caller gets a slot.
_FOR_EVER_S = 1e9


class Rate:
    """Each call takes the account's next slot; slots are 1/rate seconds apart."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def take(
        self,
        environment: str,
        merchant_id: str,
        per_second: float,
        *,
        burst: float | None = None,
        patience_s: float = _FOR_EVER_S,
    ) -> float:
        """Return how many seconds to wait before the call may leave.

        A quiet account has saved up `burst` calls (None: one second's), which need not wait.
        A wait of more than `patience_s` takes no slot: who would not wait that long must not
        push the others back.
        """
        params = {
            "account": f"{environment}/{merchant_id}",
            "gap": 1.0 / per_second,
            "saved": max(0.0, (per_second if burst is None else burst) - 1.0) / per_second,
            "patience": patience_s,
        }
        rows = await self._db((_TAKE, params))
        return max(0.0, float(rows[0]["wait"]))


# `slot` is the asker's, `next_at` the one after it. next_at may trail now by what is saved up.
_SLOT = "case when rate.next_at < :now - :saved then :now - :saved else rate.next_at end"
_TAKE = f"""insert into rate (account, slot, next_at)
    values (:account, :now - :saved, :now - :saved + :gap)
    on conflict (account) do update set slot = {_SLOT},
        next_at = {_SLOT} + case when {_SLOT} - :now <= :patience then :gap else 0 end
    returning slot - :now as wait"""
