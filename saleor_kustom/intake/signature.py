"""Verify Saleor's signature: a detached JWS (RFC 7797) over the raw body.

The steps, each of which refuses with NotGenuine:

1. The header value is short ASCII of the form `<protected header>..<signature>`.
2. The protected header is a JSON object with alg RS256, b64 false, crit exactly ["b64"]. Other
   parameters are ignored, as RFC 7515 section 4 asks; a key in the header is never used.
3. Its kid names one of the shop's own keys (whose choice is the caller's).
4. The signature over `<protected header>.<raw body bytes>` is right.

Sources: saleor-core-observed section 1, saleor-app-protocol 13. The same key signs Dashboard
tokens, so a token must never pass here: it has no b64 and no crit.
"""

import base64
import binascii
import functools
import json
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from saleor_kustom.capture.delivery import VerifiedBody
from saleor_kustom.errors import NotGenuine

_LONGEST = 4096
#: Protected headers that were judged already: a shop's deliveries all have the same one.
_KEPT = 256

_REGISTRY = jws.JWSRegistry(algorithms=["RS256"], strict_check_header=False)
#: The one algorithm, whatever a header says.
_RS256 = _REGISTRY.get_alg("RS256")


def key_id(signature: str) -> str:
    """Return which key a signature names. Raises NotGenuine for what is no such signature."""
    return _judged(_parts(signature)[0])


def verify(body: bytes, signature: str, keys: KeySet) -> VerifiedBody:
    """Return the body as verified, or raise NotGenuine.

    `keys` are the public keys of the shop that the delivery claims to come from.
    """
    protected, encoded = _parts(signature)
    kid = _judged(protected)
    key = next((key for key in keys.keys if key.kid == kid), None)
    if key is None:
        raise NotGenuine("SIGNATURE_KEY_UNKNOWN", "The signature names a key that is not ours.")
    try:
        _RS256.check_key(key)
        right = _RS256.verify(f"{protected}.".encode() + body, _decoded(encoded), key)
    except (JoseError, ValueError) as error:
        raise NotGenuine("SIGNATURE_WRONG", "The signature does not fit the body.") from error
    if not right:
        raise NotGenuine("SIGNATURE_WRONG", "The signature does not fit the body.")
    return VerifiedBody(body)


def _parts(signature: str) -> tuple[str, str]:
    """Return the protected header and the signature proper, both still encoded."""
    if len(signature) > _LONGEST or not signature.isascii():
        raise NotGenuine("SIGNATURE_MALFORMED", "The signature is too long or not ASCII.")
    parts = signature.split(".")
    if len(parts) != 3 or not parts[0] or parts[1] or not parts[2]:  # noqa: PLR2004
        raise NotGenuine("SIGNATURE_MALFORMED", "The signature is no detached JWS.")
    return parts[0], parts[2]


@functools.lru_cache(maxsize=_KEPT)
def _judged(protected: str) -> str:
    """Return the key id of a protected header that is Saleor's; the library judges it as well."""
    header = _json_object(protected)
    right = (
        header.get("alg") == "RS256"
        and header.get("b64") is False
        and header.get("crit") == ["b64"]
    )
    if not right:
        raise NotGenuine("SIGNATURE_MALFORMED", "The signature's header is not Saleor's.")
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise NotGenuine("SIGNATURE_WITHOUT_KEY_ID", "The signature names no key.")
    try:
        _REGISTRY.check_header(header)
    except (JoseError, ValueError) as error:
        raise NotGenuine("SIGNATURE_MALFORMED", "The signature's header is malformed.") from error
    return kid


def _json_object(encoded: str) -> dict[str, Any]:
    try:
        header = json.loads(_decoded(encoded))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise NotGenuine("SIGNATURE_MALFORMED", "The signature's header is no JSON.") from error
    if not isinstance(header, dict):
        raise NotGenuine("SIGNATURE_MALFORMED", "The signature's header is no JSON object.")
    return header


def _decoded(encoded: str) -> bytes:
    """Undo base64url. Raises ValueError for what is none."""
    padded = encoded + "=" * (-len(encoded) % 4)
    return base64.b64decode(padded, altchars=b"-_", validate=True)
