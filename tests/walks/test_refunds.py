"""Refunds: by Saleor's button, of a cancelled parcel by a person, or by itself."""

import pytest

from saleor_kustom.capture.operation import Request, Source
from saleor_kustom.sandbox.saleor_orders import Line
from tests.walks.buttons import amounts, events, press, private, the
from tests.walks.conftest import MUGS

BOWL = Line("Bowl", "50.00", 2, sku="BOWL-1", tax_rate="0.12")
ALL = 349_00
PERSON = Request(source=Source.PERSON, who="anna", why="never left")


@pytest.fixture
def shipped(world):
    async def ship(*lines, **more):
        order, there = world.order(lines or [MUGS], **more)
        fulfillment = world.saleor.fulfill(order["id"])
        await world.settle()
        return order, there, fulfillment

    return ship


@pytest.fixture
def cancelled(world, shipped):
    async def cancel(*lines):
        order, there, fulfillment = await shipped(*lines)
        world.saleor.cancel_fulfillment(fulfillment["id"])
        await world.settle()
        return order, there, fulfillment

    return cancel


async def refund(world, row, request=PERSON):
    asked = await world.app.store.operations.refund(row, request)
    await world.settle()
    return asked


def kinds(read):
    return [(str(row.kind), str(row.state), row.held, row.waiting) for row in read]


# --- by Saleor's button


async def test_a_refund_by_the_button_refunds_the_amount(world, shipped, later):
    order, there, _ = await shipped()
    press(world, order, "REFUND", "100.00")
    await world.settle()
    await later(60)
    [made] = there.refunds
    assert made["refunded_amount"] == 100_00
    assert "order_lines" not in made
    assert amounts(order) == [0, 249_00, 100_00, 0]
    assert the(order)["actions"] == ["REFUND"]
    press(world, order, "REFUND")
    await world.settle()
    await later(60)
    assert there.refunded == ALL
    assert the(order)["actions"] == []
    assert len({made["reference"] for made in there.refunds}) == 2


async def test_no_more_is_refunded_than_was_captured(world, shipped, later, rows):
    order, there, _ = await shipped()
    world.kustom.ledger.refund(there, {"refunded_amount": 300_00})  # in the portal
    press(world, order, "REFUND", "100.00")
    await world.settle()
    await later(60)
    assert there.refunded == 300_00
    assert the(order)["events"][-1]["message"] == (
        "100.00 SEK is to be refunded, but of 349.00 SEK captured only 49.00 SEK is not refunded "
        "yet."
    )
    [_, operation] = await rows(order)
    assert (str(operation.state), operation.waiting) == ("nothing", "refused")


async def test_a_granted_refund_brings_its_lines_where_they_explain_the_amount(
    world, shipped, later
):
    order, there, _ = await shipped(MUGS, BOWL)
    mug, bowl = (line["id"] for line in order["lines"])
    granted = world.saleor.grant_refund(
        order["id"], "199.00", {mug: 1, bowl: 1}, with_shipping=True
    )
    press(world, order, "REFUND", granted_refund=granted)
    await world.settle()
    [made] = there.refunds
    assert [(line.get("reference"), line["quantity"], line["total_amount"])
            for line in made["order_lines"]] == [
        ("SKU-1", 1, 100_00), ("BOWL-1", 1, 50_00), (None, 1, 49_00)
    ]  # fmt: skip
    assert [line["total_tax_amount"] for line in made["order_lines"]] == [20_00, 5_36, 9_80]
    # One more mug, at another price than it was captured with: the amount goes alone.
    granted = world.saleor.grant_refund(order["id"], "90.00", {mug: 1})
    press(world, order, "REFUND", granted_refund=granted)
    await world.settle()
    assert "order_lines" not in there.refunds[1]
    assert there.refunds[1]["refunded_amount"] == 90_00
    await later(60)
    assert amounts(order) == [0, 449_00 - 289_00, 289_00, 0]


async def test_units_of_two_captures_go_without_lines(world, later):
    order, there = world.order([MUGS])
    mug = order["lines"][0]["id"]
    for n in (1, 2):
        world.saleor.fulfill(order["id"], {mug: n})
        await world.settle()
    granted = world.saleor.grant_refund(order["id"], "300.00", {mug: 3})
    press(world, order, "REFUND", granted_refund=granted)
    await world.settle()
    assert "order_lines" not in there.refunds[0]


