"""Secrets and personal data are planted wherever they may be, and looked for in all we write.

What is written: logs of every level (as the settings allow them), what goes to the terminal,
answers of every route, output of every command, the database's files, and how our values show
themselves.
"""

import asyncio
import base64
import contextlib
import gc
import logging
import uuid

import httpx
import pytest
from typer.testing import CliRunner

from saleor_kustom.capture.parties import Account
from saleor_kustom.cli import app as command_line
from saleor_kustom.sandbox.kustom_faults import FAULTS as KUSTOM_FAULTS
from saleor_kustom.sandbox.saleor import FAULTS as SALEOR_FAULTS
from saleor_kustom.sandbox.theatre import play, served
from saleor_kustom.sandbox.world import MERCHANT, open_world
from saleor_kustom.watch.logs import log_to_stderr
from tests.commands import TRIES
from tests.walks.conftest import MUGS
from tests.walks.test_shops_apart import rows_of
from tests.web.routes import every_route

SECRET_KEY = "a-secret-for-the-sandbox-only-0123456789"
EVERYTHING = ("MANAGE_ORDERS", "HANDLE_PAYMENTS", "MANAGE_APPS")
#: Of shoppers. None of them is needed for a capture.
PERSONAL = {
    "e-mail": "canary.astrid@example.com",
    "given name": "CanaryAstrid",
    "family name": "CanaryLindgren",
    "street": "Canarygatan 12",
    "phone": "+46700000012",
    "born": "1990-01-01",
    "personal number": "4103219202",
    "other metadata": "canary-of-the-crm",
    "gift card": "CANARY-GIFT-CARD",
}
ADDRESS = {
    "given_name": PERSONAL["given name"],
    "family_name": PERSONAL["family name"],
    "street_address": PERSONAL["street"],
    "phone": PERSONAL["phone"],
    "email": PERSONAL["e-mail"],
}


def plant(world):
    """Let every order of both sides bear personal data."""
    add_there, add_here = world.kustom.add_order, world.saleor.add_order

    def there(*args, **more):
        order = add_there(*args, **more)
        order.email, order.shipping_address = PERSONAL["e-mail"], dict(ADDRESS)
        return order

    def here(*args, **more):
        order = add_here(*args, **{"email": PERSONAL["e-mail"], **more})
        for name in ("metadata", "privateMetadata"):
            order[name].append({"key": "crm", "value": PERSONAL["other metadata"]})
        order["giftCards"] = [{**c, "code": PERSONAL["gift card"]} for c in order["giftCards"]]
        return order

    world.kustom.add_order, world.saleor.add_order = there, here


def canaries(world, *tokens):
    """Return all that must not be found, by what it is."""
    login = f"{MERCHANT.username}:{MERCHANT.password}".encode()
    secrets = {
        "SECRET_KEY": SECRET_KEY,
        "Kustom's password": MERCHANT.password,
        "Kustom's credentials as they are sent": base64.b64encode(login).decode(),
        "Saleor's token": world.saleor.installed.token,
        **{f"Dashboard token {n}": token.split(".")[2] for n, token in enumerate(tokens)},
    }
    return secrets | PERSONAL


class Written:
    """Everything that was written, by where."""

    def __init__(self):
        self.texts = []

    def add(self, where, text):
        self.texts.append((where, text))

    def look_for(self, wanted):
        found = {
            (what, where) for where, text in self.texts for what, c in wanted.items() if c in text
        }
        assert found == set()


@pytest.fixture
def written():
    """Collect what the app logs, under the levels that LOG_LEVEL=DEBUG sets."""
    written = Written()

    class Keep(logging.Handler):
        def emit(self, record):
            written.add(f"log of {record.name}", FORMAT.format(record))

    FORMAT = logging.Formatter("%(levelname)s %(name)s %(message)s")  # noqa: N806
    root, ours, keep = logging.getLogger(), logging.getLogger("saleor_kustom"), Keep()
    levels = root.level, ours.level
    handlers = list(root.handlers)
    root.handlers.clear()
    log_to_stderr("DEBUG")
    stderr = root.handlers[:]
    root.handlers[:] = [*handlers, *stderr, keep]
    yield written
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


async def look_at_pages(world, written, client, base, token):
    """Ask every route that gives something, with every id that it may want."""
    for order in list(world.saleor.orders.values())[:4]:
        query = {
            "orderId": order["id"],
            "id": order["id"],
            "search": order["number"],
            "saleorApiUrl": world.saleor.api_url,
        }
        headers = {"saleor-api-url": world.saleor.api_url, "authorization-bearer": token}
        for route in every_route(world.app.web):
            if route.method == "GET":
                answer = await client.get(base + route.url(), params=query, headers=headers)
                written.add(f"GET {route.path}", f"{answer.headers} {answer.text}")


