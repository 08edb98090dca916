"""`demo` plays a story against simulated Saleor and Kustom; `sandbox` serves those two alone.

What they do is loaded only when it is asked for: `serve` starts without the simulations.
"""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from saleor_kustom.watch.logs import log_to_stderr


def demo(
    once: Annotated[bool, typer.Option("--once", help="Play, check, and exit.")] = False,
    verbose: Annotated[bool, typer.Option(help="Show the app's log.")] = False,
) -> None:
    """Play the story over real HTTP on this machine, print what happened, and keep serving.

    With --once it exits: 0 only if every amount and id is right at Kustom and in Saleor.

    Example: saleor-kustom demo --once
    """
    from saleor_kustom.cli.playing import play_and_serve  # noqa: PLC0415 - see above

    log_to_stderr("INFO" if verbose else "ERROR")
    raise typer.Exit(asyncio.run(play_and_serve(once=once)))


def sandbox(
    recordings: Annotated[
        Path | None, typer.Option(help="Directory of recorded deliveries to serve.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    saleor_port: Annotated[
        int | None, typer.Option(help="Saleor's port; default: the recordings', else 8000.")
    ] = None,
    kustom_port: Annotated[int, typer.Option(help="Kustom's port.")] = 8100,
    install: Annotated[
        str | None, typer.Option(help="Install the app that runs at this URL.")
    ] = None,
) -> None:
    """Serve a simulated Saleor and a simulated Kustom, without the app.

    With --recordings the orders, keys and app id come from recorded deliveries, so that a
    delivery can be played against a running app: start the app with
    SALEOR_KUSTOM_KUSTOM_PLAYGROUND_URL=http://127.0.0.1:8100 and
    SALEOR_KUSTOM_ALLOW_PRIVATE_HOSTS=true, then the sandbox with --install.

    Example: saleor-kustom sandbox --install http://127.0.0.1:8080
    """
    from saleor_kustom.cli.playing import serve_sandbox  # noqa: PLC0415 - see above

    log_to_stderr("INFO")
    asyncio.run(serve_sandbox(recordings, host, saleor_port, kustom_port, install))
