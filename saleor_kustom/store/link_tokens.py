"""What a checkout's server shows to link orders of a shop: kept as a hash, compared in even time.

A token has 256 random bits, so its plain hash tells nothing; and whoever reads the database can't
link with it.
"""

import hashlib
import hmac
import secrets

from saleor_kustom.store.database import Database
from saleor_kustom.store.history import of_shop

_PREFIX = "kustom_link_"  # so that scanners for leaked secrets can know it
#: What is compared with where there is no token, so that it takes as long: nothing hashes to it.
_NOBODYS = "-" * 64


class LinkTokens:
    """Rows of `link_token`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def make(self, api_url: str, *, overlap_s: float = 0.0, who: str = "") -> str:
        """Make a shop's token and return it; it can't be read again.

        The one before is void, at once or (`overlap_s`) after so many seconds.
        """
        token = _PREFIX + secrets.token_urlsafe(32)
        params = {"api_url": api_url, "sha256": _hash(token), "overlap": overlap_s}
        told = of_shop(api_url, "link_token_made", {"who": who, "overlap_s": overlap_s})
        await self._db((_PUT, params), told)
        return token

    async def revoke(self, api_url: str, *, who: str = "") -> bool:
        """Take a shop's tokens away; False: it had none."""
        gone = ("delete from link_token where api_url = :api_url returning 1 as gone",
                {"api_url": api_url})  # fmt: skip
        return bool(await self._db(of_shop(api_url, "link_token_revoked", {"who": who}), gone))

    async def accepts(self, api_url: str, token: str) -> bool:
        """Tell whether a token is the shop's, or the one before in its last hours."""
        rows = await self._db((_GET, {"api_url": api_url}))
        kept = (rows[0]["sha256"], rows[0]["previous"]) if rows else (None, None)
        given = _hash(token)
        # Both are compared, whatever the first says.
        same = [hmac.compare_digest(given, known or _NOBODYS) for known in kept]
        return any(same)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


_PUT = """insert into link_token (api_url, sha256, made_at) values (:api_url, :sha256, :now)
    on conflict (api_url) do update set previous_sha256 = link_token.sha256,
        previous_until = :now + :overlap, sha256 = excluded.sha256, made_at = excluded.made_at"""
_GET = """select sha256, case when previous_until > :now then previous_sha256 end as previous
    from link_token where api_url = :api_url"""
