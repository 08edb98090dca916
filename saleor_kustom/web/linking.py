"""POST /api/link: a checkout's server says which Kustom order an order was paid with.

The caller proves with the shop's link token that it speaks for the merchant; the Kustom order must
fit all the same. Nothing is fetched, and nothing stored, before the token is believed. Repeating a
request is safe, and tells how it stands. The contract: docs/linking.md.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from saleor_kustom.capture.binding import is_uuid, kustom_id
from saleor_kustom.capture.linking import LinkRefusal, Told, kind_of
from saleor_kustom.capture.parties import Shop
from saleor_kustom.store import Link, Store
from saleor_kustom.web.bodies import read_body, refusal, single

#: Links an order now: shop, order id, Kustom order id. Raises StoreUnavailable.
LinkNow = Callable[[Shop, str, str], Awaitable[Link]]

_LARGEST_BYTES = 16 * 1024
_FIELDS = ("saleorApiUrl", "orderId", "kustomOrderId")
_LONGEST = 500
_STATUS = {
    LinkRefusal.ORDER_UNKNOWN: 404,
    LinkRefusal.ORDER_BOUND: 409,
    LinkRefusal.KUSTOM_ORDER_BOUND: 409,
    LinkRefusal.KUSTOM_ORDER_IN_USE: 409,
}
_DOES_NOT_FIT = 422


class _Malformed(Exception):  # noqa: N818 - becomes a 400
    """The request's body is not what the contract says."""


@dataclass(frozen=True, slots=True)
class _Asked:
    api_url: str
    order_id: str
    kustom_order_id: str


class LinkApi:
    """The route for checkouts' servers."""

    def __init__(self, store: Store, link_now: LinkNow) -> None:
        self._store = store
        self._link_now = link_now

    async def link(self, request: Request) -> Response:
        """Answer one request."""
        scheme, _, token = single(request, "authorization").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return _unauthorized("Send the shop's link token: Authorization: Bearer <token>.")
        try:
            asked = _read(await read_body(request, _LARGEST_BYTES))
        except _Malformed as error:
            return refusal(400, "MALFORMED", str(error))
        # The token first: an unknown shop and a wrong token are answered alike.
        good = await self._store.link_tokens.accepts(asked.api_url, token.strip())
        shop = await self._store.shops.get(asked.api_url)
        if not good or shop is None:
            return _unauthorized("The token is not this shop's, or the shop is not installed.")
        link = await self._link_now(shop, asked.order_id, asked.kustom_order_id)
        return _answer(link, asked)


def _answer(link: Link, asked: _Asked) -> Response:
    """Return how the link stands: 200 it is done, 202 it goes on, else it is refused."""
    told = link.outcome(asked.kustom_order_id)
    if told.told is Told.REFUSED:
        reason = LinkRefusal(told.code)
        return refusal(_STATUS.get(reason, _DOES_NOT_FIT), told.code.upper(), told.message)
    body: dict[str, Any] = {
        "success": True,
        "status": told.told.value,
        "orderId": link.order_id,
        "orderNumber": link.order_number,
        "kustomOrderId": link.kustom_order_id,
        "transactionId": link.transaction_id,
    }
    if told.told is Told.LINKED:
        return JSONResponse(body)
    return JSONResponse(
        body | {"code": told.code.upper(), "message": told.message}, status_code=202
    )


def _read(body: bytes) -> _Asked:
    """Return what is asked for. Raises _Malformed with what would be right."""
    try:
        contents = json.loads(body)
    except (ValueError, RecursionError):
        raise _Malformed("The body is no JSON.") from None
    if not isinstance(contents, dict):
        raise _Malformed(f"The body must be an object with {', '.join(_FIELDS)}.")
    if unknown := sorted(contents.keys() - set(_FIELDS)):
        names = ", ".join(name[:40] for name in unknown[:5])
        raise _Malformed(f"Unknown fields: {names}. Right are {', '.join(_FIELDS)}.")
    asked = _Asked(*(_text(contents, name) for name in _FIELDS))
    if kind_of(asked.order_id) != "Order":
        raise _Malformed("orderId must be Saleor's id of the order, as checkoutComplete gives it.")
    if not is_uuid(asked.kustom_order_id):
        raise _Malformed("kustomOrderId must be the Kustom order's id, a UUID.")
    return _Asked(asked.api_url, asked.order_id, kustom_id(asked.kustom_order_id))


def _text(contents: Mapping[str, Any], name: str) -> str:
    value = contents.get(name)
    if not isinstance(value, str) or not value.strip():
        raise _Malformed(f"{name} is missing; it must be a text.")
    if len(value) > _LONGEST or not value.isascii() or not value.isprintable():
        raise _Malformed(f"{name} is longer than {_LONGEST} characters, or not plain text.")
    return value.strip()


def _unauthorized(message: str) -> Response:
    answer = refusal(401, "UNAUTHORIZED", message)
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer
