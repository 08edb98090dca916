"""How much each client may ask: a bucket of tokens, refilled with time.

A request costs one token, a refusal more, an installation that fails most, since it makes us
call out. What was verified costs nothing: a delivery of an installed shop is never turned away,
nor any other delivery from an address that genuine ones came from within the hour.
"""

import functools
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from saleor_kustom.outbound import is_public

DELIVERIES = "/api/webhooks/"
_INSTALLATION = "/api/register"
_REFUSED = 5.0
_NOT_INSTALLED = 50.0
_GENUINE_S = 3600.0
_MOST_CLIENTS = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float
    genuine_until: float = float("-inf")


class Clients:
    """The buckets of all clients, by address."""

    def __init__(
        self,
        *,
        burst: float = 1000.0,
        per_second: float = 50.0,
        monotonic: Callable[[], float] = time.monotonic,
        known_as: Callable[[str], str | None] | None = None,
    ) -> None:
        self._burst = burst
        self._per_second = per_second
        self._monotonic = monotonic
        self._known_as = known_as or client_of
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait_s(self, host: str, path: str) -> float:
        """Return how long a client has to wait before it may ask; 0: it may now."""
        client = self._known_as(host)
        if client is None:
            return 0.0
        bucket = self._filled(client)
        if path.startswith(DELIVERIES) and bucket.genuine_until > bucket.at:
            return 0.0
        return 0.0 if bucket.tokens >= 1.0 else (1.0 - bucket.tokens) / self._per_second

    def answered(self, host: str, path: str, status: int) -> None:
        """Charge a client for what it asked."""
        client = self._known_as(host)
        if client is None:
            return
        bucket = self._filled(client)
        if path.startswith(DELIVERIES) and status < 300:  # noqa: PLR2004 - HTTP's own numbers
            bucket.genuine_until = bucket.at + _GENUINE_S
            return
        refused = 400 <= status < 500  # noqa: PLR2004
        cost = _NOT_INSTALLED if path == _INSTALLATION else _REFUSED
        bucket.tokens -= cost if refused else 1.0

    def _filled(self, client: str) -> _Bucket:
        now = self._monotonic()
        bucket = self._buckets.get(client)
        if bucket is None:
            bucket = self._buckets[client] = _Bucket(self._burst, now)
            while len(self._buckets) > _MOST_CLIENTS:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(client)
        grown = bucket.tokens + (now - bucket.at) * self._per_second
        # Never so deep in debt that a mistake would shut somebody out for long.
        bucket.tokens = max(min(grown, self._burst), -self._burst)
        bucket.at = now
        return bucket


@functools.lru_cache(maxsize=4096)
def client_of(host: str) -> str | None:
    """Return how a client is known: its IPv4 address, or the network of its IPv6 address.

    None for a private address, behind which a proxy stands for everybody: unless it is named
    in TRUSTED_PROXIES, nobody can be told apart.
    """
    try:
        if not is_public(host):
            return None
        ip = ipaddress.ip_address(host)
    except ValueError:
        return None
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    return str(ipaddress.ip_network((ip, 64), strict=False))  # one customer's usual share
