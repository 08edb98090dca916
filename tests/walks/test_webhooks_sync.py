"""Webhooks are kept up to date in each Saleor, and what the old ones deliver is taken."""

import copy
import json
from dataclasses import replace

import pytest

from saleor_kustom.sandbox.saleor import SimulatedSaleor
from saleor_kustom.sandbox.saleor_orders import Line
from saleor_kustom.sandbox.world import open_world
from saleor_kustom.worker import webhooks

VERSIONS = ("3.21.69", "3.22.67", "3.23.28")
EVENT = "fulfillment_created"


@pytest.fixture(params=VERSIONS)
async def world(request, sqlite_url, clock):
    saleor = SimulatedSaleor(version=request.param)
    async with open_world(sqlite_url, saleor=saleor, clock=clock) as made:
        await made.install()
        saleor.requests.clear()
        yield made


def hook(world, event=EVENT):
    [found] = [
        one for one in world.saleor.installed.webhooks if one["targetUrl"].endswith(f"/{event}")
    ]
    return found


def as_installed(world):
    return copy.deepcopy(
        [
            {k: v for k, v in one.items() if k not in ("id", "identifier", "customHeaders")}
            for one in sorted(world.saleor.installed.webhooks, key=lambda one: one["targetUrl"])
        ]
    )


async def the_shop(world):
    return await world.app.store.shops.get(world.saleor.api_url)


def mutations(world):
    return [r["query"] for r in world.saleor.requests if "mutation" in r["query"]]


async def sync(world, **more):
    return await world.app.webhooks.sync(await the_shop(world), **more)


async def test_after_an_installation_one_look_is_all(world):
    await world.app.webhooks.tick()
    assert len(world.saleor.requests) == 1
    assert mutations(world) == []
    await world.app.webhooks.tick()
    assert len(world.saleor.requests) == 1


async def test_whatever_differs_is_mended(world):
    whole = as_installed(world)
    hooks = world.saleor.installed.webhooks
    hook(world)["subscriptionQuery"] = "subscription { event { __typename } }"
    hook(world, "fulfillment_canceled")["targetUrl"] = (
        "https://old.example/api/webhooks/saleor/fulfillment_canceled"
    )
    hook(world, "order_cancelled")["events"] = ["ORDER_UPDATED"]
    hooks.remove(hook(world, "transaction_initialize_session"))
    hooks.append({**hook(world), "id": "V2ViaG9vazo5OTk="})
    hooks.append({
        **hook(world, "order_cancelled"), "id": "V2ViaG9vazo5OTg=",
        "targetUrl": "https://old.example/api/webhooks/saleor/order_paid",
    })  # fmt: skip
    await world.app.webhooks.tick()
    assert as_installed(world) == whole
    assert all("done:" in query for query in mutations(world))
    [line] = await world.app.store.history.of_shop(world.saleor.api_url, limit=1)
    assert line["what"] == "webhooks_synced"
    assert len(line["detail"]["changes"]) == 6


async def test_the_new_webhook_works(world, rows):
    world.saleor.installed.webhooks.remove(hook(world))
    await world.app.webhooks.tick()
    order, there = world.order([Line("Mug", "100.00")])
    world.saleor.fulfill(order["id"])
    await world.settle()
    assert [c.amount for c in there.captures] == [149_00]


async def test_a_new_address_is_told_to_saleor(world, sqlite_url, clock):
    await world.app.webhooks.tick()
    async with open_world(
        sqlite_url, saleor=world.saleor, kustom=world.kustom, clock=clock,
        app_url="http://moved.test/below",
    ) as moved:  # fmt: skip
        await moved.app.webhooks.tick()
    for one in world.saleor.installed.webhooks:
        assert one["targetUrl"].startswith("http://moved.test/below/api/webhooks/saleor/")


async def test_what_the_merchant_switched_off_stays_off_until_a_person_asks(world, caplog):
    hook(world)["isActive"] = False
    await world.app.webhooks.tick()
    assert not hook(world)["isActive"]
    assert "fulfillment_created is switched off in Saleor" in caplog.text
    await sync(world, activate=True)
    assert hook(world)["isActive"]


async def test_what_the_merchant_added_stays(world):
    theirs = {**hook(world), "id": "V2ViaG9vazo5OTk=", "targetUrl": "https://hooks.example/"}
    world.saleor.installed.webhooks.append(theirs)
    hook(world)["events"] = ["ORDER_UPDATED"]
    await world.app.webhooks.tick()
    assert theirs in world.saleor.installed.webhooks
    assert theirs["events"] == ["FULFILLMENT_CREATED"]


async def test_a_permission_that_is_lacking_is_told(world, caplog):
    app = world.saleor.installed.app
    app["permissions"] = [{"code": "MANAGE_ORDERS"}]
    await world.app.webhooks.tick()
    assert "the app lacks HANDLE_PAYMENTS" in caplog.text


