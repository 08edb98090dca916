"""Cursors and other small things by name, and whose turn a periodic job is."""

from saleor_kustom.store.database import Database


class Meta:
    """Rows of `meta`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def get(self, name: str) -> str | None:
        """Return a value, or None."""
        rows = await self._db.read("select value from meta where name = :name", {"name": name})
        return str(rows[0]["value"]) if rows else None

    async def put(self, name: str, value: str) -> None:
        """Store a value."""
        await self._db((_PUT, {"name": name, "value": value}))

    async def take_turn(self, name: str, every_s: float) -> bool:
        """Tell one of all instances, every `every_s`, that it is to do the job."""
        return bool(await self._db((_TAKE_TURN, {"name": name, "every": every_s})))


_PUT = """insert into meta (name, value, at) values (:name, :value, :now)
    on conflict (name) do update set value = excluded.value, at = excluded.at"""
_TAKE_TURN = """insert into meta (name, value, at) values (:name, '', :now)
    on conflict (name) do update set at = excluded.at where meta.at <= :now - :every
    returning name"""
