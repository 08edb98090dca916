"""What every part of the benchmark needs: a shop with its key, databases of its own, and rounds."""

import asyncio
import contextlib
import json
import secrets
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from saleor_kustom.bench import shop
from saleor_kustom.bench.child import Child, child
from saleor_kustom.bench.databases import created
from saleor_kustom.capture.parties import Account
from saleor_kustom.sandbox.signing import Signer
from saleor_kustom.store import Store

#: Of each figure the median of so many rounds.
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Stage:
    """The shop of one run. `quick`: as little as shows that all of it works."""

    folder: Path
    quick: bool
    rounds: int
    database_url: str | None  # a PostgreSQL server where databases may be created
    tell: Callable[[str], None]
    secret_key: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)
    signer: Signer = field(default_factory=Signer.new, repr=False)

    def of(self, full: int, quick: int) -> int:
        """Return how many of something are measured."""
        return quick if self.quick else full

    @property
    def key(self) -> dict[str, Any]:
        """Return the shop's key as JWK, the private part included."""
        return dict(self.signer.key.as_dict(private=True))

    @property
    def engines(self) -> Sequence[str]:
        """Return the databases that can be measured."""
        return ("sqlite", "postgresql") if self.database_url else ("sqlite",)

    @contextlib.contextmanager
    def database(self, engine: str, api_url: str, kustom_url: str = "") -> Iterator[dict[str, Any]]:
        """Make a database in which the shop has installed the app; yield the app's settings."""
        with contextlib.ExitStack() as stack:
            if engine == "sqlite":
                url = f"sqlite:///{tempfile.mkdtemp(dir=self.folder)}/app.db"
            else:
                url = stack.enter_context(created(self.database_url or ""))
            asyncio.run(self._installed(url, api_url))
            yield {
                "secret_key": self.secret_key,
                "database_url": url,
                "kustom_playground_url": kustom_url,
                "kustom_live_url": kustom_url,
            }

    async def _installed(self, url: str, api_url: str) -> None:
        account = Account("playground", shop.MERCHANT, shop.USERNAME, shop.PASSWORD)
        store = await Store.open(url, secret_key=self.secret_key)
        await store.shops.install(
            api_url,
            shop.APP_ID,
            shop.TOKEN,
            saleor_version=shop.SALEOR,
            jwks=json.dumps(self.signer.jwks()),
        )
        await store.accounts.set(api_url, None, account)
        await store.close()

    @contextlib.contextmanager
    def app(self, settings: dict[str, Any], *, works: bool) -> Iterator[Child]:
        """Run the app as a process."""
        log = str(self.folder / "app.log")
        with child("joined", settings=settings, works=works, log=log) as app:
            yield app

    @contextlib.contextmanager
    def load(self, api_url: str) -> Iterator[Child]:
        """Run what posts deliveries."""
        with child("load", api_url=api_url, key=self.key) as load:
            yield load


def median(values: Sequence[float]) -> float:
    """Return the median, with as many digits as mean something."""
    return float(f"{statistics.median(values):.4g}")
