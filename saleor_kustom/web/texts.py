"""The pages' words in each language: one catalogue file a language (texts/*.toml), English first.

English words of what is held stand in capture/held.py, where they are made; other languages have
them in their catalogue. A test compares every language's keys and placeholders with English.
"""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from saleor_kustom.capture.held import WORDS, Held, Reason

#: Language → whether a speaker of it has reviewed the catalogue.
LANGUAGES: Mapping[str, bool] = {
    "en": True,
    "sv": True,
    "nb": False,
    "da": False,
    "fi": False,
    "de": False,
}
_ALSO = {"no": "nb", "nn": "nb"}  # the Dashboard's Norwegian is one of these


@dataclass(frozen=True, slots=True)
class Texts:
    """One language's words. Calling it gives the text of a key with its values filled in."""

    language: str
    words: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """Return the text; `n` chooses between the key's `.one` and its own. Raises KeyError."""
        if values.get("n") == 1 and f"{key}.one" in self.words:
            key = f"{key}.one"
        return self.words[key].format(**values)

    def known(self, prefix: str, name: str) -> str:
        """Return the text of `prefix.name`; a name without one is shown as it is."""
        return self.words.get(f"{prefix}.{name}", name.replace("_", " "))

    def has(self, prefix: str, name: str) -> bool:
        """Tell whether there is a text of `prefix.name`."""
        return f"{prefix}.{name}" in self.words

    def problem(self, held: Held) -> str:
        """Return what is wrong, with both numbers."""
        return self._held(held, "problem") or held.problem

    def cure(self, held: Held) -> str:
        """Return what a person does about it."""
        return self._held(held, "cure") or held.cure

    def script(self) -> Mapping[str, str]:
        """Return the words that the pages' scripts use."""
        return {key: text for key, text in self.words.items() if key.startswith("script.")}

    def _held(self, held: Held, which: str) -> str:
        text = self.words.get(f"held.{held.reason}.{which}", "")
        return text.format_map(_Known(held.detail))


class _Known(dict[str, str | int]):
    def __missing__(self, key: str) -> str:
        return "?"  # a page must show a reason even if an older row lacks a number


@functools.cache
def texts(language: str) -> Texts:
    """Return a language's words."""
    return Texts(language, catalogue("en") | catalogue(language))


def held_of(reason: str, detail: Mapping[str, str | int]) -> Held | None:
    """Return a stored reason, or None for one of a newer version."""
    known = {each.value for each in Reason}
    return Held(Reason(reason), detail) if reason in known else None


def language_of(accepted: str) -> str:
    """Return the language that an Accept-Language header or a locale asks for, else English.

    Quality values are not weighed: the Dashboard sends one locale, browsers the best first.
    """
    for entry in accepted[:200].replace("_", "-").split(","):
        name = entry.split(";")[0].strip().split("-")[0].lower()
        name = _ALSO.get(name, name)
        if name in LANGUAGES:
            return name
    return "en"


def english_of_held() -> dict[str, str]:
    """Return the keys that other languages translate and English has in capture/held.py."""
    found = {}
    for reason, words in WORDS.items():
        found[f"held.{reason}.problem"] = words.problem
        found[f"held.{reason}.cure"] = words.cure
    return found


def catalogue(language: str) -> dict[str, str]:
    """Return a language's own file: dotted keys, texts."""
    name = files("saleor_kustom.web") / "texts" / f"{language}.toml"
    return dict(_flat(tomllib.loads(name.read_text(encoding="utf-8"))))


def _flat(table: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, Mapping):
            found += _flat(value, f"{prefix}{key}.")
        else:
            found.append((f"{prefix}{key}", str(value)))
    return found
