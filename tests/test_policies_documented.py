"""docs/policies.md: its choices are those that there are, its amounts those that are planned."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from saleor_kustom.capture.policy import GiftCard, ShippingFee, choices, typed
from tests.capture.examples import Parcels, line, order

TEXT = (Path(__file__).parent.parent / "docs/policies.md").read_text()
ORDER = order(line("jacket", 1, 1299_00), line("mugs", 3, 100_00), shipping_minor=49_00)
CARD = replace(ORDER, total_minor=1398_00, gift_cards_used=1)
SHIPPED = ({"jacket": 1, "mugs": 1}, {"mugs": 1}, {"mugs": 1})


def planned(of, **policy):
    parcels = Parcels(of, **policy)
    return [getattr(parcels(**units), "amount_minor", 0) for units in SHIPPED]


def section(title):
    return TEXT.split(f"## {title}", 1)[1].split("\n## ", 1)[0]


@pytest.mark.parametrize(
    ("title", "key", "policies", "of"),
    [
        ("The shipping fee", "shipping_fee", ShippingFee, ORDER),
        ("Gift cards", "gift_card", GiftCard, CARD),
    ],
)
def test_the_amounts_are_those_that_are_planned(title, key, policies, of):
    told = re.findall(r"^\| `(\w+)` \|( \d.*)\|$", section(title), re.MULTILINE)
    table = {
        name: [int(cell.replace(".", "")) for cell in cells.split("|")] for name, cells in told
    }
    amounts = {policy.value: planned(of, **{key: policy}) for policy in policies}
    assert table == {name: [*made, sum(made)] for name, made in amounts.items()}
    assert {sum(made) for made in amounts.values()} == {of.total_minor}


def test_every_choice_stands_there_with_its_default_and_no_other():
    listed = re.findall(
        r"^\| `(\w+)` \| [^|]+ \| [^|]+ \| (.+) \|$", TEXT.split("## ")[0], re.MULTILINE
    )
    defaults = {key: typed(choice.default) for key, choice in choices().items()}
    assert {key: default.strip("`").replace("none", "") for key, default in listed} == defaults
