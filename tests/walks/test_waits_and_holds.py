"""What waits says why and goes on by itself; what needs a person says so and loses nothing."""

import uuid

import pytest

from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.parties import Account, Mode
from saleor_kustom.sandbox.saleor_orders import Line
from saleor_kustom.sandbox.world import MERCHANT
from tests.walks.conftest import MUGS

AMOUNT = 349_00


async def test_nothing_is_captured_before_the_approval(world, rows):
    order, there = world.order([MUGS])
    waiting = world.saleor.fulfill(order["id"], auto_approve=False, tracking="SE1")
    await world.settle()
    assert there.captures == []
    world.saleor.approve(waiting["id"])
    await world.settle()
    assert there.captured == AMOUNT


async def test_a_pending_fraud_review_is_waited_for_without_a_click(world, later, rows):
    order, there = world.order([MUGS])
    there.fraud_status = "PENDING"
    world.saleor.fulfill(order["id"])
    await world.settle()
    await later()
    [row] = await rows(order)
    assert (row.waiting, row.held, there.captures) == ("fraud_pending", None, [])
    there.fraud_status = "ACCEPTED"
    await later()
    assert there.captured == AMOUNT


async def test_a_rejected_order_is_held(world, rows):
    order, there = world.order([MUGS])
    there.fraud_status = "REJECTED"
    world.saleor.fulfill(order["id"])
    await world.settle()
    [row] = await rows(order)
    assert (row.held, there.captures) == ("fraud_rejected", [])


async def test_refused_credentials_pause_the_account_until_new_ones_come(world, later, rows):
    order, there = world.order([MUGS])
    other, _ = world.order([MUGS])
    wrong = Account("playground", "PM1", "PM1-sandbox", "wrong")
    await world.app.store.accounts.set(world.saleor.api_url, None, wrong)
    world.saleor.fulfill(order["id"])
    world.saleor.fulfill(other["id"])
    await world.settle()
    await later(seconds=3600)
    asked = len(world.kustom.requests)
    assert asked <= 2  # those under way; then the account as a whole pauses
    assert there.captures == []
    await world.app.store.accounts.set(world.saleor.api_url, None, MERCHANT)
    await later(seconds=7200)
    assert there.captured == AMOUNT


async def test_an_id_that_comes_late_is_found(world, later, rows):
    order = world.saleor.add_order([MUGS])
    there = world.kustom.add_order(str(uuid.uuid4()), AMOUNT)
    world.saleor.fulfill(order["id"])
    await world.settle()
    [row] = await rows(order)
    assert row.waiting == "kustom_order_unknown"
    world.saleor.update_metadata(order["id"], {"kustom_order_id": there.order_id}, private=True)
    await later(seconds=180)
    assert there.captured == AMOUNT


async def test_an_order_that_nobody_links_is_held_after_a_day(world, later, rows):
    order = world.saleor.add_order([MUGS])
    world.saleor.fulfill(order["id"])
    await world.settle()
    await later(seconds=100_000, step=1000)
    [row] = await rows(order)
    assert row.held == "not_linked"


async def test_what_was_captured_by_hand_is_recognised_and_not_attached(world, rows):
    order, there = world.order([MUGS])
    world.kustom.ledger.capture(there, {"captured_amount": AMOUNT, "reference": "by hand"}, None)
    world.saleor.fulfill(order["id"])
    await world.settle()
    [row] = await rows(order)
    assert (row.held, row.capture_id) == ("captured_outside", None)
    assert row.held_detail["amount"] == "349.00 SEK"
    assert row.held_detail["remaining"] == "0.00 SEK"


async def test_more_than_what_remains_is_held_with_both_numbers(world, rows):
    order, there = world.order([MUGS])
    there.amount = 100_00
    world.saleor.fulfill(order["id"])
    await world.settle()
    [row] = await rows(order)
    assert (row.held, there.captures) == ("above_remaining", [])
    assert row.held_detail == {"amount": "349.00 SEK", "remaining": "100.00 SEK"}


