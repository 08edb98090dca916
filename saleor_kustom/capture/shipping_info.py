"""Tracking as Kustom's shipping_info entries (kustom-order-management, section 5.4).

Merchant input on the fulfillment's metadata comes first (its names are in docs/saleor-writes.md);
unknown stays absent rather than guessed.
"""

import re
from collections.abc import Mapping, Sequence

from saleor_kustom.capture.fulfillment import Fulfillment, Order
from saleor_kustom.capture.text import cut, url

Entry = Mapping[str, str]

#: The field names at Kustom, which are also the names of merchant input, with their limits.
_LIMITS: Mapping[str, int] = {
    "shipping_company": 100,
    "tracking_number": 100,
    "return_shipping_company": 100,
    "return_tracking_number": 100,
}
_LINK = re.compile(r"https?://[^\s]+", re.IGNORECASE)
_URLS = ("tracking_uri", "return_tracking_uri")
METHODS = frozenset(
    {
        "PickUpStore", "Home", "BoxReg", "BoxUnreg", "PickUpPoint", "Own", "Postal",
        "DHLPackstation", "Digital", "Undefined", "PickUpWarehouse", "ClickCollect",
        "PalletDelivery",
    }
)  # fmt: skip


def entries(order: Order, fulfillment: Fulfillment) -> tuple[Entry, ...]:
    """Return what is known of the parcel's tracking now: an entry for each number or link."""
    if order.collection_point_name is not None:
        return ({"shipping_method": "PickUpStore"},)
    given = _given(fulfillment)
    numbers = [{}] if "tracking_number" in given else _in_string(fulfillment.tracking_number)
    if not numbers:
        numbers = [{}]
    made = [entry | given for entry in numbers]
    return tuple(entry for entry in made if entry)


def difference(wanted: Sequence[Entry], sent: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return the entries that were not sent yet: Kustom appends and never replaces.

    What was sent of an order whose personal data was erased is not known any more: all of it.
    """
    if any("erased" in entry for entry in sent):
        return ()
    known = {_identity(entry) for entry in sent}
    missing: list[Entry] = []
    for entry in wanted:
        if _identity(entry) not in known:
            known.add(_identity(entry))
            missing.append(entry)
    return tuple(missing)


def _identity(entry: Entry) -> tuple[str, ...]:
    """Two entries with the same number are the same parcel, whatever else they say."""
    number = entry.get("tracking_number") or entry.get("tracking_uri")
    if number:
        return (number.casefold(),)
    return tuple(f"{key}={entry[key]}" for key in sorted(entry))


def _given(fulfillment: Fulfillment) -> dict[str, str]:
    """Return the merchant's own input; private metadata stands above public."""
    metadata = {**fulfillment.metadata, **fulfillment.private_metadata}
    given = {name: cut(metadata.get(name), limit) for name, limit in _LIMITS.items()}
    given |= {name: url((metadata.get(name) or "").strip()) for name in _URLS}
    method = (metadata.get("shipping_method") or "").strip()
    given["shipping_method"] = method if method in METHODS else None
    return {name: value for name, value in given.items() if value}


def _in_string(tracking: str) -> list[dict[str, str]]:
    """Read Saleor's one string: one or several numbers or links in it."""
    links = [link for text in _LINK.findall(tracking) if (link := url(text.rstrip(".,;|)")))]
    pieces = re.split(r"[,;|\n]+", _LINK.sub(",", tracking))
    words = [word for piece in pieces for word in _words(piece.strip(" ():-"))]
    numbers = [number for word in words if (number := cut(word, _LIMITS["tracking_number"]))]
    found: list[dict[str, str]] = []
    for number in numbers:
        # A link belongs to the number that it names; a lone pair belongs together.
        pair = len(numbers) == len(links) == 1
        own = next((link for link in links if pair or number in link), None)
        found.append({"tracking_number": number} | ({"tracking_uri": own} if own else {}))
        links = [link for link in links if link != own]
    return found + [{"tracking_uri": link} for link in links]


def _words(piece: str) -> list[str]:
    """Split at spaces only what are clearly several: many carriers write one number with them."""
    words = piece.split()
    several = all(len(w) >= 8 and any(c.isdigit() for c in w) for w in words)  # noqa: PLR2004
    return words if several else [piece]
