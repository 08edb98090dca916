"""The real `saleor-kustom serve` in a process of its own that a test can time, or let die.

The command runs as it is, with its settings from the environment and its log in a file; only
what it opens gets a lease of another length, or a fuse that ends in SIGKILL.
"""

import asyncio
import contextlib
import os
import signal
import sys
from dataclasses import dataclass, field

import httpx
from starlette.responses import JSONResponse
from starlette.routing import Route

from saleor_kustom import cli
from saleor_kustom.app import open_app
from saleor_kustom.cli import serve
from saleor_kustom.worker.lease import Lease
from tests.walks.death import Fuse, TappedTransport, tap_store


@dataclass(frozen=True)
class Wanted:
    """What a test asks of a child; it travels to it by pickling."""

    arguments: tuple  # of the command
    environ: dict
    log: str  # a file that is appended to
    lease: tuple = ()  # Lease's three numbers
    dies_at: int | None = None  # with a fuse, even at no point (0)
    limits: dict = field(default_factory=dict)  # resource → soft limit


def run(wanted):
    """Become the command."""
    log = os.open(wanted.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.environ.clear()
    os.environ.update(wanted.environ)
    lease = Lease(*wanted.lease) if wanted.lease else None
    serve.open_app = _opened(lease, wanted.dies_at)
    sys.argv = ["saleor-kustom", *wanted.arguments]
    cli.main()


def _opened(lease, dies_at):
    @contextlib.asynccontextmanager
    async def opened(settings):
        if dies_at is None:
            async with open_app(settings, lease=lease) as app:
                yield app
            return
        fuse = Fuse(dies_at, die=lambda _name: os.kill(os.getpid(), signal.SIGKILL))
        gate = Gate(fuse)
        async with open_app(
            settings,
            kustom_transport=TappedTransport(network(), fuse),
            saleor_transport=TappedTransport(network(), fuse),
            monotonic=lambda: 0.0,  # no lease looks old: a slow machine makes no point more
            extra_routes=gate.routes(),
        ) as app:
            tap_store(app.store, fuse, before_claims=gate.passed)
            yield app

    return opened


def network():
    """Return a transport for plain http: trusting nobody spares reading all that are trusted."""
    return httpx.AsyncHTTPTransport(trust_env=False, verify=False)


class Gate:
    """Lets the worker claim only when told to, so that the points come in the same order."""

    def __init__(self, fuse):
        self._fuse = fuse
        self._open = asyncio.Event()
        self._open.set()

    async def passed(self):
        await self._open.wait()

    def routes(self):
        return [
            Route("/test/light", self._light, methods=["POST"]),
            Route("/test/shut", self._shut, methods=["POST"]),
            Route("/test/open", self._opens, methods=["POST"]),
        ]

    async def _light(self, _request):
        self._fuse.lit = True
        return JSONResponse([])

    async def _shut(self, _request):
        self._open.clear()
        return JSONResponse([])

    async def _opens(self, _request):
        self._open.set()
        return JSONResponse(self._fuse.names)
