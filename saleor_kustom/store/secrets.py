"""Tokens and passwords at rest: authenticated encryption, bound to the shop they belong to.

A stored secret is `v1.<key id>.<base64 of nonce and ciphertext>`: AES-256-GCM under a key
derived from SECRET_KEY, with shop and purpose as associated data, so that a secret copied to
another shop's row does not open.
"""

import base64
import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from saleor_kustom.errors import StoreUnavailable
from saleor_kustom.store.database import Database

_NONCE_BYTES = 12
_OTHER_KEY = (
    "the database's secrets were sealed with another SALEOR_KUSTOM_SECRET_KEY; start with that one"
)


class Secrets:
    """Seals and opens secrets with the keys derived from the given SECRET_KEYs.

    The first key seals; every key opens, so that a key can be changed while running.
    """

    def __init__(self, *secret_keys: str) -> None:
        derived = [_derive(secret_key) for secret_key in secret_keys]
        self._ciphers = {_key_id(key): AESGCM(key) for key in derived}
        self._sealing = _key_id(derived[0])

    def seal(self, plain: str, *, shop: str, purpose: str) -> str:
        """Return the stored form of a secret."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._sealing].encrypt(nonce, plain.encode(), _bound(shop, purpose))
        return f"v1.{self._sealing}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def knows(self, key_id: str) -> bool:
        """Tell whether a key of ours has that id."""
        return key_id in self._ciphers

    def open(self, stored: str, *, shop: str, purpose: str) -> str:
        """Return the secret. Raises StoreUnavailable when SECRET_KEY is not the one it had."""
        version, _, rest = stored.partition(".")
        key_id, _, sealed = rest.partition(".")
        cipher = self._ciphers.get(key_id)
        if version != "v1" or cipher is None:
            raise StoreUnavailable(_OTHER_KEY)
        try:
            raw = base64.urlsafe_b64decode(sealed)
            plain = cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _bound(shop, purpose))
        except (InvalidTag, ValueError):
            raise StoreUnavailable(f"the stored {purpose} of {shop} was altered") from None
        return plain.decode()


async def check_key(db: Database, secrets: Secrets) -> None:
    """Raise StoreUnavailable when the database's secrets were sealed with another key."""
    rows = await db.read(_KEY_IDS)
    if not all(secrets.knows(row["key_id"]) for row in rows):
        raise StoreUnavailable(_OTHER_KEY)


#: The eight characters behind "v1.".
_KEY_IDS = """select substr(token, 4, 8) as key_id from shop
    union select substr(password, 4, 8) from account"""


def _bound(shop: str, purpose: str) -> bytes:
    return f"{purpose}\n{shop}".encode()


def _derive(secret_key: str) -> bytes:
    hkdf = HKDF(SHA256(), 32, salt=b"saleor-kustom", info=b"secrets at rest v1")
    return hkdf.derive(secret_key.encode())


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"key id\n" + key).hexdigest()[:8]
