"""Told to stop, a worker does not wait for what may take minutes."""

import asyncio

from saleor_kustom.app import work
from saleor_kustom.web import listen
from saleor_kustom.worker import loop


def test_finishing_handing_back_and_closing_the_edge_fit_into_twenty_seconds():
    assert loop.FINISH_S + loop.HAND_BACK_S + listen.FINISH_S < 20


async def test_a_reconciliation_under_way_is_broken_off(world):
    world.saleor.hang_s = 3600.0
    world.saleor.fail_next("hang", times=100)
    stop = asyncio.Event()
    working = asyncio.create_task(work(world.app, stop))
    asked = len(world.saleor.requests)
    async with asyncio.timeout(60):
        while len(world.saleor.requests) == asked:
            await asyncio.sleep(0.01)
    stop.set()
    async with asyncio.timeout(15):  # the call that hangs is given up after 20 s
        await working