async def test_two_requests_are_two_refunds(world, shipped, later):
    order, there, _ = await shipped()
    for _ in range(2):
        press(world, order, "REFUND", "10.00")
    await world.settle()
    await later(60)
    assert [made["refunded_amount"] for made in there.refunds] == [10_00, 10_00]
    assert amounts(order) == [0, ALL - 20_00, 20_00, 0]


# --- of a cancelled parcel


async def test_a_person_refunds_exactly_the_cancelled_parcels_capture_once(
    world, cancelled, later, rows
):
    order, there, _fulfillment = await cancelled(MUGS, BOWL)
    [parcel] = await rows(order)
    assert parcel.held == "canceled_after_capture"
    first = await refund(world, parcel)
    again = await refund(world, parcel)
    assert first.id == again.id
    [made] = there.refunds
    assert made["refunded_amount"] == there.captured == 449_00
    assert made["order_lines"] == there.captures[0].order_lines
    [parcel, operation] = await rows(order)
    assert (parcel.held, str(operation.state)) == (None, "reported")
    assert events(order) == ["CHARGE_SUCCESS", "REFUND_SUCCESS"]
    assert the(order)["events"][-1]["pspReference"] == made["refund_id"]
    assert amounts(order) == [0, 0, 449_00, 0]
    written = private(order["fulfillments"][0])
    assert written["kustom.refund_id"] == made["refund_id"]
    assert written["kustom.refunded_amount"] == "449.00"
    number = "1"
    assert private(order)[f"kustom.refund.{number}"] == made["refund_id"]
    history = await world.app.store.captures.history(world.saleor.api_url, operation.id)
    assert [line["detail"]["who"] for line in history if line["what"] == "asked"] == ["anna"]


async def test_only_a_cancelled_parcel_whose_money_moved_can_be_refunded(world, shipped, rows):
    order, _there, _ = await shipped()
    [parcel] = await rows(order)
    assert await world.app.store.operations.refund(parcel, PERSON) is None
    assert len(await rows(order)) == 1


async def test_a_refunded_parcels_units_are_free_again(world, cancelled, rows):
    order, _there, _ = await cancelled()
    [parcel] = await rows(order)
    await refund(world, parcel)
    world.saleor.fulfill(order["id"])
    await world.settle()
    parcels = [row for row in await rows(order) if row.is_parcel]
    # Kustom's refund does not open the authorization again, so nothing pays for them now.
    assert parcels[1].held == "order_not_capturable"
    assert parcels[1].held_detail["amount"] == "349.00 SEK"


async def test_units_that_shipped_again_are_not_refunded(world, cancelled, rows):
    order, there, _ = await cancelled()
    world.saleor.fulfill(order["id"])
    await world.settle()
    [parcel, _] = await rows(order)
    await refund(world, parcel)
    assert there.refunds == []
    assert kinds(await rows(order))[-1] == ("refund", "nothing", None, "shipped_again")
    # The second parcel is cancelled too: asked again, the refund is decided anew.
    world.saleor.cancel_fulfillment(order["fulfillments"][1]["id"])
    await world.settle()
    await refund(world, parcel)
    assert there.refunded == ALL


async def test_units_that_shipped_again_in_part_are_held_with_the_numbers(world, cancelled, rows):
    order, there, _ = await cancelled()
    world.saleor.fulfill(order["id"], {order["lines"][0]["id"]: 1})
    await world.settle()
    [parcel, *_] = await rows(order)
    await refund(world, parcel)
    operation = (await rows(order))[-1]
    assert (there.refunds, operation.held) == ([], "partly_shipped_again")
    assert dict(operation.held_detail) == {"again": 1, "units": 3, "amount": "349.00 SEK"}


async def test_a_refund_that_a_lost_ledger_forgot_is_adopted(world, cancelled, rows):
    order, there, _ = await cancelled()
    [parcel] = await rows(order)
    await refund(world, parcel)
    db = world.app.store._db
    await db(
        ("delete from history where capture_id > 1", {}),
        ("delete from capture where id > 1", {}),
        ("update capture set held = 'canceled_after_capture', due_at = null", {}),
    )
    await refund(world, parcel)
    assert len(there.refunds) == 1
    [parcel, operation] = await rows(order)
    assert (str(operation.state), operation.capture_id) == (
        "reported", there.refunds[0]["refund_id"]
    )  # fmt: skip
    assert parcel.held is None


