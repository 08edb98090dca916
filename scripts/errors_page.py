#!/usr/bin/env python
"""Print docs/errors.md, or write it: every reason and code, with its cure.

    .venv/bin/python scripts/errors_page.py --write

What is held has its words in the code (capture/held.py); the others are in errors.toml. A test
compares: a reason or code without words, or words without a reason, fails it.
"""

import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from saleor_kustom.capture.held import WORDS, Reason
from saleor_kustom.capture.plan import NothingWhy
from saleor_kustom.capture.report import ReportProblem

OTHERS = tomllib.loads((Path(__file__).parent / "errors.toml").read_text(encoding="utf-8"))

HEAD = """# Errors from A to Z

Everything that can keep a capture from going on, and what to do. Made by `scripts/errors_page.py`
from the words in the code; a test compares.

Find the order first: `saleor-kustom show 1042` says what happened, with Kustom's correlation id for
their support. `saleor-kustom status` lists all that is held; `saleor-kustom doctor` finds causes in
settings, credentials and webhooks.

## Held: a person must look

The capture stays where it stands, and its order's other parcels go on. When the cause is mended:
`saleor-kustom retry ORDER --why TEXT`, or the button in the Dashboard. What the app notices by
itself (new credentials, a link, units that became free) lets it go on by itself. Words *in slanted
letters* stand for the order's own numbers.
"""

WAITS = """
## Waiting: it goes on by itself

Tried again, seconds to an hour apart, for as long as the authorization lives. A code that is not
here is Kustom's own, in lower case.
"""

NOTHING = """
## Nothing to do

Not an error: the parcel, refund, release or cancellation is done with, and the page says why.
"""

REPORT = """
## Captured, but not shown in Saleor's transaction

The money has moved and the metadata is written.
"""

EDGE = """
## What the app answers to Saleor and the Dashboard

In the log, and in the answer's `error.code`. 4xx is final for Saleor, 503 comes again.
"""


def page() -> str:
    """Return docs/errors.md."""
    held = {
        reason.value: {"what": words.problem, "cure": words.cure} for reason, words in WORDS.items()
    }
    return "".join(
        (
            HEAD + _table("reason", held),
            WAITS + _table("waits for", OTHERS["waits"]),
            NOTHING + _table("why", OTHERS["nothing"]),
            REPORT + _table("problem", OTHERS["report"]),
            EDGE + _table("code", OTHERS["edge"]),
        )
    )


def missing() -> Iterable[str]:
    """Return reasons without words, and words without a reason."""
    yield from set(Reason) ^ set(WORDS)
    yield from {why.value for why in NothingWhy} ^ set(OTHERS["nothing"])
    yield from {problem.value for problem in ReportProblem} ^ set(OTHERS["report"])


def _table(head: str, rows: Mapping[str, Mapping[str, str]]) -> str:
    lines = [f"\n| {head} | what is | what to do |", "|---|---|---|"]
    for name, words in sorted(rows.items()):
        lines.append(f"| `{name}` | {_cell(words['what'])} | {_cell(words['cure'])} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: f"*{found[1].replace('_', ' ')}*", text)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        made = page()  # first, so that a mistake leaves the page as it is
        (Path(__file__).parent.parent / "docs/errors.md").write_text(made, encoding="utf-8")
    else:
        print(page(), end="")
