"""kill -9 while deliveries are acknowledged and captures run: nothing acknowledged is lost."""

import asyncio
import signal
import sys

import pytest
from databases import SECRET_KEY
from rows import SHOP

from saleor_kustom.store import Store

#: Acknowledges on its standard output only what the store has taken, and runs captures beside.
WORKING = """
import asyncio, sys
from saleor_kustom.capture.delivery import Delivery
from saleor_kustom.store import Store

url, key, shop, life = sys.argv[1:]

async def receive(store, sender):
    number = 0
    while True:
        number += 1
        order = f"{life}-{sender}-{number}"
        told = Delivery("fulfillment_created", "APP1", None, order, "F1", "2026-01-01")
        assert await store.deliveries.receive(shop, told, order.encode())
        sys.stdout.write(order + "\\n")
        sys.stdout.flush()

async def run(store):
    while True:
        for capture in await store.captures.claim(f"worker {life}", 20, 60.0):
            capture = await store.captures.save(capture, what="step", order_number="1")
            await store.captures.save(capture, what="rests", keep=False)
        await asyncio.sleep(0)

async def main():
    store = await Store.open(url, secret_key=key)
    with store.worker_lock():
        await store.captures.start()
        await asyncio.gather(run(store), *(receive(store, n) for n in range(10)))

asyncio.run(main())
"""


@pytest.mark.parametrize("lives", [2, pytest.param(10, marks=pytest.mark.long)])
async def test_nothing_acknowledged_is_lost_by_kill_9(database_url, lives):
    acknowledged = []
    for life in range(lives):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WORKING, database_url, SECRET_KEY, SHOP, str(life),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        wanted = len(acknowledged) + 300
        async with asyncio.timeout(60):
            while len(acknowledged) < wanted and (line := await process.stdout.readline()):
                acknowledged.append(line.decode().strip())
        process.send_signal(signal.SIGKILL)
        # Whole lines that were written before it died count too.
        rest = (await process.stdout.read()).decode().rpartition("\n")[0]
        acknowledged += rest.split()
        await process.wait()
    store = await Store.open(database_url, secret_key=SECRET_KEY)
    delivered = {row["order_id"] for row in await store._db.read("select order_id from delivery")}
    rows = await store._db.read("select * from capture")
    steps = await store._db.read("select capture_id from history where what = 'step'")
    await store.close()
    assert len(acknowledged) >= 300 * lives
    assert set(acknowledged) <= delivered
    assert {row["order_id"] for row in rows} == delivered  # each has its capture
    # A save and its line of history are there together or not at all.
    assert {row["id"] for row in rows if row["order_number"]} == {s["capture_id"] for s in steps}
