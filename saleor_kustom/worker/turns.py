"""Do something again and again, without ever stopping captures or the end of the process."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from saleor_kustom.errors import StoreUnavailable

_log = logging.getLogger(__name__)

_MINUTE_S = 60.0


async def every(
    what: str,
    turn: Callable[[], Awaitable[object]],
    stop: asyncio.Event,
    *,
    pause_s: Callable[[], float] = lambda: _MINUTE_S,
) -> None:
    """Do it at once and again after each pause, until told to stop, even in the middle."""
    stopped = asyncio.create_task(stop.wait())
    while not stop.is_set():
        running = asyncio.create_task(_quietly(what, turn))
        try:
            await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            running.cancel()
        await asyncio.wait({stopped}, timeout=pause_s())
    stopped.cancel()


async def _quietly(what: str, turn: Callable[[], Awaitable[object]]) -> None:
    try:
        await turn()
    except StoreUnavailable as error:
        _log.warning("could not %s now: %s", what, error)
    except Exception:  # noqa: BLE001 - what goes wrong here must not stop captures
        _log.exception("a bug kept us from: %s", what)
