"""Whatever of the contract is only assumed may be otherwise: the money still moves once."""

import dataclasses

import pytest

from saleor_kustom.sandbox.kustom import Switches
from saleor_kustom.sandbox.saleor_orders import Line
from tests.walks.conftest import MUGS

AMOUNT = 349_00
#: Each switch that may be turned without any difference to a merchant, and where to.
HARMLESS = {
    "validation_status": 422,
    "checks_sums": False,
    "checks_taxes": False,
    "refuses_unknown_fields": False,
    "longest_reference": 64,
    "takes_zero_captures": True,
    "tracks_closed_orders": False,
    "released_status": "PART_CAPTURED",
    "clears_remaining": False,
    "remembers_refusals": True,
    "keys_per_endpoint": True,
    "key_hours": 0.0,
    "waits_in_flight": True,
    "foreign_order_status": 403,
    "explains_401": True,
    "names_captures_by": "neither",
    "sends_correlation_id": False,
    "sends_nulls": True,
    "writes_lower_case": True,
    "writes_offsets": True,
    "empty_success_status": 200,
    "blocks_library_agents": False,
}
#: Those that make a difference, each with a test of its own below or in another walk.
TOLD = {
    *("takes_gift_card_lines", "takes_several_captures", "refuses_tracking"),
    "lists_refunds",  # no capture's business: tests/walks of refunds and of what happens outside
}


def test_every_assumed_fact_is_walked_the_other_way():
    names = {field.name for field in dataclasses.fields(Switches)}
    assert set(HARMLESS) | TOLD == names
    assert all(getattr(Switches(), name) != other for name, other in HARMLESS.items())


#: What befalls the first capture of an order, one order each.
FAULTS = (None, "lost request", "lost answer", "500 after")


@pytest.mark.parametrize("switch", HARMLESS)
async def test_money_moves_once_and_tracking_follows(world, later, rows, switch):
    setattr(world.kustom.switches, switch, HARMLESS[switch])
    placed = []
    for fault in FAULTS:
        order, there = world.order([MUGS])
        [line] = (line["id"] for line in order["lines"])
        if fault:
            world.kustom.fail_next(fault, on="capture")
        world.saleor.fulfill(order["id"], {line: 1}, tracking="SE1")
        second = world.saleor.fulfill(order["id"], {line: 2})
        await world.settle()
        placed.append((fault, order, there, second))
    await later(seconds=600)
    for *_, second in placed:
        world.saleor.update_tracking(second["id"], "SE2")
    await later(seconds=600)
    for fault, order, there, _ in placed:
        assert [capture.amount for capture in there.captures] == [149_00, 200_00], fault
        sent = [[entry["tracking_number"] for entry in c.shipping_info] for c in there.captures]
        assert sent == [["SE1"], ["SE2"]], fault
        assert {str(row.state) for row in await rows(order)} == {"reported"}, fault


async def mended(world, later, row):
    await world.app.store.captures.resume(world.saleor.api_url, row.id, "a person", "mended")
    await later(seconds=600)


@pytest.mark.parametrize("remembers", [False, True])
async def test_a_refusal_that_a_person_has_mended_is_captured(world, clock, later, rows, remembers):
    world.kustom.switches.remembers_refusals = remembers
    order, there = world.order([MUGS])
    there.payment_fails = True
    world.saleor.fulfill(order["id"])
    await world.settle()
    [row] = await rows(order)
    assert (row.held, there.captures) == ("refused_by_kustom", [])
    there.payment_fails = False
    if remembers:
        # The same body has the same key (domain rule 15), and its no is said again for a day.
        await mended(world, later, row)
        [row] = await rows(order)
        assert (row.held, there.captures) == ("refused_by_kustom", [])
        clock.pass_s(24 * 3600)
    await mended(world, later, row)
    assert [capture.amount for capture in there.captures] == [AMOUNT]


async def test_a_gift_card_line_that_kustom_does_not_take_is_shown_and_nothing_is_captured(
    world, later, rows
):
    world.kustom.switches.takes_gift_card_lines = False
    order, there = world.order([Line("Mug", "100.00", 3)], gift_card="50.00")
    world.saleor.fulfill(order["id"])
    await world.settle()
    await later()
    [row] = await rows(order)
    assert (row.held, there.captures) == ("refused_by_kustom", [])


async def test_a_second_capture_that_the_method_does_not_allow_is_shown(world, later, rows):
    world.kustom.switches.takes_several_captures = False
    order, there = world.order([MUGS])
    [line] = (line["id"] for line in order["lines"])
    world.saleor.fulfill(order["id"], {line: 1})
    world.saleor.fulfill(order["id"], {line: 2})
    await world.settle()
    await later()
    first, second = await rows(order)
    assert (str(first.state), first.held) == ("reported", None)
    assert second.held == "refused_by_kustom"
    assert [capture.amount for capture in there.captures] == [149_00]
