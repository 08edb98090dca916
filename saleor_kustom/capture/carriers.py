"""Carriers: who has a number, and where a shopper follows it (carriers.toml, docs/tracking.md).

Ambiguous stays unknown: no company is invented. A number names its carrier alone only where its
form is marked as unique; else the words of the order's shipping method must decide between the
carriers whose forms fit.
"""

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Literal, get_args
from urllib.parse import quote, unquote

from pydantic import BaseModel, ConfigDict, Field, field_validator

from saleor_kustom.capture.check_digits import CHECKS
from saleor_kustom.capture.text import url

NUMBER = "{number}"
_Check = Literal["s10", "sscc", "ups", "mod7", "fedex"]
if set(get_args(_Check)) != set(CHECKS):
    raise AssertionError("carriers.toml may name every check digit that there is")


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NumberForm(_Entry):
    """How numbers of a carrier look."""

    form: str  # a regular expression for the whole compact number
    check: _Check | None = None
    unique: bool = False  # no other carrier's numbers look so
    source: str = Field(min_length=1)
    verified: bool

    @field_validator("form")
    @classmethod
    def _compiles(cls, form: str) -> str:
        try:
            re.compile(form, re.ASCII)
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from None
        return form

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(self.form, re.ASCII)

    def fits(self, number: str) -> bool:
        """Tell whether a compact number has this form and its check digit."""
        if not self._pattern.fullmatch(number):
            return False
        return self.check is None or CHECKS[self.check](number)


class Link(_Entry):
    """A page for one number, with {number} in its place."""

    uri: str
    source: str = Field(min_length=1)
    verified: bool

    @field_validator("uri")
    @classmethod
    def _has_a_place(cls, uri: str) -> str:
        if problem := template_problem(uri):
            raise ValueError(problem)
        return uri


class Carrier(_Entry):
    """One company, as Kustom is told of it."""

    company: str = Field(min_length=1, max_length=100)
    names: tuple[str, ...] = Field(min_length=1)  # words in the lower case
    link: tuple[Link, ...] = ()
    number: tuple[NumberForm, ...] = ()

    def fits(self, number: str, *, alone: bool = False) -> bool:
        """Tell whether a compact number may be this carrier's; `alone`: and nobody else's."""
        return any(form.fits(number) for form in self.number if form.unique or not alone)


@dataclass(frozen=True, slots=True)
class Named:
    """A text that begins with a carrier's name: the name as it was written, and the rest."""

    company: str
    rest: str


@dataclass(frozen=True, slots=True)
class Linked:
    """What a link tells: its number, and its carrier where only one has such links."""

    number: str
    carrier: Carrier | None


