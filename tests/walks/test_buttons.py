"""Saleor's own buttons: charge, refund and cancel, answered at once or later, and done once."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from saleor_kustom.capture.parties import Mode
from saleor_kustom.errors import StoreUnavailable
from saleor_kustom.sandbox.kustom import FAULTS, SimulatedKustom
from saleor_kustom.sandbox.world import open_world
from tests.walks.buttons import amounts, events, pending, post, press, private, signed, the
from tests.walks.conftest import MUGS

ALL = 349_00


@pytest.fixture
def operations(rows):
    async def read(order):
        return [row for row in await rows(order) if not row.is_parcel]

    return read


async def test_a_charge_of_all_that_remains_is_taken_over_by_what_ships(world, later, rows):
    order, there = world.order([MUGS])
    press(world, order, "CHARGE")
    await world.settle()
    await later(60)
    [charge] = there.captures
    assert charge.amount == ALL
    assert sum(line["total_amount"] for line in charge.order_lines) == ALL
    assert amounts(order) == [0, ALL, 0, 0]
    world.saleor.fulfill(order["id"])
    await world.settle()
    assert len(there.captures) == 1
    [_, parcel] = await rows(order)
    assert (str(parcel.state), parcel.waiting) == ("nothing", "taken_over")
    assert the(order)["actions"] == ["REFUND"]


async def test_a_charge_of_another_amount_is_kept_without_units(world, later, rows):
    order, there = world.order([MUGS])
    press(world, order, "CHARGE", "200.00")
    await world.settle()
    assert [c.amount for c in there.captures] == [200_00]
    assert there.captures[0].order_lines == []
    line = order["lines"][0]["id"]
    world.saleor.fulfill(order["id"], {line: 1})
    world.saleor.fulfill(order["id"], {line: 2})
    await world.settle()
    assert [c.amount for c in there.captures] == [200_00, 149_00]
    [_, first, second] = await rows(order)
    assert str(first.state) == "reported"
    assert second.held == "charged_before"
    assert dict(second.held_detail) == {
        "amount": "200.00 SEK",
        "remaining": "0.00 SEK",
        "charged": "200.00 SEK",
    }


async def test_what_kustom_confirmed_later_is_reported_under_our_operations_id(
    world, later, operations
):
    order, there = world.order([MUGS])
    request = press(world, order, "CHARGE")
    world.kustom.fail_next("503", times=3, on="order")
    await world.settle()
    [operation] = await operations(order)
    assert request["pspReference"] == operation.operation_id
    assert (pending(order), amounts(order)) == ([ALL, 0, 0], [0, 0, 0, 0])
    await later(600)
    assert pending(order) == [0, 0, 0]
    assert amounts(order) == [0, ALL, 0, 0]
    assert events(order) == ["CHARGE_REQUEST", "CHARGE_SUCCESS"]
    success = the(order)["events"][-1]
    assert success["pspReference"] == operation.operation_id
    [capture] = there.captures
    assert success["message"] == f"Captured by Kustom: {capture.capture_id}"
    assert private(the(order)) == {f"kustom.operation.{operation.operation_id}": capture.capture_id}


@pytest.fixture
async def working(database_url, clock):
    """A world whose worker runs, so that Saleor can be answered at once."""
    kustom = SimulatedKustom(clock=lambda: datetime.fromtimestamp(clock.now, UTC))
    async with open_world(database_url, kustom=kustom, clock=clock, patience_s=8.0) as world:
        await world.install()
        stop = asyncio.Event()
        task = asyncio.create_task(world.app.worker.run(stop))
        yield world
        stop.set()
        await task


async def told(world, order, clock, what):
    """Let the worker tell Saleor, which it does a moment after the answer."""
    clock.pass_s(3)
    world.app.worker.wake()
    for _ in range(200):
        rows = await world.app.store.captures.of_order(world.saleor.api_url, order["id"])
        if all(row.reported_at for row in rows):
            return rows
        await asyncio.sleep(0.02)
    raise AssertionError(what)


async def test_what_kustom_confirms_at_once_is_the_answer(working, clock):
    order, there = working.order([MUGS])
    request = press(working, order, "CHARGE", "100.00")
    await working.saleor.deliver()
    [capture] = there.captures
    assert request["pspReference"] == capture.capture_id
    assert events(order) == ["CHARGE_REQUEST", "CHARGE_SUCCESS"]
    assert (amounts(order), pending(order)) == ([249_00, 100_00, 0, 0], [0, 0, 0])
    assert the(order)["actions"] == ["CANCEL", "CHARGE", "REFUND"]
    [row] = await told(working, order, clock, "a success")
    assert row.answer == "result"
    assert len(events(order)) == 2  # Saleor recognised what it knew


async def test_what_is_refused_at_once_is_the_answer(working, clock):
    order, there = working.order([MUGS])
    the(order)["authorizedAmount"]["amount"] = 1000.0  # Saleor believes that there is more
    press(working, order, "CHARGE", "349.01")
    await working.saleor.deliver()
    assert there.captures == []
    assert events(order) == ["CHARGE_REQUEST", "CHARGE_FAILURE"]
    message = the(order)["events"][-1]["message"]
    assert message == "349.01 SEK is to be captured, but only 349.00 SEK remains authorized."
    assert pending(order) == [0, 0, 0]
    [row] = await told(working, order, clock, "a failure")
    assert (str(row.state), row.waiting, row.held) == ("nothing", "refused", None)
    assert events(order) == ["CHARGE_REQUEST", "CHARGE_FAILURE"]


async def test_a_result_that_saleor_did_not_hear_is_told_again(working, clock):
    order, there = working.order([MUGS])
    press(working, order, "CHARGE")
    delivery = await signed(working)
    answer = await post(working, delivery)
    assert answer.json()["result"] == "CHARGE_SUCCESS"
    working.saleor.answered(delivery, None)  # Saleor had given up
    assert events(order) == ["CHARGE_REQUEST", "CHARGE_FAILURE"]
    await told(working, order, clock, "a success")
    assert events(order) == ["CHARGE_REQUEST", "CHARGE_FAILURE", "CHARGE_SUCCESS"]
    assert the(order)["events"][-1]["pspReference"] == there.captures[0].capture_id
    assert (amounts(order), pending(order)) == ([0, ALL, 0, 0], [0, 0, 0])


async def test_the_same_request_again_gets_the_same_answer(working, clock):
    order, there = working.order([MUGS])
    press(working, order, "CHARGE", "100.00")
    delivery = await signed(working)
    answers = [(await post(working, delivery)).json() for _ in range(2)]
    answers += [
        a.json() for a in await asyncio.gather(*(post(working, delivery) for _ in range(3)))
    ]
    await told(working, order, clock, "a success")
    answers.append((await post(working, delivery)).json())
    assert answers == [answers[0]] * 6
    assert answers[0]["pspReference"] == there.captures[0].capture_id
    assert len(there.captures) == 1


async def test_an_edge_that_died_has_answered_nothing_and_saleor_is_told_all_the_same(
    world, clock, later, operations
):
    order, there = world.order([MUGS])
    press(world, order, "CHARGE")
    delivery = await signed(world)
    world.saleor.answered(delivery, None)
    answering, world.app.store.operations.answer = world.app.store.operations.answer, died
    with pytest.raises(Died):
        await post(world, delivery)
    world.app.store.operations.answer = answering
    await world.settle()
    assert len(there.captures) == 1
    assert events(order) == ["CHARGE_REQUEST", "CHARGE_FAILURE"]  # nobody knows of an answer
    clock.pass_s(13)
    await world.settle()
    [operation] = await operations(order)
    assert (operation.answer, str(operation.state)) == ("later", "reported")
    assert the(order)["events"][-1]["pspReference"] == operation.operation_id
    assert amounts(order) == [0, ALL, 0, 0]


class Died(Exception):  # noqa: N818 - a fact
    pass


async def died(*_args, **_more):
    raise Died


async def test_what_can_not_be_stored_comes_again(world, later):
    order, there = world.order([MUGS])
    press(world, order, "CHARGE")
    receive, world.app.store.operations.receive = world.app.store.operations.receive, full
    await world.saleor.deliver(pause_s=0.0)
    assert events(order) == ["CHARGE_REQUEST", "CHARGE_FAILURE"]  # after six times
    world.app.store.operations.receive = receive
    assert world.saleor.retry_failed() == 1
    await world.settle()
    await later(60)
    assert len(there.captures) == 1
    assert amounts(order) == [0, ALL, 0, 0]


async def full(*_args, **_more):
    raise StoreUnavailable("the disk is full")


@pytest.mark.parametrize("owner", ["other", "staff", "nobody"])
async def test_saleor_asks_nobody_but_a_transactions_owner(world, owner):
    order, _there = world.order([MUGS], owner=owner)
    press(world, order, "CHARGE")
    await world.settle()
    assert world.kustom.requests == []
    assert events(order) == ["CHARGE_REQUEST", "CHARGE_FAILURE"]


@pytest.mark.parametrize("fault", sorted(FAULTS - {"hang", "401", "refused"}))
@pytest.mark.parametrize(
    ("action", "on"), [("CHARGE", "capture"), ("REFUND", "refund"), ("CANCEL", "release")]
)
async def test_any_fault_ends_in_one_operation(sqlite_world, clock, fault, action, on):
    world = sqlite_world
    order, there = world.order([MUGS])
    world.saleor.fulfill(order["id"], {order["lines"][0]["id"]: 1})
    await world.settle()
    world.kustom.fail_next(fault, times=2, on=on)
    press(world, order, action, "100.00")
    await world.settle()
    for _ in range(60):
        clock.pass_s(60)
        await world.settle()
    kustoms = [there.amount - there.captured, there.captured, there.refunded]
    if action == "CANCEL":
        assert there.released
        kustoms[0] = 0
    expected = {"CHARGE": [100_00, 249_00, 0], "REFUND": [200_00, 149_00, 100_00]}
    assert kustoms == expected.get(action, [0, 149_00, 0])
    authorized, charged, refunded, _ = amounts(order)
    # Saleor shows what was refunded as charged no more.
    assert [authorized, charged + refunded, refunded] == kustoms
    assert pending(order) == [0, 0, 0]


@pytest.fixture
async def sqlite_world(sqlite_url, clock):
    kustom = SimulatedKustom(clock=lambda: datetime.fromtimestamp(clock.now, UTC))
    async with open_world(sqlite_url, kustom=kustom, clock=clock) as made:
        await made.install()
        yield made


async def test_a_shop_that_observes_moves_nothing_and_says_so(world, later, operations):
    await world.app.store.shops.set_mode(world.saleor.api_url, Mode.OBSERVE)
    order, there = world.order([MUGS])
    press(world, order, "CHARGE")
    await world.settle()
    await later(60)
    assert there.captures == []
    assert events(order) == ["CHARGE_REQUEST", "CHARGE_FAILURE"]
    assert "observe mode: 349.00 SEK" in the(order)["events"][-1]["message"]
    [operation] = await operations(order)
    await world.app.store.shops.set_mode(world.saleor.api_url, Mode.CAPTURE)
    assert not await world.app.store.captures.resume(world.saleor.api_url, operation.id, "me", "")
    await later(600)
    assert there.captures == []


async def test_a_transaction_of_an_order_that_is_not_kustoms_is_refused(world, later):
    order = world.saleor.add_order([MUGS], psp_reference="stripe-1")
    press(world, order, "CHARGE")
    await world.settle()
    await later(60)
    assert world.kustom.requests == []
    assert the(order)["events"][-1]["message"].startswith("No Kustom order is known")


async def test_a_request_while_kustom_reviews_waits_for_the_end_of_it(world, later, operations):
    order, there = world.order([MUGS])
    there.fraud_status = "PENDING"
    press(world, order, "CHARGE")
    await world.settle()
    await later(600)
    assert (there.captures, pending(order)) == ([], [ALL, 0, 0])
    there.fraud_status = "ACCEPTED"
    await later(3600)
    assert (there.captured, pending(order)) == (ALL, [0, 0, 0])


async def test_a_refund_that_nobody_granted_is_carried_out_despite_errors(working, clock):
    order, there = working.order([MUGS])
    press(working, order, "CHARGE")
    await working.saleor.deliver()
    press(working, order, "REFUND", "10.00")
    delivery = await signed(working)
    body = json.loads(delivery.body)
    assert body["grantedRefund"] is None
    assert [error["path"][:2] for error in body["errors"]] == [["event", "grantedRefund"]]
    answer = await post(working, delivery)
    working.saleor.answered(delivery, answer.content)
    assert answer.json()["result"] == "REFUND_SUCCESS"
    assert [refund["refunded_amount"] for refund in there.refunds] == [10_00]
    assert amounts(order) == [0, ALL - 10_00, 10_00, 0]
    assert not await working.app.store.deliveries.not_understood(working.saleor.api_url)
