"""The queue: who may run what, when, and who may write."""

import asyncio
import random

import pytest
from rows import BINDING, LEASE_S, OTHER_SHOP, SHOP, captured, claim, claim_one, receive, rest, sql

from saleor_kustom.capture.state import State
from saleor_kustom.store import LeaseLost, Scope


async def test_a_received_parcel_is_claimed_once(store):
    await receive(store)
    capture = await claim_one(store)
    assert (capture.order_id, capture.state, capture.attempts) == ("O1", State.RECEIVED, 1)
    assert capture.due_at == store_time(store) + LEASE_S
    assert await claim(store, "another worker") == []


async def test_two_parcels_of_an_order_run_one_after_another_oldest_first(store):
    await receive(store, fulfillment="F1")
    await receive(store, fulfillment="F2")
    first = await claim_one(store)
    assert first.fulfillment_id == "F1"
    assert await claim(store) == []
    await rest(store, first)
    assert (await claim_one(store)).fulfillment_id == "F2"


async def test_a_claim_takes_no_more_than_it_asked_for_and_the_longest_due_first(store, clock):
    for order in ("O3", "O1", "O2"):
        await receive(store, order)
        clock.now += 1
    taken = await claim(store, limit=2)
    assert {capture.order_id for capture in taken} == {"O3", "O1"}


async def test_a_parcel_that_waits_for_a_retry_holds_its_line(store, clock):
    await receive(store, fulfillment="F1")
    await receive(store, fulfillment="F2")
    await rest(store, await claim_one(store), due_in_s=30.0, waiting="kustom_away")
    assert await claim(store) == []
    clock.now += 30
    assert (await claim_one(store)).fulfillment_id == "F1"


async def test_a_held_parcel_does_not_hold_its_line_even_while_it_is_woken(store):
    await receive(store, fulfillment="F1")
    await receive(store, fulfillment="F2")
    await rest(store, await claim_one(store), held="gift_card")
    second = await claim_one(store)
    assert second.fulfillment_id == "F2"
    await receive(store, fulfillment="F1", news="again")
    await rest(store, second, due_in_s=0.0)
    assert (await claim_one(store)).fulfillment_id == "F2"  # before the held one


async def test_money_goes_before_reports(store):
    await receive(store, fulfillment="F1")
    await captured(store, await claim_one(store), keep=False, due_in_s=0.0)
    await receive(store, fulfillment="F2")
    assert (await claim_one(store)).fulfillment_id == "F2"


async def test_a_parcel_that_rests_is_not_claimed_until_there_is_news(store, clock):
    await receive(store)
    await rest(store, await claim_one(store))
    clock.now += 1e6
    assert await claim(store) == []
    await receive(store, news="2")
    assert await claim_one(store)


async def test_a_repeated_delivery_is_no_news(store):
    assert await receive(store)
    await rest(store, await claim_one(store), due_in_s=500.0)
    assert not await receive(store)
    assert await claim(store) == []


async def test_news_during_a_run_makes_the_parcel_due_right_after_it(store):
    await receive(store)
    capture = await claim_one(store)
    await receive(store, news="2")
    assert await claim(store) == []  # it still runs
    await rest(store, capture)
    assert await claim_one(store)


async def test_news_between_two_saves_of_a_run_is_not_lost(store):
    await receive(store)
    capture = await claim_one(store)
    await receive(store, news="2")
    capture = await store.captures.save(capture, what="planned", keep=True)
    await rest(store, capture)
    assert await claim_one(store)


async def test_news_before_a_run_does_not_make_it_run_twice(store):
    await receive(store)
    await receive(store, news="2")
    await rest(store, await claim_one(store))
    assert await claim(store) == []


async def test_a_dead_workers_parcel_is_taken_over_when_its_lease_ends(store, clock):
    await receive(store)
    await claim_one(store, "dead")
    clock.now += LEASE_S - 1
    assert await claim(store, "alive") == []
    clock.now += 1
    capture = await claim_one(store, "alive")
    assert (capture.worker, capture.attempts) == ("alive", 2)


@pytest.mark.parametrize("keep", [True, False])
async def test_a_run_that_lost_its_lease_writes_nothing(store, clock, keep):
    await receive(store)
    late = await claim_one(store, "worker")
    clock.now += LEASE_S
    await claim_one(store, "worker")  # of the same name: the fence is the attempt
    with pytest.raises(LeaseLost):
        await store.captures.save(late, what="captured", keep=keep, order_number="1")
    with pytest.raises(LeaseLost):
        await store.captures.renew(late, LEASE_S)
    [row] = await store.captures.of_order(SHOP, "O1")
    assert row.order_number is None
    assert await store.captures.history(SHOP, row.id) == []


