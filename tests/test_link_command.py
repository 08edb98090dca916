"""`link`, `links` and `link-token`, beside a running app and over real HTTP on this machine."""

import asyncio
import json
import secrets
import uuid

import pytest
from typer.testing import CliRunner

from saleor_kustom.cli import app
from saleor_kustom.cli.linking import read_rows
from saleor_kustom.errors import SaleorKustomError, SettingsError
from saleor_kustom.sandbox.saleor_orders import Line
from saleor_kustom.sandbox.theatre import served

MUGS = Line("Mug", "100.00", 3)
KUSTOM = "f3392f8b-6116-4073-ab96-e330819e2c07"
ANOTHER = "99999999-2222-4333-8444-555555555555"
SECRET_KEY = secrets.token_hex(32)  # the sandbox's own is refused, since it was published


class Shell:
    """Runs commands with the environment of the app that is served."""

    def __init__(self, world, addresses, database_url):
        self.world, self.shop = world, world.saleor.api_url
        self.env = {
            "SALEOR_KUSTOM_SECRET_KEY": world.app.settings.secret_key,
            "SALEOR_KUSTOM_DATABASE_URL": database_url,
            "SALEOR_KUSTOM_APP_URL": addresses["App"],
            "SALEOR_KUSTOM_KUSTOM_PLAYGROUND_URL": addresses["Kustom"],
            "SALEOR_KUSTOM_ALLOW_PRIVATE_HOSTS": "true",
            "SALEOR_KUSTOM_RATE_PER_SECOND": "100",
        }

    async def run(self, *arguments):
        invoke = CliRunner().invoke
        result = await asyncio.to_thread(invoke, app, list(map(str, arguments)), env=self.env)
        if isinstance(result.exception, SaleorKustomError):
            raise result.exception
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def placed(self, there=True):
        order = self.world.saleor.add_order([MUGS])
        made = self.world.kustom.add_order(str(uuid.uuid4()), 349_00) if there else None
        return order, made

    def linked(self, order):
        return [t["pspReference"] for t in order["transactions"]]


@pytest.fixture
async def shell(sqlite_url):
    async with served(sqlite_url, secret_key=SECRET_KEY) as (world, addresses):
        yield Shell(world, addresses, sqlite_url)


async def test_an_order_is_linked_by_its_number_and_by_its_id(shell):
    for name in ("number", "id"):
        order, there = shell.placed()
        result = await shell.run("link", shell.shop, order[name], there.order_id)
        assert result.exit_code == 0
        assert result.stdout == f"order {order[name]}: linked\n"
        assert shell.linked(order) == [there.order_id]


async def test_what_is_refused_says_why_and_exits_with_1(shell):
    order, _ = shell.placed(there=False)
    result = await shell.run("link", shell.shop, order["number"], KUSTOM)
    assert result.exit_code == 1
    assert "refused: Kustom does not give the order" in result.stdout
    assert KUSTOM in result.stdout


async def test_an_unknown_number_and_what_is_no_uuid_are_refused_before_anything_is_asked(shell):
    order, _ = shell.placed(there=False)
    shell.world.kustom.requests.clear()
    for number, kustom_id, why in (
        ("4711", KUSTOM, "Saleor knows no order 4711"),
        (order["number"], "K4MADNY", "'K4MADNY' is no Kustom order id"),
    ):
        result = await shell.run("link", shell.shop, number, kustom_id)
        assert result.exit_code == 1
        assert why in result.stdout
    assert shell.world.kustom.requests == []


async def test_without_orders_or_with_too_much_it_says_what_to_give(shell, tmp_path):
    for arguments in ([], ["1"], ["1", KUSTOM, "--csv", tmp_path / "x"]):
        with pytest.raises(SettingsError, match="ORDER and KUSTOM_ORDER_ID, or --csv"):
            await shell.run("link", shell.shop, *arguments)
    with pytest.raises(SettingsError, match="installed: http"):
        await shell.run("link", "https://unknown.example/graphql/", "1", KUSTOM)


