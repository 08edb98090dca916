"""The example alert rules: they parse, each is explained, and they ask for what there is."""

import re
from pathlib import Path

import pytest
import yaml

from saleor_kustom.capture.held import Reason
from saleor_kustom.watch.metrics import REGISTRY

DOCS = Path(__file__).parent.parent / "docs"
RULES = [
    rule
    for group in yaml.safe_load((DOCS / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
#: Gauges of web/operations; they are made at each scrape.
GAUGES = {
    "queue_waiting", "queue_due", "queue_running", "queue_oldest_due_seconds", "held", "paused",
    "waiting_minor_units", "authorized_minor_units", "expiring_minor_units",
    "breaker_open", "database_up", "info",
}  # fmt: skip


def counted():
    """Return the names of every sample that a counter or histogram of ours has."""
    names = set()
    for family in REGISTRY.collect():
        name = family.name.removeprefix("saleor_kustom_")
        if family.type == "counter":
            names.add(f"{name}_total")
        elif family.type == "histogram":
            names |= {f"{name}_bucket", f"{name}_count", f"{name}_sum"}
    return names


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_asks_for_metrics_that_there_are(rule):
    asked = set(re.findall(r"\bsaleor_kustom_(\w+)", rule["expr"]))
    assert asked
    assert asked <= counted() | GAUGES
    for reason in re.findall(r'reason!?="(\w+)"', rule["expr"]):
        assert reason in set(Reason)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_says_what_is_wrong_and_what_to_do(rule):
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert set(rule["annotations"]) == {"summary", "runbook"}
    assert rule["expr"].count("(") == rule["expr"].count(")")


def test_each_rule_has_its_reason_above_it():
    text = (DOCS / "alerts.yml").read_text()
    assert len(re.findall(r"^      #.*\n      - alert:", text, re.MULTILINE)) == len(RULES)


def test_every_metric_stands_in_the_document():
    text = (DOCS / "operations.md").read_text()
    for family in REGISTRY.collect():
        if family.name.startswith("saleor_kustom"):
            suffix = "_total" if family.type == "counter" else ""
            assert f"`{family.name}{suffix}`" in text
    for gauge in GAUGES:
        assert f"saleor_kustom_{gauge}`" in text or f"`_{gauge.split('_')[-1]}`" in text, gauge


def test_the_gauges_are_those_that_are_served():
    source = (DOCS.parent / "saleor_kustom/web/operations.py").read_text()
    assert GAUGES - {"info"} == set(re.findall(r'_gauge\(\s*"(\w+)"', source))
