"""Taking deliveries in: each once, raw, with its news; and binding an order meanwhile."""

import asyncio
import dataclasses

import pytest
from databases import SECRET_KEY
from rows import (
    BINDING,
    CREATED,
    OTHER_SHOP,
    SHOP,
    body,
    captured,
    claim,
    claim_one,
    delivery,
    receive,
    rest,
    sql,
)

from saleor_kustom.store import Status, Store, Wanted


async def test_twenty_at_once_of_the_same_delivery_make_one_row(store):
    news = await asyncio.gather(*(receive(store) for _ in range(20)))
    assert sorted(news) == [False] * 19 + [True]
    [counted] = await sql(
        store,
        """select (select count(*) from delivery) as deliveries,
           (select count(*) from capture) as captures, (select max(wakes) from capture) as wakes""",
    )
    assert (counted["deliveries"], counted["captures"], counted["wakes"]) == (1, 1, 0)


async def test_a_delivery_is_kept_byte_for_byte(store):
    raw = b'{"a": "\xff\x00 not even JSON'
    assert await store.deliveries.receive(SHOP, delivery(problem="odd"), raw)
    [row] = await store.deliveries.not_understood(SHOP)
    assert await store.deliveries.body(SHOP, row["id"]) == raw
    assert await store.deliveries.body(OTHER_SHOP, row["id"]) is None


async def test_the_same_bytes_for_another_shop_or_event_are_another_delivery(store):
    same = body("same")
    assert await store.deliveries.receive(SHOP, delivery(), same)
    assert await store.deliveries.receive(OTHER_SHOP, delivery(), same)
    assert await store.deliveries.receive(SHOP, delivery(event="fulfillment_canceled"), same)
    assert len(await store.captures.list(SHOP)) == len(await store.captures.list(OTHER_SHOP)) == 1


async def test_what_is_not_understood_is_kept_for_a_person_and_read_again_if_it_names_a_parcel(
    store,
):
    odd = dataclasses.replace(delivery(), problem="errors")
    await store.deliveries.receive(SHOP, odd, body("odd"))
    nameless = delivery(None, None, created=None, problem="no __typename")
    await store.deliveries.receive(SHOP, nameless, body("nameless"))
    problems = [row["problem"] for row in await store.deliveries.not_understood(SHOP)]
    assert sorted(problems) == ["errors", "no __typename"]
    assert await store.deliveries.not_understood(OTHER_SHOP) == []
    assert (await claim_one(store)).fulfillment_id == "F1"


async def test_a_delivery_with_text_that_databases_refuse_is_kept_all_the_same(store):
    assert await receive(store, "O\0\ud8001", problem="a \0 and a \udfff")
    assert len(await claim(store)) == 1


async def test_an_event_about_an_order_makes_no_capture(store):
    about = delivery("O1", None, event="order_cancelled", created=None)
    assert await store.deliveries.receive(SHOP, about, body("order"))
    assert await store.captures.list(SHOP) == []


async def test_a_cancellation_leaves_a_tombstone_even_if_it_comes_first(store):
    await receive(store, event="fulfillment_canceled", news="cancel")
    await receive(store, news="created")
    [row] = await store.captures.of_order(SHOP, "O1")
    assert row.canceled


async def test_a_cancellation_wakes_what_rests_and_nothing_takes_the_tombstone_away(store):
    await receive(store)
    await rest(store, await claim_one(store))
    await receive(store, event="fulfillment_canceled", news="cancel")
    await receive(store, news="tracking")
    assert (await claim_one(store)).canceled


async def test_an_event_that_only_claims_to_be_a_cancellation_leaves_no_tombstone(store):
    await receive(store, event="fulfillment_canceled", problem="no __typename")
    assert not (await claim_one(store)).canceled


async def test_no_tombstone_is_lost_when_first_deliveries_come_together(store):
    orders = [f"O{n}" for n in range(25)]
    await asyncio.gather(
        *(receive(store, order, news="created") for order in orders),
        *(receive(store, order, event="fulfillment_canceled") for order in orders),
    )
    rows = [row for order in orders for row in await store.captures.of_order(SHOP, order)]
    assert [row.canceled for row in rows] == [True] * 25


async def test_the_same_fulfillment_id_with_another_order_or_time_is_another_row(store):
    await receive(store, "O1")
    await receive(store, "O2")
    await receive(store, "O1", created="2026-02-02T12:00:00.000000+00:00", news="restored")
    oldest, second, third = reversed(await store.captures.list(SHOP))
    assert await store.captures.namesakes(oldest) == []
    assert [row.id for row in await store.captures.namesakes(second)] == [oldest.id]
    assert [row.id for row in await store.captures.namesakes(third)] == [oldest.id, second.id]


