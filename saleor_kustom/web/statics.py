"""Files that anybody may have: styles, scripts, fonts, and the scripts' words.

Each is served under the hash of its contents too, so that browsers keep it for ever and an update
of the app is seen at once.
"""

import functools
import hashlib
from collections.abc import Mapping
from importlib.resources import files

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from saleor_kustom.web.texts import LANGUAGES, texts

_KINDS: Mapping[str, str] = {
    "logo.png": "image/png",
    "app.css": "text/css; charset=utf-8",
    "theme.css": "text/css; charset=utf-8",
    "bridge.js": "text/javascript; charset=utf-8",
    "views.js": "text/javascript; charset=utf-8",
    "acts.js": "text/javascript; charset=utf-8",
    "words.js": "text/javascript; charset=utf-8",
    "fonts/inter-latin.woff2": "font/woff2",
    "fonts/OFL.txt": "text/plain; charset=utf-8",
}
_FOR_EVER = "public, max-age=31536000, immutable"
_AN_HOUR = "public, max-age=3600"


def routes() -> list[BaseRoute]:
    """Return the routes below /static."""
    return [
        Route("/static/words/{language}.json", _words, methods=["GET"]),
        Route("/static/{name:path}", _static, methods=["GET"]),
    ]


def url(name: str) -> str:
    """Return the address of a file as it is now."""
    return f"/static/{name}?v={_loaded(name)[1]}"


@functools.cache
def _loaded(name: str) -> tuple[bytes, str]:
    content = (files("saleor_kustom.web") / "static" / name).read_bytes()
    return content, hashlib.sha256(content).hexdigest()[:12]


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _KINDS:
        raise HTTPException(404, "There is no such file.")
    content, digest = _loaded(name)
    exact = request.query_params.get("v") == digest
    headers = {
        "Cache-Control": _FOR_EVER if exact else _AN_HOUR,
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type=_KINDS[name], headers=headers)


async def _words(request: Request) -> Response:
    language = request.path_params["language"]
    if language not in LANGUAGES:
        raise HTTPException(404, "There is no such language.")
    headers = {"Cache-Control": _AN_HOUR, "X-Content-Type-Options": "nosniff"}
    return JSONResponse(texts(language).script(), headers=headers)