@pytest.mark.parametrize("fault", ["500", "429", "html", "not json", "lost answer"])
async def test_a_saleor_that_is_away_is_asked_again(world, clock, fault):
    hook(world)["events"] = ["ORDER_UPDATED"]
    world.saleor.fail_next(fault)
    await world.app.webhooks.tick()
    await world.app.webhooks.tick()  # not at once
    assert hook(world)["events"] == ["ORDER_UPDATED"]
    clock.pass_s(301)
    await world.app.webhooks.tick()
    assert hook(world)["events"] == ["FULFILLMENT_CREATED"]


async def test_a_change_whose_answer_is_lost_is_not_made_twice(world, clock):
    count = len(world.saleor.installed.webhooks)
    world.saleor.installed.webhooks.remove(hook(world))
    world.saleor.fail_graphql.extend(["", "lost answer"])
    await world.app.webhooks.tick()
    clock.pass_s(301)
    await world.app.webhooks.tick()
    assert len(world.saleor.installed.webhooks) == count


async def test_a_change_that_saleor_refuses_keeps_no_other_from_being_made(
    world, monkeypatch, caplog
):
    hook(world)["events"] = ["ORDER_UPDATED"]
    hook(world, "order_cancelled")["events"] = ["ORDER_UPDATED"]
    update = world.saleor.webhook_update

    def refusing(webhook_id, given):
        if webhook_id == hook(world)["id"]:
            from saleor_kustom.sandbox.saleor_transactions import UserError

            raise UserError("query", "INVALID", "No.")
        return update(webhook_id, given)

    monkeypatch.setattr(world.saleor, "webhook_update", refusing)
    await world.app.webhooks.tick()
    assert hook(world, "order_cancelled")["events"] == ["ORDER_CANCELLED"]
    assert "Saleor refused to update fulfillment_created" in caplog.text
    synced = await sync(world)
    assert [change.name for change, _ in synced.failed] == [EVENT]


async def test_one_of_all_instances_compares(world, sqlite_url, clock):
    async with open_world(
        sqlite_url, saleor=world.saleor, kustom=world.kustom, clock=clock
    ) as another:
        await world.app.webhooks.tick()
        world.saleor.requests.clear()
        await another.app.webhooks.tick()
    assert world.saleor.requests == []


async def test_it_looks_again_after_an_upgrade_of_saleor_and_after_a_reinstallation(world, clock):
    await world.app.webhooks.tick()
    world.saleor.version = "3.23.28"
    shop = await the_shop(world)
    await world.app.store.shops.upgraded(shop.api_url, "3.23.28")
    clock.pass_s(301)
    await world.app.webhooks.tick()
    assert hook(world, "app_deleted")["events"] == ["APP_DELETED"]
    await world.install()
    world.saleor.requests.clear()
    clock.pass_s(301)
    await world.app.webhooks.tick()
    assert len(world.saleor.requests) == 1


async def test_an_older_release_undoes_nothing_of_a_newer_one(world, monkeypatch, clock, caplog):
    monkeypatch.setattr(webhooks, "__version__", "99.1.0")
    await world.app.webhooks.tick()
    monkeypatch.setattr(webhooks, "__version__", "9.2")
    hook(world)["events"] = ["ORDER_UPDATED"]
    clock.pass_s(301)
    await world.app.webhooks.tick()
    assert hook(world)["events"] == ["ORDER_UPDATED"]
    assert "a newer release set the webhooks" in caplog.text
    await sync(world)  # a person says so
    assert hook(world)["events"] == ["FULFILLMENT_CREATED"]


async def test_a_newer_release_does_it_once_and_an_older_one_beside_it_does_not_undo(
    world, monkeypatch, clock
):
    await world.app.webhooks.tick()
    monkeypatch.setattr(webhooks, "__version__", "99.0.0")
    hook(world)["events"] = ["ORDER_UPDATED"]
    clock.pass_s(301)
    await world.app.webhooks.tick()
    assert hook(world)["events"] == ["FULFILLMENT_CREATED"]


async def test_an_app_that_saleor_does_not_know_is_left_alone(world, caplog):
    world.saleor.installed.token = "another"
    await world.app.webhooks.tick()
    assert "could not compare the webhooks" in caplog.text
    assert mutations(world) == []


async def test_what_an_old_webhook_delivers_is_taken(world, rows):
    """Its document asked for less, and its deliveries go on to the address as it was."""
    old = "subscription { event { __typename recipient { id } ... on FulfillmentCreated { %s } } }"
    hook(world)["subscriptionQuery"] = old % "fulfillment { id created } order { id }"
    order, there = world.order([Line("Mug", "100.00")])
    world.saleor.fulfill(order["id"])
    [queued] = [q for q in world.saleor.queue if q.event == EVENT]
    delivery = await world.saleor.signed(queued.event, queued.value, queued.webhook)
    assert set(json.loads(delivery.body)) == {"__typename", "recipient", "fulfillment", "order"}
    world.saleor.queue.clear()
    world.saleor.queue.append(replace(delivery, webhook=None))
    await world.app.webhooks.tick()
    await world.settle()
    assert [c.amount for c in there.captures] == [149_00]
