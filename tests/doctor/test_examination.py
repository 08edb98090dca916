"""The whole check-up, against a simulated Saleor and Kustom that are as wrong as a test says."""

import json
from dataclasses import replace

import pytest
from starlette.responses import HTMLResponse
from typer.testing import CliRunner

from saleor_kustom.cli import app
from saleor_kustom.doctor.examine import Doctor
from saleor_kustom.outbound import Outbound
from saleor_kustom.sandbox.routed import Routed
from saleor_kustom.sandbox.world import APP_URL, KUSTOM_URL, MERCHANT, SALEOR_URL, open_world
from saleor_kustom.settings import PREFIX
from saleor_kustom.store import Scope
from tests.walks.conftest import MUGS


class Dated:
    """An app whose answers bear a Date, as a real server's do."""

    def __init__(self, app, date, pages=()):
        self.app, self.date, self.pages = app, date, pages

    async def __call__(self, scope, receive, send):
        async def dated(message):
            if message["type"] == "http.response.start":
                date = (b"date", self.date.encode())
                message["headers"] = [*message["headers"], date]
            await send(message)

        if scope["path"] in self.pages:
            await HTMLResponse("<title>Dashboard</title>")(scope, receive, dated)
            return
        await self.app(scope, receive, dated)


@pytest.fixture
async def world(sqlite_url):
    async with open_world(sqlite_url) as made:
        await made.install()
        yield made


async def examined(world, *, routes=None, clock=lambda: 0.0, shop=None):
    """Return level by (check, words) of what was found."""
    routes = {APP_URL: world.app.web} | (routes or {})
    outbound = Outbound(transport=Routed(routes))
    doctor = Doctor(world.app, outbound, clock)
    return [one async for one in doctor.examine(shop)]


def of(found, check):
    return [(one.level.value, one.what) for one in found if one.check == check]


async def test_a_right_installation_has_nothing_that_fails(world):
    found = await examined(world)
    assert [one for one in found if one.level == "fail"] == []
    assert of(found, "token") == [("ok", "Saleor 3.22.67 knows the app.")]
    assert len([one for one in found if one.check.startswith("manifest for Saleor")]) == 3
    assert of(found, "webhooks")[0][0] == "ok"
    [credentials] = of(found, "credentials")
    assert credentials[0] == "ok"


async def test_it_changes_nothing(world):
    before = await world.app.store.history.of_shop(world.saleor.api_url)
    await examined(world)
    assert await world.app.store.history.of_shop(world.saleor.api_url) == before


async def test_a_token_that_saleor_has_deleted(world):
    world.saleor.uninstall()
    found = await examined(world)
    [(level, what)] = of(found, "token")
    assert level == "fail"
    assert "does not accept the app's token" in what


async def test_webhooks_and_settings_that_somebody_changed(world):
    world.saleor.installed.webhooks[0]["isActive"] = False
    world.saleor.installed.webhooks.pop()
    world.saleor.allow_unpaid = False
    found = await examined(world)
    assert sorted(level for level, _ in of(found, "webhooks")) == ["fail", "fail"]
    assert [level for level, _ in of(found, "shop settings")] == ["warn"]


async def test_an_address_where_another_app_answers(world):
    found = await examined(world, routes={APP_URL: world.saleor.app})
    assert {one.level.value for one in found if one.check.startswith("manifest")} == {"fail"}


async def test_credentials_are_told_apart(world):
    store, url = world.app.store, world.saleor.api_url
    world.kustom.add_merchant("PMX-user", "right", "PMX")
    order, _ = world.order([MUGS])
    world.saleor.fulfill(order["id"])
    await world.settle()
    await store.accounts.set(url, "wrong", replace(MERCHANT, password="no"))
    stranger = replace(MERCHANT, merchant_id="PM9", username="PMX-user", password="right")
    await store.accounts.set(url, "foreign", stranger)
    await store._db(
        ("update binding set merchant_id = 'PM9' where order_id = :o", {"o": order["id"]})
    )
    found = await examined(world)
    said = [what for level, what in of(found, "credentials") if level == "fail"]
    assert any("another merchant's" in what for what in said)
    # One merchant has one password: the last that was set counts for every channel.
    assert sum("does not accept username and password" in what for what in said) == 2


async def test_two_shops_on_one_account(world):
    store = world.app.store
    copy = "https://copy.shop.example/graphql/"
    await store.shops.install(copy, "APP9", "t", saleor_version="3.22.0", jwks="{}")
    await store.accounts.set(copy, None, MERCHANT)
    found = await examined(world, shop=world.saleor.api_url)
    assert any(copy in what for level, what in of(found, "credentials") if level == "warn")
    assert {one.shop for one in found} == {"", world.saleor.api_url}


async def test_a_pause_and_what_is_held(world):
    store, url = world.app.store, world.saleor.api_url
    await store.pauses.set(Scope.CHANNEL, url, "se", who="eva", why="stocktaking")
    order = world.saleor.add_order([MUGS])  # nothing is known of its Kustom order
    world.saleor.fulfill(order["id"])
    await world.settle()
    [row] = await store.captures.of_order(url, order["id"])
    await store.captures.hold(url, row.id, "not_linked", {})
    found = await examined(world)
    assert of(found, "pause") == [("warn", "channel se is paused by eva: stocktaking")]
    assert of(found, "held") == [("warn", "1 captures need a person: 1 not_linked.")]


async def test_clocks_are_compared_with_both_sides(world):
    date = "Thu, 26 Nov 2026 12:00:00 GMT"
    routes = {
        SALEOR_URL: Dated(world.saleor.app, date, pages=("/dashboard/",)),
        KUSTOM_URL: Dated(world.kustom.app, date),
    }
    at = 1795694400.0
    right = await examined(world, routes=routes, clock=lambda: at)
    assert {level for level, _ in of(right, "clock")} == {"ok"}
    assert of(right, "dashboard")[0][0] == "ok"
    wrong = await examined(world, routes=routes, clock=lambda: at - 300.0)
    assert [level for level, _ in of(wrong, "clock")] == ["fail", "fail"]
    assert "300 s ahead of this machine" in of(wrong, "clock")[0][1]


def run(*arguments, **environ):
    values = {"SECRET_KEY": "x" * 40, **environ}
    result = CliRunner().invoke(
        app, ["doctor", *arguments], env={PREFIX + name: value for name, value in values.items()}
    )
    return result.exit_code, result.stdout


def test_a_wrong_setting_is_a_finding(tmp_path):
    code, out = run("--json", DATABASE_URL="mysql://x/y")
    [found] = json.loads(out)["findings"]
    assert (code, found["check"], found["level"]) == (2, "settings", "fail")
    assert "right would be" in found["what"]


def test_a_database_that_does_not_open_is_a_finding(tmp_path):
    code, out = run(DATABASE_URL=f"sqlite:///{tmp_path}/no/such/folder/app.db")
    assert code == 2
    assert "FAIL" in out


async def test_a_first_run_says_what_is_missing(sqlite_url):
    async with open_world(sqlite_url) as world:
        found = await examined(world)
    assert of(found, "shops")[0][0] == "warn"
