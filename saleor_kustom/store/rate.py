"""The rate of calls to each merchant account, shared by all instances (domain rule 26)."""

from saleor_kustom.store.database import Database


class Rate:
    """Each call takes the account's next slot; slots are 1/rate seconds apart."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def take(self, environment: str, merchant_id: str, per_second: float) -> float:
        """Return how many seconds to wait before the call may leave.

        A quiet account has saved up one second's calls, so a short burst need not wait.
        """
        params = {"account": f"{environment}/{merchant_id}", "gap": 1.0 / per_second}
        rows = await self._db((_TAKE, params))
        return max(0.0, float(rows[0]["wait"]))


# next_at trails now by up to a second: what is saved up.
_TAKE = """insert into rate (account, next_at) values (:account, :now - 1.0 + :gap)
    on conflict (account) do update set next_at =
        case when rate.next_at < :now - 1.0 then :now - 1.0 else rate.next_at end + :gap
    returning next_at - :gap - :now as wait"""
