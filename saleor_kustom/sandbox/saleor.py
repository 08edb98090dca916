"""A simulated Saleor: orders, fulfillments, signed webhooks, installation, GraphQL.

`app` serves /graphql/ and the public keys. What happens to orders is done with methods
(`fulfill`, `cancel_fulfillment`, …), which queue events as a real Saleor fires them;
`deliver()` posts them, repeating what is answered with 5xx. The layers, each in its own file:
Post (what is posted) < Apps (what is installed) < Shipping (orders) < Buttons (transactions) <
Checkouts (storefronts) < SimulatedSaleor (HTTP).
"""

import asyncio
import json
import secrets
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from saleor_kustom.sandbox.saleor_api import Api
from saleor_kustom.sandbox.saleor_checkouts import Checkouts
from saleor_kustom.sandbox.saleor_mutations import MUTATIONS
from saleor_kustom.sandbox.saleor_orders import Wire, global_id
from saleor_kustom.sandbox.saleor_post import RETRIES, Delivery, Installed, Queued
from saleor_kustom.sandbox.saleor_queries import QUERIES
from saleor_kustom.sandbox.signing import Signer

__all__ = ["FAULTS", "RETRIES", "Delivery", "Installed", "Queued", "SimulatedSaleor"]

#: What can be made to go wrong with the next answers, by name.
FAULTS = frozenset(
    {"", "500", "502", "503", "429", "html", "empty", "not json", "hang", "lost answer"}
)
_PERMISSIONS = ("MANAGE_ORDERS", "HANDLE_PAYMENTS")


class SimulatedSaleor(Checkouts):
    """The other side. `api_url` is its identity, also where it is reached without a network.

    `version` is that of a Saleor release ("3.21.69", "3.22.67", "3.23.28"): schema, manifest
    rules, events and gift cards differ. `time_scale` compresses the pauses between repetitions.
    """

    def __init__(
        self,
        api_url: str = "http://saleor.test/graphql/",
        *,
        version: str = "3.22.67",
        transport: httpx.AsyncBaseTransport | None = None,
        time_scale: float = 0.0,
    ) -> None:
        super().__init__(api_url, version=version, transport=transport, time_scale=time_scale)
        self.requests: list[Wire] = []  # GraphQL requests, in order
        self.fail_graphql: deque[str] = deque()  # names of FAULTS, one a request; "" is none
        self.fail_jwks: deque[str] = deque()
        self.delay_s = 0.0
        self.hang_s = 60.0
        self._api = Api(self, {**QUERIES, **MUTATIONS})
        self.app = Starlette(
            routes=[
                Route("/graphql/", self._graphql, methods=["POST"]),
                Route("/.well-known/jwks.json", self._jwks, methods=["GET"]),
            ]
        )

    def fail_next(self, fault: str, times: int = 1, *, on: str = "graphql") -> None:
        """Let the next answers go wrong. `on` is graphql or jwks; "lost answer" does the work."""
        if fault not in FAULTS:
            raise ValueError(f"{fault!r} is none of {sorted(FAULTS)}")
        {"graphql": self.fail_graphql, "jwks": self.fail_jwks}[on].extend([fault] * times)

    def rotate_key(self) -> None:
        """Sign with a new key; the old one is no longer served."""
        self.signer = Signer.new()

    def dashboard_token(self, permissions: Sequence[str] = _PERMISSIONS, **changed: Any) -> str:
        """Return a token as the Dashboard hands it to the app's frame.

        `permissions` are the user's; `changed` replaces claims (None takes one away).
        """
        if self.installed is None:
            raise ValueError("no app is installed")
        issued = int(time.time())
        of_app = {permission["code"] for permission in self.installed.app["permissions"]}
        claims = {
            "iat": issued,
            "exp": issued + 300,
            "iss": self.api_url,
            "owner": "saleor",
            "type": "thirdparty",
            "app": self.installed.app["id"],
            "token": secrets.token_urlsafe(9),
            "user_id": global_id("User", 1),
            "email": "admin@example.com",
            "is_staff": True,
            "permissions": [code for code in permissions if code in of_app],
            "user_permissions": list(permissions),
        }
        wanted = {name: value for name, value in (claims | changed).items() if value is not None}
        return self.signer.token(wanted)

    # ---- HTTP

    async def _graphql(self, request: Request) -> Response:
        try:
            body = json.loads(await request.body())
        except ValueError:
            errors = [{"message": "Unable to parse query."}]
            return JSONResponse({"errors": errors}, status_code=400)
        self.requests.append(body)
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        fault = self.fail_graphql.popleft() if self.fail_graphql else ""
        if fault not in ("", "lost answer"):
            return await self._fault(fault)
        status, answer = await self._api.answer(body, self._caller(request))
        if fault == "lost answer":  # done, and nobody hears of it
            return Response(status_code=502)
        return JSONResponse(answer, status_code=status)

    async def _jwks(self, _request: Request) -> Response:
        if self.fail_jwks and (fault := self.fail_jwks.popleft()):
            return await self._fault(fault)
        text = self.jwks_override or json.dumps(self.signer.jwks())
        return Response(text, media_type="application/json")

    async def _fault(self, fault: str) -> Response:
        if fault == "hang":
            await asyncio.sleep(self.hang_s)
            return Response(status_code=504)
        if fault == "429":
            return Response(status_code=429, headers={"Retry-After": "1"})
        if fault == "html":
            return Response("<html>busy</html>", media_type="text/html")
        if fault == "not json":
            return Response("{", media_type="application/json")
        return Response(status_code=200 if fault in ("empty", "lost answer") else int(fault))

    def _caller(self, request: Request) -> Wire | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        installed = self.installed
        if installed is not None and (scheme.lower(), token) == ("bearer", installed.token):
            return installed.app
        return self._any_token
