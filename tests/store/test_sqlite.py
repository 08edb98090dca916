"""SQLite: group commit, and everything that can go wrong in its one writer."""

import asyncio
import dataclasses
import re
import signal
import sqlite3
import stat
import sys
from pathlib import Path

import pytest
from databases import SECRET_KEY
from rows import NAMES, SHOP, claim_one, put, receive, rest, sql

from saleor_kustom.errors import StoreUnavailable
from saleor_kustom.store import Status, Store, Wanted, overview
from saleor_kustom.store import capture_sql as queries
from saleor_kustom.store.finding import finding
from saleor_kustom.store.sqlite import Sqlite


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
async def db(store):
    return store._db


async def another(store, **more):
    """Open the same file once more, with the given limits."""
    db = Sqlite(store._db.path, **more)
    await db.open()
    return db


async def test_commits_are_flushed_and_references_checked(db):
    pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    values = [db._writer.execute(f"pragma {name}").fetchone()[0] for name in pragmas]
    assert values == ["wal", 2, 1, 10_000]  # 2 is FULL


async def test_an_sqlite_that_is_too_old_is_told_at_once(sqlite_url, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    with pytest.raises(StoreUnavailable, match=r"3\.35 or newer is needed"):
        await Store.open(sqlite_url, secret_key=SECRET_KEY)


async def test_nobody_else_may_read_the_file(db):
    for suffix in ("", "-wal"):
        assert permissions(f"{db.path}{suffix}") == 0o600


def permissions(path):
    return stat.S_IMODE(Path(path).stat().st_mode)


async def test_callers_that_wait_together_share_a_commit(db):
    commits = []
    db._writer.set_trace_callback(lambda sql: commits.append(sql) if sql == "commit" else None)
    await asyncio.gather(*(db(put(str(n))) for n in range(200)))
    assert 1 <= len(commits) <= 2  # what comes while one runs is in the next
    assert len(await db.read(NAMES)) == 200


async def test_savepoints_are_made_only_where_a_statement_fails_and_nobody_else_suffers(db):
    said = []
    db._writer.set_trace_callback(said.append)
    await asyncio.gather(*(db(put(str(n))) for n in range(10)))
    assert not any("savepoint" in sql for sql in said)
    wrong = ("insert into meta (name, value, at) values ('half', '', 0)", {}), ("no SQL", {})
    results = await asyncio.gather(
        db(put("before")), db(*wrong), db(put("behind")), return_exceptions=True
    )
    assert [type(result) for result in results] == [list, StoreUnavailable, list]
    assert any("savepoint" in sql for sql in said)
    names = {row["name"] for row in await db.read(NAMES)}
    assert names == {*map(str, range(10)), "before", "behind"}


async def test_what_was_written_is_counted_and_what_was_read_is_not(store, db):
    before = dataclasses.replace(store.written)
    await asyncio.gather(*(db(put(str(n))) for n in range(20)))
    await db.read(NAMES)
    assert store.written.transactions - before.transactions == 20
    assert 1 <= store.written.commits - before.commits <= 2


async def test_a_commit_that_fails_fails_for_every_caller_in_it(db):
    """A reference that is checked only at the commit: nobody's statement fails before."""
    orphan = """insert into history (api_url, capture_id, at, what, detail)
        values ('', 99, 0, '', '')"""
    db._writer.execute("begin")  # makes the next batch wait until all are in it
    db._writer.execute("rollback")
    late = ("pragma defer_foreign_keys = on", {})
    results = await asyncio.gather(
        db(put("a")), db(late, (orphan, {})), db(put("b")), return_exceptions=True
    )
    assert [type(result) for result in results] == [StoreUnavailable] * 3
    assert await db.read(NAMES) == []
    await db(put("later"))
    assert await db.read(NAMES) == [{"name": "later"}]


async def test_a_writer_whose_connection_is_lost_connects_again(db):
    db._writer.close()
    with pytest.raises(StoreUnavailable):
        await db(put("lost"))
    await db(put("later"))
    assert await db.read(NAMES) == [{"name": "later"}]


async def test_a_pump_that_is_stopped_leaves_nobody_waiting(db):
    first = asyncio.create_task(db(put("first")))
    await asyncio.sleep(0)
    behind = asyncio.create_task(db(put("behind")))
    await asyncio.sleep(0)
    db._pump_task.cancel()
    async with asyncio.timeout(5):
        results = await asyncio.gather(first, behind, return_exceptions=True)
    assert [type(result) for result in results] == [StoreUnavailable] * 2
    await db(put("later"))
    assert {"name": "later"} in await db.read(NAMES)


async def test_a_hung_commit_hangs_nobody_for_ever_and_what_was_given_up_is_not_done(store):
    db = await another(store, deadline_s=0.3, busy_ms=5_000)
    other = sqlite3.connect(db.path, isolation_level=None)
    other.execute("begin immediate")  # another process that does not end
    first = asyncio.create_task(db(put("first")))
    await asyncio.sleep(0.05)  # its commit hangs in the thread now
    behind = [asyncio.create_task(db(put(str(n)))) for n in range(5)]
    async with asyncio.timeout(5):
        results = await asyncio.gather(first, *behind, return_exceptions=True)
    assert [type(result) for result in results] == [StoreUnavailable] * 6
    other.execute("rollback")
    other.close()
    async with asyncio.timeout(5):
        await db(put("later"), deadline_s=5)
    names = {row["name"] for row in await db.read(NAMES)}
    assert names - {"first"} == {"later"}
    await db.close()


async def test_a_busy_database_is_waited_for(store):
    other = sqlite3.connect(store._db.path, isolation_level=None, check_same_thread=False)
    other.execute("begin immediate")
    write = asyncio.create_task(store._db(put("patient")))
    await asyncio.sleep(0.2)
    assert not write.done()
    other.execute("commit")
    other.close()
    await write


async def test_readers_do_not_wait_for_a_writer(store):
    await store._db(put("before"))
    other = sqlite3.connect(store._db.path, isolation_level=None)
    other.execute("begin exclusive")
    async with asyncio.timeout(5):
        assert await store._db.read(NAMES) == [{"name": "before"}]
    other.close()


async def test_a_query_that_nobody_waits_for_any_more_ends(store):
    db = await another(store, deadline_s=0.2)
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n"
    results = await asyncio.gather(*(db.read(endless) for _ in range(9)), return_exceptions=True)
    assert {type(result) for result in results} == {StoreUnavailable}
    async with asyncio.timeout(10):
        while True:
            try:
                assert await db.read(NAMES) == []
                break
            except StoreUnavailable:
                continue
    await db.close()


async def test_readers_can_not_write(db):
    with pytest.raises(StoreUnavailable):
        await db.read(f"{put('a')[0]}", put("a")[1])


async def test_a_full_disk_loses_nothing_that_was_acknowledged(store):
    db = store._db
    [pages] = db._writer.execute("pragma page_count").fetchone()
    db._writer.execute(f"pragma max_page_count = {pages + 20}")
    kept = []
    while len(kept) < 1000:
        answers = await asyncio.gather(
            *(receive(store, f"O{len(kept)}-{n}", news="x" * 2000) for n in range(10)),
            return_exceptions=True,
        )
        kept += [f"O{len(kept)}-{n}" for n, answer in enumerate(answers) if answer is True]
        if any(isinstance(answer, StoreUnavailable) for answer in answers):
            break
    refused = [answer for answer in answers if answer is not True]
    assert refused
    assert {type(answer) for answer in refused} == {StoreUnavailable}
    rows = await db.read("select order_id from delivery")
    assert {row["order_id"] for row in rows} >= set(kept)
    db._writer.execute("pragma max_page_count = 100000")
    assert await receive(store, "O after")


async def test_a_read_only_database_says_so(store):
    store._db._writer.execute("pragma query_only = on")
    with pytest.raises(StoreUnavailable):
        await receive(store)
    assert await store.captures.list(SHOP) == []


async def test_too_many_waiting_callers_are_turned_away(db, monkeypatch):
    monkeypatch.setattr("saleor_kustom.store.sqlite._WAITING", 5)
    results = await asyncio.gather(*(db(put(str(n))) for n in range(8)), return_exceptions=True)
    assert [type(result) for result in results[5:]] == [StoreUnavailable] * 3
    assert len(await db.read(NAMES)) == 5


async def test_two_processes_may_start_on_one_new_file_at_once(sqlite_url):
    stores = await asyncio.gather(
        *(Store.open(sqlite_url, secret_key=SECRET_KEY) for _ in range(4))
    )
    for number, store in enumerate(stores):
        assert await receive(store, f"O{number}")
    for store in stores:
        assert len(await store.captures.list(SHOP)) == 4
        await store.close()


LOCKING = """
import asyncio, sys
from saleor_kustom.store import Status, Store, Wanted, overview
from saleor_kustom.store import capture_sql as queries
async def main():
    store = await Store.open(sys.argv[1], secret_key=sys.argv[2])
    with store.worker_lock():
        print("locked", flush=True)
        await store.captures.claim("the dead one", 10, 60.0)
        print("claimed", flush=True)
        await asyncio.sleep(60)
asyncio.run(main())
"""


async def test_a_second_worker_waits_until_the_first_is_killed_whose_work_is_then_due(sqlite_url):
    store = await Store.open(sqlite_url, secret_key=SECRET_KEY)
    await receive(store)
    first = await asyncio.create_subprocess_exec(
        sys.executable, "-c", LOCKING, sqlite_url, SECRET_KEY, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert await first.stdout.readline() == b"locked\n"
        assert await first.stdout.readline() == b"claimed\n"
        with pytest.raises(StoreUnavailable, match="another process"), store.worker_lock():
            pass
        await store.shops.set_mode(SHOP, None)  # other commands work beside it
    finally:
        first.send_signal(signal.SIGKILL)
        await first.wait()
    with store.worker_lock():
        assert await store.captures.start() == 1
        assert (await claim_one(store)).attempts == 2
    with store.worker_lock():  # and free again
        pass
    await store.close()


ALL = "select * from capture where {}"


@pytest.mark.parametrize(
    ("query", "by"),
    [
        (queries.OF_ORDER, "api_url=? AND order_id=?"),
        (queries.NAMESAKES, "api_url=? AND fulfillment_id=?"),
        (queries.WAKE_ORDER, "api_url=? AND order_id=?"),
        (queries.MOVE_LINE, "api_url=? AND order_id=?"),
        (queries.WAKE_HELD, "api_url=? AND held=?"),
        (queries.TAKE_IN, "(id=?)"),
        (queries.RESUME, "rowid=?"),
        (queries.LET_GO.replace("{sets}", ""), "rowid=?"),
        (queries.HISTORY_FENCED, "rowid=?"),
        (queries.RELEASE_ALL, "worker=?"),
        (ALL.format(queries.SEARCH), "kustom_order_id=?"),
        (ALL.format("api_url = :api_url and " + queries.HELD), "held>?"),
        (overview._HELD_SUMS, "held>?"),
        (overview._AT_RISK, "expires_at<?"),
        (overview._TRACKING, "capture_tracking_problem"),
        (overview._HOURS, "hour>?"),
        (queries.COUNT_CAPTURED, "rowid=?"),
        (finding("", Wanted(Status.CAPTURED))[0], "capture_state"),
        (finding("", Wanted(Status.HELD))[0], "held>?"),
        (finding("", Wanted(channel="se"))[0], "capture_channel"),
        ("select * from capture where api_url = :api_url order by id desc", "capture_newest"),
    ],
)
async def test_no_statement_reads_a_whole_shop_though_sqlite_has_no_statistics(db, query, by):
    names = set(re.findall(r":(\w+)", query))
    plan = await db((f"explain query plan {query}", dict.fromkeys(names, 1)))
    steps = [row["detail"] for row in plan]
    assert any(by in step for step in steps), steps
    scans = [step for step in steps if step.startswith("SCAN") and step != "SCAN arm"]  # a page
    assert not scans, steps
    few = {"capture_newest", "capture_tracking_problem"}  # limited, and partial
    whole = [step for step in steps if step.endswith("(api_url=?)") and by not in few]
    assert not whole, steps


async def test_since_when_something_is_due_is_read_from_what_is_due(db):
    """Else the page's numbers read a whole shop: only its newest row is read by its address."""
    names = set(re.findall(r":(\w+)", overview._QUEUE))
    plan = await db((f"explain query plan {overview._QUEUE}", dict.fromkeys(names, 1)))
    steps = [row["detail"] for row in plan]
    assert any("INDEX capture_due (" in step for step in steps), steps
    whole = [step for step in steps if step.endswith("(api_url=?)")]
    assert whole == ["SEARCH capture USING INDEX capture_newest (api_url=?)"]


async def test_claims_read_only_what_is_open(store):
    """The plan of a claim names an index at every step: done rows cost nothing."""
    await receive(store)
    await rest(store, await claim_one(store))
    claim = store.captures._claim
    params = {"worker": "w", "limit": 5, "lease": 60.0, "shut": "none", "silent": "", "now": 0.0}
    plan = await sql(store, f"explain query plan {claim}", **params)
    steps = [row["detail"] for row in plan if row["detail"].startswith(("SCAN", "SEARCH"))]
    assert any("capture_due" in step for step in steps)
    assert any("capture_line" in step for step in steps)
    assert [step for step in steps if step.startswith("SCAN") and "head" not in step] == []