async def test_a_held_parcel_does_not_block_the_others_and_frees_its_units(world, rows):
    order, there = world.order([MUGS])
    there.amount = 150_00
    [line] = (line["id"] for line in order["lines"])
    world.saleor.fulfill(order["id"], {line: 2})
    await world.settle()
    there.amount = 349_00
    world.saleor.fulfill(order["id"], {line: 1})
    await world.settle()
    assert [c.amount for c in there.captures] == [149_00]
    first, _ = await rows(order)
    await world.app.store.captures.resume(world.saleor.api_url, first.id, "a person", "mended")
    await world.settle()
    assert [c.amount for c in there.captures] == [149_00, 200_00]


async def test_observe_writes_nothing_and_waits_for_a_person(world, rows):
    await world.app.store.shops.set_mode(world.saleor.api_url, Mode.OBSERVE)
    order, there = world.order([MUGS])
    world.saleor.fulfill(order["id"])
    await world.settle()
    [row] = await rows(order)
    assert (row.held, row.amount_minor) == ("observed", AMOUNT)
    assert there.captures == []
    assert order["privateMetadata"] == []
    await world.app.store.shops.set_mode(world.saleor.api_url, Mode.CAPTURE)
    await world.app.store.captures.resume(world.saleor.api_url, row.id, "a person", "seen")
    await world.settle()
    assert there.captured == AMOUNT


async def test_a_cancellation_that_overtakes_the_creation_leaves_a_tombstone(world, rows, later):
    order, there = world.order([MUGS])
    fulfillment = world.saleor.fulfill(order["id"])
    world.saleor.cancel_fulfillment(fulfillment["id"])
    world.saleor.queue.reverse()
    fulfillment["status"] = "FULFILLED"  # a replica that lags behind
    await world.settle()
    [row] = await rows(order)
    assert (row.held, there.captures) == ("cancellation_unconfirmed", [])
    fulfillment["status"] = "CANCELED"
    await later(seconds=120)
    [row] = await rows(order)
    assert (str(row.state), row.held, there.captures) == ("withdrawn", None, [])


async def test_a_cancellation_after_the_capture_asks_a_person(world, rows):
    order, there = world.order([MUGS])
    fulfillment = world.saleor.fulfill(order["id"])
    await world.settle()
    world.saleor.cancel_fulfillment(fulfillment["id"])
    await world.settle()
    [row] = await rows(order)
    assert (row.held, str(row.state)) == ("canceled_after_capture", "reported")
    world.saleor.fulfill(order["id"])
    await world.settle()
    again = (await rows(order))[1]
    assert (str(again.state), again.waiting) == ("nothing", "taken_over")
    assert [c.amount for c in there.captures] == [AMOUNT]


async def test_a_second_order_gains_nothing_by_claiming_a_bound_kustom_order(world, rows):
    order, there = world.order([Line("Mug", "100.00", 3)])
    world.saleor.fulfill(order["id"])
    await world.settle()
    thief = world.saleor.add_order([MUGS], metadata={"kustom_order_id": there.order_id})
    world.saleor.fulfill(thief["id"])
    await world.settle()
    [row] = await rows(thief)
    assert row.held == "link_refused"
    assert len(there.captures) == 1


async def test_a_kustom_order_over_another_amount_is_not_the_orders(world, rows):
    there = world.kustom.add_order(str(uuid.uuid4()), 999_00)
    thief = world.saleor.add_order([MUGS], metadata={"kustom_order_id": there.order_id})
    world.saleor.fulfill(thief["id"])
    await world.settle()
    [row] = await rows(thief)
    assert (row.held, there.captures) == ("link_refused", [])


async def test_a_replacement_order_captures_nothing(world, rows):
    order, there = world.order([MUGS], origin="REISSUE")
    world.saleor.fulfill(order["id"])
    await world.settle()
    [row] = await rows(order)
    assert (str(row.state), row.waiting, there.captures) == ("nothing", "replacement", [])


async def test_another_providers_payment_is_not_kustoms(world, rows):
    order = world.saleor.add_order([MUGS], psp_reference=str(uuid.uuid4()), owner="other")
    world.saleor.fulfill(order["id"])
    await world.settle()
    [row] = await rows(order)
    assert (str(row.state), row.waiting) == ("nothing", "not_kustom")


