"""docs/errors.md has every reason and code, in the app's own words."""

import re
import sys
from pathlib import Path

TOP = Path(__file__).parent.parent
sys.path.insert(0, str(TOP / "scripts"))

import errors_page  # noqa: E402 - a script

PAGE = (TOP / "docs/errors.md").read_text()
SOURCE = "\n".join(path.read_text() for path in (TOP / "saleor_kustom").rglob("*.py"))
PRODUCT = "\n".join(
    path.read_text()
    for folder in ("web", "worker", "intake", "saleor", "kustom", "store")
    for path in (TOP / "saleor_kustom" / folder).rglob("*.py")
)


def test_the_page_is_made_of_the_words_in_the_code():
    assert errors_page.page() == PAGE, "run: .venv/bin/python scripts/errors_page.py --write"


def test_every_reason_has_its_words():
    assert set(errors_page.missing()) == set()


def test_every_code_that_the_edge_answers_stands_there():
    codes = set(
        re.findall(r'(?:NotGenuine|refusal)\(\s*(?:\d+,\s*|status,\s*)?"([A-Z_]+)"', PRODUCT)
    )
    assert codes
    assert codes <= set(errors_page.OTHERS["edge"])
    assert all(f'"{code}"' in SOURCE for code in errors_page.OTHERS["edge"])


def test_every_verdict_that_a_capture_can_wait_for_stands_there():
    codes = re.findall(
        r'(?:Unavailable|OutcomeUnknown|_unknown|_nonsense)\(\s*"([A-Z_]+)"', PRODUCT
    )
    codes += re.findall(r'(?:Unavailable|OutcomeUnknown)\)\("([A-Z_]+)"', PRODUCT)
    codes += ["UNAUTHORIZED", "FIREWALL", "KUSTOM_AWAY", "SALEOR_AWAY"]
    never = {"no_refund_id"}
    assert {code.lower() for code in codes} - never <= set(errors_page.OTHERS["waits"])


def test_what_is_waited_for_is_known_in_the_code():
    spelled = SOURCE.lower()
    for name in errors_page.OTHERS["waits"]:
        assert name.startswith("http_") or f'"{name}"' in spelled, name