async def run_commands(world, written, database_url, monkeypatch):
    """Run every command that shows something of a shop, in a thread of its own."""
    monkeypatch.setenv("SALEOR_KUSTOM_DATABASE_URL", database_url)
    monkeypatch.setenv("SALEOR_KUSTOM_SECRET_KEY", SECRET_KEY + "-and-more-of-it")
    monkeypatch.setenv("SALEOR_KUSTOM_SECRET_KEY_PREVIOUS", SECRET_KEY)
    monkeypatch.setenv("SALEOR_KUSTOM_ALLOW_PRIVATE_HOSTS", "true")
    monkeypatch.setenv("SALEOR_KUSTOM_KUSTOM_PLAYGROUND_URL", "http://127.0.0.1:9")
    orders = [row for row in await rows_of(world) if row.capture_id]
    row = orders[0]
    named = {
        "shop": world.saleor.api_url,
        "order": row.order_id,
        "number": row.order_number,
        "capture": row.id,
        "capture_id": row.capture_id,
        "fulfillment": row.fulfillment_id,
        "kustom_order": row.account,
    }
    for name, tries in TRIES.items():
        for arguments in tries:
            given = [argument.format(**named) for argument in arguments]
            result = await asyncio.to_thread(
                CliRunner().invoke, command_line, given, input="another-password\n"
            )
            written.add(f"command {name}", f"{result.output} {result.exception!r}")


def show_values(written):
    """Let every value of ours that is alive show itself."""
    for value in gc.get_objects():
        module = str(type(value).__module__)
        if module.startswith("saleor_kustom") and ".sandbox" not in module:
            with contextlib.suppress(Exception):
                written.add(f"repr of {type(value).__qualname__}", repr(value)[:20_000])


def read_files(written, folder):
    for file in folder.iterdir():
        if file.is_file():
            written.add(f"file {file.name}", file.read_bytes().decode("latin-1"))


async def test_all_stories_leave_no_secret_and_no_person(written, tmp_path, monkeypatch, capfd):
    database_url = f"sqlite:///{tmp_path}/app.db"
    async with served(database_url) as (world, addresses):
        plant(world)
        outcomes = await play(world)
        assert len(outcomes) >= 6
        assert world.kustom.requests  # the canaries have passed through us
        token = world.saleor.dashboard_token(EVERYTHING)
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            await look_at_pages(world, written, client, addresses["App"], token)
        show_values(written)
        read_files(written, tmp_path)
        wanted = canaries(world, token)
        await run_commands(world, written, database_url, monkeypatch)
        read_files(written, tmp_path)
    read_files(written, tmp_path)
    out, err = capfd.readouterr()
    written.add("terminal", out + err)
    assert {"file app.db", "terminal"} <= {where for where, _ in written.texts}
    assert any(where.startswith("log of saleor_kustom") for where, _ in written.texts)
    # What is no secret is found, so the search does search.
    with pytest.raises(AssertionError):
        written.look_for({"a username": MERCHANT.username})
    written.look_for(wanted)


async def test_no_failure_tells_a_secret_or_a_person(written, tmp_path, clock, capfd):
    """Every way in which the other sides can fail, at each of their operations."""
    async with open_world(f"sqlite:///{tmp_path}/app.db", clock=clock) as world:
        plant(world)
        await world.install()
        world.saleor.hang_s = 0.0
        for fault in sorted(KUSTOM_FAULTS - {"hang"}):
            for operation in ("order", "capture"):
                await ship(world)
                world.kustom.fail_next(fault, on=operation)
                await go(world)
                world.kustom.heal()
                clock.pass_s(3600)  # for the breaker; and a paused account goes on
                await world.app.store.accounts.set(world.saleor.api_url, None, MERCHANT)
                await go(world)
        for fault in sorted(SALEOR_FAULTS - {"", "hang"}):
            await ship(world)
            world.saleor.fail_next(fault)
            await go(world)
            world.saleor.fail_graphql.clear()
        await ship(world)
        wrong = Account("playground", "PM1", MERCHANT.username, "wrong-canary-password")
        await world.app.store.accounts.set(world.saleor.api_url, None, wrong)
        await go(world)
        await forged(world)
        for row in await rows_of(world):
            written.add("a held capture", f"{row.held_detail} {row.waiting_detail} {row!r}")
            written.add("history", str(await world.app.store.captures.history(row.api_url, row.id)))
        show_values(written)
        read_files(written, tmp_path)
        wanted = canaries(world) | {
            "a forged token": "forged-canary-token",
            "a wrong password": "wrong-canary-password",
        }
    out, err = capfd.readouterr()
    written.add("terminal", out + err)
    assert sum(where.startswith("log of saleor_kustom") for where, _ in written.texts) >= 20
    written.look_for(wanted)


async def ship(world):
    order, _ = world.order([MUGS])
    world.saleor.fulfill(order["id"], tracking=f"SE{uuid.uuid4().hex[:8]}")
    return order


async def go(world):
    await world.saleor.deliver()
    await world.app.worker.drain()


async def forged(world):
    """Things that strangers send must not be repeated either."""
    transport = httpx.ASGITransport(world.app.web)
    async with httpx.AsyncClient(transport=transport, base_url="http://app.test") as client:
        shop = {"saleor-api-url": world.saleor.api_url}
        await client.post("/api/register", headers=shop, json={"auth_token": "forged-canary-token"})
        bearer = {**shop, "authorization-bearer": "a.b.forged-canary-token"}
        for route in every_route(world.app.web):
            await client.request(route.method, route.url(), headers=bearer)
        signed = {**shop, "saleor-signature": "forged-canary-token", "saleor-domain": "saleor.test"}
        signed["saleor-event"] = "fulfillment_created"
        await client.post("/api/webhooks/saleor/fulfillment_created", headers=signed)