async def test_a_fulfillment_that_the_installed_saleor_does_not_know_is_refused(world, rows):
    order, there = world.order([MUGS])
    world.saleor.fulfill(order["id"])
    order["fulfillments"].clear()  # the delivery came from a copy of the shop
    await world.settle()
    [row] = await rows(order)
    assert (row.held, there.captures) == ("fulfillment_unknown", [])


async def test_the_same_fulfillment_id_with_another_time_is_held(world, rows):
    order, there = world.order([MUGS])
    fulfillment = world.saleor.fulfill(order["id"])
    await world.settle()
    fulfillment["created"] = "2030-01-01T00:00:00+00:00"
    world.saleor.happened("fulfillment_created", order, fulfillment)
    await world.settle()
    _, second = await rows(order)
    assert second.held == "identity_changed"
    assert len(there.captures) == 1


@pytest.mark.parametrize("status", ["CANCELLED", "EXPIRED"])
async def test_an_order_that_can_not_be_captured_is_held(world, rows, status, clock):
    order, there = world.order([MUGS])
    line = order["lines"][0]["id"]
    world.saleor.fulfill(order["id"], {line: 1})
    await world.settle()
    if status == "CANCELLED":
        there.cancelled = True
    else:
        clock.pass_s(30 * 86400)
    world.saleor.fulfill(order["id"], {line: 2})
    await world.settle()
    row = (await rows(order))[1]
    assert (row.held, row.held_detail["status"]) == ("order_not_capturable", status)


async def test_a_refused_token_waits_and_holds_nothing(world, rows):
    order, _ = world.order([MUGS])
    world.saleor.fulfill(order["id"])
    await world.saleor.deliver()
    world.saleor.denied.add("MANAGE_ORDERS")
    await world.app.worker.drain()
    world.saleor.denied.clear()
    [row] = await rows(order)
    assert (row.waiting, row.held) == ("token_refused", None)


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_words_and_a_cure_without_unknown_names(reason):
    held = Held(reason, {})
    assert held.problem
    assert held.cure.endswith(".")


async def test_a_firewall_is_asked_slowly_and_somebody_is_told(world, rows, clock, later, caplog):
    order, there = world.order([MUGS])
    world.kustom.fail_next("html 403")
    world.saleor.fulfill(order["id"])
    await world.settle()
    [row] = await rows(order)
    assert (row.waiting, row.held) == ("firewall", None)
    assert 900.0 <= row.due_at - clock() <= 1800.0
    assert [r.levelname for r in caplog.records if "FIREWALL" in r.getMessage()] == ["ERROR"]
    await later()
    assert there.captured == AMOUNT


async def test_a_saleor_that_is_away_is_asked_by_probes_and_all_goes_on_when_it_is_back(
    world, later, rows
):
    orders = [world.order([MUGS]) for _ in range(30)]
    for order, _ in orders:
        world.saleor.fulfill(order["id"])
    await world.saleor.deliver()
    world.saleor.fail_next("500", times=10_000)
    asked = len(world.saleor.requests)
    await world.settle()
    assert len(world.saleor.requests) - asked <= 20  # those under way
    [row] = await rows(orders[-1][0])
    assert (row.failures, row.held) == (0, None)  # nothing was asked for it
    await later(seconds=600, step=5)
    assert len(world.saleor.requests) - asked <= 20 + 15  # 2, 4, 8 … 60 s apart
    world.saleor.fail_graphql.clear()
    await later()
    assert [there.captured for _, there in orders] == [AMOUNT] * 30


async def test_news_of_a_parcel_do_not_use_up_the_waits_for_its_kustom_order(world, later, rows):
    order = world.saleor.add_order([MUGS])
    there = world.kustom.add_order(
        str(uuid.uuid4()), AMOUNT, "SEK", merchant_reference1=order["number"]
    )
    fulfillment = world.saleor.fulfill(order["id"])
    await world.settle()
    for number in range(8):
        world.saleor.update_tracking(fulfillment["id"], f"SE{number}")
        await later(seconds=30, step=30)
    [row] = await rows(order)
    assert (row.waiting, row.held) == ("kustom_order_unknown", None)
    world.saleor.update_metadata(order["id"], {"kustom_order_id": there.order_id})
    await later()
    assert there.captured == AMOUNT