class Carriers:
    """The carriers that are known, and what can be asked of them."""

    def __init__(self, known: Sequence[Carrier]) -> None:
        self.known = tuple(known)
        # The longest first, so that "DHL Express" is found before "DHL".
        names = {name for carrier in self.known for name in carrier.names}
        self._names = sorted(names, key=lambda name: (-len(name), name))
        spaced = (r"\s+".join(map(re.escape, name.split())) for name in self._names)
        pattern = rf"({'|'.join(spaced)})[\s:.#-]+(\S.*)"
        self._named = re.compile(pattern, re.IGNORECASE | re.DOTALL)

    def certain(self, number: str) -> bool:
        """Tell whether a text is one number for certain: of a known form with its check digit."""
        bare = compact(number)
        forms = (form for carrier in self.known for form in carrier.number if form.check)
        return any(form.fits(bare) for form in forms)

    def of_number(self, number: str, words: str = "") -> Carrier | None:
        """Return whose number this is, if that is certain.

        words: the name of the order's shipping method. It decides between carriers that the
        number fits, and names none by itself.
        """
        bare = compact(number)
        alone = [carrier for carrier in self.known if carrier.fits(bare, alone=True)]
        if len(alone) == 1:
            return alone[0]
        named = self._named_in(words)
        return _only(carrier for carrier in named if carrier.fits(bare))

    def of_company(self, company: str, number: str = "") -> Carrier | None:
        """Return the carrier that a merchant calls `company`, if it is certain which.

        Its own name comes first; of several with one name it is the one that the number fits.
        """
        called = _words(company)
        own = [carrier for carrier in self.known if carrier.company.casefold() == called]
        if own:
            return _only(own)
        known = [carrier for carrier in self.known if called in carrier.names]
        if len(known) > 1 and number:
            bare = compact(number)
            known = [carrier for carrier in known if carrier.fits(bare)]
        return _only(known)

    def of_link(self, uri: str) -> Linked | None:
        """Return what a link tells that is exactly of a known carrier's template."""
        host = _host(uri)
        found = [
            (number, carrier)
            for carrier in self.known
            for link in carrier.link
            if _host(link.uri) == host and (number := number_in(uri, link.uri))
        ]
        if len({number for number, _ in found}) != 1:
            return None
        return Linked(found[0][0], _only(carrier for _, carrier in found))

    def named_at_the_start(self, text: str) -> Named | None:
        """Split "PostNord: UA123456785SE" into name and number; None: no carrier is named."""
        found = self._named.fullmatch(text)
        if found and any(c.isdigit() for c in found[2]):
            return Named(found[1], found[2])
        return None

    def _named_in(self, text: str) -> list[Carrier]:
        """Return the carriers that a text names: "DHL Express" does not name "DHL" as well."""
        padded = f" {_words(text)} "
        found = [name for name in self._names if f" {name} " in padded]
        longest = {n for n in found if not any(f" {n} " in f" {m} " and m != n for m in found)}
        return [carrier for carrier in self.known if longest.intersection(carrier.names)]


class _File(_Entry):
    carrier: tuple[Carrier, ...] = Field(min_length=1)


@cache
def carriers() -> Carriers:
    """Return the carriers of the data file. Raises pydantic's ValidationError when it is wrong."""
    text = files("saleor_kustom.capture").joinpath("carriers.toml").read_text(encoding="utf-8")
    return Carriers(_File.model_validate(tomllib.loads(text)).carrier)


def compact(number: str) -> str:
    """Return a number as carriers compare it: upper case, without blanks and punctuation."""
    return "".join(c for c in number.upper() if c.isalnum())


# ---- links


def template_problem(template: str) -> str | None:
    """Return what is wrong with a link template, or None."""
    if template.count(NUMBER) != 1 or set("{}") & set(template.replace(NUMBER, "")):
        return "must hold {number} exactly once, as in https://track.example/?id={number}"
    address = url(template.replace(NUMBER, "1"))
    if address is None or NUMBER in "".join(template.split("/")[:3]):
        return "must be an address, as https://track.example/?id={number}"
    if not url(template.replace(NUMBER, "1" * 100)):
        return "is too long: 1024 characters at most, with a number of 100"
    return None


def filled(template: str, number: str) -> str | None:
    """Return the page of one number; None when it would be too long."""
    bare = "".join(number.split())
    return url(template.replace(NUMBER, quote(bare, safe="")))


def number_in(uri: str, template: str) -> str | None:
    """Return the number that stands in a link at the template's place; None: not such a link."""
    before, after = _comparable(template).split(NUMBER)
    whole = _comparable(uri)
    if not (whole.startswith(before) and whole.endswith(after)):
        return None
    place = whole[len(before) : len(whole) - len(after)]
    number = unquote(place).strip()
    return number if any(c.isdigit() for c in number) and not set(place) & set("/?#&=;,") else None


def _host(uri: str) -> str:
    return uri.partition("://")[2].partition("/")[0].lower()


def _comparable(uri: str) -> str:
    """Return a link with scheme and host in lower case; the case of the rest may matter."""
    scheme, _, rest = uri.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}://{host.lower()}{slash}{path}"


# ---- names


def _words(text: str) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", text.casefold()).split())


def _only(found: Iterable[Carrier]) -> Carrier | None:
    several = list(found)
    return several[0] if len(several) == 1 else None
