"""Another app's or a staff user's transaction: what the merchant chose to tell Saleor (rule 24)."""

import pytest

from saleor_kustom.sandbox.saleor_orders import amount_of
from saleor_kustom.sandbox.saleor_transactions import new_transaction
from tests.walks.conftest import MUGS


@pytest.fixture
async def own(world):
    await world.app.store.policies.set(
        world.saleor.api_url, "", {"foreign_transaction": "own"}, who="test"
    )


def ours(world, order):
    app = world.saleor.installed.app["id"]
    return [t for t in order["transactions"] if (t["createdBy"] or {}).get("id") == app]


def charged(transaction):
    return {event["pspReference"]: amount_of(event["amount"]) for event in transaction["events"]}


def writes(world):
    return [r["query"] for r in world.saleor.requests if "mutation" in r["query"]]


async def test_by_default_its_owner_tells_the_amounts_and_we_write_metadata(world, rows):
    order, _ = world.order([MUGS], owner="other")
    world.saleor.fulfill(order["id"])
    await world.settle()
    [row] = await rows(order)
    assert (row.report_problem, len(order["transactions"])) == ("foreign_transaction", 1)


@pytest.mark.parametrize("owner", ["other", "staff"])
@pytest.mark.usefixtures("own")
async def test_a_transaction_of_our_own_carries_the_charges_and_the_order_is_paid(
    world, rows, owner
):
    order, there = world.order([MUGS], owner=owner)
    line = order["lines"][0]["id"]
    for units in (1, 2):
        world.saleor.fulfill(order["id"], {line: units})
        await world.settle()
    [transaction] = ours(world, order)
    assert charged(transaction) == {c.capture_id: c.amount / 100 for c in there.captures}
    assert transaction["pspReference"] == there.order_id
    assert (transaction["actions"], amount_of(transaction["authorizedAmount"])) == (["REFUND"], 0)
    assert order["chargeStatus"] == "FULL"
    assert [row.report_problem for row in await rows(order)] == [None, None]
    foreign = next(t for t in order["transactions"] if t is not transaction)
    assert foreign["events"] == []


@pytest.mark.usefixtures("own")
async def test_it_costs_one_write_more_once_and_none_for_later_parcels(world):
    order, _ = world.order([MUGS], owner="other")
    line = order["lines"][0]["id"]
    counts = []
    for units in (1, 1, 1):
        world.saleor.requests.clear()
        world.saleor.fulfill(order["id"], {line: units})
        await world.settle()
        counts.append((len(world.saleor.requests), len(writes(world))))
    assert counts == [(3, 2), (2, 1), (2, 1)]
    assert all(query.count("@include") <= 4 for query in writes(world))


@pytest.mark.parametrize("fault", ["lost answer", "500"])
@pytest.mark.usefixtures("own")
async def test_a_lost_answer_makes_no_second_one(world, later, fault):
    order, there = world.order([MUGS], owner="other")
    world.saleor.fail_next("")  # the read
    world.saleor.fail_next(fault)  # the creation
    world.saleor.fulfill(order["id"])
    await later(600)
    [transaction] = ours(world, order)
    assert list(charged(transaction)) == [there.captures[0].capture_id]


@pytest.mark.usefixtures("own")
async def test_of_two_the_older_carries_every_charge(world):
    """A request whose answer was lost can arrive after the look that missed it."""
    order, there = world.order([MUGS], owner="other")
    line = order["lines"][0]["id"]
    answer = world.saleor._api.answer

    def another_came_first(body, caller):
        if "transactionCreate" in body["query"]:
            late = new_transaction(there.order_id, "SEK", world.saleor.installed.app)
            order["transactions"].append(late)
        return answer(body, caller)

    world.saleor._api.answer = another_came_first
    for units in (1, 2):
        world.saleor.fulfill(order["id"], {line: units})
        await world.settle()
    older, younger = ours(world, order)
    assert (len(older["events"]), younger["events"]) == (2, [])


@pytest.mark.usefixtures("own")
async def test_an_order_linked_by_metadata_alone_gets_one_too(world):
    order, there = world.order([MUGS])
    order["transactions"].clear()
    order["privateMetadata"].append({"key": "kustom_order_id", "value": there.order_id})
    world.saleor.fulfill(order["id"])
    await world.settle()
    [transaction] = ours(world, order)
    assert list(charged(transaction)) == [there.captures[0].capture_id]


@pytest.mark.usefixtures("own")
async def test_an_app_that_may_not_create_one_writes_metadata(world, rows):
    order, _ = world.order([MUGS], owner="other")
    world.saleor.denied.add("HANDLE_PAYMENTS")
    world.saleor.fulfill(order["id"])
    await world.settle()
    [row] = await rows(order)
    assert (row.state, row.report_problem) == ("reported", "foreign_transaction")


@pytest.mark.usefixtures("own")
async def test_our_own_transaction_is_reported_on_as_ever(world):
    order, there = world.order([MUGS])
    world.saleor.fulfill(order["id"])
    await world.settle()
    [transaction] = order["transactions"]
    assert list(charged(transaction)) == [there.captures[0].capture_id]


async def test_a_choice_is_taken_without_a_restart_and_by_channel(world):
    policies = world.app.store.policies
    order, _ = world.order([MUGS], owner="other")
    line = order["lines"][0]["id"]
    world.saleor.fulfill(order["id"], {line: 1})
    await world.settle()
    channel = order["channel"]["slug"]
    await policies.set(world.saleor.api_url, channel, {"foreign_transaction": "own"}, who="test")
    world.saleor.fulfill(order["id"], {line: 1})
    await world.settle()
    [transaction] = ours(world, order)
    assert len(transaction["events"]) == 1
