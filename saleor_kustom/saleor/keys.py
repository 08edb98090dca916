"""Each shop's public keys: kept ones first, refetched when a delivery names an unknown one.

A key may be rotated at any moment, and anybody may send garbage with made-up key ids. So a
refetch is made at most once per cooldown and shop; a delivery whose key is unknown is refused
only if keys were fetched after it arrived, and otherwise asked to come again (domain rule 2).
"""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet, RSAKey

from saleor_kustom.errors import KeysUnavailable, NotGenuine
from saleor_kustom.outbound import NoAnswer, NotSent, Outbound

#: Between two refetches of one shop's keys. Shorter than the 10 s after which Saleor sends a
#: delivery again that was answered 503 (saleor-core-observed, section 2).
COOLDOWN_S = 8.0
#: RSA moduli from 2048 to 16384 bits, in base64url characters; anything else is no key of Saleor's.
_MODULUS = range(342, 2732)
_LONGEST_EXPONENT = 8
_MOST_KEYS = 50


class _Kept(Protocol):
    @property
    def jwks(self) -> str: ...


class KeyStore(Protocol):
    """Where keys are kept between starts."""

    async def keys(self, api_url: str) -> _Kept | None: ...
    async def keep_keys(self, api_url: str, jwks: str) -> None: ...


@dataclass(slots=True)
class _OfShop:
    keys: KeySet | None = None
    fetched_at: float = float("-inf")  # the last successful fetch began at
    tried_at: float = float("-inf")
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class KeyRing:
    """Public keys by shop."""

    def __init__(
        self,
        store: KeyStore,
        outbound: Outbound,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        cooldown_s: float = COOLDOWN_S,
    ) -> None:
        self._store = store
        self._outbound = outbound
        self._monotonic = monotonic
        self._cooldown_s = cooldown_s
        self._shops: dict[str, _OfShop] = {}

    async def keys_for(self, api_url: str, kid: str) -> KeySet:
        """Return the shop's keys, among them `kid`.

        Raises NotGenuine when the shop has no such key, KeysUnavailable when that can't be
        said now.
        """
        arrived = self._monotonic()
        shop = self._shops.setdefault(api_url, _OfShop())
        if shop.keys is not None and _has(shop.keys, kid):
            return shop.keys
        async with shop.lock:  # those that wait share what the first read and fetched
            if shop.keys is None:
                shop.keys = await self._kept(api_url)
            if shop.keys is not None and _has(shop.keys, kid):
                return shop.keys
            if shop.fetched_at < arrived:
                await self._refetch(api_url, shop)
        if shop.keys is not None and _has(shop.keys, kid):
            return shop.keys
        if shop.fetched_at >= arrived:
            raise NotGenuine("SIGNATURE_KEY_UNKNOWN", "The shop has no key of that id.")
        raise KeysUnavailable(f"the keys of {api_url} could not be fetched since this arrived")

    def forget(self, api_url: str) -> None:
        """Drop what is cached: the shop was installed again."""
        self._shops.pop(api_url, None)

    async def _kept(self, api_url: str) -> KeySet | None:
        kept = await self._store.keys(api_url)
        return parse_keys(kept.jwks) if kept else None

    async def _refetch(self, api_url: str, shop: _OfShop) -> None:
        now = self._monotonic()
        if now - shop.tried_at < self._cooldown_s:
            return
        shop.tried_at = now
        try:
            jwks = await fetch_jwks(self._outbound, api_url)
        except KeysUnavailable:
            return
        shop.keys, shop.fetched_at = parse_keys(jwks), now
        await self._store.keep_keys(api_url, jwks)


async def fetch_jwks(outbound: Outbound, api_url: str, *, deadline_s: float = 10.0) -> str:
    """Return the key set at the shop's origin as JSON text.

    An empty or unreadable set is no key set: it never replaces a good one.
    Raises KeysUnavailable, whose text is fit for strangers: it quotes nothing of the answer.
    """
    parts = urlsplit(api_url)
    url = f"{parts.scheme}://{parts.netloc}/.well-known/jwks.json"
    try:
        answer = await outbound.request("GET", url, deadline_s=deadline_s)
    except (NotSent, NoAnswer) as error:
        raise KeysUnavailable(f"{url} can't be reached") from error
    text = answer.body.decode(errors="replace")
    if answer.status != 200 or parse_keys(text) is None:  # noqa: PLR2004 - HTTP's own number
        raise KeysUnavailable(f"{url} has no usable keys (HTTP {answer.status})")
    return text


def parse_keys(jwks: str) -> KeySet | None:
    """Return the RSA signing keys of a key set, or None when there are none.

    A key that can't be used is left out, so that it does not take the others with it.
    """
    try:
        listed = json.loads(jwks)["keys"][:_MOST_KEYS]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if not isinstance(listed, list):
        return None
    keys: list[Key] = [key for entry in listed if (key := _parsed(entry)) is not None]
    return KeySet(keys) if keys else None


def _parsed(entry: Any) -> RSAKey | None:
    if not isinstance(entry, dict) or entry.get("kty") != "RSA":
        return None
    if entry.get("use", "sig") != "sig" or entry.get("alg", "RS256") != "RS256":
        return None
    public = {name: entry[name] for name in ("kty", "kid", "n", "e") if _is_text(entry.get(name))}
    if len(public.get("n", "")) not in _MODULUS or len(public.get("e", "")) > _LONGEST_EXPONENT:
        return None
    try:
        key = RSAKey.import_key(public)
        _ = key.public_key  # the numbers are judged when they are first used
    except (ValueError, TypeError, OverflowError, JoseError):
        return None
    return key if key.kid else None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _has(keys: KeySet, kid: str) -> bool:
    return any(key.kid == kid for key in keys.keys)
