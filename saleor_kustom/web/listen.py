"""Listen on a port, several servers in one process if need be; signals stay with the caller."""

import asyncio
import contextlib
import functools
import gc
import resource
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp

from saleor_kustom.web.connections import Connection, ConnectionLimits, Connections

#: How long requests that are under way may still take when the server is told to end.
FINISH_S = 5
_SWEEP_S = 0.5
#: Open files beside the connections: database, outgoing calls, the program's own.
_OTHER_FILES = 500


class _Server(uvicorn.Server):
    """uvicorn's own handlers would raise SIGTERM again before we have handed our work back."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


@contextlib.asynccontextmanager
async def listening(
    web: ASGIApp,
    host: str,
    port: int,
    *,
    limits: ConnectionLimits | None = None,
    trusted_proxies: Sequence[str] = (),
) -> AsyncIterator[str]:
    """Serve `web` during the block and yield its address; port 0 takes a free one.

    `trusted_proxies`: addresses or networks whose X-Forwarded-For is believed.
    """
    connections = Connections(limits or ConnectionLimits())
    listener = socket.create_server((host, port))
    protocol = functools.partial(Connection, connections=connections)
    config = uvicorn.Config(
        web,
        http=cast("Any", protocol),
        ws="none",
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies),
        log_config=None,  # logging is set up by the command, once
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=FINISH_S,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    sweeper = asyncio.create_task(_sweep(connections))
    try:
        while not server.started and not task.done():
            await asyncio.sleep(0.01)
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        sweeper.cancel()
        listener.close()


async def _sweep(connections: Connections) -> None:
    every_s = min(_SWEEP_S, connections.limits.wait_s / 4)
    while True:
        await asyncio.sleep(every_s)
        connections.sweep()


def settle() -> None:
    """Leave what the start has made out of every later garbage collection: none of it goes."""
    gc.collect()
    gc.freeze()


def make_room(limits: ConnectionLimits | None = None) -> None:
    """Let this process open as many files as its connections need, where the system allows it."""
    wanted = (limits or ConnectionLimits()).most + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
