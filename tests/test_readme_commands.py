"""Every command in the documents is run as written, against the sandbox, over HTTP on loopback."""

import asyncio
import os
import re
import secrets
import shlex
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from saleor_kustom.cli import app
from saleor_kustom.sandbox.theatre import play, served
from saleor_kustom.sandbox.world import MERCHANT
from saleor_kustom.settings import PREFIX, load

TOP = Path(__file__).parent.parent
PAGES = [TOP / "README.md", TOP / "CONTRIBUTING.md", *sorted((TOP / "docs").glob("**/*.md"))]
#: They do not end by themselves, or are tried elsewhere as whole processes.
NOT_HERE = {"serve", "work", "demo", "sandbox"}
SHOP = "https://shop.example/graphql/"
KUSTOM_ORDER = "f3392f8b-6116-4073-ab96-e330819e2c07"
SECRET = secrets.token_hex(32)


def blocks(path):
    """Return each console block's commands, with continued lines joined."""
    text = path.read_text()
    for block in re.findall(r"^ *```console\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE):
        joined = re.sub(r"\\\n *", "", block)
        yield [line.strip()[2:] for line in joined.splitlines() if line.strip().startswith("$ ")]


def commands():
    """Return (page, command) for each that is ours, in the order of the pages."""
    for path in PAGES:
        for block in blocks(path):
            for line in block:
                if line.startswith("saleor-kustom "):
                    yield path.name, line.partition("    #")[0].strip()


COMMANDS = list(commands())


class Stage(threading.Thread):
    """The sandbox's whole world over HTTP, in a thread with a loop of its own."""

    def __init__(self, database_url):
        super().__init__(daemon=True)
        self.database_url = database_url
        self.loop = asyncio.new_event_loop()
        self.up, self.down = threading.Event(), asyncio.Event()
        self.failure = None

    def run(self):
        try:
            self.loop.run_until_complete(self._serve())
        except BaseException as error:  # noqa: BLE001 - shown by the test
            self.failure = error
        finally:
            self.up.set()
            self.loop.close()

    async def _serve(self):
        async with served(self.database_url, secret_key=SECRET) as (world, addresses):
            outcomes = await play(world)
            self.order = outcomes[0].order["number"]
            self.kustom_order = outcomes[0].there.order_id
            self.addresses = addresses
            self.shop = world.saleor.api_url
            self.up.set()
            await self.down.wait()

    def stop(self):
        self.loop.call_soon_threadsafe(self.down.set)
        self.join(30.0)


@pytest.fixture(scope="module")
def stage():
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(f"sqlite:///{folder}/demo.db")
        stage.start()
        stage.up.wait(60.0)
        if stage.failure:
            raise stage.failure
        yield stage
        stage.stop()


def as_here(command, stage):
    """Return the command's words with the example's shop and order replaced by the sandbox's."""
    text = command.partition(" < ")[0].partition(" | ")[0]
    words = shlex.split(text)[1:]
    replaced = {
        SHOP: stage.shop,
        "1042": stage.order,
        KUSTOM_ORDER: stage.kustom_order,
        "PM12345-abcdef": MERCHANT.username,
    }
    return [replaced.get(word, word) for word in words]


def test_there_are_commands_to_run():
    assert len(COMMANDS) >= 8
    assert {page for page, _ in COMMANDS} >= {"README.md", "policies.md"}


def test_each_command_runs_as_written(stage, tmp_path, monkeypatch):
    """One test, since they follow on each other; what fails is named."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "orders.csv").write_text(f"{stage.order},{stage.kustom_order}\n")
    env = {
        "SECRET_KEY": SECRET,
        "DATABASE_URL": stage.database_url,
        "APP_URL": stage.addresses["App"],
        "ALLOW_PRIVATE_HOSTS": "true",
        "KUSTOM_PLAYGROUND_URL": stage.addresses["Kustom"],
        "KUSTOM_LIVE_URL": stage.addresses["Kustom"],
    }
    env = {PREFIX + name: value for name, value in env.items()}
    for page, command in COMMANDS:
        words = as_here(command, stage)
        if words[0] in NOT_HERE:
            continue
        result = CliRunner().invoke(app, words, env=env, input=f"{MERCHANT.password}\n")
        # The check-up tells with 1 and 2 what it found; here that is plain http.
        allowed = (0, 1, 2) if words[0] == "doctor" else (0,)
        assert result.exit_code in allowed, (page, command, result.output, result.exception)
        assert result.exception is None or isinstance(result.exception, SystemExit), command


def test_the_settings_that_the_readme_exports_start_the_app():
    lines = [line for block in blocks(TOP / "README.md") for line in block]
    exports = "\n".join(line for line in lines if line.startswith("export "))
    assert exports.count("export") >= 3
    exports = exports.replace("$(openssl rand -hex 32)", secrets.token_hex(32))
    done = subprocess.run(
        ["bash", "-c", f"{exports}\nenv -0"],
        env={"PATH": os.environ["PATH"]}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    pairs = dict(entry.split("=", 1) for entry in done.stdout.split("\0") if "=" in entry)
    settings = load({name: value for name, value in pairs.items() if name.startswith(PREFIX)})
    assert settings.app_url == "https://kustom.shop.example"


def test_the_make_targets_that_are_named_exist():
    targets = set(re.findall(r"^([a-z-]+):", (TOP / "Makefile").read_text(), re.MULTILINE))
    for path in PAGES:
        named = set(re.findall(r"(?:`|\$ )make ([a-z][a-z-]*)", path.read_text()))
        assert named <= targets, path.name


def test_the_files_and_modules_that_are_named_exist():
    for path in PAGES:
        for name in re.findall(
            r"`((?:saleor_kustom|scripts|tests|webhooks)/[\w/.-]+)`", path.read_text()
        ):
            assert (TOP / name).exists(), f"{path.name}: {name}"


def test_the_map_of_the_code_names_every_folder():
    text = (TOP / "CONTRIBUTING.md").read_text()
    package = TOP / "saleor_kustom"
    for entry in package.iterdir():
        if entry.name.startswith(("_", ".")) or entry.suffix not in ("", ".py"):
            continue
        name = f"{entry.name}/" if entry.is_dir() else entry.name
        assert f"`{name}`" in text, name


def test_every_decision_is_listed():
    folder = TOP / "docs/decisions"
    listed = (folder / "README.md").read_text()
    for path in folder.glob("0*.md"):
        assert f"({path.name})" in listed
        text = path.read_text()
        assert "**Why.**" in text
        assert "**The price.**" in text
        assert len(text.splitlines()) <= 25


def test_the_errors_page_script_runs_as_it_says():
    done = subprocess.run(
        [sys.executable, TOP / "scripts/errors_page.py"], check=True, capture_output=True, text=True
    )
    assert done.stdout == (TOP / "docs/errors.md").read_text()
