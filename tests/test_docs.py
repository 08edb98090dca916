"""The documents say what the code does."""

import re
from pathlib import Path

from typer.main import get_command

from saleor_kustom.capture.state import TRANSITIONS, State
from saleor_kustom.cli import app
from saleor_kustom.settings import PREFIX, SETTINGS

TOP = Path(__file__).parent.parent
README = (TOP / "README.md").read_text()


def test_the_state_diagram_is_the_table():
    drawn = set(re.findall(r"(\w+) --> (\w+): (\w+)", (TOP / "docs/how-it-works.md").read_text()))
    table = {
        (state.value, after.value, event.value)
        for state, events in TRANSITIONS.items()
        for event, after in events.items()
    }
    assert drawn == table


def test_every_state_stands_in_the_readme():
    for state in State:
        assert f"| {state.value} |" in README


def test_every_setting_stands_in_the_readme_and_no_other():
    listed = re.findall(rf"^\| `{PREFIX}(\w+)` \|", README, re.MULTILINE)
    assert listed == [setting.name for setting in SETTINGS]


def test_every_command_stands_in_the_readme():
    for name in get_command(app).commands:
        assert name == "version" or re.search(rf"[`|] ?(saleor-kustom )?{name}\b", README), name


def test_links_between_documents_lead_somewhere():
    named = ("README.md", "webhooks/README.md", "CONTRIBUTING.md")
    for path in [*(TOP / name for name in named), *(TOP / "docs").glob("**/*.md")]:
        for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_the_readme_shows_what_the_demo_prints():
    assert "every amount and id is right, at Kustom and in Saleor." in README
