"""Who may come in: every request behind the pages is verified here, and nowhere else."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from saleor_kustom.capture.parties import Shop
from saleor_kustom.errors import KeysUnavailable, NotGenuine
from saleor_kustom.intake.dashboard_token import StaffUser, token_key_id, verify_token
from saleor_kustom.saleor.keys import KeyRing
from saleor_kustom.store import Store
from saleor_kustom.web.bodies import refusal, single
from saleor_kustom.web.texts import Texts, language_of, texts

#: Saleor's permissions: to look, to act, to configure (saleor-app-protocol, 19).
LOOK, ACT, CONFIGURE = "MANAGE_ORDERS", "HANDLE_PAYMENTS", "MANAGE_APPS"


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person of a shop's staff who was let in."""

    shop: Shop
    user: StaffUser
    texts: Texts

    @property
    def name(self) -> str:
        """Return who it is, for the history of what they do."""
        return self.user.email or self.user.user_id

    def may(self, permission: str) -> bool:
        """Tell whether the person has a permission."""
        return permission in self.user.permissions


Handler = Callable[[Request, Visitor], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


class Door:
    """Lets people in."""

    def __init__(self, store: Store, keys: KeyRing, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock

    def guard(self, needs: str, then: Handler) -> Endpoint:
        """Return an endpoint that answers only a verified person with a permission."""

        async def endpoint(request: Request) -> Response:
            speaks = texts(language_of(request.headers.get("accept-language", "")))
            try:
                visitor = await self._let_in(request, needs, speaks)
            except NotGenuine as error:
                missing = error.code == "PERMISSION_MISSING"
                message = speaks("door.permission", permission=needs) if missing else str(error)
                if error.code == "TOKEN_EXPIRED":
                    message = speaks("door.expired")
                return refusal(403 if missing else 401, error.code, message)
            except KeysUnavailable:
                return refusal(503, "TRY_AGAIN", speaks("door.keys"))
            return await then(request, visitor)

        return endpoint

    async def _let_in(self, request: Request, needs: str, speaks: Texts) -> Visitor:
        """Verify who asks. The shop is looked up before any key is fetched. Raises NotGenuine."""
        shop = await self._store.shops.get(single(request, "saleor-api-url"))
        if shop is None:
            raise NotGenuine("NOT_INSTALLED", speaks("door.not_installed"))
        token = single(request, "authorization-bearer")
        keys = await self._keys.keys_for(shop.api_url, token_key_id(token))
        user = verify_token(token, keys, shop, now=self._clock(), needs=needs)
        return Visitor(shop, user, speaks)
