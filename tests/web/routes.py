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
        "/api/kustom/{secret}",  # proves itself by the secret in its path
        "/api/link",  # proves itself by the shop's link token
        "/static/words/{language}.json",
        "/static/{name:path}",
        "/health/live",
        "/health/ready",
        "/app",  # cheap shells without contents
        "/app/",
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


#: How each route is given ids, beside those in its path: names in the query, and in a JSON body.
#: A route that is not listed here fails the tests, so that none is left untried.
_FILTER = ["search", "before", "channel", "since", "until", "status"]
IDS = {
    "/api/manifest": [],
    "/api/register": [],
    "/api/webhooks/saleor/{event}": [],
    "/api/kustom/{secret}": [],
    "/api/link": ["orderId", "kustomOrderId"],
    "/static/words/{language}.json": [],
    "/static/{name:path}": [],
    "/health/live": [],
    "/health/ready": [],
    "/app": ["saleorApiUrl", "id", "orderId"],
    "/app/": ["saleorApiUrl", "id", "orderId"],
    "/app/order": ["saleorApiUrl", "id", "orderId"],
    "/app/pages/order": ["orderId"],
    "/app/pages/amounts": ["orderId"],
    "/app/pages/captures": ["search", "before"],
    "/app/pages/capture/{id:int}": [],
    "/app/pages/preview/{id:int}": [],
    "/app/pages/webhooks": [],
    "/app/acts/sync-webhooks": [],
    "/app/pages/needs": ["after", "reason"],
    "/app/export.csv": ["search"],
    "/app/pages/health": [],
    "/app/pages/settings": ["channel"],
    "/app/pages/shop-check": [],
    "/app/acts/account": ["channel", "environment", "username", "password", "merchant"],
    "/app/acts/account-test": ["channel", "account", "environment", "merchant"],
    "/app/acts/mode": ["mode"],
    "/app/acts/policy": ["channel", "choices"],
    "/app/acts/policy-preview": ["channel", "order", "choices"],
    "/app/acts/retry": ["capture"],
    "/app/acts/retry-all": ["after", "until", "capture"],
    "/app/acts/look-again": ["order"],
    "/app/pages/close": ["orderId", "order"],
    "/app/acts/link": ["order", "kustom_order_id"],
    "/app/acts/refund": ["capture", "order"],
    "/app/acts/close": ["order", "orderId"],
    "/app/acts/extend": ["order", "orderId"],
    "/app/acts/settle": ["capture", "order"],
    "/app/acts/pause": ["key", "order", "channel", "capture"],
    "/app/acts/unpause": ["key", "order", "channel", "capture"],
}
#: What else an act must be told, so that it does something.
ALSO = {
    "/api/link": {"saleorApiUrl": "http://neighbour.test/graphql/"},
    "/app/acts/retry": {"act": "retry"},
    "/app/acts/retry-all": {"reason": "above_remaining"},
    "/app/acts/pause": {"scope": "order", "why": "the walk"},
    "/app/acts/unpause": {"scope": "order"},
    "/app/acts/close": {"why": "the walk"},
    "/app/acts/settle": {"why": "the walk"},
}
