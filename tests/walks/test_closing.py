"""What is not captured goes back: by Saleor's cancel button, a cancelled order, or a closing."""

import pytest

from saleor_kustom.sandbox.saleor_orders import Line
from tests.walks.buttons import amounts, events, pending, press, private, the
from tests.walks.conftest import MUGS


@pytest.fixture
def close(world):
    async def ask(order, *, charge_fee=False, settle=True):
        shop = await world.app.store.shops.get(world.saleor.api_url)
        asked = await world.app.closing.close(
            shop, order["id"], charge_fee=charge_fee, who="anna", why="nothing more ships"
        )
        if settle:
            await world.settle()
        return asked

    return ask


@pytest.fixture
def preview(world):
    async def look(order):
        shop = await world.app.store.shops.get(world.saleor.api_url)
        return await world.app.closing.preview(shop, order["id"])

    return look


@pytest.fixture
def part_shipped(world):
    async def ship(**more):
        order, there = world.order([MUGS], **more)
        world.saleor.fulfill(order["id"], {order["lines"][0]["id"]: 1})
        await world.settle()
        return order, there

    return ship


# --- by Saleor's button


async def test_the_cancel_button_cancels_an_order_without_captures(world, later):
    order, there = world.order([MUGS])
    press(world, order, "CANCEL")
    await world.settle()
    await later(60)
    assert there.cancelled
    assert amounts(order) == [0, 0, 0, 349_00]
    assert pending(order) == [0, 0, 0]
    assert the(order)["actions"] == []
    assert "kustom.canceled_at" in private(order)


async def test_the_cancel_button_releases_the_rest_of_a_captured_one(world, part_shipped, later):
    order, there = await part_shipped()
    press(world, order, "CANCEL")
    await world.settle()
    await later(60)
    assert there.released
    assert amounts(order) == [0, 149_00, 0, 200_00]
    assert the(order)["actions"] == ["REFUND"]
    assert the(order)["events"][-1]["message"] == "Kustom released what was not captured."


async def test_nothing_left_to_cancel_is_a_failure_with_the_reason(world, part_shipped, later):
    order, there = await part_shipped()
    there.released = True
    press(world, order, "CANCEL")
    await world.settle()
    await later(60)
    assert events(order)[-1] == "CANCEL_FAILURE"
    assert the(order)["events"][-1]["message"].startswith("Nothing of the Kustom order remains")


@pytest.mark.parametrize("clears", [True, False])
@pytest.mark.parametrize("status", ["CAPTURED", "PART_CAPTURED"])
async def test_a_release_is_done_once_whatever_kustom_shows_after_it(
    world, part_shipped, later, clears, status, rows
):
    world.kustom.switches.released_status = status
    world.kustom.switches.clears_remaining = clears
    order, there = await part_shipped()
    world.kustom.fail_next("lost answer", on="release")
    press(world, order, "CANCEL")
    await world.settle()
    await later(600)
    assert there.released
    assert amounts(order) == [0, 149_00, 0, 200_00]


# --- by cancelling the order


@pytest.fixture
async def wanted(world):
    chosen = {"cancel_at_kustom": True}
    await world.app.store.policies.set(world.saleor.api_url, "", chosen, who="anna")


async def test_a_cancelled_order_is_cancelled_at_kustom_where_the_policy_says_so(
    wanted, world, later
):
    order, there = world.order([MUGS])
    world.saleor.cancel_order(order["id"])
    await world.settle()
    assert there.cancelled
    assert events(order) == ["CANCEL_SUCCESS"]
    assert amounts(order) == [0, 0, 0, 349_00]


async def test_nothing_happens_where_it_does_not(world, rows):
    order, there = world.order([MUGS])
    world.saleor.cancel_order(order["id"])
    await world.settle()
    assert not there.cancelled
    assert await rows(order) == []
    assert world.kustom.requests == []


async def test_a_cancelled_order_of_which_something_was_captured_stays_as_it_is(
    wanted, world, part_shipped, rows
):
    order, there = await part_shipped()
    world.saleor.cancel_fulfillment(order["fulfillments"][0]["id"])
    world.saleor.cancel_order(order["id"])
    await world.settle()
    assert not (there.cancelled)
    assert not (there.released)
    assert (await rows(order))[-1].waiting == "has_captures"


async def test_a_copy_of_the_shop_cancels_nothing(wanted, world, rows):
    order, there = world.order([MUGS])
    world.saleor.happened("order_cancelled", order, None)  # but the order itself is not
    await world.settle()
    assert not there.cancelled
    assert [row.waiting for row in await rows(order)] == ["not_canceled"]


async def test_an_order_that_is_not_kustoms_asks_nobody(wanted, world, rows):
    order = world.saleor.add_order([MUGS], psp_reference="stripe-1")
    world.saleor.cancel_order(order["id"])
    await world.settle()
    assert world.kustom.requests == []
    assert [row.waiting for row in await rows(order)] == ["not_kustom"]


