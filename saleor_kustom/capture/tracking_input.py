"""What a merchant, or the merchant's 3PL, wrote about a parcel on the fulfillment's metadata.

The names are Kustom's own (docs/tracking.md). A value may be one text, or several for several
parcels: a JSON list, or texts with separators. What can't be used is told, and the rest is used.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from saleor_kustom.capture.fulfillment import Fulfillment
from saleor_kustom.capture.shipping_fields import FIELDS, METHOD, RETURNS, cleaned, entry, why_not
from saleor_kustom.capture.text import cut
from saleor_kustom.capture.tracking_text import Piece, links_in, names, numbers_in, pieces

#: A JSON list of objects, one for each parcel; stands above the single fields.
WHOLE = "shipping_info"
#: Kustom takes 500; what is far above that is no list of parcels.
_MOST = 1000
_SEPARATED = re.compile(r"[;\n]+")
_Parcel = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Given:
    """Merchant input. Entries hold only what was given.

    parcels: those that have a number or a link of their own. common: what goes with every parcel,
    and is all there is where none has. returns: return fields that belong to none of these.
    """

    parcels: tuple[Mapping[str, str], ...] = ()
    returns: tuple[Mapping[str, str], ...] = ()
    common: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def anything(self) -> bool:
        """Tell whether the merchant said anything that can be used."""
        return bool(self.parcels or self.returns or self.common)


def given(fulfillment: Fulfillment) -> Given:
    """Read merchant input. Metadata stands above Saleor's string, private above public."""
    metadata = {**fulfillment.metadata, **fulfillment.private_metadata}
    problems: list[str] = []
    whole = _whole(metadata.get(WHOLE, ""), problems)
    if whole:
        return Given(tuple(whole), problems=_told(problems))
    values = {name: _limited(name, metadata.get(name, ""), problems) for name in FIELDS}
    numbers, links = values["tracking_number"], values["tracking_uri"]
    if numbers:
        parcels = _joined(numbers, links)
    else:
        parcels = _of_string(pieces(fulfillment.tracking_number), links)
    common: dict[str, str] = {}
    for name in ("shipping_company", METHOD):
        _spread(name, values[name], parcels, common, problems)
    returns = _returns(values, problems)
    if len(returns) == len(parcels) or (len(returns) == 1 and parcels):
        for parcel, back in zip(parcels, returns, strict=False):
            parcel.update(back)
        returns = []
    made = tuple(entry(parcel | common) for parcel in parcels)
    return Given(made, tuple(map(entry, returns)), entry(common), _told(problems))


def _told(problems: Sequence[str]) -> tuple[str, ...]:
    """Return each problem once, and not so many or such long ones that a page could not show."""
    return tuple(cut(problem, 300) or "" for problem in dict.fromkeys(problems))[:10]


def _of_string(found: Sequence[Piece], links: Sequence[str | None]) -> list[_Parcel]:
    """Return the parcels of Saleor's string; links of the metadata go first."""
    numbers = [piece for piece in found if piece.number]
    parcels = _joined([piece.number for piece in numbers], links)
    for parcel, piece in zip(parcels, numbers, strict=False):
        parcel["shipping_company"] = piece.company
        parcel.setdefault("tracking_uri", piece.uri)
    if not links:
        parcels += [{"tracking_uri": piece.uri} for piece in found if not piece.number]
    return parcels


def _whole(text: str, problems: list[str]) -> list[dict[str, str]]:
    """Read the JSON list of objects."""
    if not text.strip():
        return []
    try:
        listed = json.loads(text)
    except (ValueError, RecursionError):
        listed = None
    listed = [listed] if isinstance(listed, dict) else listed
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        problems.append(
            f'{WHOLE}: must be a JSON list, as [{{"tracking_number": "UA123456785SE"}}]'
        )
        return []
    made = []
    for one in listed[:_MOST]:
        if unknown := sorted(str(name) for name in one if name not in FIELDS):
            problems.append(f"{WHOLE}: {unknown[0]} is no field; known are {', '.join(FIELDS)}")
        values = {n: _one(n, one[n], problems) for n in FIELDS if one.get(n) not in (None, "")}
        made.append(entry(values))
    return [one for one in made if one]


def _limited(name: str, text: str, problems: list[str]) -> list[str | None]:
    values = _values(name, text, problems)
    if len(values) > _MOST:
        problems.append(f"{name}: has {len(values)} values; the first {_MOST} are looked at")
    return values[:_MOST]


def _values(name: str, text: str, problems: list[str]) -> list[str | None]:
    """Return a field's values, one for each parcel; None where a list has none for it."""
    text = text.strip()
    if not text:
        return []
    if text.startswith("["):
        try:
            listed = json.loads(text)
        except (ValueError, RecursionError):
            listed = None
        if isinstance(listed, list):
            return [_one(name, v, problems) if v not in (None, "") else None for v in listed]
    if name.endswith("_number"):
        return [*numbers_in(text)]
    if name.endswith("_uri"):
        found = links_in(text)
        if not found:
            problems.append(f"{name}: {why_not(name)}")
        return [*found]
    return [_one(name, part, problems) for part in _SEPARATED.split(text) if part.strip()]


def _one(name: str, value: object, problems: list[str]) -> str | None:
    text = value if isinstance(value, str) else str(value) if isinstance(value, int) else None
    made = cleaned(name, text)
    if made is None:
        problems.append(f"{name}: {why_not(name)}")
    return made


def _joined(numbers: Sequence[str | None], links: Sequence[str | None]) -> list[_Parcel]:
    """Join numbers and links: by the number in the link, else as many of both in their order."""
    pairs = list(zip(numbers, links, strict=False))
    crossed = any(
        link and number and names(link, number) and number != own
        for own, link in pairs
        for number in numbers
    )
    if len(numbers) == len(links) and not crossed:
        return [{"tracking_number": n, "tracking_uri": u} for n, u in pairs if n or u]
    parcels: list[_Parcel] = [{"tracking_number": n} for n in numbers if n]
    for link in filter(None, links):
        named = [p for p in parcels if names(link, p.get("tracking_number") or "")]
        if not named and len(links) == 1:
            named = parcels  # one page for all of them
        for parcel in named:
            parcel.setdefault("tracking_uri", link)
        if not named:
            parcels.append({"tracking_uri": link})
    return parcels


def _spread(
    name: str,
    values: Sequence[str | None],
    parcels: list[_Parcel],
    common: dict[str, str],
    problems: list[str],
) -> None:
    """Give one value to all parcels, or each its own."""
    if len(values) == 1 and values[0]:
        common[name] = values[0]
    elif len(values) == len(parcels):
        for parcel, value in zip(parcels, values, strict=True):
            parcel[name] = value
    elif len(values) > 1:
        problems.append(f"{name}: has {len(values)} values for {len(parcels)} parcel(s); give one")


def _returns(values: Mapping[str, Sequence[str | None]], problems: list[str]) -> list[_Parcel]:
    """Join the return fields among themselves."""
    company = RETURNS[0]
    made = _joined(values["return_tracking_number"], values["return_tracking_uri"])
    made = [{f"return_{name}": value for name, value in one.items()} for one in made]
    companies = values[company]
    if companies and not made:
        return [{company: companies[0]}]
    if len(companies) not in (0, 1, len(made)):
        problems.append(f"{company}: has {len(companies)} values for {len(made)} return(s)")
        companies = ()
    for index, one in enumerate(made):
        if companies:
            one[company] = companies[index if len(companies) > 1 else 0]
    return made
