"""`serve` runs edge and worker in one process; `work` runs a worker alone."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator
from typing import Annotated

import typer
import uvicorn
from starlette.applications import Starlette

from saleor_kustom import settings as settings_of
from saleor_kustom.app import App, open_app
from saleor_kustom.app import work as work_until
from saleor_kustom.errors import SettingsError
from saleor_kustom.settings import Settings


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8080,
) -> None:
    """Serve the app and work on captures, in one process."""
    settings = settings_of.load()
    log_to_stderr(settings.log_level)
    asyncio.run(_serve(settings, host, port))


def work() -> None:
    """Work on captures without serving; several may run beside each other on PostgreSQL."""
    settings = settings_of.load()
    if settings.database_url.startswith("sqlite"):
        raise SettingsError(
            "SALEOR_KUSTOM_DATABASE_URL: SQLite serves one process, where `serve` works itself; "
            "for more use postgresql://user@host/name"
        )
    log_to_stderr(settings.log_level)
    asyncio.run(_work(settings))


def log_to_stderr(level: str) -> None:
    """Log one event per line; the libraries' chatter only from warnings on."""
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for noisy in ("httpx", "httpcore", "gql"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


async def _serve(settings: Settings, host: str, port: int) -> None:
    async with open_app(settings) as app, working(app):
        await listening(app.web, host, port).serve()


def listening(web: Starlette, host: str, port: int) -> uvicorn.Server:
    """Return a server for `web` with our limits; it stops on SIGTERM and SIGINT."""
    return uvicorn.Server(
        uvicorn.Config(
            web,
            host=host,
            port=port,
            log_level="warning",
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=5,
        )
    )


@contextlib.asynccontextmanager
async def working(app: App) -> AsyncIterator[None]:
    """Run the worker beside the block; in the end it finishes or hands back."""
    stop = asyncio.Event()
    task = asyncio.create_task(work_until(app, stop))
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    try:
        yield
    finally:
        stop.set()
        await task


async def _work(settings: Settings) -> None:
    async with open_app(settings) as app:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await work_until(app, stop)
