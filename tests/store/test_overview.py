"""A shop at a glance: what is summed when a capture is stored, and what is read of what is open."""

import pytest
from rows import OTHER_SHOP, SHOP, captured, claim, receive, rest

from saleor_kustom.capture.state import State
from saleor_kustom.store import OpenAuthorization, Queue, Status, Sum, Wanted
from saleor_kustom.store.overview import Hour

NOON = 1_000 * 3600.0  # an hour's begin, unix seconds


async def test_a_capture_is_counted_once_in_its_hour(store):
    await receive(store, "O1")
    await receive(store, "O2")
    first, second = await claim(store)
    first = await captured(store, first, "C1", currency="SEK", captured_at=NOON + 3599.9)
    await captured(store, second, "C2", currency="SEK", captured_at=NOON + 3600.0)
    await store.captures.save(first, what="reported", state=State.REPORTED, captured_at=NOON)
    assert await store.overview.captured(SHOP, 0) == [
        Hour(1000, "SEK", 1, 19_90),
        Hour(1001, "SEK", 1, 19_90),
    ]
    assert await store.overview.captured(SHOP, 1001) == [Hour(1001, "SEK", 1, 19_90)]
    assert await store.overview.captured(OTHER_SHOP, 0) == []


async def test_an_hour_sums_up_by_currency_with_what_the_row_knows(store):
    for order in ("O1", "O2", "O3"):
        await receive(store, order)
    first, second, third = await claim(store)
    await captured(store, first, "C1", currency="SEK", captured_at=NOON)
    second = await store.captures.save(
        second, what="planned", state=State.PLANNED, plan="{}", idempotency_key="k",
        amount_minor=100, currency="SEK",
    )  # fmt: skip
    await store.captures.save(
        second, what="captured", state=State.CAPTURED, capture_id="C2", captured_at=NOON
    )
    await captured(store, third, "C3", currency="EUR", captured_at=NOON)
    assert await store.overview.captured(SHOP, 0) == [
        Hour(1000, "EUR", 1, 19_90),
        Hour(1000, "SEK", 2, 20_90),
    ]


async def test_a_run_that_lost_its_lease_counts_nothing(store, clock):
    await receive(store)
    [stale] = await claim(store, lease_s=10)
    clock.now += 11
    await claim(store, "another")
    with pytest.raises(Exception, match="capture"):
        await captured(store, stale, captured_at=NOON, currency="SEK")
    assert await store.overview.captured(SHOP, 0) == []


async def test_what_is_held_is_summed_by_reason_and_listed_by_money(store):
    for number, order in enumerate(("O1", "O2", "O3", "O4", "O5"), start=1):
        await receive(store, order)
        [row] = await claim(store)
        reason = "observed" if order == "O5" else "gift_card" if order == "O4" else "not_linked"
        known = {"worth_minor": number * 100, "currency": "SEK"} if number > 1 else {}
        await rest(store, row, held=reason, **known)
    await receive(store, "O1", shop=OTHER_SHOP)
    assert await store.overview.held(SHOP) == [
        Sum("gift_card", "SEK", 1, 400),
        Sum("not_linked", "", 1, 0),
        Sum("not_linked", "SEK", 2, 500),
        Sum("observed", "SEK", 1, 500),
    ]
    listed = await store.overview.held_parcels(SHOP, limit=2)
    assert [row.order_id for row in listed] == ["O4", "O3"]
    listed = await store.overview.held_parcels(SHOP, limit=5, after=2)
    assert [row.order_id for row in listed] == ["O2", "O1"]
    [observed] = await store.overview.held_parcels(SHOP, reason="observed")
    assert observed.order_id == "O5"
    assert await store.overview.held_parcels(OTHER_SHOP) == []


async def test_what_waits_is_counted_without_what_is_held(store, clock):
    assert await store.overview.queue(SHOP) == Queue(0, None, None)
    begun = clock.now
    for order in ("O1", "O2", "O3"):
        await receive(store, order)
    first, second, _ = await claim(store)
    await rest(store, first, held="gift_card")
    await rest(store, second, due_in_s=5.0)
    clock.now += 7
    assert await store.overview.queue(SHOP) == Queue(2, begun + 5, begun)


async def test_money_at_risk_is_what_expires_before_a_time(store, clock):
    def seen(order, minor, in_s):
        return OpenAuthorization(SHOP, order, "1", "K", "SEK", minor, clock.now + in_s)

    for one in (seen("O1", 500, 100), seen("O2", 0, 100), seen("O3", 7, 900), seen("O4", 9, -1)):
        await store.authorizations.put(one)
    assert await store.overview.at_risk(SHOP, clock.now + 200) == [Sum("", "SEK", 1, 500)]
    assert await store.overview.at_risk(OTHER_SHOP, clock.now + 200) == []


async def test_channels_and_refused_tracking_are_found(store):
    for order in ("O1", "O2", "O3"):
        await receive(store, order)
    first, second, third = await claim(store)
    await rest(store, first, channel="se", tracking_problem="422")
    await rest(store, second, channel="no")
    await rest(store, third, channel="se")
    assert await store.overview.channels(SHOP) == ["no", "se"]
    assert await store.overview.channels(OTHER_SHOP) == []
    [refused] = await store.overview.tracking_refused(SHOP)
    assert refused.id == first.id


async def test_a_list_is_narrowed_by_channel_time_and_status_together(store, clock):
    begun = clock.now
    for order in ("O1", "O2", "O3", "O4"):
        await receive(store, order)
        [row] = await claim(store)
        await rest(store, row, channel="no" if order == "O3" else "se", due_in_s=1e6)
        clock.now += 10

    async def found(**wanted):
        return [row.order_id for row in await store.captures.list(SHOP, Wanted(**wanted))]

    assert await found(since=begun + 10) == ["O4", "O3", "O2"]
    assert await found(until=begun + 20) == ["O2", "O1"]
    assert await found(until=begun) == await found(since=begun + 99) == []
    assert await found(since=begun + 10, channel="se", status=Status.WAITING) == ["O4", "O2"]
    assert await found(channel="se", limit=1) == ["O4"]
