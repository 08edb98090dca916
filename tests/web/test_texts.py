"""Every language has every text, with the same values in it."""

import re
import string

import pytest

from saleor_kustom.capture.actions import Act
from saleor_kustom.capture.checkup import AccountVerdict
from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.plan import NothingWhy
from saleor_kustom.capture.policy import choices
from saleor_kustom.store import Scope, Status
from saleor_kustom.web.texts import (
    LANGUAGES,
    catalogue,
    english_of_held,
    held_of,
    language_of,
    texts,
)

ENGLISH = catalogue("en")


def values(text):
    return sorted({name for _, name, _, _ in string.Formatter().parse(text) if name})


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_every_text_exists_in_each_language_with_the_same_values(language):
    wanted = ENGLISH | english_of_held()
    own = catalogue(language)
    assert set(own) <= set(wanted)
    if LANGUAGES[language]:
        assert sorted(own) == sorted(wanted)
    else:  # a draft lacks what is held, and what is new: English stands there
        assert len(own) > 0.9 * len(ENGLISH)
    for key, text in own.items():
        assert values(text) == values(wanted[key]), key
        assert text.strip(), key


@pytest.mark.parametrize("language", [name for name, reviewed in LANGUAGES.items() if not reviewed])
def test_a_draft_says_that_it_is_one(language):
    from importlib.resources import files

    file = files("saleor_kustom.web") / "texts" / f"{language}.toml"
    assert file.read_text().startswith("# Draft, not reviewed by a speaker.")


def test_everything_that_pages_name_has_a_text():
    for prefix, names in {
        "act": set(Act) - {Act.PAUSE} | {"pause"},
        "status": set(Status),
        "why": set(NothingWhy),
        "reason": set(Reason),
        "need.paused": set(Scope),
        "policy": set(choices()),
    }.items():
        assert {f"{prefix}.{name}" for name in names} <= ENGLISH.keys()
    assert {f"said.account_{verdict}.text" for verdict in AccountVerdict} <= ENGLISH.keys()


def test_every_text_that_a_script_says_exists():
    from importlib.resources import files

    folder = files("saleor_kustom.web") / "static"
    scripts = "".join((folder / f"{n}.js").read_text() for n in ("acts", "views", "words"))
    said = set(re.findall(r'words\.say\("(\w+)"', scripts))
    assert {f"script.{name}" for name in said} == set(texts("en").script())


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("sv", "sv"), ("sv-SE", "sv"), ("sv_FI", "sv"), ("no", "nb"), ("nn-NO", "nb"),
        ("de-CH,de;q=0.9", "de"), ("fr;q=0.8, fi", "fi"), ("fr", "en"), ("", "en"),
        ("*", "en"), ("x" * 10_000 + ",sv", "en"),
    ],
)  # fmt: skip
def test_a_language_is_chosen_from_what_is_asked(asked, language):
    assert language_of(asked) == language


def test_what_is_held_has_its_numbers_in_every_language():
    held = Held(Reason.ABOVE_REMAINING, {"amount": "2.00 SEK", "remaining": "1.00 SEK"})
    assert texts("en").problem(held) == held.problem
    assert texts("sv").problem(held).startswith("2.00 SEK ska debiteras")
    assert texts("sv").problem(Held(Reason.ABOVE_REMAINING)).startswith("? ska debiteras")
    assert held_of("brand_new", {}) is None


def test_one_of_something_is_said_as_one():
    assert texts("en")("tile.captures", n=1) == "1 capture"
    assert texts("en")("tile.captures", n=2) == "2 captures"
