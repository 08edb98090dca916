"""What of a parcel's tracking was not sent yet: Kustom appends and never replaces.

A number that was sent is never sent again, also when more is known of it by now (its company,
since the mapping changed; its link): the shopper would see a second parcel. The same goes for a
return's number. A return that comes after its parcel goes as an entry of its own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from saleor_kustom.capture.body import MOST_PARCELS
from saleor_kustom.capture.shipping_fields import RETURNS, Entry
from saleor_kustom.capture.tracking_text import key, names


def difference(wanted: Iterable[Entry], sent: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return the entries to send, or the parts of them that are new, within Kustom's limit.

    What was sent of an order whose personal data was erased is not known any more: all of it.
    """
    if any("erased" in one for one in sent):
        return ()
    known = _Sent()
    for one in sent:
        known.add(one)
    return tuple(_new(wanted, known)[: max(0, MOST_PARCELS - len(sent))])


def once(made: Iterable[Entry]) -> list[Entry]:
    """Return each number once, and no empty entry."""
    return _new(made, _Sent())


def _new(wanted: Iterable[Entry], known: "_Sent") -> list[Entry]:
    found = []
    for one in wanted:
        new = known.unsent(one)
        if new:
            known.add(new)
            found.append(new)
    return found


@dataclass(slots=True)
class _Side:
    """The parcel's side of entries, or its return's."""

    prefix: str
    numbers: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    alone: set[str] = field(default_factory=set)  # links that were sent without a number

    def add(self, one: Entry) -> None:
        number, link = self._of(one)
        if number:
            self.numbers.add(key(number))
        if link:
            self.links.add(link)
        if link and not number:
            self.alone.add(link)

    def knows(self, one: Entry) -> bool | None:
        """Tell whether an entry's number, else its link, was sent; None: it has neither.

        A number that stands in a link which was sent alone is that parcel's: it may be read out
        of it since, by a newer mapping.
        """
        number, link = self._of(one)
        if number:
            return key(number) in self.numbers or any(names(sent, number) for sent in self.alone)
        return link in self.links if link else None

    def _of(self, one: Entry) -> tuple[str | None, str | None]:
        prefix = self.prefix
        return one.get(f"{prefix}tracking_number"), one.get(f"{prefix}tracking_uri")


@dataclass(slots=True)
class _Sent:
    parcel: _Side = field(default_factory=lambda: _Side(""))
    back: _Side = field(default_factory=lambda: _Side("return_"))
    others: list[Entry] = field(default_factory=list)  # entries without number or link

    def add(self, one: Entry) -> None:
        self.parcel.add(one)
        self.back.add(one)
        if self.parcel.knows(one) is self.back.knows(one) is None:
            self.others.append(one)

    def unsent(self, one: Entry) -> Entry:
        """Return the part of an entry that is new: all of it, its return alone, or nothing."""
        parcel, back = self.parcel.knows(one), self.back.knows(one)
        if parcel is back is None:
            return one if one and one not in self.others else {}
        if parcel is False and back is True:
            return {name: value for name, value in one.items() if name not in RETURNS}
        if parcel is True and back is False:
            return {name: value for name, value in one.items() if name in RETURNS}
        return {} if True in (parcel, back) else one
