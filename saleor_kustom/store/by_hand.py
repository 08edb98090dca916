"""What a person does to one capture, with who and why in its history, in one transaction."""

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


_OPEN = "api_url = :api_url and id = :id and held is null and worker is null"
# Not while an outcome is unknown: that is to be found out, whatever a person wants.
_HOLDABLE = f"{_OPEN} and state in ('received', 'planned')"
_HOLD_NOTED = f"""insert into history (api_url, capture_id, at, what, detail)
    select api_url, id, :now, 'held', :detail from capture where {_HOLDABLE}"""
_HOLD = f"""update capture set held = :reason, held_detail = :held_detail, due_at = null,
    updated_at = :now where {_HOLDABLE} returning id"""
