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
import json
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from saleor_kustom.capture.delivery import VerifiedBody
from saleor_kustom.errors import NotGenuine

_LONGEST = 4096


class _Registry(jws.JWSRegistry):
    """joserfc's own limits (128 kB of payload) are smaller than a delivery may be."""

    max_header_length = _LONGEST
    max_signature_length = _LONGEST
    max_payload_length = 2**31  # limited where it is read


_REGISTRY = _Registry(algorithms=["RS256"], strict_check_header=False)


def key_id(signature: str) -> str:
    """Return which key a signature names. Raises NotGenuine for what is no such signature."""
    header = _protected(signature)
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise NotGenuine("SIGNATURE_WITHOUT_KEY_ID", "The signature names no key.")
    return kid


def verify(body: bytes, signature: str, keys: KeySet) -> VerifiedBody:
    """Return the body as verified, or raise NotGenuine.

    `keys` are the public keys of the shop that the delivery claims to come from.
    """
    kid = key_id(signature)
    if not any(key.kid == kid for key in keys.keys):
        raise NotGenuine("SIGNATURE_KEY_UNKNOWN", "The signature names a key that is not ours.")
    try:
        jws.deserialize_compact(signature, keys, payload=body, registry=_REGISTRY)
    except (JoseError, ValueError) as error:
        raise NotGenuine("SIGNATURE_WRONG", "The signature does not fit the body.") from error
    return VerifiedBody(body)


def _protected(signature: str) -> dict[str, Any]:
    if len(signature) > _LONGEST or not signature.isascii():
        raise NotGenuine("SIGNATURE_MALFORMED", "The signature is too long or not ASCII.")
    parts = signature.split(".")
    if len(parts) != 3 or not parts[0] or parts[1] or not parts[2]:  # noqa: PLR2004
        raise NotGenuine("SIGNATURE_MALFORMED", "The signature is no detached JWS.")
    header = _json_object(parts[0])
    right = (
        header.get("alg") == "RS256"
        and header.get("b64") is False
        and header.get("crit") == ["b64"]
    )
    if not right:
        raise NotGenuine("SIGNATURE_MALFORMED", "The signature's header is not Saleor's.")
    return header


def _json_object(encoded: str) -> dict[str, Any]:
    try:
        padded = encoded + "=" * (-len(encoded) % 4)
        header = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise NotGenuine("SIGNATURE_MALFORMED", "The signature's header is no JSON.") from error
    if not isinstance(header, dict):
        raise NotGenuine("SIGNATURE_MALFORMED", "The signature's header is no JSON object.")
    return header
