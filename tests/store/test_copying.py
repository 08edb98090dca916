"""From SQLite to PostgreSQL: everything, as it is, once."""

import sqlite3

import pytest
from databases import SECRET_KEY
from rows import ACCOUNT, BINDING, SHOP, captured, claim, claim_one, receive, rest

from saleor_kustom.capture.linking import How
from saleor_kustom.capture.outside import Kind, Outside
from saleor_kustom.capture.parties import Mode
from saleor_kustom.errors import StoreUnavailable
from saleor_kustom.store import OpenAuthorization, Store, copy
from saleor_kustom.store.copying import TABLES
from saleor_kustom.store.opening import path_of

OTHER_KEY = "another secret key that is long enough too"


@pytest.fixture
async def source(sqlite_url):
    """A database with something in every table."""
    store = await Store.open(sqlite_url, secret_key=SECRET_KEY)
    await store.shops.install(SHOP, "APP1", "token", saleor_version="3.22.1", jwks="{}")
    await store.shops.set_mode(SHOP, Mode.CAPTURE)
    await store.accounts.set(SHOP, None, ACCOUNT)
    await store.accounts.pause("live", "M9", "401\tand\na \\N line")
    for order in ("O1", "O2", "Ö 3 \\N\t'\n\0"):
        await receive(store, order, news="\0\ud8ff'\\N")
    first, second, third = await claim(store)
    await store.captures.bind(first, BINDING, "test")
    await captured(store, first, keep=False, captured_at=1.25, tracking_sent=[{"a": "å"}])
    await rest(store, second, held="gift_card", held_detail={"n": 2**40}, due_in_s=0.0)
    await rest(store, third, due_in_s=0.0)
    await store.rate.take("live", "M1", 5.0)
    await store.meta.put("cursor", "here")
    await store.authorizations.put(
        OpenAuthorization(SHOP, "O1", "1", "K1", "SEK", 100, 1_900_000_000.5, "too old")
    )
    await store.links.ask(SHOP, "O1", "K1", how=How.API, who="checkout")
    await store.link_tokens.make(SHOP)
    await store.policies.set(SHOP, "", {"shipping_fee": "last"}, who="anna")
    await store.outside.see(SHOP, "O1", "SEK", [Outside(Kind.CAPTURE, "C9", 100)])
    await store.kustom_webhooks.rotate(SHOP, who="anna")
    await store.hints.take(SHOP, "O1")
    await store.close()
    return sqlite_url


async def contents(url):
    """Return every row of every table."""
    store = await Store.open(url, secret_key=SECRET_KEY)
    rows = {}
    for table in TABLES:
        found = await store._db.read(f"select * from {table}")  # noqa: S608 - a name of ours
        found = [{k: bytes(v) if k == "body" else v for k, v in row.items()} for row in found]
        rows[table] = sorted(found, key=lambda row: str(sorted(row.items())))
    await store.close()
    return rows


async def test_everything_is_copied_as_it_is_and_goes_on_there(source, postgres_url):
    before = await contents(source)
    assert all(before.values()), "the source is to have rows in every table"
    told = {}
    copied = await copy(source, postgres_url, SECRET_KEY, told.__setitem__)
    assert await contents(postgres_url) == before
    assert told == {table: len(rows) for table, rows in before.items()}
    assert copied == sum(told.values())
    store = await Store.open(postgres_url, secret_key=SECRET_KEY)
    assert (await store.shops.get(SHOP)).token == "token"
    assert await store.accounts.get(SHOP, None) == ACCOUNT
    highest = max(row["id"] for row in before["capture"])
    assert not await receive(store, "O1", news="\0\ud8ff'\\N")  # still a repeat
    await receive(store, "new")
    [new] = await store.captures.of_order(SHOP, "new")
    assert new.id == highest + 1
    await rest(store, await claim_one(store, limit=1))  # history's ids go on, too
    await store.close()


async def test_every_table_is_copied(sqlite_url):
    store = await Store.open(sqlite_url, secret_key=SECRET_KEY)
    rows = await store._db.read("select name from sqlite_master where type = 'table'")
    await store.close()
    assert {row["name"] for row in rows} == {*TABLES, "migration"}


async def test_the_old_database_is_not_used_any_more(source, postgres_url):
    await copy(source, postgres_url, SECRET_KEY)
    with pytest.raises(StoreUnavailable, match="moved"):
        await Store.open(source, secret_key=SECRET_KEY)
    with pytest.raises(StoreUnavailable, match="moved"):
        await copy(source, postgres_url, SECRET_KEY)


async def test_a_target_with_rows_is_refused_and_left_as_it_is(source, postgres_url):
    store = await Store.open(postgres_url, secret_key=SECRET_KEY)
    await store.meta.put("cursor", "its own")
    await store.close()
    before = await contents(postgres_url)
    with pytest.raises(StoreUnavailable, match="not empty"):
        await copy(source, postgres_url, SECRET_KEY)
    assert await contents(postgres_url) == before
    assert await contents(source)  # and goes on


async def test_a_copy_that_breaks_off_leaves_both_as_they_were(source, postgres_url):
    before = await contents(source)

    def full(table, _rows):
        if table == "history":
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        await copy(source, postgres_url, SECRET_KEY, full)
    assert await contents(source) == before
    assert not any((await contents(postgres_url)).values())


async def test_nobody_writes_to_the_source_meanwhile(source, postgres_url):
    refused = []

    def write(_table, _rows):
        other = sqlite3.connect(path_of(source), timeout=0)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("delete from rate")
        other.close()
        refused.append(True)

    await copy(source, postgres_url, SECRET_KEY, write)
    assert len(refused) == len(TABLES)


async def test_a_running_worker_or_another_key_or_a_wrong_target_stops_it(source, postgres_url):
    store = await Store.open(source, secret_key=SECRET_KEY)
    with store.worker_lock(), pytest.raises(StoreUnavailable, match="another process"):
        await copy(source, postgres_url, SECRET_KEY)
    await store.close()
    with pytest.raises(StoreUnavailable, match="SECRET_KEY"):
        await copy(source, postgres_url, OTHER_KEY)
    with pytest.raises(StoreUnavailable, match="target"):
        await copy(source, source, SECRET_KEY)
    assert not any((await contents(postgres_url)).values())
