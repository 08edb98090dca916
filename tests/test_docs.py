"""The documents say what the code does."""

import json
import re
from pathlib import Path

from typer.main import get_command

from saleor_kustom.capture.carriers import carriers
from saleor_kustom.capture.policy import Policy
from saleor_kustom.capture.shipping_rules import read_rules
from saleor_kustom.capture.state import TRANSITIONS, State
from saleor_kustom.capture.tracking_input import given
from saleor_kustom.capture.tracking_text import pieces
from saleor_kustom.cli import app
from saleor_kustom.settings import PREFIX, SETTINGS
from tests.capture.examples import parcel

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


def test_what_is_not_known_of_carriers_is_told():
    told = (TOP / "docs/tracking.md").read_text()
    lacking = {
        "- a page for a single number: ": [c.company for c in carriers().known if not c.link],
        "- how numbers look: ": [c.company for c in carriers().known if not c.number],
    }
    for start, companies in lacking.items():
        listed = re.split("[;.]", told.partition(start)[2])[0]
        assert [" ".join(name.split()) for name in listed.split(",")] == sorted(companies)


def test_the_examples_of_tracking_are_understood():
    parcels, mapping = re.findall(
        r"```json\n(.*?)```", (TOP / "docs/tracking.md").read_text(), re.DOTALL
    )
    told = given(parcel(1, {}, metadata={"shipping_info": parcels}))
    assert (len(told.parcels), told.problems) == (2, ())
    fields = json.loads(mapping)
    for name in ("shipping_methods", "warehouses"):
        assert len(read_rules(fields[name])) == len(fields[name])
    assert set(fields) <= set(Policy.__dataclass_fields__)


def test_the_examples_of_saleors_string_are_read_as_told():
    table = (TOP / "docs/tracking.md").read_text().partition("| rule | example | entries |")[2]
    rows = re.findall(r"^\|[^|]*(?:\\\|[^|]*)?\| `([^`]+)` \| (\w+)", table, re.MULTILINE)
    counts = {"one": 1, "UA1": 2, "two": 2}
    for text, told in rows[:8]:
        assert len(pieces(text)) == counts[told], text
    assert len(rows) >= 10


def test_the_readme_shows_what_the_demo_prints():
    assert "every amount and id is right, at Kustom and in Saleor." in README


def test_every_test_that_a_document_names_is_there():
    sources = "".join(path.read_text() for path in (TOP / "tests").rglob("test_*.py"))
    for path in [TOP / "README.md", *(TOP / "docs").glob("*.md")]:
        for name in re.findall(r"`(test_\w+)`", path.read_text()):
            assert f"def {name}(" in sources, f"{path.name}: {name}"
