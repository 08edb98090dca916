"""`webhooks sync` and `webhooks show`, beside a running app and over real HTTP."""

import json

import pytest

from saleor_kustom.errors import SettingsError
from saleor_kustom.sandbox.theatre import served
from tests.test_link_command import SECRET_KEY, Shell


@pytest.fixture
async def shell(sqlite_url):
    async with served(sqlite_url, secret_key=SECRET_KEY) as (world, addresses):
        yield Shell(world, addresses, sqlite_url)


def hook(shell, event="fulfillment_created"):
    webhooks = shell.world.saleor.installed.webhooks
    return next(one for one in webhooks if one["targetUrl"].endswith(f"/{event}"))


async def test_what_is_up_to_date_says_so(shell):
    for command in (["show"], ["show", shell.shop], ["sync"], ["sync", "--dry-run"]):
        result = await shell.run("webhooks", *command)
        assert (result.exit_code, result.stdout) == (0, f"{shell.shop}: up to date\n")


async def test_a_dry_run_shows_the_difference_and_changes_nothing(shell):
    hook(shell)["targetUrl"] = "https://old.example/api/webhooks/saleor/fulfillment_created"
    hook(shell, "order_cancelled")["isActive"] = False
    for command in (["show"], ["sync", "--dry-run"]):
        result = await shell.run("webhooks", *command, shell.shop)
        assert result.exit_code == 1
        assert (
            "would: update fulfillment_created: address "
            "https://old.example/api/webhooks/saleor/fulfillment_created becomes http://127.0.0.1:"
        ) in result.stdout
        switched = {
            "show": "switched off in Saleor: order_cancelled",
            "sync": "would: update order_cancelled: is switched on again",
        }
        assert switched[command[0]] in result.stdout
    assert "old.example" in hook(shell)["targetUrl"]
    assert not hook(shell, "order_cancelled")["isActive"]


async def test_sync_does_it_and_switches_on_again(shell):
    hook(shell)["events"] = ["ORDER_UPDATED"]
    hook(shell, "order_cancelled")["isActive"] = False
    result = await shell.run("webhooks", "sync")
    assert result.exit_code == 0
    assert "did: update fulfillment_created: events ORDER_UPDATED become" in result.stdout
    assert hook(shell)["events"] == ["FULFILLMENT_CREATED"]
    assert hook(shell, "order_cancelled")["isActive"]


async def test_what_only_a_person_can_do_is_said_and_exits_with_1(shell):
    saleor = shell.world.saleor
    saleor.installed.app["permissions"] = [{"code": "MANAGE_ORDERS"}]
    theirs = {**hook(shell), "id": "V2ViaG9vazo5OTk=", "targetUrl": "https://hooks.example/"}
    saleor.installed.webhooks.append(theirs)
    result = await shell.run("webhooks", "sync", "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["shop"] == shell.shop
    [lacking] = told["permissions that the app lacks"]
    assert lacking.startswith("HANDLE_PAYMENTS: in the Dashboard, Extensions")
    assert told["not ours, left alone"] == ["https://hooks.example/"]


async def test_what_saleor_refuses_is_listed(shell, monkeypatch):
    from saleor_kustom.sandbox.saleor_transactions import UserError

    def refusing(_webhook_id, _given):
        raise UserError("query", "INVALID", "No.")

    monkeypatch.setattr(shell.world.saleor, "webhook_update", refusing)
    hook(shell)["events"] = ["ORDER_UPDATED"]
    result = await shell.run("webhooks", "sync")
    assert result.exit_code == 1
    assert "failed: update fulfillment_created" in result.stdout
    assert "No." in result.stdout


async def test_a_shop_that_is_away_is_said_and_the_others_go_on(shell):
    await shell.world.app.store.shops.install(
        "http://127.0.0.1:9/graphql/", "A", "t", saleor_version="3.22.1", jwks="{}"
    )
    hook(shell)["events"] = ["ORDER_UPDATED"]
    result = await shell.run("webhooks", "sync")
    assert result.exit_code == 1
    assert "problem: Saleor can't be asked now" in result.stdout
    assert hook(shell)["events"] == ["FULFILLMENT_CREATED"]


async def test_an_unknown_shop(shell):
    with pytest.raises(SettingsError, match="installed: http"):
        await shell.run("webhooks", "show", "https://unknown.example/graphql/")
