"""Read what a storefront asks through Saleor: to pay a checkout or an order with a Kustom order.

Only ids are read. What is to be paid is read from Saleor's API, what is authorized from Kustom.
"""

import json
from collections.abc import Mapping
from typing import Any

from saleor_kustom.capture.binding import is_uuid, kustom_id
from saleor_kustom.capture.delivery import VerifiedBody
from saleor_kustom.capture.session import Session

_LONGEST = 500


def read_session(body: VerifiedBody) -> Session | None:
    """Return what is asked; None: the storefront named no Kustom order, or nothing makes sense."""
    try:
        contents = json.loads(body)
        source, transaction = contents["sourceObject"]["id"], contents["transaction"]["id"]
        asked = _asked(contents["data"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    texts = (source, transaction, asked)
    if not all(isinstance(text, str) and 0 < len(text) <= _LONGEST for text in texts):
        return None
    if not (is_uuid(kustom_id(asked)) and source.isascii() and transaction.isascii()):
        return None
    return Session(source, transaction, kustom_id(asked))


def _asked(data: Any) -> str:
    """Return the Kustom order id that the storefront gave. Raises TypeError or KeyError.

    Some storefronts send their JSON as a text in which JSON is.
    """
    if isinstance(data, str):
        data = json.loads(data)
    if not isinstance(data, Mapping):
        raise TypeError("data is no object")
    return str(data["kustomOrderId"])
