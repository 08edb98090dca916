"""What an extension may change of a plan, and the laws that its result must keep. Pure.

Texts, references of lines, links, product identifiers, merchant data and tracking may change;
amounts, quantities, taxes, the capture's own reference and the number of lines never do.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from saleor_kustom.capture.body import MOST_PARCELS, build
from saleor_kustom.capture.plan import Plan
from saleor_kustom.capture.shipping_fields import FIELDS, LINKS, METHODS, TEXTS
from saleor_kustom.capture.text import cut, url
from saleor_kustom.capture.tracking_sent import difference

#: Begins a plan's note when an extension has changed it.
CHANGED_BY = "Changed by the extension "

#: Field limits in characters (kustom-order-management, sections 5.2 to 5.4).
_LINE_TEXTS = {"name": 255, "reference": 255, "quantity_unit": 10, "merchant_data": 1024}
_LINE_URLS = frozenset({"image_url", "product_url"})
_IDENTIFIERS = {
    "brand": 70,
    "category_path": 750,
    "color": 64,
    "size": 64,
    "global_trade_item_number": 50,
    "manufacturer_part_number": 70,
}
_CHANGEABLE = frozenset(_LINE_TEXTS) | _LINE_URLS | {"product_identifiers"}
_DESCRIPTION = 255


class Unlawful(ValueError):  # noqa: N818 - a verdict on what an extension returned
    """The result breaks a law; the text names the first one, and quotes no value."""


def extended(plan: Plan, changed: Any, name: str, *, tracking: bool = True) -> Plan:
    """Return the plan with an extension's changes. Raises Unlawful: the plan stays as it was.

    tracking: False when Kustom has refused this parcel's tracking, so that none goes along.
    """
    if not isinstance(changed, Mapping):
        raise Unlawful("it returned no object")
    before = json.loads(plan.body)
    _keep(before, changed, ("captured_amount", "reference"), "the capture")
    _only(changed, {*before, "order_lines", "shipping_info", "description"}, "the capture")
    lines = _lines(before.get("order_lines", []), changed.get("order_lines", []))
    parcels = _parcels(before.get("shipping_info", []), changed.get("shipping_info", []))
    body, notes = build(plan.amount_minor, plan.reference, lines, parcels if tracking else ())
    if changed.get("description") is not None:
        body = _described(body, _text(changed["description"], _DESCRIPTION, "description"))
    if json.loads(body) == before:
        return plan
    kept = tuple(note for note in plan.notes if note.startswith(CHANGED_BY))
    return plan.model_copy(update={"body": body, "notes": (*notes, *kept, f"{CHANGED_BY}{name}.")})


def is_extended(plan: Plan) -> bool:
    """Tell whether an extension has changed the plan."""
    return any(note.startswith(CHANGED_BY) for note in plan.notes)


def _described(body: str, description: str) -> str:
    return json.dumps(
        {**json.loads(body), "description": description},
        ensure_ascii=False,
        separators=(",", ":"),
    )


def _lines(before: Sequence[Mapping[str, Any]], changed: Any) -> list[dict[str, Any]]:
    if not isinstance(changed, Sequence) or isinstance(changed, str | bytes):
        raise Unlawful("order_lines is no list")
    if len(changed) != len(before):
        raise Unlawful(f"it returned {len(changed)} lines for {len(before)}")
    return [
        _line(old, new, f"line {n}")
        for n, (old, new) in enumerate(zip(before, changed, strict=True), 1)
    ]


def _line(before: Mapping[str, Any], changed: Any, where: str) -> dict[str, Any]:
    if not isinstance(changed, Mapping):
        raise Unlawful(f"{where} is no object")
    fixed = [name for name in before if name not in _CHANGEABLE]
    _keep(before, changed, fixed, where)
    _only(changed, {*fixed, *_CHANGEABLE}, where)
    line = {name: before[name] for name in fixed}
    for name in sorted(_CHANGEABLE & changed.keys(), key=list(changed).index):
        value = changed[name]
        if value is None:
            continue
        if name == "product_identifiers":
            line[name] = _identifiers(value, where)
        elif name in _LINE_URLS:
            line[name] = _url(value, f"{where}, {name}")
        else:
            line[name] = _text(value, _LINE_TEXTS[name], f"{where}, {name}")
    if not line.get("name"):
        raise Unlawful(f"{where} has lost its name")
    return line


def _identifiers(value: Any, where: str) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise Unlawful(f"{where}, product_identifiers is no object")
    _only(value, set(_IDENTIFIERS), f"{where}, product_identifiers")
    return {
        name: _text(text, _IDENTIFIERS[name], f"{where}, {name}")
        for name, text in value.items()
        if text is not None
    }


def _parcels(before: Sequence[Mapping[str, str]], changed: Any) -> list[dict[str, str]]:
    """Every number that was there must stay, or it would be sent once more later."""
    if not isinstance(changed, Sequence) or isinstance(changed, str | bytes):
        raise Unlawful("shipping_info is no list")
    if len(changed) > MOST_PARCELS:
        raise Unlawful(f"shipping_info has more than {MOST_PARCELS} entries")
    parcels = [_parcel(entry, f"shipping_info {n}") for n, entry in enumerate(changed, 1)]
    if difference(before, parcels):
        raise Unlawful("tracking that was there is gone")
    return parcels


def _parcel(entry: Any, where: str) -> dict[str, str]:
    if not isinstance(entry, Mapping):
        raise Unlawful(f"{where} is no object")
    _only(entry, set(FIELDS), where)
    made = {}
    for name, value in entry.items():
        if value is None:
            continue
        if name == "shipping_method":
            if value not in METHODS:
                raise Unlawful(f"{where} has a shipping_method that Kustom does not know")
            made[name] = str(value)
        elif name in LINKS:
            made[name] = _url(value, f"{where}, {name}")
        else:
            made[name] = _text(value, TEXTS[name], f"{where}, {name}")
    return made


def _keep(
    before: Mapping[str, Any], changed: Mapping[str, Any], names: Sequence[str], where: str
) -> None:
    for name in names:
        old, new = before.get(name), changed.get(name)
        # True == 1 and 1.0 == 1, but Kustom's integers are integers.
        if type(old) is not type(new) or old != new:
            raise Unlawful(f"{where} has another {name}")


def _only(changed: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(str(name) for name in changed if name not in known)
    if unknown:
        raise Unlawful(f"{where} has fields that may not be set: {', '.join(unknown)[:200]}")


def _text(value: Any, limit: int, where: str) -> str:
    if not isinstance(value, str):
        raise Unlawful(f"{where} is no text")
    text = cut(value, limit + 1) or ""
    if not text or len(text) > limit:
        raise Unlawful(f"{where} has not 1 to {limit} characters")
    return text


def _url(value: Any, where: str) -> str:
    link = url(value) if isinstance(value, str) else None
    if link is None:
        raise Unlawful(f"{where} is no http(s) URL of at most 1024 characters")
    return link
