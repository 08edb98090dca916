"""Kustom's own webhooks in: hints to look at an order that we know, and nothing more.

The form of their signature is not public, so nothing in a body is believed (docs/kustom.md): the
secret in the URL tells the shop, the order's id tells where to look, and the look reads Kustom.
What we do not know is ignored with a 2xx, since Kustom repeats everything else.
"""

import json
import logging
import re
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from saleor_kustom.store import Store
from saleor_kustom.web.bodies import nesting, read_body, refusal

_log = logging.getLogger(__name__)

_LARGEST_BYTES = 16 * 1024
_DEEPEST = 8
_LONGEST_SECRET = 200
#: Kustom's ids: UUIDs, and such as kevt_…; an id goes into queries, rows and a note.
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


class KustomHints:
    """The route for Kustom's webhooks."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def receive(self, request: Request) -> Response:
        """Take one hint. An unknown secret is answered as a path that is not there."""
        secret = request.path_params["secret"]
        api_url = None
        if len(secret) <= _LONGEST_SECRET:
            api_url = await self._store.kustom_webhooks.shop_of(secret)
        if api_url is None:
            raise HTTPException(404)
        told = _read(await read_body(request, _LARGEST_BYTES))
        if told is None:
            return refusal(400, "NOT_UNDERSTOOD", "The body must be a flat JSON object.")
        known = await self._take(api_url, told)
        return JSONResponse({"success": True, "known": known})

    async def _take(self, api_url: str, told: Mapping[str, Any]) -> bool:
        """Make the order due for a look; False: it is none that we know."""
        about = told.get("data")
        about = about if isinstance(about, dict) else {}
        event = told.get("type")
        kustom_order_id = _id(about.get("order_id"))
        if kustom_order_id is None:
            _log.info("a Kustom webhook of %s names no order", api_url)
            return False
        order_id = await self._store.hints.order_of(api_url, kustom_order_id)
        if order_id is None:
            return False
        named = _id(about.get("capture_id")) or _id(about.get("refund_id")) or ""
        if isinstance(event, str) and event.startswith("dispute."):
            # The same dispute is told of again as it goes on; its own id is the best there is.
            dispute_id = _id(about.get("dispute_id")) or "without id"
            await self._store.outside.dispute(api_url, order_id, dispute_id)
            named = ""
        await self._store.hints.take(api_url, order_id, named)
        return True


def _read(body: bytes) -> Mapping[str, Any] | None:
    if nesting(body) > _DEEPEST:
        return None
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _id(value: object) -> str | None:
    return value if isinstance(value, str) and _ID.fullmatch(value) else None
