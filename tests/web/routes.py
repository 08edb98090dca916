"""Every route of the app, found by asking the app itself: a new one can't be forgotten."""

import re
from dataclasses import dataclass

from starlette.routing import Mount, Route

#: What anybody may ask, on purpose; each other route needs a Dashboard token or a signature.
OPEN = frozenset(
    {
        "/api/manifest",
        "/api/register",  # proves itself by a token that its Saleor confirms
        "/api/webhooks/saleor/{event}",  # proves itself by a signature
        "/static/{name}",
        "/health/live",
        "/health/ready",
        "/app",  # cheap shells without contents
        "/app/order",
    }
)


@dataclass(frozen=True)
class Asked:
    """One method of one route."""

    method: str
    path: str

    def url(self, **ids):
        """Return the path with ids in place of its parameters (made up where none is given)."""
        return re.sub(r"\{(\w+)(?::(\w+))?\}", lambda found: str(ids.get(found[1], 1)), self.path)


def every_route(app, prefix=""):
    """Return every method of every route, those of mounted applications too."""
    found = []
    for route in app.routes:
        if isinstance(route, Mount):
            found += every_route(route, prefix + route.path)
            continue
        assert isinstance(route, Route), f"{route!r}: a kind of route that the walk does not know"
        methods = sorted((route.methods or set()) - {"HEAD"})
        found += [Asked(method, prefix + route.path) for method in methods]
    return found


def guarded(app):
    """Return the routes that are not open to anybody."""
    return [route for route in every_route(app) if route.path not in OPEN]
