"""SECURITY.md names what is there."""

import re
from pathlib import Path

from tests.web.test_webhooks import EACH_S, FORGERIES, GARBAGE_S

TOP = Path(__file__).parent.parent
PAGE = (TOP / "SECURITY.md").read_text()


def test_every_test_that_is_named_exists():
    named = set(re.findall(r"`(tests/[\w/.]+)`", PAGE))
    assert len(named) >= 15
    for name in named:
        assert (TOP / name).exists(), name


def test_every_threat_has_a_test():
    threats = PAGE.split("## Who could attack what")[1].split("\n## ")[0]
    rows = [line for line in threats.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 12
    assert all("`tests/" in row for row in rows)


def test_the_numbers_are_right():
    assert f"in {len(FORGERIES)} ways" in PAGE
    assert f"{GARBAGE_S * EACH_S:,} pieces of garbage" in PAGE
