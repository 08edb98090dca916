"""Two shops in one installation: no id of the one answers to the other, by no route or command."""

import asyncio
import itertools
import json
import uuid

import httpx
import pytest
from typer.testing import CliRunner

from saleor_kustom.capture.parties import Account
from saleor_kustom.cli import app as command_line
from saleor_kustom.sandbox.kustom import SimulatedKustom
from saleor_kustom.sandbox.saleor import SimulatedSaleor
from saleor_kustom.sandbox.world import KUSTOM_URL, MERCHANT, open_world
from tests.commands import OF_THE_OPERATOR, TRIES, every_command
from tests.walks.conftest import MUGS
from tests.web.routes import ALSO, IDS, OPEN, every_route

SECRET_KEY = "a key of the tests that is long enough for all of them"
NEIGHBOUR_URL = "http://neighbour.test/graphql/"
EVERYTHING = ["MANAGE_ORDERS", "HANDLE_PAYMENTS", "MANAGE_APPS"]


class Neighbours:
    """A shop with a history, and a neighbour that would like to see it."""

    def __init__(self, world):
        self.world = world
        self.store = world.app.store
        self.shop = world.saleor.api_url
        self.neighbour = SimulatedSaleor(NEIGHBOUR_URL)

    async def fill(self):
        saleor = self.world.saleor
        saleor._numbers = itertools.count(777001)
        await self.world.install()
        for problem in (False, False, True):
            order, there = self.world.order([MUGS])
            if problem:
                there.amount = 1_00
            saleor.fulfill(order["id"], tracking="TRACKING-OF-THE-SHOP")
            await self.world.settle()
        made = self.neighbour.created(saleor.installed.manifest)
        self.neighbour.installed = made
        keys = json.dumps(self.neighbour.signer.jwks())
        await self.store.shops.install(
            NEIGHBOUR_URL, made.app["id"], made.token, saleor_version="3.22.67", jwks=keys
        )
        self.link_token = await self.store.link_tokens.make(NEIGHBOUR_URL)
        own = Account("playground", "PM7", "PM7-x", "the neighbour's password")
        await self.store.accounts.set(NEIGHBOUR_URL, None, own)

    async def ids(self):
        """Return everything by which something of the shop can be named."""
        rows = await rows_of(self.world)
        named = {}
        for row in rows:
            binding = await self.store.captures.binding(self.shop, row.order_id)
            named |= {
                f"{row.id} row": row.id,
                f"{row.id} order": row.order_id,
                f"{row.id} number": row.order_number,
                f"{row.id} fulfillment": row.fulfillment_id,
                f"{row.id} capture": row.capture_id,
                f"{row.id} kustom": binding.kustom_order_id if binding else None,
            }
        deliveries = await self.store._db.read("select id from delivery")
        named |= {f"delivery {n}": row["id"] for n, row in enumerate(deliveries)}
        return {name: value for name, value in named.items() if value is not None}

    async def canaries(self):
        """Return what must not be seen by the neighbour: whatever is not a small number."""
        texts = {str(value) for value in (await self.ids()).values()}
        shop = await self.store.shops.get(self.shop)
        return {t for t in texts if len(t) > 4} | {
            "TRACKING-OF-THE-SHOP", MERCHANT.username, shop.token,
        }  # fmt: skip

    async def rows(self):
        """Return all that the database holds of the shop."""
        held = {}
        for table in await self._tables():
            found = await self.store._db.read(f"select * from {table}")  # noqa: S608
            mine = [str(row) for row in found if self.shop in str(row)]
            if mine:
                held[table] = sorted(mine)
        return held

    async def _tables(self):
        rows = await self.store._db.read("select name from sqlite_master where type = 'table'")
        return [row["name"] for row in rows if not row["name"].startswith("sqlite_")]

    def headers(self):
        return {
            "saleor-api-url": NEIGHBOUR_URL,
            "authorization-bearer": self.neighbour.dashboard_token(EVERYTHING),
            "authorization": f"Bearer {self.link_token}",
        }


async def rows_of(world):
    """Return every capture of the world's shop."""
    of_order, api_url = world.app.store.captures.of_order, world.saleor.api_url
    return [row for order in world.saleor.orders for row in await of_order(api_url, order)]


@pytest.fixture
async def two(sqlite_url, clock):
    async with open_world(sqlite_url, clock=clock, secret_key=SECRET_KEY) as world:
        two = Neighbours(world)
        await two.fill()
        yield two


async def test_the_shop_itself_sees_its_own(two):  # else the walk proves nothing
    assert len(await two.canaries()) >= 12
    two.world.kustom.reachable = False
    headers = {
        "saleor-api-url": two.shop,
        "authorization-bearer": two.world.saleor.dashboard_token(EVERYTHING),
    }
    seen = await ask_everything(two, headers)
    for canary in ("777001", "777003"):
        assert any(canary in text for _, text in seen), canary


async def test_no_route_answers_one_shop_with_anothers(two):
    before = await two.rows()
    assert {"capture", "delivery", "history", "shop", "account", "binding"} <= set(before)
    asked = await ask_everything(two, two.headers())
    assert len(asked) >= 100
    canaries = await two.canaries()
    for route, text in asked:
        named = {canary for canary in canaries if canary in text}
        assert named == set(), f"{route} tells the neighbour of {named}"
    assert await two.rows() == before