async def test_a_renewed_lease_outlasts_the_first(store, clock):
    await receive(store)
    capture = await claim_one(store)
    clock.now += LEASE_S - 1
    await store.captures.renew(capture, LEASE_S)
    clock.now += LEASE_S - 1
    assert await claim(store) == []
    await store.captures.save(capture, what="planned", lease_s=LEASE_S)
    clock.now += LEASE_S - 1
    assert await claim(store) == []
    clock.now += 1
    assert await claim_one(store)


async def test_what_is_handed_back_is_due_at_once_and_its_old_run_can_not_write(store):
    for order in ("O1", "O2"):
        await receive(store, order)
    mine, _ = await claim(store, "mine")
    await receive(store, "O3")
    await claim_one(store, "yours")
    assert await store.captures.release_all("mine") == 2
    with pytest.raises(LeaseLost):
        await store.captures.save(mine, what="late")
    assert {capture.order_id for capture in await claim(store)} == {"O1", "O2"}


async def test_a_save_and_its_history_are_one(store):
    await receive(store)
    capture = await claim_one(store)
    saved = await store.captures.save(
        capture, what="planned", detail={"amount": 5}, state=State.PLANNED, held_detail={"a": 1}
    )
    assert (saved.state, saved.held_detail) == (State.PLANNED, {"a": 1})
    [line] = await store.captures.history(SHOP, capture.id)
    assert (line["what"], line["detail"]) == ("planned", {"amount": 5})


async def test_a_run_may_not_write_what_the_queue_keeps(store):
    await receive(store)
    capture = await claim_one(store)
    for column in ("attempts", "due_at", "worker", "line", "no_such_column", "id = id --"):
        with pytest.raises(ValueError, match="may write"):
            await store.captures.save(capture, what="x", **{column: 1})


@pytest.mark.parametrize(
    ("scope", "api_url", "key"),
    [
        (Scope.SHOP, SHOP, ""),
        (Scope.CHANNEL, SHOP, "sweden"),
        (Scope.ORDER, SHOP, "O1"),
        (Scope.ACCOUNT, SHOP, "playground/PM1"),
        (Scope.ACCOUNT, "", "playground/PM1"),
    ],
)
async def test_what_is_paused_is_not_claimed_until_the_pause_is_lifted(store, scope, api_url, key):
    await receive(store)
    capture = await claim_one(store)
    await store.captures.bind(capture, BINDING, "test")
    await rest(store, capture, channel="sweden", due_in_s=0.0)
    await store.pauses.set(scope, api_url, key, who="anna", why="stock-taking")
    await receive(store, "another order")
    assert [c.order_id for c in await claim(store)] == (
        [] if scope is Scope.SHOP else ["another order"]
    )
    assert (await store.pauses.covering(capture, channel="sweden", account="playground/PM1")).why
    assert [pause.who for pause in await store.pauses.list(SHOP)] == ["anna"]
    assert await store.pauses.lift(scope, api_url, key, who="anna")
    assert "O1" in [c.order_id for c in await claim(store)]


async def test_another_shops_pause_changes_nothing(store):
    await receive(store)
    for scope in Scope:
        await store.pauses.set(scope, "https://other.example/graphql/", "O1", who="a", why="b")
    capture = await claim_one(store)
    assert await store.pauses.covering(capture) is None


async def test_a_pause_does_not_keep_saleor_from_hearing_of_money_that_moved(store):
    await receive(store)
    await captured(store, await claim_one(store), keep=False, due_in_s=0.0)
    await store.pauses.set(Scope.SHOP, SHOP, who="anna", why="stock-taking")
    assert (await claim_one(store)).state is State.CAPTURED


async def test_resume_takes_the_mark_away_and_says_who_did(store):
    await receive(store)
    held = await rest(store, await claim_one(store), held="gift_card", failures=3)
    assert not await store.captures.resume("https://other.example/graphql/", held.id, "eve", "x")
    assert await store.captures.resume(SHOP, held.id, "anna", "checked")
    assert not await store.captures.resume(SHOP, held.id, "anna", "twice")
    capture = await claim_one(store)
    assert (capture.held, capture.failures) == (None, 0)
    last = (await store.captures.history(SHOP, held.id))[-1]
    assert (last["what"], last["detail"]["who"]) == ("resumed", "anna")