async def test_a_dry_run_says_what_would_be_refused_and_stores_nothing(shell):
    order, there = shell.placed()
    done = await shell.run("link", shell.shop, order["number"], there.order_id, "--dry-run")
    assert (done.exit_code, done.stdout) == (0, f"order {order['number']}: linked\n")
    bad = await shell.run("link", shell.shop, order["number"], KUSTOM, "--dry-run")
    assert bad.exit_code == 1
    assert shell.linked(order) == []
    store = shell.world.app.store
    assert await store.links.list(shell.shop, linked=True, limit=9) == []
    assert await store.captures.binding(shell.shop, order["id"]) is None


async def test_a_dry_run_knows_what_others_have(shell):
    first, there = shell.placed()
    await shell.run("link", shell.shop, first["number"], there.order_id)
    again = await shell.run("link", shell.shop, first["number"], there.order_id, "--dry-run")
    assert again.exit_code == 0
    there.merchant_reference1 = ""
    second, other = shell.placed()
    for order, kustom_id in ((second, there.order_id), (first, other.order_id)):
        result = await shell.run("link", shell.shop, order["number"], kustom_id, "--dry-run")
        assert result.exit_code == 1
        assert there.order_id in result.stdout


async def test_of_a_file_the_good_lines_are_linked_and_the_bad_ones_listed(shell, tmp_path):
    placed = [shell.placed() for _ in range(6)]
    good = [f"{order['number']},{there.order_id}" for order, there in placed]
    lines = ["order,kustom_order_id", *good[:3], "", "7777," + KUSTOM, "no comma here",
             "1,not-a-uuid", f"{placed[0][0]['number']},{ANOTHER}", *good[3:],
             f'"unclosed,{KUSTOM}']  # fmt: skip
    path = tmp_path / "orders.csv"
    path.write_text("\ufeff" + "\r\n".join(lines), encoding="utf-8")
    result = await shell.run("link", shell.shop, "--csv", path)
    assert result.exit_code == 1
    assert [shell.linked(order) for order, _ in placed] == [[t.order_id] for _, t in placed]
    refused = [line for line in result.stdout.splitlines() if ": refused: " in line]
    assert [line.split(":")[0] for line in refused] == [
        "line 6", "line 7", "line 8", "line 9", "line 13",
    ]  # fmt: skip
    said = [line.partition(": refused: ")[2] for line in refused]
    assert said[0] == "Saleor knows no order 7777."
    assert said[1] == "It has 1 columns, not two: order,kustom_order_id."
    assert said[2] == "'not-a-uuid' is no Kustom order id (a UUID)."
    assert said[3] == "It contradicts line 2."
    assert result.stdout.splitlines()[-1] == "6 linked, 0 kept for later, 5 refused."


async def test_a_file_of_good_lines_exits_with_0_and_may_be_run_again(shell, tmp_path):
    placed = [shell.placed() for _ in range(2)]
    path = tmp_path / "orders.csv"
    lines = [f"#{order['number']};{there.order_id.upper()}" for order, there in placed]
    path.write_text("\n".join([*lines, lines[0]]))
    for _ in range(2):
        result = await shell.run("link", shell.shop, "--csv", path)
        assert (result.exit_code, result.stdout.splitlines()[-1]) == (
            0, "3 linked, 0 kept for later, 0 refused.",
        )  # fmt: skip
    assert [len(order["transactions"]) for order, _ in placed] == [1, 1]


async def test_a_file_can_be_tried_dry_and_told_in_json(shell, tmp_path):
    order, there = shell.placed()
    path = tmp_path / "orders.csv"
    path.write_text(f"{order['number']},{there.order_id}\n2222,{KUSTOM}\n")
    result = await shell.run("link", shell.shop, "--csv", path, "--dry-run", "--json")
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(t["line"], t["status"], t["code"]) for t in told] == [
        (1, "linked", None), (2, "refused", "bad_row"),
    ]  # fmt: skip
    assert shell.linked(order) == []


