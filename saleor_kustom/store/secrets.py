"""Tokens and passwords at rest: authenticated encryption, bound to the shop they belong to.

A stored secret is `v1.<key id>.<base64 of nonce and ciphertext>`: AES-256-GCM under a key
derived from SECRET_KEY, with shop and purpose as associated data, so that a secret copied to
another shop's row does not open.
"""

import base64
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from saleor_kustom.errors import StoreUnavailable
from saleor_kustom.store.database import Database, Row, Statement

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

    @property
    def sealing_key_id(self) -> str:
        """Return the id of the key that seals."""
        return self._sealing

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
            raw = base64.b64decode(sealed, altchars=b"-_", validate=True)
            plain = cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _bound(shop, purpose))
        except (InvalidTag, ValueError):
            raise StoreUnavailable(f"the stored {purpose} of {shop} was altered") from None
        return plain.decode()


async def check_key(db: Database, secrets: Secrets) -> None:
    """Raise StoreUnavailable when the database's secrets were sealed with another key."""
    rows = await db.read(_KEY_IDS)
    if not all(secrets.knows(row["key_id"]) for row in rows):
        raise StoreUnavailable(_OTHER_KEY)


async def rotate(db: Database, secrets: Secrets) -> int:
    """Seal anew whatever another key sealed, beside running instances; return how many.

    An instance may seal something with the older key meanwhile (one that was not restarted
    yet), so each is replaced only where it is still the same, and all are looked at again.
    """
    done = 0
    while statements := [s for kept in SEALED for s in await _sealed_anew(db, secrets, kept)]:
        for statement in statements:
            done += len(await db(statement))
    return done


async def _sealed_anew(db: Database, secrets: Secrets, kept: "Sealed") -> list[Statement]:
    sql = f"select * from {kept.table} where substr({kept.column}, 4, 8) <> :sealing"
    rows = await db.read(sql, {"sealing": secrets.sealing_key_id})
    return [_replacement(secrets, kept, row) for row in rows]


def _replacement(secrets: Secrets, kept: "Sealed", row: Row) -> Statement:
    shop, purpose, stored = row["api_url"], kept.purpose(row), row[kept.column]
    plain = secrets.open(stored, shop=shop, purpose=purpose)
    params = {name: row[name] for name in kept.identity}
    params |= {"sealed": secrets.seal(plain, shop=shop, purpose=purpose), "stored": stored}
    same = " and ".join(f"{name} = :{name}" for name in kept.identity)
    sql = f"""update {kept.table} set {kept.column} = :sealed
        where {same} and {kept.column} = :stored returning 1 as done"""
    return sql, params


@dataclass(frozen=True, slots=True)
class Sealed:
    """A column that holds secrets. Every such column must be listed in SEALED."""

    table: str
    column: str
    identity: Sequence[str]
    purpose: Callable[[Row], str]


def password_of(merchant_id: str) -> str:
    """Return the purpose that an account's password is sealed for."""
    return f"password of {merchant_id}"


SEALED = (
    Sealed("shop", "token", ("api_url",), lambda _row: "token"),
    Sealed(
        "account",
        "password",
        ("api_url", "environment", "merchant_id"),
        lambda row: password_of(row["merchant_id"]),
    ),
)
#: The eight characters behind "v1.".
_KEY_IDS = " union ".join(
    f"select substr({kept.column}, 4, 8) as key_id from {kept.table}" for kept in SEALED
)


def _bound(shop: str, purpose: str) -> bytes:
    return f"{purpose}\n{shop}".encode()


def _derive(secret_key: str) -> bytes:
    hkdf = HKDF(SHA256(), 32, salt=b"saleor-kustom", info=b"secrets at rest v1")
    return hkdf.derive(secret_key.encode())


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"key id\n" + key).hexdigest()[:8]
