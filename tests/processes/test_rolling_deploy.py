"""A deploy stops an instance with SIGTERM while captures run; another one is there already."""

import asyncio
import signal
import time

import pytest

from saleor_kustom.sandbox.saleor_orders import Line
from saleor_kustom.sandbox.world import World
from saleor_kustom.store import Store
from tests.databases import SECRET_KEY
from tests.processes.running import Command, Sandbox, until

QUICK, HANGING = 4, 2


@pytest.fixture
async def store(postgres_url):
    store = await Store.open(postgres_url, secret_key=SECRET_KEY)
    yield store
    await store.close()


@pytest.fixture
async def sandbox():
    async with Sandbox().served() as sandbox:
        yield sandbox


@pytest.fixture
async def old_and_new(postgres_url, sandbox, tmp_path):
    old = Command(postgres_url, sandbox, tmp_path / "old")
    new = Command(postgres_url, sandbox, tmp_path / "new", APP_URL=old.url)
    yield old, new
    await old.stop()
    await new.stop()


async def test_sigterm_finishes_or_hands_back_and_another_instance_goes_on_at_once(
    store, sandbox, old_and_new, record_property
):
    old, new = old_and_new
    await asyncio.gather(old.start(), new.start())
    new.signal(signal.SIGSTOP)  # so that all is claimed by the old one
    await sandbox.install(store, old.url)
    world = World(sandbox.saleor, sandbox.kustom, None)
    placed = [world.order([Line("Mug", "100.00")]) for _ in range(QUICK + HANGING)]
    for order, _ in placed:
        sandbox.saleor.fulfill(order["id"])
    sandbox.kustom.fail_next("hang", times=HANGING, on="capture")
    sandbox.kustom.delay_s = 1.5  # the quick ones end while the process is stopping
    await sandbox.saleor.deliver()
    await until(lambda: sending(sandbox))

    old.signal(signal.SIGTERM)
    new.signal(signal.SIGCONT)  # all is claimed for another 60 s
    began = time.monotonic()
    assert await old.ended() == 0, old.logged
    took_s = time.monotonic() - began
    assert f"handed back: {HANGING}" in old.logged
    assert await store._db.read("select * from capture where worker like :pid", pid(old)) == []

    await until(lambda: all_captured(placed))
    await until(lambda: all_reported(store))
    for _, there in placed:
        assert [capture.amount for capture in there.captures] == [149_00]
    steps = await store._db.read("select capture_id from history where what = 'sent_again'")
    assert len(steps) == HANGING  # under the same key; the quick ones were finished
    assert "Traceback" not in old.logged + new.logged
    record_property("figure", f"SIGTERM with {HANGING} calls that hang: ended in {took_s:.1f} s")


async def sending(sandbox):
    posts = [path for method, path in sandbox.kustom.requests if method == "POST"]
    return len(posts) == QUICK + HANGING


async def all_captured(placed):
    return all(there.captures for _, there in placed)


async def all_reported(store):
    rows = await store._db.read("select state from capture")
    return {row["state"] for row in rows} == {"reported"}


def pid(process):
    return {"pid": f"%-{process.pid}-%"}
