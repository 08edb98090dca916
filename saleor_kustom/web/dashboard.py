"""What merchants see in the Saleor Dashboard: an order's captures, and all that need a person.

The pages are cheap static shells; their contents are fetched with the Dashboard's bearer token
after its handshake (saleor-app-protocol, part B). There are no cookies, so there is no CSRF.
"""

import json
import time
from collections.abc import Callable
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.money import shown
from saleor_kustom.capture.parties import Shop
from saleor_kustom.capture.plan import Binding
from saleor_kustom.errors import KeysUnavailable, NotGenuine
from saleor_kustom.intake.dashboard_token import StaffUser, token_key_id, verify_token
from saleor_kustom.saleor.keys import KeyRing
from saleor_kustom.settings import Settings
from saleor_kustom.store import Capture, Store
from saleor_kustom.web.bodies import refusal, single

LOOK, ACT = "MANAGE_ORDERS", "HANDLE_PAYMENTS"


class Dashboard:
    """Routes below /app."""

    def __init__(
        self,
        store: Store,
        keys: KeyRing,
        settings: Settings,
        wake: Callable[[], None],
        portal_url: Callable[[Binding], str | None],
    ) -> None:
        self._store = store
        self._keys = keys
        self._settings = settings
        self._wake = wake
        self._portal_url = portal_url

    def routes(self) -> list[BaseRoute]:
        """Return the pages and the endpoints behind them."""
        return [
            Route("/app", self.shell, methods=["GET"]),
            Route("/app/order", self.shell, methods=["GET"]),
            Route("/app/api/order", self.order, methods=["GET"]),
            Route("/app/api/captures", self.captures, methods=["GET"]),
            Route("/app/api/captures/{id:int}/resume", self.resume, methods=["POST"]),
        ]

    async def shell(self, request: Request) -> Response:
        """Return the page's frame; the Dashboard may load it twice."""
        # The Dashboard appends to its own query: of a key that comes twice the last counts.
        query = dict(parse_qsl(request.url.query))
        shop = await self._store.shops.get(query.get("saleorApiUrl", ""))
        page = "order" if request.url.path.endswith("/order") else "captures"
        html = (files("saleor_kustom.web") / "pages" / "shell.html").read_text(encoding="utf-8")
        return HTMLResponse(html.replace("{{page}}", page), headers=self._headers(shop))

    async def order(self, request: Request) -> Response:
        """Return one order's captures and what is left of its authorization."""
        return await self._answer(request, LOOK, self._order)

    async def captures(self, request: Request) -> Response:
        """Return captures, newest first, or only what needs a person."""
        return await self._answer(request, LOOK, self._captures)

    async def resume(self, request: Request) -> Response:
        """Let a held capture go on from where it stands."""
        return await self._answer(request, ACT, self._resume)

    async def _order(self, request: Request, shop: Shop, _user: StaffUser) -> Any:
        order_id = request.query_params.get("orderId", "")
        rows = await self._store.captures.of_order(shop.api_url, order_id)
        binding = await self._store.captures.binding(shop.api_url, order_id)
        return {
            "order": rows[0].order_number if rows else None,
            "kustomOrder": binding.kustom_order_id if binding else None,
            "environment": binding.environment if binding else None,
            "portal": self._portal_url(binding) if binding else None,
            "captures": [described(row) for row in rows],
        }

    async def _captures(self, request: Request, shop: Shop, _user: StaffUser) -> Any:
        query = request.query_params
        before = query.get("before", "")
        rows = await self._store.captures.list(
            shop.api_url,
            held=True if query.get("held") == "true" else None,
            search=query.get("search") or None,
            limit=50,
            before_id=int(before) if before.isdecimal() else None,
        )
        return {
            "captures": [described(row) for row in rows],
            "counts": dict(await self._store.captures.counts(shop.api_url)),
            "mode": shop.mode,
        }

    async def _resume(self, request: Request, shop: Shop, user: StaffUser) -> Any:
        row = request.path_params["id"]
        done = await self._store.captures.resume(
            shop.api_url, row, user.email or user.user_id, "resumed in the Dashboard"
        )
        self._wake()
        return {"resumed": done}

    async def _answer(
        self,
        request: Request,
        needs: str,
        then: Callable[[Request, Shop, StaffUser], Any],
    ) -> Response:
        """Verify who asks, then answer; the shop is looked up before any key is fetched."""
        try:
            shop = await self._store.shops.get(single(request, "saleor-api-url"))
            if shop is None:
                raise NotGenuine("NOT_INSTALLED", "This shop has not installed the app.")
            token = single(request, "authorization-bearer")
            keys = await self._keys.keys_for(shop.api_url, token_key_id(token))
            user = verify_token(token, keys, shop, now=time.time(), needs=needs)
        except NotGenuine as error:
            status = 403 if error.code == "PERMISSION_MISSING" else 401
            return refusal(status, error.code, str(error))
        except KeysUnavailable:
            return refusal(503, "TRY_AGAIN", "Saleor's keys can't be had now; try again.")
        answer = await then(request, shop, user)
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    def _headers(self, shop: Shop | None) -> dict[str, str]:
        return {
            "Content-Security-Policy": "; ".join(
                (
                    "default-src 'none'",
                    "script-src 'self'",
                    "style-src 'self'",
                    "img-src 'self'",
                    "connect-src 'self'",
                    "base-uri 'none'",
                    "form-action 'none'",
                    f"frame-ancestors {self._ancestors(shop)}",
                )
            ),
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        }

    def _ancestors(self, shop: Shop | None) -> str:
        if shop is None:
            return "'none'"
        parts = urlsplit(shop.api_url)
        return " ".join((f"{parts.scheme}://{parts.netloc}", *self._settings.dashboard_origins))


def described(row: Capture) -> dict[str, Any]:
    """Return a capture as the pages show it: plain words, amounts with their currency."""
    held = Held(Reason(row.held), row.held_detail) if row.held else None
    amount = None
    if row.amount_minor is not None and row.currency:
        amount = shown(row.amount_minor, row.currency)
    return {
        "id": row.id,
        "order": row.order_number,
        "orderId": row.order_id,
        "parcel": row.fulfillment_number,
        "state": row.state.value,
        "amount": amount,
        "captureId": row.capture_id,
        "capturedAt": row.captured_at,
        "tracking": [dict(entry) for entry in row.tracking],
        "trackingProblem": row.tracking_problem,
        "trackingNotes": list(row.tracking_notes),
        "reportProblem": row.report_problem,
        "waiting": row.waiting,
        "nextTry": row.due_at if row.worker is None else None,
        "running": row.worker is not None,
        "held": row.held,
        "problem": held.problem if held else None,
        "cure": held.cure if held else None,
        "detail": json.loads(json.dumps(row.held_detail or row.waiting_detail, default=str)),
    }
