"""What a person does to one capture, with who and why in its history, in one transaction.

The changes of state are rows of capture/state.py's table.
"""

from saleor_kustom.capture.plan import NothingWhy
from saleor_kustom.store.capture_row import as_json
from saleor_kustom.store.database import Database


class ByHand:
    """Writes to rows of `capture` that do not run."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def hold(
        self, api_url: str, capture_row: int, reason: str, *, who: str, why: str
    ) -> bool:
        """Hold a capture whose money has not left. False: it runs, is held, or has left."""
        detail = {"reason": reason, "who": who, "why": why}
        params = {"api_url": api_url, "id": capture_row, "reason": reason}
        params |= {"detail": as_json(detail), "held_detail": as_json({"who": who, "why": why})}
        return bool(await self._db((_HOLD_NOTED, params), (_HOLD, params)))

    async def settle(self, api_url: str, capture_row: int, *, who: str, why: str) -> bool:
        """Take a held parcel's word that its money came another way: nothing is captured.

        False: it runs, is not held, is no parcel, or its money may be on its way.
        """
        settled = NothingWhy.SETTLED_OUTSIDE.value
        detail = as_json({"why": settled, "who": who, "said": why})
        params = {"api_url": api_url, "id": capture_row, "detail": detail, "waiting": settled}
        return bool(await self._db((_SETTLED, params), (_SETTLE, params)))

    async def reopen(self, api_url: str, capture_row: int, *, who: str, why: str) -> bool:
        """Undo that: the parcel is decided on anew, now. False: it was not settled by a person."""
        detail = as_json({"who": who, "why": why})
        params = {"api_url": api_url, "id": capture_row, "detail": detail}
        params["settled"] = NothingWhy.SETTLED_OUTSIDE.value
        return bool(await self._db((_REOPENED, params), (_REOPEN, params)))


_OPEN = "api_url = :api_url and id = :id and held is null and worker is null"
# Not while an outcome is unknown: that is to be found out, whatever a person wants.
_HOLDABLE = f"{_OPEN} and state in ('received', 'planned')"
_HOLD_NOTED = f"""insert into history (api_url, capture_id, at, what, detail)
    select api_url, id, :now, 'held', :detail from capture where {_HOLDABLE}"""
_HOLD = f"""update capture set held = :reason, held_detail = :held_detail, due_at = null,
    updated_at = :now where {_HOLDABLE} returning id"""

_SETTLEABLE = """api_url = :api_url and id = :id and held is not null and worker is null
    and state in ('received', 'planned') and kind = 'fulfillment' and canceled = 0"""
_SETTLED = f"""insert into history (api_url, capture_id, at, what, detail)
    select api_url, id, :now, 'nothing', :detail from capture where {_SETTLEABLE}"""
# As the table has it: a plan is reconsidered, and then there is nothing to capture.
_SETTLE = f"""update capture set state = 'nothing', waiting = :waiting, held = null,
    held_detail = '{{}}', due_at = null, plan = null, idempotency_key = null,
    amount_minor = null, sent_first_at = null, updated_at = :now
    where {_SETTLEABLE} returning id"""
_SETTLED_BY_HAND = """api_url = :api_url and id = :id and worker is null and held is null
    and state = 'nothing' and waiting = :settled and canceled = 0"""
_REOPENED = f"""insert into history (api_url, capture_id, at, what, detail)
    select api_url, id, :now, 'reconsidered', :detail from capture where {_SETTLED_BY_HAND}"""
_REOPEN = f"""update capture set state = 'received', waiting = null, due_at = :now,
    failures = 0, updated_at = :now where {_SETTLED_BY_HAND} returning id"""
