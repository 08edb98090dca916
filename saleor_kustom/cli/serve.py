"""`serve` runs edge and worker in one process; `work` runs a worker alone."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator
from typing import Annotated

import typer
import uvloop

from saleor_kustom import settings as settings_of
from saleor_kustom.app import App, open_app
from saleor_kustom.app import work as work_until
from saleor_kustom.errors import SettingsError
from saleor_kustom.settings import Settings
from saleor_kustom.watch.logs import log_to_stderr
from saleor_kustom.web.listen import listening, make_room, settle


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8080,
) -> None:
    """Serve the app and work on captures, in one process.

    Example: saleor-kustom serve --host 0.0.0.0 --port 8080
    """
    settings = settings_of.load()
    settings_of.refuse_published(settings)
    log_to_stderr(settings.log_level, settings.log_format)
    uvloop.run(_serve(settings, host, port))


def work() -> None:
    """Work on captures without serving; several may run beside each other on PostgreSQL.

    Example: saleor-kustom work
    """
    settings = settings_of.load()
    settings_of.refuse_published(settings)
    if settings.database_url.startswith("sqlite"):
        raise SettingsError(
            "SALEOR_KUSTOM_DATABASE_URL: SQLite serves one process, where `serve` works itself; "
            "for more use postgresql://user@host/name"
        )
    log_to_stderr(settings.log_level, settings.log_format)
    uvloop.run(_work(settings))


async def _serve(settings: Settings, host: str, port: int) -> None:
    stop = stop_on_signals()
    make_room()
    async with (
        open_app(settings) as app,
        _watched(app),
        listening(app.web, host, port, trusted_proxies=settings.trusted_proxies) as address,
    ):
        settle()
        logging.getLogger(__name__).info("serving at %s", address)
        await work_until(app, stop)


async def _work(settings: Settings) -> None:
    stop = stop_on_signals()
    async with open_app(settings) as app, _watched(app):
        settle()
        await work_until(app, stop)


@contextlib.asynccontextmanager
async def _watched(app: App) -> AsyncIterator[None]:
    """Serve metrics and health where the operator wants them."""
    at = app.settings.metrics_at
    if at is None:
        yield
        return
    async with listening(app.operations, *at) as address:
        logging.getLogger(__name__).info("metrics and health at %s", address)
        yield


def stop_on_signals() -> asyncio.Event:
    """Return an event that SIGTERM and SIGINT set: the worker then finishes or hands back."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
