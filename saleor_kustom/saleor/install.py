"""The installation handshake: anybody may call it, so nothing is believed that was not asked.

The order of the checks follows the official SDK's and the protocol document (sections 10, 11):
header, token, allow-list, app id read back with the token at that very address, public keys.
Only then is there something to store. Saleor shows the message to the person who installs.

Who takes a known shop over would get its deliveries refused and its captures stopped. Saleor
lets nobody install an app twice, and a removed app's token is dead at once
(saleor-core-observed, section 4), so an installation whose token works can't be replaced.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from saleor_kustom.capture.parties import Shop
from saleor_kustom.errors import CallError, KeysUnavailable, NotGenuine
from saleor_kustom.outbound import Outbound, is_public
from saleor_kustom.saleor.client import AppIdentity, SaleorClient
from saleor_kustom.saleor.keys import fetch_jwks

_NEEDED = frozenset({"MANAGE_ORDERS", "HANDLE_PAYMENTS"})
_LONGEST_URL = 500
_KEYS_S = 5.0  # Saleor waits 18 s for the whole handshake
#: In the list of allowed shops: every shop of the public internet.
ANY = "*"
#: A host name or bracketed IPv6 address and a port: no user, no backslash, nothing to argue about.
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Installation:
    """What a successful handshake found."""

    api_url: str
    app_id: str
    token: str
    saleor_version: str
    jwks: str

    def __repr__(self) -> str:
        """Never show the token."""
        return f"Installation({self.api_url}, {self.app_id})"


async def handshake(
    saleor: SaleorClient,
    outbound: Outbound,
    *,
    api_url: str,
    token: str,
    identifier: str,
    known: Shop | None,
    allowed: Sequence[str],
    allow_private_hosts: bool,
) -> Installation:
    """Check everything and return what to store.

    `identifier` is our manifest's id and `known` the shop as it was installed so far, under
    whatever spelling of its address: neither the token of another app there nor a stolen one of
    ours may take its place.
    Raises NotGenuine with the protocol's error code. Nothing was stored, here or there.
    """
    check_address(api_url, allowed, allow_private_hosts=allow_private_hosts)
    try:
        identity = await saleor.identify(api_url, token)
    except CallError as error:
        raise NotGenuine("UNKNOWN_APP_ID", _WHY_NOT.get(error.code, _NOT_CONFIRMED)) from error
    if known is not None:
        await _may_replace(saleor, known, api_url, token, identity, identifier)
    missing = _NEEDED - (_NEEDED if identity.permissions is None else identity.permissions)
    if missing:
        raise NotGenuine(
            "MISSING_PERMISSIONS", f"The app needs the permissions {', '.join(sorted(missing))}."
        )
    try:
        jwks = await fetch_jwks(outbound, api_url, deadline_s=_KEYS_S)
    except KeysUnavailable as error:
        raise NotGenuine("JWKS_NOT_AVAILABLE", f"Saleor's public keys: {error}.") from error
    return Installation(api_url, identity.app_id, token, identity.saleor_version, jwks)


async def _may_replace(
    saleor: SaleorClient,
    known: Shop,
    api_url: str,
    token: str,
    identity: AppIdentity,
    identifier: str,
) -> None:
    """Raise NotGenuine unless this installation may take the place of the known one."""
    ours = identity.identifier == identifier
    if not ours and identity.app_id != known.app_id:
        raise NotGenuine("UNKNOWN_APP_ID", "The token belongs to another app of this shop.")
    if (known.api_url, known.token) == (api_url, token):
        return  # the same installation, told of twice
    try:
        standing = await standing_app(saleor, known)
    except CallError as error:
        raise NotGenuine("UNKNOWN_APP_ID", _WHY_NOT.get(error.code, _NOT_CONFIRMED)) from error
    if standing is not None and (standing.identifier == identifier or not ours):
        raise NotGenuine(
            "ALREADY_INSTALLED",
            f"The app is installed in this shop already, as {known.api_url}, and works; remove "
            "it in Saleor before you install it again.",
        )


async def standing_app(saleor: SaleorClient, shop: Shop) -> AppIdentity | None:
    """Return who we are in a shop that installed us; None when it knows us no more.

    Raises CallError when that can't be told now.
    """
    try:
        identity = await saleor.identify(shop.api_url, shop.token)
    except CallError as error:
        if error.code in ("UNKNOWN_APP", "TOKEN_REFUSED"):
            return None
        raise
    return identity if identity.app_id == shop.app_id else None


# Few words on purpose: whoever asks is unknown, and must not learn what a host behind us says.
_NOT_CONFIRMED = "Saleor did not confirm the app's token; try the installation again."
_WHY_NOT = {
    "UNKNOWN_APP": "Saleor does not know this token.",
    "TOKEN_REFUSED": "Saleor does not know this token.",
    "SALEOR_NOT_REACHED": "The app can't reach Saleor at its API URL.",
    "SALEOR_NO_ANSWER": "Saleor did not answer the app in time; try the installation again.",
}


def check_address(api_url: str, allowed: Sequence[str], *, allow_private_hosts: bool) -> None:
    """Raise NotGenuine unless we may call this address at all.

    The addresses that a name resolves to are judged again when the connection is made
    (outbound.py), since a name can resolve to something else then.
    """
    parts = _parsed(api_url)
    if parts is None:
        raise NotGenuine("SALEOR_URL_PROHIBITED", "The saleor-api-url is no http(s) URL.")
    if parts.scheme != "https" and not allow_private_hosts:
        raise NotGenuine("SALEOR_URL_PROHIBITED", "The saleor-api-url must be https.")
    if not allow_private_hosts and _is_private(parts.hostname or ""):
        raise NotGenuine("SALEOR_URL_PROHIBITED", "The saleor-api-url is a private address.")
    everybody = ANY in allowed or (allow_private_hosts and not allowed)
    if not everybody and not any(_same(parts, _parsed(entry)) for entry in allowed):
        raise NotGenuine(
            "SALEOR_URL_PROHIBITED",
            f"{parts.scheme}://{parts.netloc} may not install this app; its operator lists the "
            "allowed shops in SALEOR_KUSTOM_ALLOWED_SALEOR_URLS.",
        )


def same_place(api_url: str, other: str) -> bool:
    """Tell whether two API URLs are one shop in two spellings: case, default port, last slash."""
    ours, theirs = _parsed(api_url), _parsed(other)
    if ours is None or theirs is None:
        return False
    paths = [parts.path.rstrip("/") for parts in (ours, theirs)]
    return _origin(ours) == _origin(theirs) and paths[0] == paths[1]


def _parsed(url: str) -> SplitResult | None:
    """Return the parts of a plain http(s) URL, or None."""
    if len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable():
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for what is no port
    except ValueError:
        return None
    plain = _HOST.fullmatch(parts.netloc) and not set(url) & set(" \\?#")
    return parts if plain and parts.scheme in ("https", "http") and parts.hostname else None


def _same(ours: SplitResult, entry: SplitResult | None) -> bool:
    """Compare scheme, host and port in full; the path too, where the entry has one."""
    if entry is None:
        return False
    path = entry.path.rstrip("/")
    return _origin(ours) == _origin(entry) and path in ("", ours.path.rstrip("/"))


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    default = 443 if parts.scheme == "https" else 80
    return parts.scheme, (parts.hostname or "").lower(), parts.port or default


def _is_private(host: str) -> bool:
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return not is_public(str(ipaddress.ip_address(host)))
    except ValueError:
        return False
