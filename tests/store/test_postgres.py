"""PostgreSQL: commits out of order, a restarted server, locks held by others."""

import asyncio
import re
from urllib.parse import urlsplit

import psycopg
import pytest
from databases import SECRET_KEY
from rows import NAMES, SHOP, body, claim, claim_one, delivery, put, receive, rest, sql

from saleor_kustom.errors import StoreUnavailable
from saleor_kustom.store import Store
from saleor_kustom.store.database import with_now
from saleor_kustom.store.postgres import _NOW, Postgres


@pytest.fixture
def database_url(fresh_postgres_url):
    return fresh_postgres_url


@pytest.fixture
def session(database_url):
    """A connection of somebody else, in a transaction of its own."""
    with psycopg.connect(database_url) as connection:
        yield connection


async def test_commits_are_flushed_and_queries_read_what_is_committed(store):
    settings = ("synchronous_commit", "default_transaction_isolation", "statement_timeout")
    values = [(await sql(store, f"show {name}"))[0][name] for name in settings]
    assert values == ["on", "read committed", "14s"]


async def test_an_older_id_that_becomes_visible_late_does_not_run_beside_a_younger_one(
    store, session, clock
):
    """Ids are given before commits, so the oldest visible one need not be the oldest."""
    await receive(store, fulfillment="F0")
    await rest(store, await claim_one(store))
    late = """insert into capture (api_url, order_id, fulfillment_id, fulfillment_created, line,
        due_at, created_at, updated_at)
        select api_url, order_id, 'late', '', line, 0, 0, 0 from capture returning id"""
    [late_id] = session.execute(late).fetchone()
    insert = late.replace("'late'", "'early'").replace("returning id", "limit 1 returning id")
    [early] = await sql(store, insert)
    assert early["id"] > late_id
    running = await claim_one(store)
    session.commit()
    await receive(store, "another order")
    # Were the late one taken for the head, the unique index would fail the whole claim.
    assert (await claim_one(store, "another")).order_id == "another order"
    await rest(store, running)
    assert (await claim_one(store)).fulfillment_id == "late"


async def test_a_claim_that_meets_another_on_the_same_line_claims_nothing(store, session):
    """What the snapshot can't show, the unique index refuses; the next poll goes on."""
    await receive(store, fulfillment="F1")
    await receive(store, fulfillment="F2")
    session.execute("update capture set worker = 'other', due_at = 9e9 where fulfillment_id = 'F2'")
    claiming = asyncio.create_task(claim(store))
    await waiting_for_a_lock(session)
    session.commit()
    assert await claiming == []
    assert {row.worker for row in await store.captures.of_order(SHOP, "O1")} == {None, "other"}
    assert await claim(store) == []


async def test_claims_do_not_wait_for_rows_that_others_hold(store, session):
    await receive(store, "O1")
    await receive(store, "O2")
    session.execute("select * from capture where order_id = 'O1' for update")
    async with asyncio.timeout(5):
        assert (await claim_one(store)).order_id == "O2"


async def test_a_lock_that_somebody_holds_ends_in_an_error_in_time(store, session, database_url):
    db = Postgres(database_url, deadline_s=0.5, size=2)
    await db.open()
    session.execute("lock table meta in access exclusive mode")
    async with asyncio.timeout(5):
        results = await asyncio.gather(*(db(put(str(n))) for n in range(6)), return_exceptions=True)
    assert {type(result) for result in results} == {StoreUnavailable}
    session.rollback()
    async with asyncio.timeout(10):
        await db(put("later"), deadline_s=10)
    assert {"name": "later"} in await db.read(NAMES)
    await db.close()


async def test_a_connection_that_the_server_ended_is_replaced_before_anybody_uses_it(
    store, session
):
    await asyncio.gather(*(store._db(put(str(n))) for n in range(20)))
    session.execute(
        """select pg_terminate_backend(pid, 5000) from pg_stat_activity
           where application_name = 'saleor-kustom' and datname = current_database()"""
    )
    await asyncio.sleep(0.1)
    await asyncio.gather(*(store._db(put(f"later {n}")) for n in range(20)))


async def test_a_cancelled_caller_gives_its_connection_back(database_url, store, session):
    db = Postgres(database_url, size=1)
    await db.open()
    session.execute("lock table meta in access exclusive mode")
    for _ in range(3):
        caller = asyncio.create_task(db(put("cancelled")))
        await waiting_for_a_lock(session)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        await waiting_for_a_lock(session, 0)  # the server was told, too
    session.rollback()
    async with asyncio.timeout(10):
        await db(put("later"))
    assert {"name": "later"} in await db.read(NAMES)
    await db.close()


async def test_an_error_does_not_quote_the_row(store):
    with pytest.raises(StoreUnavailable) as caught:
        await store._db(
            ("insert into meta (name, value, at) values ('secret', null, 0)", {}),
        )
    assert "secret" not in str(caught.value)


async def test_a_burst_is_claimed_fast_before_there_are_statistics(store, session):
    """A queue grows faster than it is analyzed: each head is then looked up, not joined."""
    session.execute("alter table capture set (autovacuum_enabled = false)")
    session.execute(
        """insert into capture (api_url, order_id, fulfillment_id, fulfillment_created, line,
           due_at, created_at, updated_at) select 'shop', 'O' || n, 'F' || n, '', 'L' || n, 0, 0, 0
           from generate_series(1, 5000) n"""
    )
    session.commit()
    [row] = await sql(store, f"explain (analyze, format json) {claim_query(store)}")
    [plan] = row["QUERY PLAN"]
    taken = plan["Plan"]["Actual Rows"]
    read = sum(rows_read(plan["Plan"]))
    assert taken == 20
    assert read <= 10 * taken, plan


