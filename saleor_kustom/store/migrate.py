"""Numbered migrations, run at start, forwards only."""

from importlib.resources import files

from saleor_kustom.errors import StoreUnavailable
from saleor_kustom.store.database import Conflict, Database, Statement

#: A large table takes its time; another instance that starts meanwhile waits as long.
_DEADLINE_S = 600.0

_TABLE = "create table if not exists migration (number integer primary key, at {real} not null)"
_TAKE = "insert into migration (number, at) values (:number, :now)"


async def migrate(db: Database) -> None:
    """Bring the schema up to date. Raises StoreUnavailable for a database from a newer version.

    Each migration is one transaction, under a lock and beginning with its number: of two
    instances that start together one does it and the other finds it done.
    """
    lock = _lock(db)
    await db(*lock, (_with_tokens(_TABLE, db), {}), deadline_s=_DEADLINE_S)
    ours = _migrations()
    done = {row["number"] for row in await db.read("select number from migration")}
    if done - ours.keys():
        raise StoreUnavailable(
            f"the database was made by a newer version (migration {max(done)}); "
            "start that version, or restore the backup from before the upgrade"
        )
    for number in sorted(ours.keys() - done):
        script: list[Statement] = [(sql, {}) for sql in statements(ours[number], db)]
        try:
            await db(*lock, (_TAKE, {"number": number}), *script, deadline_s=_DEADLINE_S)
        except Conflict:
            continue  # another instance was faster


def statements(script: str, db: Database) -> list[str]:
    """Return a script's statements in the words of `db`, without comments."""
    lines = (line.partition("--")[0] for line in _with_tokens(script, db).splitlines())
    return [sql.strip() for sql in "\n".join(lines).split(";") if sql.strip()]


def _lock(db: Database) -> tuple[Statement, ...]:
    turn = db.in_turn("migration")
    patient: Statement = ("set local statement_timeout = 0", {})
    return (patient, *turn) if turn else ()


def _with_tokens(sql: str, db: Database) -> str:
    for word, meaning in db.tokens.items():
        sql = sql.replace(f"{{{word}}}", meaning)
    return sql


def _migrations() -> dict[int, str]:
    folder = files("saleor_kustom.store") / "migrations"
    scripts = (file for file in folder.iterdir() if file.name.endswith(".sql"))
    return {int(file.name.split("_")[0]): file.read_text(encoding="utf-8") for file in scripts}
