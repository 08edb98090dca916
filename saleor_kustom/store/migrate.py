"""Numbered migrations, run at start, forwards only."""

from importlib.resources import files

from saleor_kustom.errors import StoreUnavailable
from saleor_kustom.store.database import Conflict, Database, Statement


async def migrate(db: Database) -> None:
    """Bring the schema up to date. Raises StoreUnavailable for a database from a newer version.

    Each migration is one transaction that begins by taking its number, so of two instances
    that start together one does it and the other finds it done.
    """
    await db(
        (
            "create table if not exists migration (number integer primary key, at text not null)",
            {},
        )
    )
    ours = _migrations()
    done = {row["number"] for row in await db.read("select number from migration")}
    if done - ours.keys():
        raise StoreUnavailable(
            f"the database was made by a newer version (migration {max(done)}); "
            "start that version, or restore the backup from before the upgrade"
        )
    for number in sorted(ours.keys() - done):
        take: Statement = (
            "insert into migration (number, at) values (:number, cast(:now as text))",
            {"number": number},
        )
        try:
            await db(take, *((sql, {}) for sql in _statements(ours[number], db)))
        except Conflict:
            continue  # another instance was faster


def _migrations() -> dict[int, str]:
    folder = files("saleor_kustom.store") / "migrations"
    scripts = (f for f in folder.iterdir() if f.name.endswith(".sql"))
    return {int(f.name.split("_")[0]): f.read_text(encoding="utf-8") for f in scripts}


def _statements(script: str, db: Database) -> list[str]:
    for word, meaning in db.tokens.items():
        script = script.replace(f"{{{word}}}", meaning)
    lines = (line.partition("--")[0] for line in script.splitlines())
    return [sql.strip() for sql in "\n".join(lines).split(";") if sql.strip()]
