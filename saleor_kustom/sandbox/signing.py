"""The simulated Saleor's key: detached signatures for webhooks, tokens for the Dashboard."""

import base64
import functools
import itertools
import json
from dataclasses import dataclass
from typing import Any

from joserfc import jws, jwt
from joserfc.jwk import RSAKey

_REGISTRY = jws.JWSRegistry(algorithms=["RS256"])
_KEYS = 8
_turn = itertools.count()


@functools.cache
def _key(_nth: int) -> RSAKey:
    return RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)


@dataclass(frozen=True, slots=True)
class Signer:
    """An RSA key that is made when it is needed and never stored."""

    key: RSAKey

    @classmethod
    def new(cls) -> "Signer":
        """Return another key than the last few; its id is the RFC 7638 thumbprint, as Saleor's.

        Making one costs a fifth of a second, so a process makes eight and goes round them.
        """
        return cls(_key(next(_turn) % _KEYS))

    @property
    def kid(self) -> str:
        """Return the key's id."""
        return str(self.key.kid)

    def sign(self, body: bytes, **header: Any) -> str:
        """Return a detached signature over the raw bytes (RFC 7797)."""
        protected = {"alg": "RS256", "b64": False, "crit": ["b64"], "kid": self.kid, "typ": "JWT"}
        encoded = _encoded(json.dumps(protected | header, separators=(",", ":")).encode())
        private = self.key.private_key
        if private is None:
            raise ValueError("a public key can't sign")
        algorithm = _REGISTRY.get_alg("RS256")
        signature = algorithm.sign(f"{encoded}.".encode() + body, self.key)
        return f"{encoded}..{_encoded(signature)}"

    def token(self, claims: dict[str, Any]) -> str:
        """Return a signed token."""
        return jwt.encode({"alg": "RS256", "kid": self.kid, "typ": "JWT"}, claims, self.key)

    def jwks(self) -> dict[str, Any]:
        """Return the public key set."""
        return {"keys": [self.key.as_dict(private=False)]}


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
