"""The command line for the person at three in the morning, against a real database."""

import asyncio
import csv
import io
import json
import re
import secrets
import shlex

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from saleor_kustom.cli import app
from saleor_kustom.sandbox.kustom import SimulatedKustom
from saleor_kustom.sandbox.saleor import SimulatedSaleor
from saleor_kustom.sandbox.world import MERCHANT, SALEOR_URL, open_world
from saleor_kustom.settings import PREFIX
from saleor_kustom.store import Store
from tests.walks.conftest import MUGS

SECRET = secrets.token_hex(32)  # the sandbox's own is refused, since it was published
SHOP = f"{SALEOR_URL}/graphql/"


class Night:
    """One captured order, one that is held, and one that waits; and the commands beside it."""

    def __init__(self, url):
        self.url = url
        self.saleor, self.kustom = SimulatedSaleor(SHOP), SimulatedKustom()

    async def _in_world(self, do):
        sides = {"saleor": self.saleor, "kustom": self.kustom}
        async with open_world(self.url, **sides, secret_key=SECRET) as world:
            return await do(world)

    def world(self, do):
        return asyncio.run(self._in_world(do))

    async def _made(self, world):
        await world.install()
        captured, there = world.order([MUGS])
        world.saleor.fulfill(captured["id"])
        held, rejected = world.order([MUGS])
        rejected.fraud_status = "REJECTED"
        world.saleor.fulfill(held["id"])
        waits, pending = world.order([MUGS])
        pending.fraud_status = "PENDING"
        world.saleor.fulfill(waits["id"])
        await world.settle()
        self.captured, self.held, self.waits = captured, held, waits
        self.capture_id = there.captures[0].capture_id
        self.kustom_order_id = there.order_id

    def make(self):
        self.world(self._made)
        return self

    def there(self, order):
        return self.kustom.orders[order["transactions"][-1]["pspReference"]]

    def run(self, *arguments, code=0):
        env = {"SECRET_KEY": SECRET, "DATABASE_URL": self.url, "APP_URL": "http://app.test"}
        result = CliRunner().invoke(
            app, [*arguments], env={PREFIX + n: v for n, v in env.items()} | {"COLUMNS": "200"}
        )
        assert result.exit_code == code, (result.output, result.exception)
        return result.stdout

    def rows(self, order):
        async def read():
            store = await Store.open(self.url, secret_key=SECRET)
            found = await store.captures.of_order(SHOP, order["id"])
            history = [await store.captures.history(SHOP, row.id) for row in found]
            await store.close()
            return found, history

        return asyncio.run(read())

    def execute(self, sql, **params):
        async def write():
            store = await Store.open(self.url, secret_key=SECRET)
            await store._db((sql, params))
            await store.close()

        asyncio.run(write())


@pytest.fixture
def night(sqlite_url):
    return Night(sqlite_url).make()


def test_status_shows_what_is_held_and_how_much_waits(night):
    out = night.run("status")
    assert "1 are held" in out
    assert "Held, the longest untouched first" in out
    told = json.loads(night.run("status", "--json"))
    assert told["held"] == {"fraud_rejected": 1}
    assert [one["order"] for one in told["held_captures"]] == [night.held["number"]]
    assert told["waiting"] == 1


@pytest.mark.parametrize(
    "term",
    [
        lambda n: n.captured["number"],
        lambda n: n.captured["id"],
        lambda n: n.captured["fulfillments"][0]["id"],
        lambda n: n.capture_id,
        lambda n: n.kustom_order_id,
        lambda n: f"row:{n.rows(n.captured)[0][0].id}",
    ],
)
def test_an_order_is_found_by_any_id(night, term):
    told = json.loads(night.run("show", term(night), "--json"))
    assert told["order"] == night.captured["number"]
    [capture] = told["captures"]
    assert capture["capture_id"] == night.capture_id
    assert [line["what"] for line in capture["history"]][:3] == [
        "send_started", "kustom_confirmed", "reported",
    ]  # fmt: skip
    assert told["deliveries"][0]["event"].startswith("fulfillment_")
    assert told["binding"]["kustom_order_id"] == night.kustom_order_id
    assert capture["captured_at"].endswith("+00:00")


def test_show_tells_it_to_a_person_in_their_own_time(night):
    out = night.run("show", night.captured["number"], "--timezone", "Asia/Tokyo")
    assert "+09:00" in out
    assert "kustom_confirmed" in out
    assert night.capture_id in out
    held = night.run("show", night.held["number"])
    assert "Kustom's fraud review rejected the order" in held
    assert "Do not ship" in held


def test_what_is_not_there_says_what_to_try(night):
    result = CliRunner().invoke(
        app, ["show", "nonsense"],
        env={PREFIX + "SECRET_KEY": SECRET, PREFIX + "DATABASE_URL": night.url},
    )  # fmt: skip
    assert "no capture is known of 'nonsense'" in str(result.exception)
    zone = CliRunner().invoke(app, ["show", "1", "--timezone", "Mars/North"])
    assert "Europe/Stockholm" in str(zone.exception)


