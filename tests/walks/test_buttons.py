"""Saleor's own buttons: charge, refund and cancel, answered at once or later, and done once."""

import pytest

from saleor_kustom.sandbox.saleor_orders import amount_of
from tests.walks.conftest import MUGS

ALL = 349_00


def amounts(order):
    [transaction] = order["transactions"]
    fields = ("authorizedAmount", "chargedAmount", "refundedAmount", "canceledAmount")
    return [int(amount_of(transaction[field]) * 100) for field in fields]


def pending(order):
    [transaction] = order["transactions"]
    fields = ("chargePendingAmount", "refundPendingAmount", "cancelPendingAmount")
    return [int(amount_of(transaction[field]) * 100) for field in fields]


def events(order):
    [transaction] = order["transactions"]
    return [event["type"] for event in transaction["events"]]


def the(order):
    [transaction] = order["transactions"]
    return transaction


def press(world, order, action, amount=None, **more):
    return world.saleor.request_action(the(order)["id"], action, amount, **more)


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
