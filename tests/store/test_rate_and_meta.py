"""The shared rate, and what instances tell each other by name."""

import asyncio

import pytest
from databases import SECRET_KEY

from saleor_kustom.store import Store


async def take(store, **more):
    return await store.rate.take("live", "M1", 5.0, **more)


async def test_a_burst_leaves_at_once_and_then_calls_are_spaced(store):
    waits = [await take(store, burst=3) for _ in range(5)]
    assert waits == pytest.approx([0, 0, 0, 0.2, 0.4], abs=1e-6)


async def test_without_a_burst_one_seconds_calls_are_saved_up_and_no_more(store, clock):
    clock.now += 1000
    waits = [await take(store) for _ in range(7)]
    assert waits == pytest.approx([0, 0, 0, 0, 0, 0.2, 0.4], abs=1e-6)


async def test_time_gives_the_slots_back(store, clock):
    for _ in range(5):
        await take(store, burst=1)
    clock.now += 1.0
    assert await take(store, burst=1) == pytest.approx(0, abs=1e-6)
    assert await take(store, burst=1) == pytest.approx(0.2, abs=1e-6)


async def test_who_would_not_wait_takes_no_slot(store):
    assert await take(store, burst=1) == 0
    for _ in range(10):
        assert await take(store, burst=1, patience_s=0.1) == pytest.approx(0.2, abs=1e-6)
    assert await take(store, burst=1) == pytest.approx(0.2, abs=1e-6)


async def test_accounts_have_a_rate_of_their_own(store):
    for _ in range(5):
        await take(store, burst=1)
    assert await store.rate.take("live", "M2", 5.0, burst=1) == 0
    assert await store.rate.take("playground", "M1", 5.0, burst=1) == 0


async def test_instances_share_the_rate(database_url, clock):
    stores = [await Store.open(database_url, secret_key=SECRET_KEY, clock=clock) for _ in range(3)]
    waits = await asyncio.gather(*(take(store, burst=1) for store in stores for _ in range(4)))
    assert sorted(waits) == pytest.approx([n * 0.2 for n in range(12)], abs=1e-6)
    for store in stores:
        await store.close()


async def test_a_cursor_is_kept(store):
    assert await store.meta.get("cursor") is None
    await store.meta.put("cursor", "a")
    await store.meta.put("cursor", "b")
    assert await store.meta.get("cursor") == "b"


async def test_one_instance_has_its_turn_at_a_time(store, clock):
    turns = await asyncio.gather(*(store.meta.take_turn("reconcile", 60.0) for _ in range(5)))
    assert sorted(turns) == [False] * 4 + [True]
    clock.now += 59
    assert not await store.meta.take_turn("reconcile", 60.0)
    clock.now += 1
    assert await store.meta.take_turn("reconcile", 60.0)
    assert await store.meta.take_turn("another", 60.0)
