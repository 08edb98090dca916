"""Carriers: who has a number, and where a shopper follows it (carriers.toml, docs/tracking.md).

Ambiguous stays unknown: no company is invented. A number names its carrier alone only where its
form is marked as unique; else the words of the order's shipping method must decide between the
carriers whose forms fit.
"""

import re
import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
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

    def fits(self, number: str) -> bool:
        """Tell whether a compact number has this form and its check digit."""
        if not re.fullmatch(self.form, number, re.ASCII):
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


class _File(_Entry):
    carrier: tuple[Carrier, ...] = Field(min_length=1)


@cache
def carriers() -> tuple[Carrier, ...]:
    """Return the carriers of the data file. Raises pydantic's ValidationError when it is wrong."""
    text = files("saleor_kustom.capture").joinpath("carriers.toml").read_text(encoding="utf-8")
    return _File.model_validate(tomllib.loads(text)).carrier


def compact(number: str) -> str:
    """Return a number as carriers compare it: upper case, without blanks and punctuation."""
    return "".join(c for c in number.upper() if c.isalnum())


def checked(number: str) -> bool:
    """Tell whether a text is one number for certain: of a known form, with its check digit."""
    bare = compact(number)
    forms = (form for carrier in carriers() for form in carrier.number if form.check)
    return any(form.fits(bare) for form in forms)


def of_number(number: str, words: str = "") -> Carrier | None:
    """Return whose number this is, if that is certain.

    words: the name of the order's shipping method. It decides between carriers that the number
    fits, and names none by itself.
    """
    bare = compact(number)
    certain = [carrier for carrier in carriers() if carrier.fits(bare, alone=True)]
    fitting = certain or [carrier for carrier in carriers() if carrier.fits(bare)]
    if certain and len(certain) == 1:
        return certain[0]
    return _only(carrier for carrier in fitting if carrier in _named_in(words))


def of_company(company: str, number: str = "") -> Carrier | None:
    """Return the carrier that a merchant calls `company`, if it is certain which.

    Its own name comes first; of several with one name it is the one that the number fits.
    """
    called = _words(company)
    own = [carrier for carrier in carriers() if _words(carrier.company) == called]
    if own:
        return _only(own)
    known = [carrier for carrier in carriers() if called in map(_words, carrier.names)]
    if len(known) > 1 and number:
        bare = compact(number)
        known = [carrier for carrier in known if carrier.fits(bare)]
    return _only(known)


@dataclass(frozen=True, slots=True)
class Named:
    """A text that begins with a carrier's name: the name as it was written, and the rest."""

    company: str
    rest: str


def named_at_the_start(text: str) -> Named | None:
    """Split "PostNord: UA123456785SE" into name and number; None when no carrier is named."""
    for name in _names():
        words = r"\s+".join(map(re.escape, name.split()))
        found = re.fullmatch(rf"({words})[\s:.#-]+(\S.*)", text, re.IGNORECASE | re.DOTALL)
        if found and any(c.isdigit() for c in found[2]):
            return Named(found[1], found[2])
    return None


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
    before, after = (re.escape(part) for part in _comparable(template).split(NUMBER))
    found = re.fullmatch(f"{before}([^/?#&=;,]+){after}", _comparable(uri))
    if not found:
        return None
    number = unquote(found[1]).strip()
    return number if any(c.isdigit() for c in number) else None


@dataclass(frozen=True, slots=True)
class Linked:
    """What a link tells: its number, and its carrier where only one has such links."""

    number: str
    carrier: Carrier | None


def of_link(uri: str) -> Linked | None:
    """Return what a link tells that is exactly of a known carrier's template."""
    found = {
        (number, carrier)
        for carrier in carriers()
        for link in carrier.link
        if (number := number_in(uri, link.uri))
    }
    if len({number for number, _ in found}) != 1:
        return None
    number = next(iter(found))[0]
    return Linked(number, _only(carrier for _, carrier in found))


def _comparable(uri: str) -> str:
    """Return a link with scheme and host in lower case; the case of the rest may matter."""
    scheme, _, rest = uri.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}://{host.lower()}{slash}{path}"


# ---- names


def _named_in(text: str) -> Collection[Carrier]:
    """Return the carriers that a text names: "DHL Express" does not name "DHL" as well."""
    padded = f" {_words(text)} "
    found = {name for name in _names() if f" {name} " in padded}
    longest = {n for n in found if not any(f" {n} " in f" {m} " and m != n for m in found)}
    return [carrier for carrier in carriers() if longest.intersection(carrier.names)]


@cache
def _names() -> tuple[str, ...]:
    """Return every name, the longest first."""
    names = {name for carrier in carriers() for name in carrier.names}
    return tuple(sorted(names, key=lambda name: (-len(name), name)))


def _words(text: str) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", text.casefold()).split())


def _only(found: Iterable[Carrier]) -> Carrier | None:
    several = list(found)
    return several[0] if len(several) == 1 else None
