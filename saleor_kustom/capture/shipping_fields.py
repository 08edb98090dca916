"""The fields of Kustom's shipping_info entry (kustom-order-management, section 5.4).

Their names are also those of merchant input: on a fulfillment's metadata, and in the mapping.
"""

from collections.abc import Mapping

from saleor_kustom.capture.text import cut, url

Entry = Mapping[str, str]

#: Texts with their limits, in code points.
TEXTS: Mapping[str, int] = {
    "shipping_company": 100,
    "tracking_number": 100,
    "return_shipping_company": 100,
    "return_tracking_number": 100,
}
LINKS = ("tracking_uri", "return_tracking_uri")
METHOD = "shipping_method"
#: In the order in which an entry shows them.
FIELDS = (
    "shipping_company",
    METHOD,
    "tracking_number",
    "tracking_uri",
    "return_shipping_company",
    "return_tracking_number",
    "return_tracking_uri",
)
RETURNS = tuple(name for name in FIELDS if name.startswith("return_"))
METHODS = frozenset(
    {
        "PickUpStore", "Home", "BoxReg", "BoxUnreg", "PickUpPoint", "Own", "Postal",
        "DHLPackstation", "Digital", "Undefined", "PickUpWarehouse", "ClickCollect",
        "PalletDelivery",
    }
)  # fmt: skip


def cleaned(name: str, value: str | None) -> str | None:
    """Return a field's value as Kustom takes it: texts cut, links whole; None: leave it out."""
    if name in TEXTS:
        return cut(value, TEXTS[name])
    text = (value or "").strip()
    if name == METHOD:
        return text if text in METHODS else None
    return url(text)


def why_not(name: str) -> str:
    """Return why `cleaned` left a value of this field out, and what would be right."""
    if name == METHOD:
        return f"must be one of {', '.join(sorted(METHODS))}"
    if name in LINKS:
        return "must be a whole http or https address of at most 1024 characters"
    return "must be a text"


def entry(values: Mapping[str, str | None]) -> dict[str, str]:
    """Return an entry of what is known, in the order of FIELDS."""
    return {name: value for name in FIELDS if (value := values.get(name))}