async def test_a_resume_during_a_run_is_not_lost(store):
    await receive(store)
    await rest(store, await claim_one(store), held="gift_card")
    await receive(store, news="2")
    running = await claim_one(store)
    assert await store.captures.resume(SHOP, running.id, "anna", "checked")
    await rest(store, running)
    assert await claim_one(store)


async def test_what_is_held_for_a_reason_is_woken_for_the_whole_shop(store):
    await receive(store, "O1")
    await receive(store, "O1", shop="https://other.example/graphql/")
    await receive(store, "O2")
    for capture in await claim(store):
        reason = "no_credentials" if capture.order_id == "O1" else "gift_card"
        await rest(store, capture, held=reason)
    assert await store.captures.wake_held(SHOP, "no_credentials") == 1
    assert (await claim_one(store)).api_url == SHOP


async def test_an_order_is_woken_as_a_whole(store):
    await receive(store, fulfillment="F1")
    await receive(store, fulfillment="F2")
    for _ in range(2):
        await rest(store, await claim_one(store))
    assert await store.captures.wake_order(SHOP, "O1") == 2
    assert await claim_one(store)


async def test_a_fulfillment_found_by_reading_saleor_is_made_once_and_else_woken(store):
    found = (SHOP, "O1", "F1", "2026-01-01T12:00:00.000000+00:00")
    assert await store.captures.notice(*found)
    await rest(store, await claim_one(store))
    assert not await store.captures.notice(*found)
    assert (await claim_one(store)).fulfillment_id == "F1"
    await receive(store)  # the delivery that came late is about the same row
    assert len(await store.captures.of_order(SHOP, "O1")) == 1


async def test_workers_side_by_side_never_run_one_line_twice_nor_out_of_order(store):
    """Each capture needs three claims; five workers want all of them."""
    orders, parcels, chance = 12, 3, random.Random(1)
    for number in range(parcels):
        await asyncio.gather(*(receive(store, f"O{n}", f"F{number}") for n in range(orders)))
    running, done = set(), {f"O{n}": [] for n in range(orders)}

    async def run(worker, capture):
        assert capture.line not in running
        running.add(capture.line)
        await asyncio.sleep(chance.random() / 500)
        capture = await store.captures.save(capture, what="step", failures=capture.failures + 1)
        running.remove(capture.line)
        last = capture.failures == 3
        if last:
            done[capture.order_id].append(capture.fulfillment_id)
        await rest(store, capture, due_in_s=None if last else 0.0)

    async def work(worker):
        while any(len(parcels_done) < parcels for parcels_done in done.values()):
            captures = await claim(store, worker, limit=4)
            await asyncio.gather(*(run(worker, capture) for capture in captures))

    async with asyncio.timeout(60):
        await asyncio.gather(*(work(f"worker {n}") for n in range(5)))
    assert all(fulfillments == ["F0", "F1", "F2"] for fulfillments in done.values())
    [row] = await sql(store, "select max(attempts) as most, min(attempts) as least from capture")
    assert (row["most"], row["least"]) == (3, 3)


def store_time(store):
    return store._db._clock()


async def test_what_belongs_to_a_shop_that_is_away_waits_and_its_neighbours_do_not(store):
    for order, shop in (("O1", SHOP), ("O2", SHOP), ("O3", OTHER_SHOP)):
        await receive(store, order, shop=shop)
    sent = next(c for c in await claim(store) if c.order_id == "O2")
    frozen = {"plan": "{}", "idempotency_key": "key", "amount_minor": 1}
    sending = {"what": "sending", "state": State.SENDING, **frozen}
    await store.captures.save(sent, keep=False, due_in_s=0.0, **sending)
    for order in ("O1", "O3"):
        await sql(
            store, "update capture set worker = null, due_at = 0 where order_id = :o", o=order
        )
    third = "https://third.example/graphql/"
    claimed = await store.captures.claim("w", 9, LEASE_S, silent={SHOP, third})
    assert [c.order_id for c in claimed] == ["O2", "O3"]  # what may be sent is looked up
    claimed = await store.captures.claim("w", 9, LEASE_S, silent={third})
    assert [c.order_id for c in claimed] == ["O1"]
