"""Saleor's one string for tracking, read as the numbers and links that a merchant put into it.

The rules, in their order (docs/tracking.md tells them to merchants):

1. A link goes from http:// or https:// to the next blank, or to a separator with the next link.
2. Comma, semicolon, "|", tab and line break always separate: no carrier prints them in a number.
3. A carrier's name before a number is that number's carrier, not a part of it.
4. Two or more blanks, or a single one, separate only where each part alone would do as a number:
   eight characters or more, a digit among them. Carriers print one number with blanks inside. A
   text that is one number for certain, by its check digit, is not taken apart.
5. "/" separates only where all parts have the same shape: digits and letters in the same places.
"""

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from saleor_kustom.capture.carriers import carriers, compact
from saleor_kustom.capture.check_digits import sscc
from saleor_kustom.capture.text import cut, url

#: What Kustom takes of a number (kustom-order-management, section 5.4), in code points.
LONGEST_NUMBER = 100
_LINK = re.compile(r"https?://(?:(?![,;|]+https?://)\S)*", re.IGNORECASE)
_ALWAYS = re.compile(r"[,;|\t\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
_LEAST = 8
#: What may stand around a number without belonging to it.
_AROUND = " \t()[]<>\"'.:#-\u2013\u2014"


@dataclass(frozen=True, slots=True)
class Piece:
    """A number, a link, or both. `company`: the carrier's name as it stood before the number."""

    number: str | None = None
    uri: str | None = None
    company: str | None = None


@functools.lru_cache(maxsize=512)
def pieces(text: str) -> tuple[Piece, ...]:
    """Return what a text holds, in its order; a number or link that comes twice comes once.

    A link goes with the number that it names; one link and one number go together.
    """
    links = links_in(text)
    numbers = _once(_numbers(_LINK.sub(",", text)))
    paired: list[Piece] = []
    for piece in numbers:
        alone = len(numbers) == len(links) == 1
        own = next((link for link in links if alone or names(link, piece.number or "")), None)
        links = [link for link in links if link != own]
        paired.append(Piece(piece.number, own, piece.company))
    return (*paired, *(Piece(uri=link) for link in links))


def links_in(text: str) -> list[str]:
    """Return the links of a text that can be sent, each once."""
    found = (url(link.rstrip(".,;|)>]\"'")) for link in _LINK.findall(text))
    return list(dict.fromkeys(link for link in found if link))


def numbers_in(text: str) -> list[str]:
    """Return the numbers of a text that holds no links."""
    return [piece.number for piece in _once(_numbers(text)) if piece.number]


def names(uri: str, number: str) -> bool:
    """Tell whether a number stands in a link as a whole, not as a part of a longer one."""
    bare = "".join(number.split())
    if not bare:
        return False
    whole = rf"(?<![0-9A-Za-z]){re.escape(bare)}(?![0-9A-Za-z])"
    return bool(re.search(whole, uri, re.IGNORECASE))


def key(number: str) -> str:
    """Return what is the same for two ways to write one number.

    Case, blanks and punctuation do not matter, nor the 00 before a container code (GS1's prefix,
    which scanners read and labels often leave out).
    """
    bare = compact(number) or number.casefold()
    with_prefix = re.fullmatch(r"00(\d{18})", bare, re.ASCII)
    return with_prefix[1] if with_prefix and sscc(bare) else bare


def _once(numbers: Iterable[Piece]) -> list[Piece]:
    first: dict[str, Piece] = {}
    for piece in numbers:
        first.setdefault(key(piece.number or ""), piece)
    return list(first.values())


def _numbers(text: str) -> Iterator[Piece]:
    for part in _ALWAYS.split(text):
        named = carriers().named_at_the_start(part.strip(_AROUND))
        company, rest = (named.company, named.rest) if named else (None, part)
        for written in _apart(rest.strip(_AROUND)):
            number = cut(written.strip(_AROUND), LONGEST_NUMBER)
            if number:
                yield Piece(number, company=company)


def _apart(text: str) -> list[str]:
    """Take a text without certain separators apart, where it is several numbers."""
    wide = re.split(r"\s{2,}", text)
    if len(wide) > 1 and all(map(_may_be_whole, wide)):
        return [number for part in wide for number in _apart(part)]
    parts = [part.strip() for part in text.split("/")]
    if len(parts) > 1 and all(map(_may_be_whole, parts)) and len(set(map(_shape, parts))) == 1:
        return [number for part in parts for number in _apart(part)]
    words = text.split()
    if words and all(map(_may_be_whole, words)) and not _certainly_one(words):
        return words
    return [" ".join(words)]


def _certainly_one(words: list[str]) -> bool:
    """Tell whether words are one number by its check digit.

    Of digits alone only a container code with its 00 is certain enough: every tenth pair of two
    numbers of nine digits would do as one without.
    """
    bare = compact("".join(words))
    digits = bare.isdecimal() and not bare.startswith("00")
    certain = carriers().certain
    return not digits and certain(bare) and not any(map(certain, words))


def _may_be_whole(text: str) -> bool:
    bare = compact(text)
    return len(bare) >= _LEAST and any(c.isdigit() for c in bare)


def _shape(text: str) -> str:
    return re.sub(r"\d", "0", re.sub(r"[^\W\d_]", "A", "".join(text.split())))