async def test_binding_moves_the_whole_order_to_the_kustom_orders_line(store):
    await receive(store, fulfillment="F1")
    await receive(store, fulfillment="F2")
    capture = await claim_one(store)
    assert await store.captures.bind(capture, BINDING, "private metadata")
    assert await store.captures.bind(capture, BINDING, "again")
    await receive(store, fulfillment="F3")
    rows = await store.captures.of_order(SHOP, "O1")
    assert {row.line for row in rows} == {BINDING.line}
    assert {row.account for row in rows} == {"playground/PM1"}
    assert await claim(store) == []  # one of them runs
    assert await store.captures.binding(SHOP, "O1") == BINDING
    assert await store.captures.binding(OTHER_SHOP, "O1") is None


async def test_a_kustom_order_is_bound_to_one_order_and_an_order_to_one_kustom_order(store):
    await receive(store, "O1")
    await receive(store, "O2")
    await receive(store, "O1", shop=OTHER_SHOP)
    first, second, elsewhere = await claim(store)
    assert await store.captures.bind(first, BINDING, "a")
    assert not await store.captures.bind(second, BINDING, "b")
    assert not await store.captures.bind(elsewhere, BINDING, "c")
    another = dataclasses.replace(BINDING, kustom_order_id="another")
    assert not await store.captures.bind(first, another, "d")
    assert await store.captures.binding(SHOP, "O1") == BINDING
    assert second.line == (await store.captures.of_order(SHOP, "O2"))[0].line


async def test_of_two_orders_that_bind_at_once_one_gets_the_kustom_order(store):
    for number in range(10):
        await receive(store, f"O{number}")
    captures = await claim(store)
    bound = await asyncio.gather(*(store.captures.bind(c, BINDING, "race") for c in captures))
    assert sorted(bound) == [False] * 9 + [True]


async def test_no_parcel_stays_on_a_line_that_its_order_has_left(store):
    for number in range(15):
        await receive(store, f"O{number}")
    captures = await claim(store, limit=15)
    bindings = [dataclasses.replace(BINDING, kustom_order_id=c.order_id) for c in captures]
    await asyncio.gather(
        *(
            asyncio.gather(
                store.captures.bind(capture, binding, "race"),
                receive(store, capture.order_id, "F2"),
                store.captures.notice(SHOP, capture.order_id, "F3", CREATED),
            )
            for capture, binding in zip(captures, bindings, strict=True)
        )
    )
    for capture, binding in zip(captures, bindings, strict=True):
        rows = await store.captures.of_order(SHOP, capture.order_id)
        assert [row.line for row in rows] == [binding.line] * 3


async def test_lists_are_of_one_shop_newest_first_and_by_page(store):
    for order in ("O1", "O2", "O3"):
        await receive(store, order)
    await receive(store, "O1", shop=OTHER_SHOP)
    newest, *_ = page = await store.captures.list(SHOP, Wanted(limit=2))
    assert [row.order_id for row in page] == ["O3", "O2"]
    [oldest] = await store.captures.list(SHOP, Wanted(limit=2, before_id=page[-1].id))
    assert oldest.order_id == "O1"
    assert await store.captures.get(SHOP, newest.id) == newest
    assert await store.captures.get(OTHER_SHOP, newest.id) is None


async def test_captures_are_found_by_status(store):
    for order in ("O1", "O2", "O3"):
        await receive(store, order)
    first, second, _ = await claim(store)
    await captured(store, first, keep=False)
    await rest(store, second, held="gift_card")
    for status, order in (("captured", "O1"), ("held", "O2"), ("waiting", "O3")):
        [found] = await store.captures.list(SHOP, Wanted(Status(status)))
        assert found.order_id == order
    assert await store.captures.list(SHOP, Wanted(Status.NOTHING)) == []


@pytest.mark.parametrize(
    "search", ["1042", "O1", "F-one", "C-one", "11111111-2222-3333-4444-555555555555"]
)
async def test_a_capture_is_found_by_every_number_that_a_person_may_have(store, search):
    await receive(store, "O1", "F-one")
    await receive(store, "O2", "F-two")
    await receive(store, "O1", "F-one", shop=OTHER_SHOP)
    first, *_ = await claim(store)
    await store.captures.bind(first, BINDING, "test")
    await captured(store, first, "C-one", order_number="1042")
    [found] = await store.captures.list(SHOP, Wanted(search=search))
    assert found.id == first.id
    assert await store.captures.list(SHOP, Wanted(search=f"{search}0")) == []


async def test_a_search_for_nonsense_finds_nothing(store):
    assert await store.captures.list(SHOP, Wanted(search="\0\ud800' or 1=1 --")) == []


async def test_the_database_s_own_time_rules_when_no_clock_is_given(database_url):
    store = await Store.open(database_url, secret_key=SECRET_KEY)
    try:
        await receive(store)
        capture = await claim_one(store, lease_s=60)
        assert 59 < capture.due_at - capture.created_at < 75
        assert capture.created_at > 1_700_000_000
        assert await claim(store, "another") == []
    finally:
        await store.close()
