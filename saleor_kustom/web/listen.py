"""Listen on a port, several servers in one process if need be; signals stay with the caller."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn
from starlette.types import ASGIApp

#: How long requests that are under way may still take when the server is told to end.
_FINISH_S = 5


class _Server(uvicorn.Server):
    """uvicorn's own handlers would raise SIGTERM again before we have handed our work back."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


@contextlib.asynccontextmanager
async def listening(web: ASGIApp, host: str, port: int) -> AsyncIterator[str]:
    """Serve `web` during the block and yield its address; port 0 takes a free one."""
    listener = socket.create_server((host, port))
    config = uvicorn.Config(
        web,
        log_config=None,  # logging is set up by the command, once
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=_FINISH_S,
        h11_max_incomplete_event_size=32 * 1024,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started and not task.done():
            await asyncio.sleep(0.01)
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()