def test_retry_takes_the_mark_away_and_says_who_and_why(night):
    out = night.run("retry", night.held["number"], "--who", "eva", "--why", "reviewed")
    assert "due now" in out
    [row], [history] = night.rows(night.held)
    assert row.held is None
    assert (history[-1]["what"], history[-1]["detail"]) == (
        "resumed", {"who": "eva", "why": "reviewed"},
    )  # fmt: skip


def test_retry_does_not_let_a_waiting_one_wait(night):
    told = json.loads(night.run("retry", night.waits["number"], "--why", "now", "--json"))
    assert told["done"] is True
    [row], [history] = night.rows(night.waits)
    assert row.due_at <= row.updated_at
    assert history[-1]["what"] == "hastened"
    assert history[-1]["detail"]["why"] == "now"


def test_retry_leaves_what_is_done_alone(night):
    out = night.run("retry", night.captured["number"], "--why", "again", code=1)
    assert "left alone: it is reported" in out


def test_who_is_whoever_runs_it_and_why_must_be_said(night, monkeypatch):
    monkeypatch.setenv("LOGNAME", "night-shift")
    night.run("retry", night.held["number"], "--why", "x")
    _, [history] = night.rows(night.held)
    assert history[-1]["detail"]["who"] == "night-shift"
    for command in ("retry", "hold", "resume"):
        night.run(command, "1", code=2)
    for command in ("pause", "unpause"):
        night.run(command, SHOP, code=2)


def test_what_a_person_holds_is_captured_only_when_they_say_so(night):
    night.run("hold", night.waits["number"], "--why", "the shopper called", "--who", "eva")
    assert "eva holds it: the shopper called" in night.run("show", night.waits["number"])

    async def accept_and_tell(world):
        night.there(night.waits).fraud_status = "ACCEPTED"
        fulfillment = night.waits["fulfillments"][0]
        world.saleor.update_tracking(fulfillment["id"], "NEWS-1")
        await world.settle()

    night.world(accept_and_tell)
    [row], _ = night.rows(night.waits)
    assert (str(row.state), row.held) == ("received", "held_by_hand")
    night.run("resume", night.waits["number"], "--why", "settled")
    night.world(lambda world: world.settle())
    [row], _ = night.rows(night.waits)
    assert str(row.state) == "reported"


def test_a_held_plan_stays_held(night):
    night.run("hold", night.waits["number"], "--why", "wait")
    night.execute(
        "update capture set state = 'planned', due_at = 0 where order_id = :id",
        id=night.waits["id"],
    )
    there = night.there(night.waits)
    there.fraud_status = "ACCEPTED"
    night.world(lambda world: world.settle())
    [row], _ = night.rows(night.waits)
    assert (str(row.state), row.held) == ("received", "held_by_hand")
    assert there.captures == []


def test_what_is_sent_or_captured_can_not_be_held(night):
    night.run("hold", night.captured["number"], "--why", "too late", code=1)
    night.execute(
        """update capture set state = 'sending', plan = '{}', idempotency_key = 'k'
           where order_id = :id""",
        id=night.waits["id"],
    )
    night.run("hold", night.waits["number"], "--why", "under way", code=1)


@pytest.mark.parametrize(
    ("options", "scope"),
    [
        ((), ("shop", "")),
        (("--channel", "se"), ("channel", "se")),
        (("--account", "playground/PM12345"), ("account", "playground/PM12345")),
    ],
)
def test_a_pause_and_its_end_are_kept_with_who_and_why(night, options, scope):
    night.run("pause", SHOP, *options, "--why", "stocktaking", "--who", "eva")
    pauses = json.loads(night.run("status", "--json"))["pauses"]
    [made] = [p for p in pauses if (p["scope"], p["key"]) == scope]
    assert (made["who"], made["why"]) == ("eva", "stocktaking")
    assert "stocktaking" in night.run("status")
    told = json.loads(night.run("unpause", SHOP, *options, "--why", "counted", "--json"))
    assert told["done"] is True
    assert json.loads(night.run("status", "--json"))["pauses"] == []
    night.run("unpause", SHOP, *options, "--why", "again", code=1)


def test_an_order_is_paused_by_its_number(night):
    night.run("pause", SHOP, "--order", night.waits["number"], "--why", "asked")
    [made] = json.loads(night.run("status", "--json"))["pauses"]
    assert (made["scope"], made["key"]) == ("order", night.waits["id"])


