"""Both engines keep the same promises: one transaction, our errors only, nobody hangs."""

import asyncio
import time

import pytest
from databases import SECRET_KEY
from rows import NAMES, claim, claim_one, put, receive, rest

from saleor_kustom.errors import StoreUnavailable
from saleor_kustom.store import Store
from saleor_kustom.store.database import Conflict
from saleor_kustom.store.opening import open_database


@pytest.fixture
async def db(store):
    return store._db


async def test_the_rows_of_the_last_statement_are_returned(db):
    rows = await db(put("a"), put("b"), ("select name, value from meta order by name", {}))
    assert rows == [{"name": "a", "value": "x"}, {"name": "b", "value": "x"}]
    assert await db(put("c")) == []


async def test_a_statement_that_fails_takes_its_whole_transaction_back(db):
    await db(put("there"))
    with pytest.raises(Conflict):
        await db(put("new"), put("there"))
    assert await db.read(NAMES) == [{"name": "there"}]


@pytest.mark.parametrize(
    ("sql", "params"),
    [
        ("no such statement", {}),
        ("select * from no_such_table", {}),
        ("select cast(:a as text) as a", {}),  # a parameter is missing
        ("select cast(:a as text) as a", {"a": object()}),  # no database knows this
        ("insert into meta (name, at) values ('a', 0)", {}),  # a column may not be null
        ("select cast(:a as bigint) as a", {"a": 2**70}),
    ],
)
async def test_whatever_the_driver_raises_is_ours_and_harms_nobody_else(db, sql, params):
    results = await asyncio.gather(
        db(put("before")), db((sql, params)), db(put("after")), return_exceptions=True
    )
    assert isinstance(results[1], StoreUnavailable)
    assert not isinstance(results[1], Conflict)
    with pytest.raises(StoreUnavailable):
        await db.read(sql, params)
    assert await db.read(NAMES) == [{"name": "after"}, {"name": "before"}]


async def test_a_cancelled_caller_harms_nobody_else(db):
    callers = [asyncio.create_task(db(put(str(n)))) for n in range(40)]
    await asyncio.sleep(0)
    for caller in callers[::2]:
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    kept = {row["name"] for row in await db.read(NAMES)}
    assert {str(n) for n in range(1, 40, 2)} <= kept


async def test_closing_finishes_what_was_asked_and_takes_nothing_more(database_url):
    store = await Store.open(database_url, secret_key=SECRET_KEY)
    asked = [asyncio.create_task(store._db(put(str(n)))) for n in range(30)]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*asked)
    with pytest.raises(StoreUnavailable):
        await store._db(put("late"))
    with pytest.raises(StoreUnavailable):
        await store.ping()
    store = await Store.open(database_url, secret_key=SECRET_KEY)
    assert len(await store._db.read(NAMES)) == 30
    await store.close()


async def test_now_is_the_present_and_goes_on(database_url):
    store = await Store.open(database_url, secret_key=SECRET_KEY)
    sql = "select cast(:now as double precision) as now"
    [first] = await store._db((sql, {}))
    await asyncio.sleep(0.02)
    [[second], [third]] = await asyncio.gather(store._db((sql, {})), store._db.read(sql))
    await store.close()
    assert 1_700_000_000 < first["now"] < min(second["now"], third["now"])


async def test_what_is_due_does_not_depend_on_this_machines_clock(database_url, monkeypatch):
    """Instances whose clocks differ would else take over what others run, or wait for days."""
    store = await Store.open(database_url, secret_key=SECRET_KEY)
    right = time.time
    await receive(store)
    monkeypatch.setattr(time, "time", lambda: right() - 86_400.0)
    capture = await claim_one(store)
    monkeypatch.setattr(time, "time", lambda: right() + 86_400.0)
    assert await claim(store, "another") == []
    await rest(store, capture, due_in_s=3600.0)
    assert await claim(store, "another") == []
    monkeypatch.undo()
    [row] = await store._db.read("select due_at from capture")
    await store.close()
    assert right() < row["due_at"] <= right() + 3600.0


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "sqlite:///", "sqlite:///:memory:"])
async def test_a_url_that_names_no_database_of_ours_is_refused(url):
    with pytest.raises(StoreUnavailable):
        await open_database(url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("sqlite:////proc/nowhere/store.db", "can't open"),
        ("sqlite:////dev/null", "SQLite"),
        ("postgresql://nobody@127.0.0.1:9/none", "refused"),
        ("postgresql://%", "PostgreSQL"),
    ],
)
async def test_a_database_that_can_not_be_opened_says_why_at_once(url, why):
    async with asyncio.timeout(10):
        with pytest.raises(StoreUnavailable, match=why):
            await Store.open(url, secret_key=SECRET_KEY)
