"""The frames of the pages, and who may put them into a frame.

A frame stays blank when the Dashboard is at an origin that the app does not allow. Opened alone,
the same page says so, and how to mend it.
"""

from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from saleor_kustom.capture.parties import Shop
from saleor_kustom.settings import Settings
from saleor_kustom.store import Store
from saleor_kustom.web.dashboard.render import PRIVATE, html
from saleor_kustom.web.texts import language_of, texts


class Shells:
    """Static pages without any data: the Dashboard may load one twice."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    async def app(self, request: Request) -> Response:
        """Return the frame of the app's own page."""
        return await self._shell(request, "app")

    async def order(self, request: Request) -> Response:
        """Return the frame beside an order: a widget, or a popup on 3.21."""
        return await self._shell(request, "order")

    async def _shell(self, request: Request, name: str) -> Response:
        # The Dashboard appends to its own query: of a key that comes twice the last counts.
        query = dict(parse_qsl(request.url.query))
        asked = query.get("saleorApiUrl", "")
        shop = await self._store.shops.get(asked)
        speaks = texts(language_of(request.headers.get("accept-language", "")))
        origins = self._origins(shop)
        text = html("shell.html", speaks, name=name, asked=asked, shop=shop, origins=origins)
        return HTMLResponse(text, headers={**PRIVATE, **_policy(origins)})

    def _origins(self, shop: Shop | None) -> tuple[str, ...]:
        if shop is None:
            return ()
        parts = urlsplit(shop.api_url)
        return (f"{parts.scheme}://{parts.netloc}", *self._settings.dashboard_origins)


def _policy(origins: tuple[str, ...]) -> dict[str, str]:
    ancestors = " ".join(origins) or "'none'"
    rules = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "font-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        f"frame-ancestors {ancestors}",
    )
    return {
        "Content-Security-Policy": "; ".join(rules),
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "clipboard-write=(self)",
    }
