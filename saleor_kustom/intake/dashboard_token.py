"""Verify the Dashboard's token: who asks, from which shop, and what that person may do.

The checks (saleor-app-protocol, 19), each of which refuses with NotGenuine: signature under the
shop's own key, RS256 only; not expired; made for our app; issued by this shop; of the kind that
the Dashboard gives to apps; of a staff user; with the permission that the page needs. The same
key signs webhooks, so a webhook's signature must never pass here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import extract_compact

from saleor_kustom.capture.parties import Shop
from saleor_kustom.errors import NotGenuine

_LONGEST = 16_384
#: Saleor gives five minutes unless its operator says otherwise; nothing lives for ever.
_LONGEST_LIFE_S = 31 * 86400.0


@dataclass(frozen=True, slots=True)
class StaffUser:
    """A person in the Dashboard; `email` goes into the history of what they do."""

    user_id: str
    email: str
    permissions: frozenset[str]


def token_key_id(token: str) -> str:
    """Return which key a token names. Raises NotGenuine."""
    if not token or len(token) > _LONGEST or not token.isascii():
        raise NotGenuine("TOKEN_MISSING", "Open this page from the Saleor Dashboard.")
    try:
        kid = extract_compact(token.encode()).headers().get("kid")
    except (JoseError, ValueError, RecursionError) as error:
        raise NotGenuine("TOKEN_MALFORMED", "The Dashboard's token can't be read.") from error
    if not isinstance(kid, str) or not kid:
        raise NotGenuine("TOKEN_MALFORMED", "The Dashboard's token names no key.")
    return kid


def verify_token(token: str, keys: KeySet, shop: Shop, *, now: float, needs: str) -> StaffUser:
    """Return who asks. `now` in unix seconds, `needs` a Saleor permission. Raises NotGenuine."""
    token_key_id(token)
    try:
        parsed = jwt.decode(token, keys, algorithms=["RS256"])
    except (JoseError, ValueError) as error:
        raise NotGenuine("TOKEN_WRONG", "The Dashboard's token is not genuine.") from error
    if parsed.header.get("b64") is False or "crit" in parsed.header:
        raise NotGenuine("TOKEN_WRONG", "That is no Dashboard token.")
    claims = parsed.claims
    _check(claims, shop, now)
    listed = claims.get("user_permissions")
    held = listed if isinstance(listed, list) else []
    permissions = frozenset(code for code in held if isinstance(code, str))
    if needs not in permissions:
        raise NotGenuine("PERMISSION_MISSING", f"You need the permission {needs}.")
    return StaffUser(str(claims.get("user_id", "")), str(claims.get("email", "")), permissions)


def _check(claims: Mapping[str, Any], shop: Shop, now: float) -> None:
    expires = claims.get("exp")
    # Said so that NaN, which is neither before nor after, is refused too.
    if not isinstance(expires, int | float) or not now < expires < now + _LONGEST_LIFE_S:
        raise NotGenuine("TOKEN_EXPIRED", "The Dashboard's token has expired; reload the page.")
    right = {
        "app": shop.app_id,
        "iss": shop.api_url,
        "owner": "saleor",
        "type": "thirdparty",
        "is_staff": True,
    }
    for claim, wanted in right.items():
        if claims.get(claim) != wanted:
            raise NotGenuine("TOKEN_WRONG", f"The token's {claim} is not right for this app.")
