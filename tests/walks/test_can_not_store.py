"""The disk is full, or the database takes no writes: Saleor is told to come again, nothing that was
acknowledged is lost, and all goes on by itself when there is room again.
"""

import asyncio
import json
import re
import secrets
from collections import Counter
from datetime import UTC, datetime

import httpx
import psycopg
import pytest

from saleor_kustom.sandbox.kustom import SimulatedKustom
from saleor_kustom.sandbox.saleor_post import _request
from saleor_kustom.sandbox.world import open_world
from tests.walks.conftest import MUGS

_MEGABYTE = 2**20


class SqliteFull:
    """There is room for some pages more, so that it ends in the middle of whatever there is."""

    padding, says = 3_000, "database or disk is full"

    def __init__(self, url, pages):
        self.url, self._pages = url, pages

    def begin(self, store):
        if self._pages is not None:
            [now] = store._db._writer.execute("pragma page_count").fetchone()
            store._db._writer.execute(f"pragma max_page_count = {now + self._pages}")
            self._pages = None

    def end(self, store):
        store._db._writer.execute("pragma max_page_count = 1000000")


class SqliteReadOnly:
    padding, says = 0, "attempt to write a readonly database"

    def __init__(self, url):
        self.url = url

    def begin(self, store):
        store._db._writer.execute("pragma query_only = on")

    def end(self, store):
        store._db._writer.execute("pragma query_only = off")


class PostgresReadOnly:
    """What hosted servers do when their disk is nearly full. Sessions keep what they began with."""

    padding, says = 0, "read-only transaction"

    def __init__(self, url):
        self.url = url
        self._begun = False

    def begin(self, _store):
        if not self._begun:
            self._begun = True
            self._alter("on")
            with psycopg.connect(self.url, autocommit=True) as session:
                session.execute(
                    "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                    " where datname = current_database() and pid <> pg_backend_pid()"
                )

    def end(self, _store):
        self._alter("off")

    def _alter(self, value):
        with psycopg.connect(self.url, autocommit=True) as session:
            [name] = session.execute("select current_database()").fetchone()
            session.execute("set default_transaction_read_only = off")
            session.execute(f"alter database {name} set default_transaction_read_only = {value}")


class PostgresFull:
    """No file may grow beyond a megabyte: what the app's sessions write meets the limit."""

    padding, says = 100_000, "could not extend file"

    def __init__(self, cluster):
        self.url, self._cluster = cluster.url, cluster

    def begin(self, _store):
        self._limit(_MEGABYTE)

    def end(self, _store):
        self._limit("unlimited")

    def _limit(self, most):
        with psycopg.connect(self.url) as session:
            sql = "select pid from pg_stat_activity where application_name = 'saleor-kustom'"
            for (pid,) in session.execute(sql).fetchall():
                self._cluster.limit_files(pid, most)


@pytest.fixture(
    params=["sqlite full 4", "sqlite full 9", "sqlite full 30", "sqlite read-only",
            "postgres full", "postgres read-only"]
)  # fmt: skip
def trouble(request):
    match request.param.split():
        case ["sqlite", "full", pages]:
            return SqliteFull(request.getfixturevalue("sqlite_url"), int(pages))
        case ["sqlite", _]:
            return SqliteReadOnly(request.getfixturevalue("sqlite_url"))
        case ["postgres", "full"]:
            # Its log in small files: only tables are to meet the limit.
            return PostgresFull(request.getfixturevalue("new_cluster")("--wal-segsize=1"))
    return PostgresReadOnly(request.getfixturevalue("postgres_url"))


class Shop:
    """Ships and posts, and remembers what was answered to which order."""

    def __init__(self, world, padding):
        self.world, self._padding = world, padding
        self.placed = {}
        self.acknowledged, self.refused = [], []

    async def ship(self):
        """Ship a new order and post its delivery once; return the answer's status."""
        saleor = self.world.saleor
        order, there = self.world.order([MUGS])
        self.placed[order["id"]] = (order, there)
        saleor.fulfill(order["id"])
        queued = saleor.queue.pop()
        delivery = await saleor.signed(queued.event, queued.value)
        if self._padding:
            body = {**json.loads(delivery.body), "more": secrets.token_hex(self._padding // 2)}
            delivery.body = json.dumps(body).encode()
            delivery.headers = saleor.headers(delivery.event, delivery.body)
        return await self.post(order["id"], delivery)

    async def post(self, order_id, delivery):
        async with httpx.AsyncClient(transport=self.world.saleor._transport) as client:
            answer = await client.send(_request(delivery))
        done = self.acknowledged if answer.status_code == 200 else self.refused
        done.append((order_id, delivery))
        return answer.status_code

    async def repeat(self):
        """Post again what was refused, as Saleor does."""
        again, self.refused = self.refused, []
        for order_id, delivery in again:
            await self.post(order_id, delivery)


async def test_nothing_acknowledged_is_lost_and_it_goes_on_by_itself(trouble, clock, caplog):
    kustom = SimulatedKustom(clock=lambda: datetime.fromtimestamp(clock.now, UTC))
    async with open_world(trouble.url, kustom=kustom, clock=clock) as world:
        await world.install()
        shop, store = Shop(world, trouble.padding), world.app.store
        for _ in range(5):
            assert await shop.ship() == 200
        stop = asyncio.Event()
        working = asyncio.create_task(world.app.worker.run(stop))
        answers = Counter()
        while answers[503] < 5:
            trouble.begin(store)
            answers[await shop.ship()] += 1
            assert answers.total() < 500
        assert set(answers) <= {200, 503}
        assert len({there.order_id for _, there in shop.placed.values()}) == len(shop.placed)
        told = [r for r in caplog.records if "could not take a delivery of" in r.getMessage()]
        assert len(told) == answers[503]
        assert all(trouble.says in record.getMessage() for record in told)
        kept = await store._db.read("select order_id from delivery")
        assert {order_id for order_id, _ in shop.acknowledged} <= {row["order_id"] for row in kept}

        trouble.end(store)
        async with asyncio.timeout(60):
            while shop.refused:
                await shop.repeat()
        stop.set()
        await working
        clock.pass_s(61)  # leases of runs whose last write was refused
        await world.settle()
        await all_once(shop, store)
    assert not re.search("Traceback", caplog.text)


async def all_once(shop, store):
    for order, there in shop.placed.values():
        assert [capture.amount for capture in there.captures] == [349_00]
        [row] = await store.captures.of_order(shop.world.saleor.api_url, order["id"])
        assert (str(row.state), row.capture_id) == ("reported", there.captures[0].capture_id)
        [transaction] = order["transactions"]
        assert len(transaction["events"]) == 1