async def ask_everything(two, headers):
    """Ask every route for every id, wherever the route takes one; return what was answered."""
    transport = httpx.ASGITransport(two.world.app.web)
    answered = []
    ids = await two.ids()
    async with httpx.AsyncClient(transport=transport, base_url="http://app.test") as client:
        for route in every_route(two.world.app.web):
            assert route.path in IDS, f"{route.path}: say in tests/web/routes.py how it takes ids"
            for value in ids.values():
                params = dict.fromkeys(IDS[route.path], value)
                params |= ALSO.get(route.path, {})
                url = route.url(**dict.fromkeys(_names(route.path), value))
                answer = await client.request(
                    route.method, url, params=params, headers=headers, json=params or None
                )
                # What was asked may be said again; anything else of the shop's may not.
                text = answer.text.replace(str(value), "")
                answered.append((f"{route.method} {url} {params}", text))
                assert answer.status_code < 500, (route, answer.text)
                if not _names(route.path) and not params:
                    break
    return answered


def _names(path):
    return [part.strip("{}").split(":")[0] for part in path.split("/") if part.startswith("{")]


async def test_every_open_route_is_known(two):
    paths = {route.path for route in every_route(two.world.app.web)}
    assert paths >= OPEN
    assert set(IDS) == paths


def test_every_command_is_tried_or_the_operators():
    assert set(every_command()) == set(TRIES) | OF_THE_OPERATOR
    for name, tries in TRIES.items():
        assert all("{shop}" in " ".join(arguments) for arguments in tries), name


async def test_no_command_for_one_shop_tells_or_touches_anothers(two, sqlite_url, monkeypatch):
    monkeypatch.setenv("SALEOR_KUSTOM_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("SALEOR_KUSTOM_SECRET_KEY", SECRET_KEY)
    monkeypatch.setenv("SALEOR_KUSTOM_ALLOW_PRIVATE_HOSTS", "true")
    monkeypatch.setenv("SALEOR_KUSTOM_KUSTOM_PLAYGROUND_URL", "http://127.0.0.1:9")
    before = await two.rows()
    canaries = await two.canaries()
    row = next(row for row in await rows_of(two.world) if row.capture_id)
    binding = await two.store.captures.binding(two.shop, row.order_id)
    named = {
        "order": row.order_id,
        "number": row.order_number,
        "capture": row.id,
        "capture_id": row.capture_id,
        "kustom_order": binding.kustom_order_id,
        "fulfillment": row.fulfillment_id,
    }
    went_well = 0
    for arguments in itertools.chain.from_iterable(TRIES.values()):
        given = [argument.format(shop=NEIGHBOUR_URL, **named) for argument in arguments]
        result = await asyncio.to_thread(
            CliRunner().invoke, command_line, given, input="a password\n"
        )
        said = result.output
        for asked in set(given):  # what was asked for may be said again when it is not found
            said = said.replace(asked, "")
        told = {canary for canary in canaries if canary in said}
        assert told == set(), f"{given} tells the neighbour of {told}"
        went_well += result.exit_code == 0
    assert went_well >= 10
    assert await two.rows() == before


# --- credentials of two channels


CHANNELS = {
    "se": Account("playground", "PM1", MERCHANT.username, MERCHANT.password),
    "no": Account("playground", "PM2", "PM2-x", "the other channel's password"),
}


async def test_credentials_interleaved_a_thousand_times_never_mix(sqlite_url):
    """Kustom answers 404 for another merchant's order, and 401 for credentials of nobody."""
    async with open_world(sqlite_url) as world:
        api_url = world.saleor.api_url
        for channel, account in CHANNELS.items():
            world.kustom.add_merchant(account.username, account.password, account.merchant_id)
            await world.app.store.accounts.set(api_url, channel, account)
        orders = {
            channel: world.kustom.add_order(str(uuid.uuid4()), 1, merchant_id=account.merchant_id)
            for channel, account in CHANNELS.items()
        }

        async def ask(number):
            channel = ("se", "no")[number % 2]
            account = await world.app.store.accounts.get(api_url, channel)
            found = await world.app.kustom.order(account, orders[channel].order_id)
            return found.kustom_order_id == orders[channel].order_id

        right = 0
        for start in range(0, 1000, 50):
            right += sum(await asyncio.gather(*map(ask, range(start, start + 50))))
        assert right == 1000
        assert len(world.kustom.requests) == 1000


@pytest.mark.parametrize(
    "parcels", [40, pytest.param(1000, marks=pytest.mark.long)], ids=["few", "a thousand"]
)
async def test_each_channels_parcels_are_captured_with_its_own_account(sqlite_url, parcels):
    kustom = SimulatedKustom()
    async with open_world(sqlite_url, kustom=kustom) as world:
        await world.install()
        placed = []
        for channel, account in CHANNELS.items():
            kustom.add_merchant(account.username, account.password, account.merchant_id)
            await world.app.store.accounts.set(world.saleor.api_url, channel, account)
        for number in range(parcels):
            channel = ("se", "no")[number % 2]
            order, there = world.order([MUGS], channel=channel)
            there.merchant_id = CHANNELS[channel].merchant_id
            world.saleor.fulfill(order["id"])
            placed.append(there)
        await world.settle()
        assert [there.captured for there in placed] == [349_00] * parcels
        rows = await rows_of(world)
        assert {row.account for row in rows} == {"playground/PM1", "playground/PM2"}
        assert world.app.settings.kustom_playground_url == KUSTOM_URL
