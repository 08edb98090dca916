"""Raw deliveries are kept for a time; an order's personal data is erased when asked for."""

import json

import pytest
from rows import CREATED, OTHER_SHOP, SHOP, captured, claim_one, receive, rest, sql

from saleor_kustom.capture.shipping_info import difference
from saleor_kustom.capture.state import State
from saleor_kustom.store import StillOpen

PERSON = "Astrid Lindgren"
DAY_S = 86400.0
BODY = json.dumps(
    {
        "captured_amount": 1990,
        "order_lines": [{"name": f"Mug for {PERSON}", "quantity": 1, "total_amount": 1990}],
        "shipping_info": [{"tracking_number": f"SE1 {PERSON}", "shipping_company": "PostNord"}],
    }
)
PLAN = json.dumps(
    {
        "reference": "1001/1/F1",
        "amount_minor": 1990,
        "base_minor": 1990,
        "units": {"L1": [[0, 1]]},
        "body": BODY,
        "notes": [f"left out: {PERSON}"],
    }
)


async def settled(store, order="O1", number="1001"):
    """Leave an order whose capture is reported, with a person's traces wherever they may be."""
    await receive(store, order)
    row = await captured(
        store,
        await claim_one(store),
        f"C-{order}",
        state=State.REPORTED,
        order_number=number,
        tracking_sent=[{"tracking_number": f"SE1 {PERSON}"}],
        tracking_problem=f"no such {PERSON}",
        tracking_notes=[f"{PERSON} is no field"],
        tracking_refused=[{"capture_id": "C1", "entry": {"tracking_number": PERSON}}],
        tracking_elsewhere={"C0": [{"tracking_number": f"SE1 {PERSON}"}]},
        waiting_detail={"message": PERSON, "amount": "19.90 SEK"},
        detail={"message": PERSON, "capture_id": "C1"},
    )
    return await rest(store, row)


async def everything(store):
    rows = []
    for table in ("delivery", "capture", "history"):
        rows += await sql(store, f"select * from {table}")  # noqa: S608 - a name of ours
    return str(rows)


async def test_an_erased_order_tells_of_no_person_and_keeps_its_amounts(store):
    row = await settled(store)
    await sql(store, "update capture set plan = :plan", plan=PLAN)
    assert PERSON in await everything(store)
    erased = await store.erasing.order(SHOP, "1001", who="a person")
    assert (erased.order_id, erased.captures, erased.deliveries) == ("O1", 1, 1)
    assert PERSON not in await everything(store)
    after = await store.captures.get(SHOP, row.id)
    assert (after.amount_minor, after.capture_id, after.order_number) == (1990, "C-O1", "1001")
    assert (after.state, after.idempotency_key) == (State.REPORTED, "key")
    plan = json.loads(after.plan)
    assert (plan["units"], plan["amount_minor"]) == ({"L1": [[0, 1]]}, 1990)
    assert json.loads(plan["body"])["order_lines"][0]["total_amount"] == 1990
    lines = await store.history.of_capture(SHOP, row.id)
    assert [line["what"] for line in lines] == ["captured", "rests"]
    assert lines[0]["detail"]["capture_id"] == "C1"
    assert (await store.history.of_shop(SHOP))[0]["detail"] == {"order": "O1", "who": "a person"}


async def test_tracking_that_was_erased_is_not_taken_for_unsent(store):
    row = await settled(store)
    await store.erasing.order(SHOP, "O1", who="a person")
    after = await store.captures.get(SHOP, row.id)
    for sent in (after.tracking_sent, after.tracking_elsewhere["C0"]):
        assert difference([{"tracking_number": f"SE1 {PERSON}"}], sent) == ()
    assert (after.tracking_notes, after.tracking_refused) == ((), ())


async def test_refused_tracking_that_was_erased_is_not_tried_again(store):
    row = await settled(store)
    await sql(store, "update capture set tracking_sent = '[]'")
    await store.erasing.order(SHOP, "O1", who="a person")
    after = await store.captures.get(SHOP, row.id)
    assert difference([{"tracking_number": f"SE1 {PERSON}"}], after.tracking_sent) == ()


async def test_a_repeated_delivery_is_still_recognised(store):
    await settled(store)
    await store.erasing.order(SHOP, "1001", who="a person")
    assert not await receive(store)
    assert "body" in (await sql(store, "select body from delivery"))[0]
    assert bytes((await sql(store, "select body from delivery"))[0]["body"]) == b""


async def test_other_orders_and_shops_are_not_touched(store):
    await settled(store)
    await settled(store, "O2", "1002")
    before = await store.captures.of_order(SHOP, "O2")
    assert await store.erasing.order(OTHER_SHOP, "1001", who="a person") is None
    assert await store.erasing.order(SHOP, "1003", who="a person") is None
    await store.erasing.order(SHOP, "1001", who="a person")
    assert await store.captures.of_order(SHOP, "O2") == before
    assert PERSON in await everything(store)


@pytest.mark.parametrize("state", ["received", "sending", "captured"])
async def test_money_goes_first(store, state):
    await settled(store)
    await sql(store, "update capture set state = :state, plan = '{}'", state=state)
    before = await everything(store)
    with pytest.raises(StillOpen, match=state):
        await store.erasing.order(SHOP, "1001", who="a person")
    assert await everything(store) == before


async def test_what_waits_for_a_person_is_not_erased(store):
    row = await settled(store)
    await store.captures.hold(SHOP, row.id, "capture_differs", {})
    with pytest.raises(StillOpen, match="held"):
        await store.erasing.order(SHOP, "1001", who="a person")


async def test_an_order_of_which_only_a_delivery_is_known_is_erased(store):
    await receive(store, "O1", None, event="order_cancelled", created=None)
    erased = await store.erasing.order(SHOP, "O1", who="a person")
    assert (erased.captures, erased.deliveries) == (0, 1)


async def test_old_deliveries_are_emptied_and_younger_ones_stay(store, clock):
    for number in range(1100):
        await receive(store, f"O{number}", news=str(number))
    clock.now += 30 * DAY_S
    await receive(store, "young")
    clock.now += 1.0
    assert await store.erasing.strip_deliveries(31 * DAY_S) == 0
    assert await store.erasing.strip_deliveries(30 * DAY_S) == 1100
    assert await store.erasing.strip_deliveries(30 * DAY_S) == 0
    kept = await sql(store, "select order_id from delivery where length(body) > 0")
    assert [row["order_id"] for row in kept] == ["young"]
    assert not await receive(store, "O7", news="7")  # still known when it is repeated
    assert CREATED in str(await store.captures.of_order(SHOP, "O7"))