def test_an_export_has_what_settlement_files_have(night):
    [row] = list(csv.DictReader(io.StringIO(night.run("export"))))
    assert (row["amount"], row["currency"]) == ("349.00", "SEK")
    assert row["capture_id"] == night.capture_id
    assert row["kustom_order_id"] == night.kustom_order_id
    assert row["reference"].startswith(f"{night.captured['number']}/1/")
    assert list(csv.DictReader(io.StringIO(night.run("export", "--until", "2020-01-01")))) == []
    assert json.loads(night.run("export", "--since", "2020-01-01", "--json"))["order"]


def test_a_refund_is_exported_as_money_that_went_back(night):
    night.execute("update capture set kind = 'refund' where capture_id is not null")
    [row] = list(csv.DictReader(io.StringIO(night.run("export"))))
    assert (row["kind"], row["amount"]) == ("refund", "-349.00")
    night.execute("update capture set kind = 'release' where capture_id is not null")
    assert list(csv.DictReader(io.StringIO(night.run("export")))) == []  # no money moved


def test_an_export_pages_through_all_of_it(night, tmp_path):
    night.execute(
        """with recursive n (n) as (select 1 union all select n + 1 from n where n < 1100)
           insert into capture (api_url, order_id, fulfillment_id, fulfillment_created, line, state,
               plan, capture_id, captured_at, created_at, updated_at, order_number)
           select api_url, 'O' || n, 'F' || n, 'x', 'l' || n, 'captured', plan, 'c' || n, 6, 0, 0,
               '=' || n from capture, n where capture_id is not null"""
    )
    target = tmp_path / "all.csv"
    night.run("export", "-o", str(target))
    rows = list(csv.DictReader(io.StringIO(target.read_text())))
    assert len({row["capture_id"] for row in rows}) == len(rows) == 1101
    assert rows[-1]["order"] == "'=1100"  # no spreadsheet runs it


CANARY = "CANARY"


def test_a_bundle_has_neither_secrets_nor_personal_data(night):
    night.run("hold", night.waits["number"], "--who", f"{CANARY}-who@example.org", "--why", CANARY)
    night.run("pause", SHOP, "--why", f"{CANARY} said so", "--who", CANARY)
    for order in (night.captured, night.waits):
        night.execute(
            "update delivery set body = :b, problem = :b where order_id = :id",
            b=f"{CANARY} body", id=order["id"],
        )  # fmt: skip
        plan = json.loads(night.rows(night.captured)[0][0].plan)
        body = json.loads(plan["body"])
        body["order_lines"][0] |= {"name": CANARY, "reference": CANARY, "product_url": CANARY,
                                   "merchant_data": CANARY}  # fmt: skip
        body["shipping_info"] = [{"tracking_number": CANARY}]
        plan |= {"body": json.dumps(body), "notes": [CANARY]}
        night.execute(
            """update capture set plan = :p, tracking_problem = :c, tracking_pending = :c,
               tracking_sent = :t, waiting_detail = :d where order_id = :id""",
            p=json.dumps(plan), c=CANARY, t=json.dumps([{"tracking_number": CANARY}]),
            d=json.dumps({"message": CANARY, "who": CANARY}), id=order["id"],
        )  # fmt: skip
        night.execute(
            """insert into history (api_url, capture_id, at, what, detail)
               select api_url, id, 1, 'held', :d from capture where order_id = :id""",
            d=json.dumps({"message": CANARY, "line": CANARY, "code": f"{CANARY} with blanks",
                          "correlation_id": "c-1"}),
            id=order["id"],
        )  # fmt: skip
        text = night.run("support-bundle", order["number"])
        for secret in (CANARY, SECRET, MERCHANT.password, night.saleor.installed.token, "Mug"):
            assert secret not in text
        made = json.loads(text)
        [told] = made["orders"][0]["captures"]
        assert told["lines"][0]["total_amount"] > 0
        assert told["plan"]["amount_minor"] == 349_00
        assert "c-1" in {line.get("correlation_id") for line in told["history"]}
        assert made["orders"][0]["shop"]["saleor_version"] == "3.22.67"


def test_a_bundle_can_be_a_file(night, tmp_path):
    target = tmp_path / "bundle.json"
    night.run("support-bundle", night.held["number"], "-o", str(target))
    [told] = json.loads(target.read_text())["orders"][0]["captures"]
    assert told["held"] == "fraud_rejected"


def commands(group, path=()):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


ALL = dict(commands(get_command(app)))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_an_example_in_the_help_can_be_parsed(path):
    found = re.search(r"Example: saleor-kustom (.+?)(\n\n|$)", ALL[path].help or "", re.DOTALL)
    if path == ("version",):
        return
    assert found, "its help has no example"
    words = shlex.split(found[1].replace("\n", " ").partition(" < ")[0].partition(" | ")[0])
    command = get_command(app)
    for word in path:
        assert words.pop(0) == word
        command = command.commands[word]
    command.make_context(path[-1], words, resilient_parsing=False)


def test_a_shell_can_complete_it():
    assert app._add_completion
