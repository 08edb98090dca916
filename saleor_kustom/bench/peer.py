"""A peer's stand-in: the smallest honest server with the same checks, which stores nothing.

Starlette, joserfc and uvicorn with uvloop and httptools: headers, shop, signature, event and
recipient are checked as in the app, and what is genuine is answered. No limits, no log, no disk.
"""

import asyncio
import json
import socket
from typing import Any, cast

import uvicorn
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from saleor_kustom.bench import shop
from saleor_kustom.bench.child import Talk, begin

_ALGORITHMS = ["RS256"]


async def main(given: dict[str, Any], talk: Talk) -> None:
    """Serve until nothing more is said."""
    keys = KeySet.import_key_set(given["jwks"])
    api_url: str = given["api_url"]
    domain = api_url.split("/")[2]

    async def receive(request: Request) -> Response:
        headers = request.headers
        if headers.get("saleor-api-url") != api_url or headers.get("saleor-domain") != domain:
            return _refused(401, "NOT_INSTALLED")
        if headers.get("saleor-event") != request.path_params["event"]:
            return _refused(400, "EVENT_DIFFERS")
        body = await request.body()
        try:
            jws.deserialize_compact(
                headers.get("saleor-signature", ""), keys, payload=body, algorithms=_ALGORITHMS
            )
        except (JoseError, ValueError):
            return _refused(401, "SIGNATURE_WRONG")
        if json.loads(body).get("recipient") != {"id": shop.APP_ID}:
            return _refused(403, "RECIPIENT_DIFFERS")
        return JSONResponse({"success": True})

    web = Starlette(routes=[Route("/api/webhooks/saleor/{event}", receive, methods=["POST"])])
    listener = socket.create_server(("127.0.0.1", 0))
    server = _server(web)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.005)
    talk.say(address=f"http://127.0.0.1:{listener.getsockname()[1]}")
    while await talk.heard() is not None:
        talk.say(ready=True)
    server.should_exit = True
    await serving


def _server(web: Starlette) -> uvicorn.Server:
    config = uvicorn.Config(
        web,
        http=cast("Any", "httptools"),
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
    )
    return uvicorn.Server(config)


def _refused(status: int, code: str) -> Response:
    return JSONResponse({"success": False, "error": {"code": code}}, status_code=status)


if __name__ == "__main__":
    begin(main)
