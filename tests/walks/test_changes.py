"""Returns, replacements and edited orders: the ledger stays right."""

from decimal import Decimal

from saleor_kustom.sandbox.saleor_orders import Line, money, taxed
from tests.walks.buttons import amounts
from tests.walks.conftest import MUGS

MUG, FEE = 100_00, 49_00


async def test_units_returned_while_kustom_reviews_are_not_captured(world, later, rows):
    order, there = world.order([MUGS])
    there.fraud_status = "PENDING"
    line = order["lines"][0]["id"]
    fulfillment = world.saleor.fulfill(order["id"])
    await world.settle()
    world.saleor.return_lines(fulfillment["id"], {line: 1})
    there.fraud_status = "ACCEPTED"
    await later()
    assert [c.amount for c in there.captures] == [2 * MUG + FEE]


async def test_a_parcel_that_is_returned_whole_before_its_capture_captures_nothing(
    world, later, rows
):
    order, there = world.order([MUGS])
    there.fraud_status = "PENDING"
    fulfillment = world.saleor.fulfill(order["id"])
    await world.settle()
    world.saleor.return_lines(fulfillment["id"], {order["lines"][0]["id"]: 3})
    there.fraud_status = "ACCEPTED"
    await later()
    assert there.captures == []
    [row] = await rows(order)
    assert (str(row.state), row.held, row.waiting) == ("nothing", None, "returned")


async def test_a_held_parcel_that_is_returned_whole_is_settled_by_a_retry(world, rows):
    order, there = world.order([MUGS])
    world.kustom.ledger.capture(there, {"captured_amount": 100_00, "reference": "by hand"})
    fulfillment = world.saleor.fulfill(order["id"])
    await world.settle()
    [row] = await rows(order)
    assert row.held == "captured_outside"
    world.saleor.return_lines(fulfillment["id"], {order["lines"][0]["id"]: 3}, replace=True)
    await world.app.store.captures.resume(world.saleor.api_url, row.id, "anna", "retry")
    await world.settle()
    [row] = await rows(order)
    assert (str(row.state), row.held, row.waiting) == ("nothing", None, "returned")


async def test_returned_units_after_the_capture_are_paid_and_ship_no_more(world, rows):
    order, there = world.order([MUGS])
    line = order["lines"][0]["id"]
    fulfillment = world.saleor.fulfill(order["id"], {line: 2})
    await world.settle()
    world.saleor.return_lines(fulfillment["id"], {line: 2})
    world.saleor.fulfill(order["id"], {line: 1})
    await world.settle()
    assert [c.amount for c in there.captures] == [2 * MUG + FEE, MUG]
    assert amounts(order) == [0, 3 * MUG + FEE, 0, 0]


async def test_a_replacement_order_is_never_captured(world, rows):
    order, there = world.order([MUGS])
    fulfillment = world.saleor.fulfill(order["id"])
    await world.settle()
    world.saleor.return_lines(fulfillment["id"], {order["lines"][0]["id"]: 1}, replace=True)
    metadata = {"kustom.order_id": there.order_id, "kustom_order_id": there.order_id}
    again = world.saleor.add_order(
        [Line("Mug", "100.00", 1)], origin="REISSUE", private_metadata=metadata, shipping="0"
    )
    world.saleor.fulfill(again["id"])
    await world.settle()
    assert len(there.captures) == 1
    assert [(str(row.state), row.waiting) for row in await rows(again)] == [
        ("nothing", "replacement")
    ]


def edit(order, quantity):
    """Change an unconfirmed order after its authorization, which Saleor allows."""
    line, total = order["lines"][0], Decimal(100) * quantity
    line |= {"quantity": quantity, "totalPrice": taxed(total, "SEK")}
    line["undiscountedTotalPrice"] = taxed(total, "SEK")
    order["subtotal"] = taxed(total, "SEK")
    order["total"] = {"gross": money(total + 49, "SEK")}


async def test_an_order_that_grew_after_its_authorization_is_held_with_both_numbers(world, rows):
    order, there = world.order([MUGS])
    edit(order, 4)
    line = order["lines"][0]["id"]
    world.saleor.fulfill(order["id"], {line: 3})
    await world.settle()
    world.saleor.fulfill(order["id"], {line: 1})
    await world.settle()
    assert there.captured == 349_00
    [_, second] = await rows(order)
    assert second.held == "above_remaining"
    assert dict(second.held_detail) == {"amount": "100.00 SEK", "remaining": "0.00 SEK"}


async def test_an_order_that_shrank_captures_what_it_is_worth_now(world, rows):
    order, there = world.order([MUGS])
    edit(order, 2)
    world.saleor.fulfill(order["id"])
    await world.settle()
    assert there.captured == 249_00
    assert amounts(order) == [100_00, 249_00, 0, 0]
