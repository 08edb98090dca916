"""What the simulated Kustom checks in a request, and what it refuses it with.

The tables follow the contract's (kustom-order-management, sections 5.2 to 5.6) line by line;
`*` marks a required field. Lengths are counted in characters, that is code points.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Body = Mapping[str, Any]
_MOST = 200_000_000


@dataclass(slots=True)
class Switches:
    """Each [assumed] fact of the contract that our behaviour depends on; defaults: our reading."""

    validation_status: int = 400  # or 422
    checks_sums: bool = True  # a capture's lines must sum to captured_amount
    checks_taxes: bool = True  # contained tax within one minor unit
    refuses_unknown_fields: bool = True  # stricter than the contract: finds our slips
    takes_zero_captures: bool = False
    takes_gift_card_lines: bool = True  # negative ones
    takes_several_captures: bool = True  # or the payment method allows one only
    longest_reference: int = 255  # of a line; a peer cuts at 64
    refuses_tracking: bool = False  # every shipping_info is wrong somehow
    tracks_closed_orders: bool = True  # tracking on CLOSED and EXPIRED orders
    released_status: str = "CAPTURED"  # or PART_CAPTURED: the release leaves it unchanged
    clears_remaining: bool = True  # release, cancel and expiry leave 0
    remembers_refusals: bool = False  # a key honours a refusal too
    keys_per_endpoint: bool = False  # or per merchant
    key_hours: float = 24.0
    waits_in_flight: bool = False  # a key's second request waits for the first; else 409
    foreign_order_status: int = 404  # or 403
    explains_401: bool = False  # the 401 has an error object
    names_captures_by: str = "both"  # header | location | both | neither
    sends_correlation_id: bool = True  # as a header; error bodies always have it
    lists_refunds: bool = True  # an order shows them; no other call does
    sends_nulls: bool = False  # absent fields come as null
    writes_lower_case: bool = False  # currency and country as `sek`, `se`
    writes_offsets: bool = False  # times as +00:00 without milliseconds instead of Z with
    empty_success_status: int = 204  # or 200
    blocks_library_agents: bool = True  # the firewall: User-Agent python-httpx/…


class Refusal(Exception):  # noqa: N818 - the simulated no
    """A definite no, with status and error code."""

    def __init__(self, status: int, code: str, *messages: str) -> None:
        super().__init__(code, *messages)
        self.status = status
        self.code = code
        self.messages = messages


@dataclass(frozen=True, slots=True)
class _Text:
    most: int
    least: int = 0


@dataclass(frozen=True, slots=True)
class _Whole:
    least: int
    most: int = _MOST


@dataclass(frozen=True, slots=True)
class _OneOf:
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Object:
    fields: "Mapping[str, _Kind]"


@dataclass(frozen=True, slots=True)
class _List:
    most: int
    fields: "Mapping[str, _Kind]"


_Kind = _Text | _Whole | _OneOf | _Object | _List

_TYPES = _OneOf(
    (
        "physical", "discount", "shipping_fee", "sales_tax", "store_credit", "gift_card",
        "digital", "surcharge", "return_fee",
    )
)  # fmt: skip
_METHODS = _OneOf(
    (
        "PickUpStore", "Home", "BoxReg", "BoxUnreg", "PickUpPoint", "Own", "Postal",
        "DHLPackstation", "Digital", "Undefined", "PickUpWarehouse", "ClickCollect",
        "PalletDelivery",
    )
)  # fmt: skip
_IDENTIFIERS: Mapping[str, _Kind] = {
    "brand": _Text(70),
    "category_path": _Text(750),
    "color": _Text(64),
    "size": _Text(64),
    "global_trade_item_number": _Text(50),
    "manufacturer_part_number": _Text(70),
}
_SUBSCRIPTION: Mapping[str, _Kind] = {
    "name*": _Text(255, least=1),
    "interval*": _OneOf(("DAY", "WEEK", "MONTH", "YEAR")),
    "interval_count*": _Whole(1),
}
_LINE: Mapping[str, _Kind] = {
    "name*": _Text(255, least=1),
    "quantity*": _Whole(0, 2**31),
    "unit_price*": _Whole(-_MOST),
    "total_amount*": _Whole(-_MOST),
    "type": _TYPES,
    "reference": _Text(255),
    "quantity_unit": _Text(10),
    "tax_rate": _Whole(0, 10_000),
    "total_discount_amount": _Whole(0),
    "total_tax_amount": _Whole(-_MOST),
    "image_url": _Text(1024, least=1),  # an empty URL is refused (lessons, row 31)
    "product_url": _Text(1024, least=1),
    "merchant_data": _Text(1024),
    "product_identifiers": _Object(_IDENTIFIERS),
    "subscription": _Object(_SUBSCRIPTION),
}
_PARCEL: Mapping[str, _Kind] = {
    "shipping_company": _Text(100),
    "shipping_method": _METHODS,
    "tracking_number": _Text(100),
    "tracking_uri": _Text(1024),
    "return_shipping_company": _Text(100),
    "return_tracking_number": _Text(100),
    "return_tracking_uri": _Text(1024),
}
_ADDRESS: Mapping[str, _Kind] = {
    "given_name": _Text(100), "family_name": _Text(100), "organization_name": _Text(255),
    "attention": _Text(255), "title": _Text(20), "street_address": _Text(100),
    "street_address2": _Text(100), "postal_code": _Text(10), "city": _Text(200),
    "region": _Text(200), "country": _Text(2), "email": _Text(100), "phone": _Text(100),
}  # fmt: skip

CAPTURE: Mapping[str, _Kind] = {
    "captured_amount*": _Whole(0),
    "description": _Text(255),
    "reference": _Text(255),
    "order_lines": _List(1000, _LINE),
    "shipping_info": _List(500, _PARCEL),
    "shipping_delay": _Whole(0),
}
REFUND: Mapping[str, _Kind] = {
    "refunded_amount*": _Whole(0),
    "description": _Text(255),
    "reference": _Text(255),
    "order_lines": _List(1000, _LINE),
}
AUTHORIZATION: Mapping[str, _Kind] = {
    "order_amount*": _Whole(0),
    "description": _Text(255),
    "order_lines": _List(1000, _LINE),
}
TRACKING: Mapping[str, _Kind] = {"shipping_info*": _List(500, _PARCEL)}
REFERENCES: Mapping[str, _Kind] = {
    "merchant_reference1": _Text(255),
    "merchant_reference2": _Text(255),
}
CUSTOMER: Mapping[str, _Kind] = {"shipping_address": _Object(_ADDRESS)}


class Rules:
    """Checks bodies. Each method raises Refusal."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches

    def check(self, body: Body, fields: Mapping[str, _Kind]) -> None:
        """Check a body's fields, types and limits."""
        self._object("", body, fields)
        parcels = body.get("shipping_info")
        if "shipping_info*" in fields and not parcels:
            raise self._bad("shipping_info")
        if parcels and self._switches.refuses_tracking:
            raise Refusal(422, "UNPROCESSABLE_ENTITY", "shipping_info/tracking_number")

    def check_capture(self, body: Body) -> None:
        """Check a capture: its lines must be right each by itself and as a sum."""
        self.check(body, CAPTURE)
        if body["captured_amount"] == 0 and not self._switches.takes_zero_captures:
            raise self._bad("captured_amount")
        lines = body.get("order_lines", [])
        for index, line in enumerate(lines):
            self._arithmetic(f"order_lines[{index}]", line)
            if len(line.get("reference", "")) > self._switches.longest_reference:
                raise self._bad(f"order_lines[{index}].reference")
        total = sum(line["total_amount"] for line in lines)
        if lines and self._switches.checks_sums and total != body["captured_amount"]:
            raise self._bad("order_lines: do not sum to captured_amount")

    def _arithmetic(self, where: str, line: Body) -> None:
        if line.get("type") == "gift_card" and not self._switches.takes_gift_card_lines:
            raise self._bad(f"{where}.type")
        total = line["total_amount"]
        discount = line.get("total_discount_amount", 0)
        if line["quantity"] * line["unit_price"] - discount != total:
            raise self._bad(f"{where}.total_amount")
        # tax within 1 of total - total * 10000 / (10000 + rate), in whole numbers
        rate, tax = line.get("tax_rate", 0), line.get("total_tax_amount", 0)
        off = abs(tax * (10_000 + rate) - total * rate)
        if self._switches.checks_taxes and off > 10_000 + rate:
            raise self._bad(f"{where}.total_tax_amount")

    def _object(self, where: str, value: Any, fields: Mapping[str, _Kind]) -> None:
        if not isinstance(value, dict):
            raise self._bad(where or "body")
        dot = f"{where}." if where else ""
        known = {name.rstrip("*"): kind for name, kind in fields.items()}
        for name in fields:
            if name.endswith("*") and name[:-1] not in value:
                raise self._bad(dot + name[:-1])
        for name, given in value.items():
            kind = known.get(name)
            if kind is not None:
                self._field(dot + name, given, kind)
            elif self._switches.refuses_unknown_fields:
                raise self._bad(dot + name)

    def _field(self, where: str, value: Any, kind: _Kind) -> None:
        match kind:
            case _Text():
                self._text(where, value, kind)
            case _Whole():
                whole = isinstance(value, int) and not isinstance(value, bool)
                if not whole or not kind.least <= value <= kind.most:
                    raise self._bad(where)
            case _OneOf():
                if value not in kind.values:
                    raise self._bad(where)
            case _Object():
                self._object(where, value, kind.fields)
            case _List():
                if not isinstance(value, list) or len(value) > kind.most:
                    raise self._bad(where)
                for index, entry in enumerate(value):
                    self._object(f"{where}[{index}]", entry, kind.fields)

    def _text(self, where: str, value: Any, kind: _Text) -> None:
        if not isinstance(value, str):
            raise self._bad(where)
        if kind.least <= len(value) <= kind.most:
            return
        path, _, name = where.rpartition(".")
        if path.startswith("shipping_info"):  # the one message that is published word by word
            text = f"The size of the shipping_info/{name} value must be between 0 and {kind.most}"
            raise Refusal(422, "UNPROCESSABLE_ENTITY", text)
        raise self._bad(where)

    def _bad(self, where: str) -> Refusal:
        status = self._switches.validation_status
        code = "BAD_VALUE" if status == 400 else "UNPROCESSABLE_ENTITY"  # noqa: PLR2004
        return Refusal(status, code, f"Bad value: {where}")