async def test_a_delivery_reads_no_other_rows_of_its_shop_before_there_are_statistics(
    store, session
):
    """Plans are kept from when a table was small; they must not read a shop's history then."""
    session.execute("alter table capture set (autovacuum_enabled = false)")
    session.commit()
    session.autocommit = True
    for order in range(300):
        await receive(store, f"O{order}")
        await receive(store, f"O{order}", event="fulfillment_tracking_number_updated")
    read, made = 0, 0
    for _ in range(100):
        made, read = session.execute(
            """select n_tup_ins, seq_tup_read + idx_tup_fetch from pg_stat_user_tables
               where relname = 'capture'"""
        ).fetchone()
        if made >= 300:
            break
        await asyncio.sleep(0.1)  # a session tells of what it did after a second
    assert made >= 300
    assert read <= 2 * 600, read


async def test_a_session_whose_function_is_gone_makes_it_again(store):
    await receive(store)
    await sql(store, "discard temp")
    assert await receive(store, "O2")
    assert not await receive(store, "O2")


async def test_a_role_that_may_make_no_functions_is_told_what_to_grant(database_url, session):
    name = session.info.dbname
    session.execute(f"revoke temporary on database {name} from public")
    session.execute("create role may_little login")
    session.commit()
    url = urlsplit(database_url)
    host = url.netloc.rpartition("@")[2]
    try:
        with pytest.raises(StoreUnavailable, match=f"grant temporary on database {name} to may_li"):
            await Postgres(url._replace(netloc=f"may_little@{host}").geturl()).open()
    finally:
        session.execute("drop role may_little")
        session.commit()


async def test_statistics_are_taken_early(store):
    """Most rows of a queue are done: what is open changes long before a tenth of all has."""
    [row] = await sql(store, "select reloptions from pg_class where relname = 'capture'")
    assert "autovacuum_analyze_scale_factor=0.02" in row["reloptions"]


def claim_query(store):
    query = store.captures._claim.replace(":worker", "'w'").replace(":limit", "20")
    query = query.replace(":lease", "60").replace(":shut", "'none'").replace(":silent", "''")
    return with_now(query, _NOW)


def rows_read(node):
    """Return how many rows each scan of a plan's tables has read."""
    if "Relation Name" in node and "Scan" in node["Node Type"]:
        removed = node.get("Rows Removed by Filter", 0)
        yield (node["Actual Rows"] + removed) * node["Actual Loops"]
    for inner in node.get("Plans", ()):
        yield from rows_read(inner)


async def test_claims_read_only_what_is_open(store, session):
    """With many rows done and statistics taken, no step of a claim reads the whole table."""
    session.execute(
        """insert into capture (api_url, order_id, fulfillment_id, fulfillment_created, line,
           created_at, updated_at) select 'shop', 'O' || n, 'F' || n, '', 'L' || n, 0, 0
           from generate_series(1, 5000) n"""
    )
    session.execute("update capture set due_at = 0 where id % 100 = 0")
    session.commit()
    session.autocommit = True
    session.execute("vacuum analyze capture")
    plan = await sql(store, f"explain {claim_query(store)}")
    text = "\n".join(row["QUERY PLAN"] for row in plan)
    assert "Seq Scan on capture" not in text, text
    assert "capture_due" in text, text
    assert re.search(r"Index Cond: .*due_at <=", text), text


async def test_nothing_acknowledged_is_lost_when_the_server_crashes_under_load(own_cluster):
    store = await Store.open(own_cluster.url, secret_key=SECRET_KEY)
    acknowledged, refused, stop = [], [], asyncio.Event()

    async def send(sender):
        number = 0
        while not stop.is_set():
            number += 1
            order = f"O{sender}-{number}"
            try:
                await store.deliveries.receive(SHOP, delivery(order), body(order))
                acknowledged.append(order)
            except StoreUnavailable:
                refused.append(order)
                await asyncio.sleep(0.02)

    senders = [asyncio.create_task(send(n)) for n in range(8)]
    try:
        await asyncio.sleep(0.5)
        for _ in range(2):
            await asyncio.to_thread(own_cluster.stop, "immediate")
            await asyncio.to_thread(own_cluster.start, durable=True)
            before = len(acknowledged)
            async with asyncio.timeout(20):
                while len(acknowledged) < before + 50:
                    await asyncio.sleep(0.05)
    finally:
        stop.set()
        await asyncio.gather(*senders)
    there = {row["order_id"] for row in await store._db.read("select order_id from capture")}
    await store.close()
    assert set(acknowledged) <= there
    assert refused


async def waiting_for_a_lock(session, callers=1):
    """Wait until so many callers wait for a lock of this session."""
    sql = """select count(*) from pg_stat_activity
        where pg_backend_pid() = any(pg_blocking_pids(pid))"""
    async with asyncio.timeout(10):
        while session.execute(sql).fetchone() != (callers,):
            await asyncio.sleep(0.01)
