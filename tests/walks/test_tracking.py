"""Tracking goes to its own capture, once, and never blocks money."""

import json

from saleor_kustom.capture.parties import Mode
from saleor_kustom.sandbox.kustom_rules import Refusal
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


async def test_of_several_numbers_one_that_is_refused_spoils_no_other(world, rows, monkeypatch):
    order, there = world.order([MUGS])
    fulfillment = world.saleor.fulfill(order["id"])
    await world.settle()
    monkeypatch.setattr(world.kustom.ledger._rules, "check", picky(world.kustom.ledger._rules))
    world.saleor.update_tracking(fulfillment["id"], "SE1, BAD, SE3")
    await world.settle()
    [row] = await rows(order)
    assert numbers(there.captures[0]) == ["SE1", "SE3"]
    assert [refused["entry"] for refused in row.tracking_refused] == [{"tracking_number": "BAD"}]
    assert "BAD" in row.tracking_problem
    assert row.held is None
    world.saleor.update_tracking(fulfillment["id"], "SE1, SE3")
    await world.settle()
    [row] = await rows(order)
    assert (row.tracking_problem, row.tracking_refused) == (None, ())


async def test_what_was_refused_with_the_capture_is_tried_by_itself(world, rows, monkeypatch):
    order, there = world.order([MUGS])
    monkeypatch.setattr(world.kustom.ledger._rules, "check", picky(world.kustom.ledger._rules))
    world.saleor.fulfill(order["id"], tracking="SE1, BAD, SE3")
    await world.settle()
    [row] = await rows(order)
    assert (len(there.captures), numbers(there.captures[0])) == (1, ["SE1", "SE3"])
    assert (str(row.state), row.held, row.without_tracking) == ("reported", None, True)
    assert "BAD" in row.tracking_problem


def picky(rules):
    """Let Kustom refuse a number that it names."""
    check = rules.check

    def checked(body, fields):
        check(body, fields)
        bad = [e for e in body.get("shipping_info", ()) if e.get("tracking_number") == "BAD"]
        if bad:
            raise Refusal(422, "UNPROCESSABLE_ENTITY", "shipping_info/tracking_number: BAD")

    return checked


async def test_tracking_that_may_not_be_added_any_more_is_held_on_its_own(world, clock, rows):
    world.kustom.switches.tracks_closed_orders = False
    order, there = world.order([Line("Mug", "10.00", 2)])
    [line] = (line["id"] for line in order["lines"])
    fulfillment = world.saleor.fulfill(order["id"], {line: 1})
    await world.settle()
    clock.pass_s(29 * 24 * 3600.0)  # expired
    world.saleor.update_tracking(fulfillment["id"], "SE1, SE2")
    await world.settle()
    [row] = await rows(order)
    assert (str(row.state), row.held, numbers(there.captures[0])) == ("reported", None, [])
    assert "expired" in row.tracking_problem
    assert len(row.tracking_refused) == 2  # at once: it is not what one of them says


async def test_after_a_day_only_a_look_decides(world, clock, later):
    order, there = world.order([MUGS])
    fulfillment = world.saleor.fulfill(order["id"])
    await world.settle()
    world.kustom.fail_next("lost request", on="tracking")
    world.saleor.update_tracking(fulfillment["id"], "SE1")
    await world.settle()
    world.kustom.fail_next("503", times=10_000, on="order")
    clock.pass_s(25 * 3600)
    await world.settle()
    world.kustom.heal()
    await later()
    assert numbers(there.captures[0]) == ["SE1"]


async def test_after_a_day_an_unsettled_request_is_waited_for(world, clock, rows):
    order, there = world.order([MUGS])
    fulfillment = world.saleor.fulfill(order["id"])
    await world.settle()
    world.kustom.fail_next("lost request", times=2, on="tracking")
    world.saleor.update_tracking(fulfillment["id"], "SE1")
    await world.settle()
    clock.pass_s(22.9 * 3600)
    await world.settle()  # once more under its key, and lost again
    clock.pass_s(0.1 * 3600)
    [row] = await rows(order)
    pending = json.loads(row.tracking_pending)
    pending["last_at"] = clock.now - 10  # by another instance, a moment ago
    columns = {"pending": json.dumps(pending)}
    set_ = "update capture set tracking_pending = :pending, due_at = :now"
    await world.app.store._db((set_, columns))
    await world.settle()
    [row] = await rows(order)
    assert numbers(there.captures[0]) == []
    assert row.waiting == "tracking_unsettled"
    clock.pass_s(60)
    await world.settle()
    assert numbers(there.captures[0]) == ["SE1"]


async def test_in_observe_mode_nothing_is_added(world):
    order, there = world.order([MUGS])
    fulfillment = world.saleor.fulfill(order["id"])
    await world.settle()
    await world.app.store.shops.set_mode(world.saleor.api_url, Mode.OBSERVE)
    world.saleor.update_tracking(fulfillment["id"], "SE1")
    await world.settle()
    assert numbers(there.captures[0]) == []
    await world.app.store.shops.set_mode(world.saleor.api_url, Mode.CAPTURE)
    world.saleor.update_tracking(fulfillment["id"], "SE1")
    await world.settle()
    assert numbers(there.captures[0]) == ["SE1"]


async def test_a_storefront_is_shown_the_tracking_as_it_is_now(world):
    order, _ = world.order([MUGS])
    fulfillment = world.saleor.fulfill(order["id"], tracking="SE1")
    await world.settle()
    shown = []
    for tracking in ("SE9", ""):
        world.saleor.update_tracking(fulfillment["id"], tracking)
        await world.settle()
        shown += [pair["value"] for pair in fulfillment["metadata"]]
    assert shown == ['[{"tracking_number": "SE9"}]', "[]"]


async def test_what_a_3pl_writes_goes_to_kustom_and_what_it_can_t_is_told(world, rows):
    order, there = world.order([MUGS])
    fulfillment = world.saleor.fulfill(order["id"])
    await world.settle()
    metadata = {
        "tracking_number": '["RR123456785SE", "X2"]',
        "shipping_method": "home",
        "return_tracking_number": "R1",
    }
    world.saleor.update_metadata(fulfillment["id"], metadata)
    await world.settle()
    assert there.captures[0].shipping_info == [
        {
            "shipping_company": "PostNord SE",
            "tracking_number": "RR123456785SE",
            "tracking_uri": "https://tracking.postnord.com/se/?id=RR123456785SE",
            "return_tracking_number": "R1",
        },
        {"tracking_number": "X2"},
    ]
    [row] = await rows(order)
    assert len(row.tracking_notes) == 1
    assert row.tracking_notes[0].startswith("shipping_method: must be one of")


async def test_the_channels_mapping_is_used_and_its_change_sends_nothing_again(world):
    order, there = world.order([MUGS])
    fulfillment = world.saleor.fulfill(order["id"], tracking="X1")
    await world.settle()
    rule = {"PostNord": {"shipping_company": "Bring", "shipping_method": "Home"}}
    await world.app.store.policies.set(
        world.saleor.api_url, "se", {"shipping_methods": rule}, who="a test"
    )
    world.saleor.update_tracking(fulfillment["id"], "X1, X2")
    await world.settle()
    assert there.captures[0].shipping_info == [
        {"tracking_number": "X1"},
        {
            "shipping_company": "Bring",
            "shipping_method": "Home",
            "tracking_number": "X2",
            "tracking_uri": "https://tracking.bring.com/tracking/X2",
        },
    ]
