"""What `demo` and `sandbox` do: serve the simulations, and print what became of their orders."""

import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from rich.console import Console
from rich.table import Table

from saleor_kustom.capture.money import shown
from saleor_kustom.cli.serve import stop_on_signals
from saleor_kustom.errors import SettingsError
from saleor_kustom.sandbox.kustom import SimulatedKustom
from saleor_kustom.sandbox.recordings import load_recordings
from saleor_kustom.sandbox.saleor import SimulatedSaleor
from saleor_kustom.sandbox.stories import Outcome, problems
from saleor_kustom.sandbox.theatre import furnish, play, served
from saleor_kustom.sandbox.world import MERCHANT
from saleor_kustom.web.listen import listening


async def play_and_serve(*, once: bool) -> int:
    """Play the story, print what happened, and serve; return the exit code of --once."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="saleor-kustom-") as folder:
        async with served(f"sqlite:///{folder}/demo.db") as (world, addresses):
            outcomes = await play(world)
            wrong = [problem for outcome in outcomes for problem in problems(outcome)]
            _print(console, outcomes, wrong)
            if once:
                return 1 if wrong else 0
            await furnish(world)
            for name, address in addresses.items():
                console.print(f"{name:<18} {address}")
            console.print(
                "Open the Dashboard's stand-in in a browser: ship orders, solve what needs you.\n"
                "Serving until Ctrl-C."
            )
            await stop_on_signals().wait()
            return 0


def _print(console: Console, outcomes: list[Outcome], wrong: list[str]) -> None:
    table = Table(title="What Saleor fulfilled and Kustom captured")
    for column in ("story", "order", "parcel", "captured", "capture id", "tracking"):
        table.add_column(column, justify="right" if column == "captured" else "left")
    for outcome in outcomes:
        title, number = outcome.title, outcome.order["number"]
        for index, capture in enumerate(outcome.there.captures, start=1):
            tracking = "\n".join(e.get("tracking_number", "") for e in capture.shipping_info)
            amount = shown(capture.amount, outcome.there.currency)
            table.add_row(title, number, str(index), amount, capture.capture_id[:8], tracking)
            title = number = ""
        for refund in outcome.there.refunds:
            amount = shown(-refund["refunded_amount"], outcome.there.currency)
            table.add_row("", "", "", amount, refund["refund_id"][:8], "refunded")
        table.add_section()
    console.print(table)
    captured = sum(len(outcome.there.captures) for outcome in outcomes)
    refunded = sum(len(outcome.there.refunds) for outcome in outcomes)
    for problem in wrong:
        console.print(f"[red]WRONG:[/red] {problem}")
    if not wrong:
        console.print(
            f"{len(outcomes)} orders, {captured} captures, {refunded} refunds: every amount and id "
            "is right, at Kustom and in Saleor."
        )


async def serve_sandbox(
    recordings: Path | None,
    host: str,
    saleor_port: int | None,
    kustom_port: int,
    install: str | None,
) -> None:
    """Serve both until a signal comes. Raises SettingsError for recordings that are none."""
    console = Console()
    kustom = SimulatedKustom()
    kustom.add_merchant(MERCHANT.username, MERCHANT.password, MERCHANT.merchant_id)
    if recordings is None:
        port = saleor_port or 8000
        saleor = SimulatedSaleor(f"http://{host}:{port}/graphql/")
    else:
        try:
            recorded = load_recordings(recordings)
        except (OSError, ValueError, KeyError) as error:
            raise SettingsError(f"--recordings {recordings}: {error}") from None
        port = saleor_port or urlsplit(recorded.api_url).port or 80
        saleor = recorded.saleor()
        recorded.authorize(kustom, MERCHANT.merchant_id)
    async with (
        listening(saleor.app, host, port) as saleor_at,
        listening(kustom.app, host, kustom_port) as kustom_at,
    ):
        console.print(f"Saleor  {saleor.api_url}  (listening at {saleor_at})")
        console.print(f"Kustom  {kustom_at}")
        console.print(f"Kustom username {MERCHANT.username}, password {MERCHANT.password}")
        if install:
            await _install(console, saleor, install, recorded=recordings is not None)
        await stop_on_signals().wait()


async def _install(
    console: Console, saleor: SimulatedSaleor, app_url: str, *, recorded: bool
) -> None:
    """Do the installation handshake with the app at `app_url`."""
    if recorded:  # the app id is the recordings'; only the token is handed over
        async with httpx.AsyncClient(timeout=20.0) as client:
            answer = await client.post(
                f"{app_url.rstrip('/')}/api/register",
                headers={"Saleor-Api-Url": saleor.api_url},
                json={"auth_token": "a-token-of-the-sandbox"},
            )
        console.print(f"Installed in the app: HTTP {answer.status_code} {answer.text}")
        return
    await saleor.install(f"{app_url.rstrip('/')}/api/manifest")
    console.print("Installed in the app.")