async def test_a_cancellation_that_saleor_could_not_deliver_is_found(wanted, world, clock):
    order, there = world.order([MUGS])
    world.saleor.cancel_order(order["id"])
    delivery = await world.saleor.signed(world.saleor.queue[0].event, world.saleor.queue[0].value)
    world.saleor.queue.clear()
    world.saleor.failed.append(delivery)
    delivery.webhook = next(
        w for w in world.saleor.installed.webhooks if "ORDER_CANCELLED" in w["events"]
    )
    await world.app.reconciler.tick(clock.now)
    await world.settle()
    assert there.cancelled


# --- by closing it


async def test_closing_releases_what_is_not_captured(world, part_shipped, close, preview, later):
    order, there = await part_shipped()
    shown = await preview(order)
    assert (shown.remaining_minor, shown.captured_minor, shown.fee_minor) == (200_00, 149_00, 0)
    assert (shown.status, list(shown.waiting)) == ("PART_CAPTURED", [])
    asked = await close(order)
    again = await close(order)
    assert there.released
    assert (asked.key, again.key) == (("close", "1"), ("close", "2"))
    assert events(order) == ["CHARGE_SUCCESS", "CANCEL_SUCCESS"]
    assert amounts(order) == [0, 149_00, 0, 200_00]
    assert "kustom.released_at" in private(order)
    assert world.kustom.requests.count(
        ("POST", f"/ordermanagement/v1/orders/{there.order_id}/release-remaining-authorization")
    ) == 1  # fmt: skip


async def test_closing_an_order_of_which_nothing_shipped_cancels_it(world, close, preview):
    order, there = world.order([MUGS])
    assert (await preview(order)).remaining_minor == 349_00
    await close(order)
    assert there.cancelled
    assert events(order) == ["CANCEL_SUCCESS"]


async def test_a_closing_that_is_open_is_asked_for_once(world, part_shipped, close, rows):
    order, _there = await part_shipped()
    first = await close(order, settle=False)
    second = await close(order, charge_fee=True, settle=False)
    assert first.id == second.id
    assert len(await rows(order)) == 2


@pytest.fixture
async def fee_last(world):
    chosen = {"shipping_fee": "last"}
    await world.app.store.policies.set(world.saleor.api_url, "", chosen, who="anna")


async def test_a_fee_that_was_not_charged_is_charged_before_the_closing(
    fee_last, world, part_shipped, close, preview, rows
):
    order, there = await part_shipped()
    assert (await preview(order)).fee_minor == 49_00
    await close(order, charge_fee=True)
    assert [c.amount for c in there.captures] == [100_00, 49_00]
    assert [line["type"] for line in there.captures[1].order_lines] == ["shipping_fee"]
    assert there.released
    assert amounts(order) == [0, 149_00, 0, 200_00]
    assert events(order) == ["CHARGE_SUCCESS", "CHARGE_SUCCESS", "CANCEL_SUCCESS"]
    assert (await preview(order)).fee_minor == 0


async def test_without_being_told_the_fee_is_not_charged(fee_last, world, part_shipped, close):
    order, there = await part_shipped()
    await close(order)
    assert [c.amount for c in there.captures] == [100_00]


async def test_the_rest_is_not_given_back_before_the_fee_is_charged(
    fee_last, world, part_shipped, close, rows, later
):
    order, there = await part_shipped()
    there.payment_fails = True
    await close(order, charge_fee=True)
    await later(3600)
    assert not there.released
    _, fee, closing = await rows(order)
    assert (fee.held, closing.waiting) == ("refused_by_kustom", "fee_first")
    there.payment_fails = False
    assert await world.app.store.captures.resume(world.saleor.api_url, fee.id, "anna", "again")
    await world.settle()
    assert [c.amount for c in there.captures] == [100_00, 49_00]
    assert there.released


async def test_the_preview_names_parcels_that_would_lose_their_money(world, part_shipped, preview):
    order, there = await part_shipped()
    there.fraud_status = "PENDING"
    world.saleor.fulfill(order["id"])
    await world.settle()
    assert [row.fulfillment_number for row in (await preview(order)).waiting] == [2]


async def test_an_order_that_is_not_kustoms_has_no_preview(world, preview):
    assert await preview(world.saleor.add_order([MUGS], psp_reference="stripe-1")) is None


async def test_a_zero_fee_is_nothing_to_charge(world, close, rows):
    order, there = world.order([Line("Mug", "100.00", 2)], shipping="0.00")
    world.saleor.fulfill(order["id"], {order["lines"][0]["id"]: 1})
    await world.settle()
    await close(order, charge_fee=True)
    assert there.released
    assert [c.amount for c in there.captures] == [100_00]