async def test_with_kustom_away_lines_are_kept_and_the_running_app_goes_on(shell, tmp_path):
    order, there = shell.placed()
    shell.world.kustom.fail_next("503")
    result = await shell.run("link", shell.shop, order["number"], there.order_id)
    assert result.exit_code == 0
    assert "kept: Kept; it is tried again by itself (http_503)." in result.stdout
    async with asyncio.timeout(30):
        while not shell.linked(order):
            await asyncio.sleep(0.05)


async def test_with_saleor_away_nothing_is_stored_and_it_is_said(shell):
    order, there = shell.placed()
    shell.world.saleor.fail_next("500", times=50)
    with pytest.raises(SettingsError, match="can't be asked now"):
        await shell.run("link", shell.shop, order["number"], there.order_id)
    shell.world.saleor.fail_graphql.clear()


async def test_a_dry_run_with_kustom_away_says_so(shell):
    order, there = shell.placed()
    shell.world.kustom.fail_next("503")
    result = await shell.run("link", shell.shop, order["number"], there.order_id, "--dry-run")
    assert "kept: can't be said now" in result.stdout


@pytest.mark.parametrize(
    ("contents", "why"),
    [(b"", "has no lines"), (b"\n \n", "has no lines"), (b"\xff\xfe1", "not UTF-8"),
     (b"order,kustom_order_id\n", "has no lines"), (None, "No such file")],
)  # fmt: skip
def test_a_file_that_is_none_is_refused_whole(tmp_path, contents, why):
    path = tmp_path / "orders.csv"
    if contents is not None:
        path.write_bytes(contents)
    with pytest.raises(SettingsError, match=why):
        read_rows(path)


def test_a_huge_file_is_not_read(tmp_path):
    path = tmp_path / "orders.csv"
    with path.open("wb") as file:
        file.truncate(30_000_000)
    with pytest.raises(SettingsError, match="larger than 20 MB"):
        read_rows(path)


def test_lines_are_read_however_a_spreadsheet_writes_them(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text(f'Order\tKustom_Order_Id\n "1001"\t{KUSTOM}\n,{KUSTOM}\n\t{KUSTOM}\n')
    rows = read_rows(path)
    assert [(r.line, r.order, bool(r.problem)) for r in rows] == [
        (2, "1001", False), (3, f",{KUSTOM}", True), (4, "", True),
    ]  # fmt: skip
    assert rows[2].problem == "It names no order"


async def test_what_is_not_done_can_be_listed(shell):
    order, _ = shell.placed(there=False)
    done, there = shell.placed()
    await shell.run("link", shell.shop, order["number"], KUSTOM)
    await shell.run("link", shell.shop, done["number"], there.order_id)
    shown = await shell.run("links", shell.shop, "--json")
    [line] = [json.loads(line) for line in shown.stdout.splitlines()]
    assert (line["order_id"], line["code"]) == (order["id"], "kustom_order_unknown")
    assert "Check id, environment and credentials" in line["message"]
    everything = await shell.run("links", shell.shop, "--all", "--json")
    assert len(everything.stdout.splitlines()) == 2
    assert "refused" in (await shell.run("links", shell.shop)).stdout


async def test_a_token_is_shown_once_and_can_be_rotated_and_taken_away(shell):
    accepts = shell.world.app.store.link_tokens.accepts
    first = (await shell.run("link-token", shell.shop)).stdout.strip()
    second = (await shell.run("link-token", shell.shop, "--overlap-hours", "1")).stdout.strip()
    assert first.startswith("kustom_link_")
    assert await accepts(shell.shop, first)
    assert await accepts(shell.shop, second)
    third = (await shell.run("link-token", shell.shop)).stdout.strip()
    assert [await accepts(shell.shop, t) for t in (first, second, third)] == [False, False, True]
    assert "no link token" in (await shell.run("link-token", shell.shop, "--revoke")).stdout
    assert not await accepts(shell.shop, third)
