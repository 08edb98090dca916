"""The exact request body of a capture, within Kustom's limits (domain rule 13)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from saleor_kustom.capture.order_lines import Line

#: Kustom takes 1 MB; from here on URLs go first, then the lines.
TOO_MANY_BYTES = 900_000
MOST_LINES = 1000
MOST_PARCELS = 500
_LARGEST_LINE_MINOR = 200_000_000
_LIMITED = ("unit_price", "total_amount", "total_discount_amount")
_URLS = ("image_url", "product_url")

NO_URLS = "Images and links were left out: the request would have been too large."
NO_LINES = "The lines were left out: the request would have been too large. The amount is whole."


def build(
    amount_minor: int,
    reference: str,
    lines: Sequence[Line],
    shipping_info: Sequence[Mapping[str, str]],
) -> tuple[str, tuple[str, ...]]:
    """Return the body as JSON text, and notes about what was left out to fit."""
    fits = len(lines) <= MOST_LINES and all(map(_in_range, lines))
    tracking = [dict(entry) for entry in shipping_info][:MOST_PARCELS]
    if fits:
        body = _text(amount_minor, reference, lines, tracking)
        if len(body.encode()) < TOO_MANY_BYTES:
            return body, ()
        slim = [{key: line[key] for key in line if key not in _URLS} for line in lines]
        body = _text(amount_minor, reference, slim, tracking)
        if len(body.encode()) < TOO_MANY_BYTES:
            return body, (NO_URLS,)
    return _text(amount_minor, reference, (), tracking), (NO_LINES,)


def _text(
    amount_minor: int, reference: str, lines: Sequence[Line], tracking: Sequence[dict[str, str]]
) -> str:
    body: dict[str, Any] = {"captured_amount": amount_minor, "reference": reference}
    if lines:
        body["order_lines"] = list(lines)
    if tracking:
        body["shipping_info"] = list(tracking)
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _in_range(line: Line) -> bool:
    return all(abs(int(line.get(key, 0))) <= _LARGEST_LINE_MINOR for key in _LIMITED)