async def test_refunds_that_kustom_does_not_list_leave_it_to_a_person(world, cancelled, rows):
    world.kustom.switches.lists_refunds = False
    order, there, _ = await cancelled()
    world.kustom.ledger.refund(there, {"refunded_amount": 1_00})
    [parcel] = await rows(order)
    await refund(world, parcel)
    operation = (await rows(order))[-1]
    assert (len(there.refunds), operation.held) == (1, "refund_unseen")
    assert dict(operation.held_detail) == {"refunded": "1.00 SEK", "listed": "0.00 SEK"}


# --- by itself


@pytest.fixture
async def by_itself(world):
    await world.app.store.policies.set(
        world.saleor.api_url, "se", {"refund_canceled": True}, who="anna"
    )


async def test_a_cancelled_parcel_is_refunded_by_itself_after_a_day(
    by_itself, world, cancelled, later, rows, clock
):
    order, there, _ = await cancelled()
    await later(23 * 3600, step=3600)
    assert there.refunds == []
    await later(2 * 3600)
    assert there.refunded == ALL
    [parcel, operation] = await rows(order)
    assert (parcel.held, str(operation.state)) == (None, "reported")


async def test_not_if_it_shipped_again_meanwhile(by_itself, world, cancelled, later, rows):
    order, there, _ = await cancelled()
    await later(3600)
    world.saleor.fulfill(order["id"])
    await world.settle()
    await later(48 * 3600, step=3600)
    assert there.refunds == []
    assert len(await rows(order)) == 2


async def test_not_if_somebody_else_refunded_something_meanwhile(
    by_itself, world, cancelled, later, rows
):
    order, there, _ = await cancelled()
    press(world, order, "REFUND", "100.00")
    await world.settle()
    await later(48 * 3600, step=3600)
    assert there.refunded == 100_00
    operation = (await rows(order))[-1]
    assert (operation.held, operation.held_detail["refunded"]) == (
        "refunded_otherwise", "100.00 SEK"
    )  # fmt: skip
    # And a person who asks for it sees why it can't be.
    [parcel, *_] = await rows(order)
    await refund(world, parcel)
    assert (await rows(order))[-1].held == "refund_above_captured"


async def test_not_if_the_merchant_has_changed_his_mind(by_itself, world, cancelled, later, rows):
    order, there, _ = await cancelled()
    await world.app.store.policies.set(
        world.saleor.api_url, "se", {"refund_canceled": False}, who="anna"
    )
    await later(48 * 3600, step=3600)
    assert there.refunds == []
    assert (await rows(order))[0].held == "canceled_after_capture"


# --- what was captured before it shipped, and refunded


async def test_goods_whose_money_went_back_do_not_leave_unpaid(world, later, rows):
    order, _there = world.order([MUGS])
    press(world, order, "CHARGE")
    await world.settle()
    press(world, order, "REFUND", "120.00")
    await world.settle()
    world.saleor.fulfill(order["id"], {order["lines"][0]["id"]: 2})
    await world.settle()
    world.saleor.fulfill(order["id"])
    await world.settle()
    first, second = [row for row in await rows(order) if row.is_parcel]
    assert (str(first.state), first.waiting) == ("nothing", "taken_over")
    assert second.held == "refunded_meanwhile"
    assert dict(second.held_detail) == {
        "refunded": "120.00 SEK", "captured": "349.00 SEK", "left": "229.00 SEK",
        "needed": "300.00 SEK",
    }  # fmt: skip


async def test_a_refund_for_what_came_back_keeps_nothing_from_shipping(world, later, rows):
    order, _there = world.order([MUGS])
    press(world, order, "CHARGE")
    await world.settle()
    line = order["lines"][0]["id"]
    first = world.saleor.fulfill(order["id"], {line: 1})
    await world.settle()
    world.saleor.return_lines(first["id"], {line: 1})
    press(world, order, "REFUND", "100.00")
    await world.settle()
    world.saleor.fulfill(order["id"], {line: 2})
    await world.settle()
    parcels = [row for row in await rows(order) if row.is_parcel]
    assert [(str(row.state), row.waiting) for row in parcels] == [("nothing", "taken_over")] * 2
