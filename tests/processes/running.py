"""Processes of the app on this machine, and the simulated Saleor and Kustom that they talk to."""

import asyncio
import contextlib
import multiprocessing
import os
import random
import signal
import socket
import sys

import httpx

from saleor_kustom.sandbox.kustom import SimulatedKustom
from saleor_kustom.sandbox.saleor import SimulatedSaleor
from saleor_kustom.sandbox.world import MERCHANT
from saleor_kustom.web.listen import listening
from tests.databases import SECRET_KEY
from tests.processes import child
from tests.walks.death import SIGNER

PATIENCE_S = 300.0  # a busy machine is no failure
#: Forks of a process that has imported everything and done nothing: starting costs no imports.
_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload([child.__name__])


def free_port():
    """Return a port that nothing else is given by chance: outside of the ephemeral ones."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


async def until(happened):
    """Wait until it has."""
    async with asyncio.timeout(PATIENCE_S):
        while not await happened():
            await asyncio.sleep(0.02)


class Process:
    """One `saleor-kustom serve`."""

    def __init__(self, database_url, sandbox, log, *, port=None, **settings):
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        values = {
            "SECRET_KEY": SECRET_KEY,
            "DATABASE_URL": database_url,
            "APP_URL": sandbox.app_url or self.url,
            "ALLOW_PRIVATE_HOSTS": "true",
            "KUSTOM_PLAYGROUND_URL": sandbox.kustom_url,
            "RATE_PER_SECOND": "100",
            **settings,
        }
        self.environ = {
            "PATH": os.environ["PATH"],
            **{f"SALEOR_KUSTOM_{name}": str(value) for name, value in values.items()},
        }
        self.arguments = ("serve", "--port", str(self.port))
        self._process = None

    async def start(self, **wanted):
        """Start as a fork; `wanted` are child.Wanted's. Returns when it answers."""
        asked = child.Wanted(self.arguments, self.environ, str(self.log), **wanted)
        self._process = _FORKING.Process(target=child.run, args=(asked,))
        self._process.start()
        await self._answers()
        return self

    @property
    def pid(self):
        return self._process.pid

    @property
    def alive(self):
        return self._process.is_alive()

    @property
    def logged(self):
        return self.log.read_text()

    def signal(self, number):
        os.kill(self.pid, number)

    async def ended(self):
        """Wait for its end and return its exit code, negative for a signal."""
        async with asyncio.timeout(PATIENCE_S):
            while self.alive:
                await asyncio.sleep(0.02)
        return self._process.exitcode

    async def stop(self):
        """End it, however it stands."""
        if self._process is not None and self.alive:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGKILL)
            await self.ended()

    async def post(self, path):
        async with httpx.AsyncClient(transport=child.network(), timeout=30.0) as client:
            return await client.post(f"{self.url}{path}")

    async def _answers(self):
        async with (
            asyncio.timeout(PATIENCE_S),
            httpx.AsyncClient(transport=child.network(), timeout=5.0) as client,
        ):
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"{self.url}/health/ready")).status_code == 200:
                        return
                assert self.alive, self.logged
                await asyncio.sleep(0.02)


class Command(Process):
    """The same, started as an operator starts it."""

    async def start(self):
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "saleor_kustom", *self.arguments,
                env=self.environ, stdout=log, stderr=log,
            )  # fmt: skip
        await self._answers()
        return self

    @property
    def alive(self):
        return self._process.returncode is None

    async def ended(self):
        async with asyncio.timeout(PATIENCE_S):
            return await self._process.wait()


class Sandbox:
    """Saleor and Kustom, served from this process."""

    app_url = ""  # where Saleor reaches the app, if not at the process itself

    def __init__(self, **kustom):
        self.saleor = SimulatedSaleor()
        self.saleor.signer = SIGNER
        self.kustom = SimulatedKustom(**kustom)
        self.kustom.add_merchant(MERCHANT.username, MERCHANT.password, MERCHANT.merchant_id)

    @contextlib.asynccontextmanager
    async def served(self):
        async with (
            listening(self.saleor.app, "127.0.0.1", 0) as saleor_at,
            listening(self.kustom.app, "127.0.0.1", 0) as kustom_at,
        ):
            self.saleor.api_url = f"{saleor_at}/graphql/"
            self.kustom_url = kustom_at
            yield self

    async def install(self, store, app_url):
        """Install the app that answers at `app_url`, with the merchant's account."""
        await self.saleor.install(f"{app_url}/api/manifest")
        await store.accounts.set(self.saleor.api_url, None, MERCHANT)
