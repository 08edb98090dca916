"""An app that is not ours: it takes installations and deliveries, and answers what it is told."""

import json

import httpx
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from saleor_kustom.sandbox.routed import Routed
from saleor_kustom.sandbox.saleor import SimulatedSaleor

URL = "http://listener.test"
QUERY = """subscription {{ event {{ __typename issuedAt recipient {{ id }}
  issuingPrincipal {{ __typename ... on App {{ id }} }} ... on {typename} {{ {fields} }} }} }}"""
FULFILLMENT = "fulfillment { id status trackingNumber } order { id number status }"
FIELDS = {
    "FULFILLMENT_CREATED": FULFILLMENT,
    "FULFILLMENT_APPROVED": FULFILLMENT,
    "FULFILLMENT_CANCELED": FULFILLMENT,
    "FULFILLMENT_METADATA_UPDATED": FULFILLMENT,
    "FULFILLMENT_TRACKING_NUMBER_UPDATED": FULFILLMENT,
    "ORDER_CANCELLED": "order { id number status }",
    "APP_DELETED": "app { id }",
}


def webhook(event, **changed):
    typename = "".join(word.capitalize() for word in event.split("_"))
    return {
        "name": event,
        "targetUrl": f"{URL}/hook",
        "asyncEvents": [event],
        "query": QUERY.format(typename=typename, fields=FIELDS[event]),
    } | changed


def manifest(*events, **changed):
    return {
        "id": "listener",
        "name": "Listener",
        "version": "1.0.0",
        "permissions": ["MANAGE_ORDERS", "HANDLE_PAYMENTS"],
        "appUrl": f"{URL}/app",
        "tokenTargetUrl": f"{URL}/register",
        "webhooks": [webhook(event) for event in events],
    } | changed


class AnApp:
    """`answers` are statuses for coming deliveries (then 200); `on_register` what it answers."""

    def __init__(self, made=None):
        self.manifest = made or manifest(*FIELDS)
        self.asked = []  # requests for the manifest
        self.registered = []  # (headers, body)
        self.deliveries = []  # (headers, body)
        self.answers = []
        self.on_register = Response(status_code=200)
        self.while_registering = None
        self.asgi = Starlette(
            routes=[
                Route("/manifest", self._manifest),
                Route("/register", self._register, methods=["POST"]),
                Route("/{hook}", self._hook, methods=["POST"]),
            ]
        )

    @property
    def bodies(self):
        return [json.loads(body) for _, body in self.deliveries]

    @property
    def events(self):
        return [body["__typename"] for body in self.bodies]

    async def _manifest(self, request):
        self.asked.append(request.headers)
        return JSONResponse(self.manifest)

    async def _register(self, request):
        self.registered.append((request.headers, await request.body()))
        if self.while_registering is not None:
            await self.while_registering(json.loads(self.registered[-1][1])["auth_token"])
        return self.on_register

    async def _hook(self, request):
        self.deliveries.append((request.headers, await request.body()))
        return Response(status_code=self.answers.pop(0) if self.answers else 200)


async def installed(version="3.22.67", made=None, **more):
    """Return a Saleor and the app that is installed in it."""
    app = AnApp(made)
    saleor = SimulatedSaleor(version=version, **more)
    saleor.reach(Routed({URL: app.asgi}))
    await saleor.install(f"{URL}/manifest")
    return saleor, app


async def ask(saleor, query, variables=None, *, token=None, whole=False):
    """Send a query with the installed app's token and return its data."""
    token = token if token is not None else saleor.installed.token
    async with httpx.AsyncClient(transport=httpx.ASGITransport(saleor.app)) as client:
        answer = await client.post(
            saleor.api_url,
            json={"query": query, "variables": variables or {}},
            headers={"Authorization": f"Bearer {token}"},
        )
    if whole:
        return answer
    assert "errors" not in answer.json(), answer.text
    return answer.json()["data"]
