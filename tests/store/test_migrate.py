"""Migrations: numbered, forwards only, once, by whoever starts first."""

import asyncio
import re
import sys
from importlib.resources import files

import pytest
from databases import SECRET_KEY

from saleor_kustom.errors import StoreUnavailable
from saleor_kustom.store import Store
from saleor_kustom.store.migrate import migrate
from saleor_kustom.store.opening import open_database


@pytest.fixture
def empty_url(request, sqlite_url, database_url):
    """A database without any table of ours."""
    if database_url == sqlite_url:
        yield sqlite_url
    else:
        server = request.getfixturevalue("server")
        url = server.create(empty=True)
        yield url
        server.drop(url)


async def test_instances_that_start_together_migrate_once(empty_url):
    stores = await asyncio.gather(*(Store.open(empty_url, secret_key=SECRET_KEY) for _ in range(5)))
    scripts = list((files("saleor_kustom.store") / "migrations").iterdir())
    rows = await stores[0]._db.read("select number from migration order by number")
    assert [row["number"] for row in rows] == list(range(1, len(scripts) + 1))
    for store in stores:
        await store.close()


async def test_a_database_from_a_newer_version_stops_the_start(database_url):
    store = await Store.open(database_url, secret_key=SECRET_KEY)
    await store._db(("insert into migration (number, at) values (9999, 0)", {}))
    await store.close()
    with pytest.raises(StoreUnavailable, match="newer version"):
        await Store.open(database_url, secret_key=SECRET_KEY)


async def test_a_migration_that_fails_leaves_nothing_behind(empty_url, monkeypatch):
    broken = {1: "create table first (a integer); create table second (nonsense"}
    with monkeypatch.context() as patched:
        patched.setattr(sys.modules[migrate.__module__], "_migrations", lambda: broken)
        db = await open_database(empty_url)
        with pytest.raises(StoreUnavailable):
            await migrate(db)
        assert await db.read("select number from migration") == []
        with pytest.raises(StoreUnavailable):
            await db.read("select * from first")
        await db.close()
    store = await Store.open(empty_url, secret_key=SECRET_KEY)
    await store.close()


def test_migrations_are_numbered_without_a_gap_and_say_nothing_a_split_would_break():
    scripts = sorted((files("saleor_kustom.store") / "migrations").iterdir(), key=lambda f: f.name)
    numbers = [int(re.fullmatch(r"(\d{4})_\w+\.sql", f.name)[1]) for f in scripts]
    assert numbers == list(range(1, len(scripts) + 1))
    for script in scripts:
        code = re.sub(r"--.*", "", script.read_text())
        for text in re.findall(r"'([^']*)'", code):
            assert ";" not in text
