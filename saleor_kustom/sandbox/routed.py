"""A transport that leads each origin to its own application: a whole world without a network."""

from collections.abc import Mapping
from typing import Any

import httpx


class Routed(httpx.AsyncBaseTransport):
    """Leads requests by their origin ("http://saleor.test") to a transport or ASGI app."""

    def __init__(self, places: Mapping[str, Any]) -> None:
        self._places = {
            origin: place
            if isinstance(place, httpx.AsyncBaseTransport)
            else httpx.ASGITransport(place)
            for origin, place in places.items()
        }

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the request on; an unknown origin can't be reached."""
        port = f":{request.url.port}" if request.url.port else ""
        place = self._places.get(f"{request.url.scheme}://{request.url.host}{port}")
        if place is None:
            raise httpx.ConnectError(f"nothing is at {request.url.host}", request=request)
        return await place.handle_async_request(request)
