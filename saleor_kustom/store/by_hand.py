"""What a person does to one capture, with who and why in its history, in one transaction."""

from saleor_kustom.capture.plan import NothingWhy
from saleor_kustom.store.capture_row import RESUMED, as_json
from saleor_kustom.store.database import Database

_SETTLED = NothingWhy.SETTLED_OUTSIDE.value


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
        """Take a person's word that a held parcel's money came another way; the worker ends it.

        False: it runs, is not held, is no parcel, or its money may be on its way.
        """
        params = {"api_url": api_url, "id": capture_row, "settled": _SETTLED}
        params["detail"] = as_json({"who": who, "why": why})
        return bool(await self._db((_SETTLED_NOTED, params), (_SETTLE, params)))

    async def reopen(self, api_url: str, capture_row: int, *, who: str, why: str) -> bool:
        """Undo that: the parcel is decided on anew. False: it was not settled by a person."""
        params = {"api_url": api_url, "id": capture_row, "settled": _SETTLED}
        params["detail"] = as_json({"who": who, "why": why})
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
_SETTLED_NOTED = f"""insert into history (api_url, capture_id, at, what, detail)
    select api_url, id, :now, 'settled', :detail from capture where {_SETTLEABLE}"""
_SETTLE = f"""update capture set waiting = :settled, held = null, held_detail = '{{}}',
    due_at = :now, wakes = wakes + 1, updated_at = :now where {_SETTLEABLE} returning id"""
_SETTLED_BY_HAND = """api_url = :api_url and id = :id and worker is null and held is null
    and state = 'nothing' and waiting = :settled and canceled = 0"""
_REOPENED = f"""insert into history (api_url, capture_id, at, what, detail)
    select api_url, id, :now, 'resumed', :detail from capture where {_SETTLED_BY_HAND}"""
_REOPEN = f"""update capture set waiting = '{RESUMED}', due_at = :now, wakes = wakes + 1,
    failures = 0, updated_at = :now where {_SETTLED_BY_HAND} returning id"""
