"""Extensions on the whole way: used when lawful, and never at the cost of money."""

import subprocess
import sys
import threading
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from saleor_kustom.sandbox.kustom import SimulatedKustom
from saleor_kustom.sandbox.saleor_orders import Line
from saleor_kustom.sandbox.world import open_world
from saleor_kustom.watch.metrics import REGISTRY
from saleor_kustom.worker.hooks import Hook, Hooks

EXAMPLE = Path(__file__).parent.parent / "example_extension"
MUG = Line("Mug", "100.00", 3, sku="MUG")


@pytest.fixture
def hooks():
    """What a test fills in: extensions by name."""
    return Hooks(hooks=[], limit_s=30.0)


@pytest.fixture
async def world(sqlite_url, clock, hooks):
    kustom = SimulatedKustom(clock=lambda: datetime.fromtimestamp(clock.now, UTC))
    async with open_world(sqlite_url, kustom=kustom, clock=clock, hooks=hooks) as made:
        await made.install()
        yield made


def skipped(name, why):
    labels = {"hook": name, "why": why}
    return REGISTRY.get_sample_value("saleor_kustom_hooks_skipped_total", labels) or 0.0


async def captured(world, **more):
    order, there = world.order([MUG], **more)
    world.saleor.fulfill(order["id"], tracking="SE1")
    await world.settle()
    [capture] = there.captures
    assert capture.amount == 349_00
    [row] = await world.app.store.captures.of_order(world.saleor.api_url, order["id"])
    assert str(row.state) == "reported"
    return capture, row


def named(planned):
    planned.body["order_lines"][0]["name"] = f"{planned.order_number}: Mug"
    return planned.body


async def test_a_lawful_change_is_what_kustom_gets(world, hooks):
    hooks.hooks.append(Hook("names", named))
    capture, row = await captured(world)
    assert capture.order_lines[0]["name"] == f"{row.order_number}: Mug"
    assert "Changed by the extension names." in row.plan


async def test_one_that_raises_is_left_out_and_its_words_stay_here(world, hooks, caplog):
    def raises(planned):
        raise RuntimeError(f"secret of {planned.order_number}")

    hooks.hooks += [Hook("a-raises", raises), Hook("b-names", named)]
    before = skipped("a-raises", "raised")
    capture, _ = await captured(world)
    assert capture.order_lines[0]["name"].endswith(": Mug")  # the next one is still asked
    assert skipped("a-raises", "raised") == before + 1
    assert "a-raises: it raised RuntimeError" in caplog.text
    assert "secret of" not in caplog.text


@pytest.mark.parametrize("error", [SystemExit(1), KeyboardInterrupt(), StopIteration()])
async def test_one_that_wants_to_end_the_process_does_not(world, hooks, error):
    def ends(_planned):
        raise error

    hooks.hooks.append(Hook("ends", ends))
    await captured(world)


async def test_one_that_changes_an_amount_is_left_out(world, hooks, caplog):
    def cheaper(planned):
        planned.body["order_lines"][0]["total_amount"] -= 1
        planned.body["captured_amount"] -= 1
        return planned.body

    hooks.hooks.append(Hook("cheaper", cheaper))
    before = skipped("cheaper", "refused")
    capture, _ = await captured(world)
    assert capture.order_lines[0]["total_amount"] == 300_00
    assert skipped("cheaper", "refused") == before + 1
    assert "the capture has another captured_amount" in caplog.text


@pytest.mark.parametrize("result", [object(), {"captured_amount": float("nan")}, {1, 2}])
async def test_one_that_returns_nonsense_is_left_out(world, hooks, result):
    hooks.hooks.append(Hook("nonsense", lambda _planned: result))
    await captured(world)


async def test_one_that_hangs_is_left_out_and_not_asked_again(world, hooks):
    asked, released = [], threading.Event()

    def hangs(planned):
        asked.append(planned.order_number)
        released.wait(60.0)

    hooks.limit_s = 0.05
    hooks.hooks.append(Hook("hangs", hangs))
    before = skipped("hangs", "too_slow")
    try:
        await captured(world)
        await captured(world)
    finally:
        released.set()
    assert len(asked) == 1
    assert skipped("hangs", "too_slow") == before + 1


async def test_what_it_keeps_of_the_body_changes_nothing_later(world, hooks):
    kept = []

    def keeps(planned):
        kept.append(planned.body)
        planned.body["order_lines"][0]["name"] = "first"
        return planned.body

    def later(_planned):
        kept[0]["order_lines"][0]["name"] = "later"

    hooks.hooks += [Hook("a-keeps", keeps), Hook("b-later", later)]
    capture, _ = await captured(world)
    assert capture.order_lines[0]["name"] == "first"


async def test_what_kustom_refuses_of_it_goes_without_it(world, hooks):
    def longer(planned):
        planned.body["order_lines"][0]["reference"] = "MUG" * 30
        return planned.body

    hooks.hooks.append(Hook("longer", longer))
    world.kustom.switches.longest_reference = 64
    capture, row = await captured(world)
    assert capture.order_lines[0]["reference"] == "MUG"
    assert "Changed by" not in row.plan


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The example as a merchant installs it: built, and in a folder of installed packages."""
    folder = tmp_path_factory.mktemp("example")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
         "--wheel-dir", folder, EXAMPLE],
        check=True, capture_output=True,
    )  # fmt: skip
    [wheel] = folder.glob("*.whl")
    site = folder / "site"
    zipfile.ZipFile(wheel).extractall(site)
    return site


@pytest.fixture
def found(installed, monkeypatch):
    monkeypatch.syspath_prepend(installed)
    yield Hooks.load()
    sys.modules.pop("kustom_brands", None)


async def test_the_example_is_found_and_does_what_its_page_says(found, sqlite_url):
    assert [hook.name for hook in found.hooks] == ["brands"]
    async with open_world(sqlite_url, hooks=found) as world:
        await world.install()
        order, there = world.order([MUG])
        order["metadata"].append({"key": "carrier", "value": "PostNord SE"})
        world.saleor.fulfill(order["id"], tracking="SE1")
        await world.settle()
    [capture] = there.captures
    assert capture.order_lines[0]["product_identifiers"] == {"brand": "Rörstrand"}
    assert capture.order_lines[0]["merchant_data"] == f"order {order['number']}"
    assert capture.shipping_info == [
        {"tracking_number": "SE1", "shipping_company": "PostNord SE"}
    ]  # fmt: skip


def test_one_that_can_not_be_loaded_is_left_out_and_named(tmp_path, monkeypatch, caplog):
    info = tmp_path / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[saleor_kustom.plan]\nbroken = broken_module:f\nno_call = os:sep\n"
    )
    (tmp_path / "broken_module.py").write_text("raise ValueError('at import')\n")
    monkeypatch.syspath_prepend(tmp_path)
    loaded = Hooks.load()
    assert loaded.hooks == ()
    assert set(loaded.broken) == {"broken", "no_call"}
    assert "left out" in caplog.text
