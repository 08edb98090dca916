"""Tracking goes to its own capture, once, and never blocks money."""

from saleor_kustom.sandbox.saleor_orders import Line
from tests.walks.conftest import MUGS


def numbers(capture):
    return [entry["tracking_number"] for entry in capture.shipping_info]


async def test_tracking_that_comes_later_goes_to_its_own_capture_only(world):
    order, there = world.order([Line("Mug", "10.00", 2)])
    [line] = (line["id"] for line in order["lines"])
    world.saleor.fulfill(order["id"], {line: 1})
    second = world.saleor.fulfill(order["id"], {line: 1})
    await world.settle()
    world.kustom.requests.clear()
    world.saleor.update_tracking(second["id"], "SE2")
    await world.settle()
    assert [numbers(c) for c in there.captures] == [[], ["SE2"]]
    posts = [path for method, path in world.kustom.requests if method == "POST"]
    order_url = f"/ordermanagement/v1/orders/{there.order_id}"
    assert posts == [f"{order_url}/captures/{there.captures[1].capture_id}/shipping-info"]


async def test_a_changed_number_is_added_and_an_unchanged_one_is_not(world):
    order, there = world.order([MUGS])
    fulfillment = world.saleor.fulfill(order["id"], tracking="SE1")
    await world.settle()
    world.saleor.update_tracking(fulfillment["id"], "SE1")
    await world.settle()
    world.saleor.update_tracking(fulfillment["id"], "SE9")
    await world.settle()
    world.saleor.update_tracking(fulfillment["id"], "")
    await world.settle()
    assert numbers(there.captures[0]) == ["SE1", "SE9"]


async def test_a_lost_answer_adds_the_number_once(world, later):
    order, there = world.order([MUGS])
    fulfillment = world.saleor.fulfill(order["id"])
    await world.settle()
    world.kustom.fail_next("lost answer", on="tracking")
    world.saleor.update_tracking(fulfillment["id"], "SE1")
    await world.settle()
    world.kustom.forget_keys()
    await later()
    assert numbers(there.captures[0]) == ["SE1"]


async def test_refused_tracking_is_left_out_and_the_money_moves(world, rows):
    order, there = world.order([MUGS])
    world.kustom.switches.refuses_tracking = True
    world.saleor.fulfill(order["id"], tracking="SE1")
    await world.settle()
    [row] = await rows(order)
    assert [c.amount for c in there.captures] == [349_00]
    assert row.without_tracking
    assert row.tracking_problem


async def test_a_storefront_finds_the_tracking_in_public_metadata(world):
    order, _ = world.order([MUGS])
    world.saleor.fulfill(order["id"], tracking="SE1")
    await world.settle()
    [fulfillment] = order["fulfillments"]
    shown = {pair["key"]: pair["value"] for pair in fulfillment["metadata"]}
    assert shown == {"kustom.tracking": '[{"tracking_number": "SE1"}]'}


async def test_metadata_that_saleor_lost_is_written_again(world):
    order, _ = world.order([MUGS])
    fulfillment = world.saleor.fulfill(order["id"], tracking="SE1")
    await world.settle()
    fulfillment["metadata"] = []
    world.saleor.update_tracking(fulfillment["id"], "SE1")
    await world.settle()
    assert fulfillment["metadata"] != []


async def test_our_own_write_coming_back_makes_no_work(world):
    order, _ = world.order([MUGS])
    world.saleor.fulfill(order["id"], tracking="SE1")
    await world.settle()
    world.saleor.requests.clear()
    await world.settle()
    assert world.saleor.requests == []


async def test_tracking_that_comes_while_saleor_can_t_be_told_reaches_kustom(world, later):
    order, there = world.order([MUGS])
    fulfillment = world.saleor.fulfill(order["id"])
    await world.saleor.deliver()
    world.saleor.fail_graphql.extend(["", "500"])  # read, and not told
    await world.app.worker.drain()
    assert len(there.captures) == 1
    world.saleor.update_tracking(fulfillment["id"], "SE1")
    await later()
    assert [e["tracking_number"] for e in there.captures[0].shipping_info] == ["SE1"]


async def test_tracking_that_comes_while_a_capture_s_outcome_is_unknown_reaches_kustom(
    world, later
):
    order, there = world.order([MUGS])
    fulfillment = world.saleor.fulfill(order["id"])
    world.kustom.fail_next("lost answer", on="capture")
    await world.saleor.deliver()
    await world.app.worker.drain(limit=1)
    world.saleor.update_tracking(fulfillment["id"], "SE1")
    await later()
    assert len(there.captures) == 1
    assert [e["tracking_number"] for e in there.captures[0].shipping_info] == ["SE1"]


async def test_tracking_of_a_capture_that_is_adopted_is_completed(world):
    order, there = world.order([MUGS])
    fulfillment = world.saleor.fulfill(order["id"])
    await world.settle()
    db = world.app.store._db  # restored from before the capture
    for table in ("history", "capture", "binding", "delivery"):
        await db((f"delete from {table}", {}))  # noqa: S608 - ours
    world.saleor.update_tracking(fulfillment["id"], "SE1")
    await world.settle()
    assert len(there.captures) == 1
    assert [e["tracking_number"] for e in there.captures[0].shipping_info] == ["SE1"]
