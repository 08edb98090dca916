"""Manifest and installation, as Saleor asks for them."""

import asyncio
import json
import logging
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from saleor_kustom.capture.parties import Shop
from saleor_kustom.errors import NotGenuine, StoreUnavailable
from saleor_kustom.outbound import Outbound
from saleor_kustom.saleor.client import SaleorClient
from saleor_kustom.saleor.install import handshake, same_place
from saleor_kustom.saleor.manifest import manifest, schema_version
from saleor_kustom.settings import Settings
from saleor_kustom.store import Store
from saleor_kustom.web.bodies import read_body, refusal, single

_log = logging.getLogger(__name__)

_LARGEST_BYTES = 64 * 1024
#: Each makes us call out, for whoever asks.
_AT_ONCE = 4
_STATUS = {"SALEOR_URL_PROHIBITED": 403, "ALREADY_INSTALLED": 403}


class Installations:
    """The routes that install us."""

    def __init__(
        self,
        store: Store,
        saleor: SaleorClient,
        outbound: Outbound,
        settings: Settings,
        forget: Callable[[str], None],
    ) -> None:
        self._store = store
        self._saleor = saleor
        self._outbound = outbound
        self._settings = settings
        self._forget = forget
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._identifier: str = manifest(settings.app_url, schema_version(None))["id"]

    async def manifest(self, request: Request) -> Response:
        """Answer with the manifest that this Saleor version can read."""
        version = schema_version(request.headers.get("saleor-schema-version"))
        return JSONResponse(manifest(self._settings.app_url, version))

    async def register(self, request: Request) -> Response:
        """Take an installation. On any failure nothing is stored, and Saleor deletes the app."""
        api_url = single(request, "saleor-api-url")
        if not api_url:
            return refusal(400, "MISSING_API_URL", "The header saleor-api-url must come once.")
        token = _token(await read_body(request, _LARGEST_BYTES))
        if token is None:
            return refusal(400, "MISSING_TOKEN", "The body has no auth_token.")
        if self._places.locked():
            return refusal(503, "TRY_AGAIN", "Other installations are under way; try again.")
        try:
            async with self._places:
                app_id = await self._install(api_url, token)
        except NotGenuine as error:
            _log.warning("refused an installation: %s %s", error.code, error)
            return refusal(_STATUS.get(error.code, 401), error.code, str(error))
        except StoreUnavailable:
            return refusal(503, "STORE_UNAVAILABLE", "The app can't store now; try again.")
        self._forget(api_url)
        _log.info("installed by %s as %s", api_url, app_id)
        return JSONResponse({"success": True})

    async def _install(self, api_url: str, token: str) -> str:
        """Check and store; return our id in that Saleor. Raises NotGenuine, StoreUnavailable."""
        # First, so that nothing is asked of Saleor that could not be stored.
        known = await self._known(api_url)
        made = await handshake(
            self._saleor,
            self._outbound,
            api_url=api_url,
            token=token,
            identifier=self._identifier,
            known=known,
            allowed=self._settings.allowed_saleor_urls,
            allow_private_hosts=self._settings.allow_private_hosts,
        )
        await self._store.shops.install(
            made.api_url,
            made.app_id,
            made.token,
            saleor_version=made.saleor_version,
            jwks=made.jwks,
        )
        return made.app_id

    async def _known(self, api_url: str) -> Shop | None:
        """Return the shop as it is installed, however its address was spelled then."""
        spelled = await self._store.shops.addresses()
        same = api_url if api_url in spelled else None
        same = same or next((one for one in spelled if same_place(one, api_url)), None)
        return await self._store.shops.get(same) if same else None


def _token(body: bytes) -> str | None:
    try:
        token = json.loads(body)["auth_token"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    usable = isinstance(token, str) and 0 < len(token) <= 1000 and token.isascii()  # noqa: PLR2004
    return token if usable and token.isprintable() else None
