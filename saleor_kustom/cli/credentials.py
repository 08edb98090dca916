"""`credentials`: which Kustom account each channel's orders are captured with."""

import json
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from saleor_kustom.capture.checkup import AccountVerdict
from saleor_kustom.capture.parties import Account, merchant_of
from saleor_kustom.cli.common import the_shop, with_store
from saleor_kustom.doctor.of_shop import ACCOUNT_WORDS
from saleor_kustom.errors import SettingsError
from saleor_kustom.kustom.client import KustomClient
from saleor_kustom.outbound import Outbound
from saleor_kustom.settings import Settings
from saleor_kustom.store import Store
from saleor_kustom.worker.checking import check_account

app = typer.Typer(help="Kustom credentials by shop and channel.", no_args_is_help=True)

ShopUrl = Annotated[str, typer.Option("--saleor-api-url", help="The shop's GraphQL URL.")]
Channel = Annotated[str | None, typer.Option(help="Channel slug; left out: the shop's default.")]


@app.command("set")
def set_(
    saleor_api_url: ShopUrl,
    username: Annotated[str, typer.Option(help="As Kustom's portal shows it.")],
    environment: Annotated[str, typer.Option(help="playground or live.")],
    channel: Channel = None,
    merchant_id: Annotated[
        str | None, typer.Option(help="Left out: what the username begins with.")
    ] = None,
) -> None:
    """Keep an account's credentials; the password comes from standard input.

    Example: saleor-kustom credentials set --saleor-api-url https://shop.example/graphql/
    --username PM12345-abcdef --environment playground < password.txt
    """
    if environment not in ("playground", "live"):
        raise SettingsError(f"--environment: {environment!r} is neither playground nor live")
    password = _password()
    account = Account(environment, merchant_id or merchant_of(username), username, password)

    async def task(_settings: Settings, store: Store) -> None:
        shop = await the_shop(store, saleor_api_url)
        await store.accounts.set(shop.api_url, channel, account)

    with_store(task)
    typer.echo(
        f"Kept {environment} credentials of merchant {account.merchant_id} for "
        f"{channel or 'every channel without its own'} of {saleor_api_url}."
    )


@app.command("list")
def list_(
    saleor_api_url: ShopUrl,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
) -> None:
    """List the accounts; passwords are never shown.

    Example: saleor-kustom credentials list --saleor-api-url https://shop.example/graphql/
    """

    async def task(_settings: Settings, store: Store) -> list[tuple[str | None, Account]]:
        shop = await the_shop(store, saleor_api_url)
        return list(await store.accounts.list(shop.api_url))

    accounts = with_store(task)
    if as_json:
        for channel, account in accounts:
            known = {"channel": channel, "environment": account.environment}
            known |= {"merchant_id": account.merchant_id, "username": account.username}
            typer.echo(json.dumps(known, ensure_ascii=False))
        return
    table = Table("channel", "environment", "merchant", "username")
    for channel, account in accounts:
        table.add_row(
            channel or "(default)", account.environment, account.merchant_id, account.username
        )
    Console().print(table)


@app.command("test")
def test(saleor_api_url: ShopUrl, channel: Channel = None) -> None:
    """Ask Kustom for an order that does not exist: 404 proves that the credentials are right.

    Example: saleor-kustom credentials test --saleor-api-url https://shop.example/graphql/
    """

    async def task(settings: Settings, store: Store) -> str | None:
        shop = await the_shop(store, saleor_api_url)
        account = await store.accounts.get(shop.api_url, channel)
        if account is None:
            raise SettingsError("no credentials are set; use: saleor-kustom credentials set")
        known = await store.accounts.an_order_of(
            shop.api_url, account.environment, account.merchant_id
        )
        problem = await _problem(settings, account, known)
        if problem is None:
            await store.accounts.resume(
                account.environment, account.merchant_id, api_url=shop.api_url
            )
        return problem

    problem = with_store(task)
    if problem:
        raise SettingsError(problem)
    typer.echo("Kustom accepts the credentials.")


async def _problem(settings: Settings, account: Account, known: str | None) -> str | None:
    """Return what Kustom has against the credentials, or None."""
    outbound = Outbound(user_agent=settings.user_agent)
    try:
        kustom = KustomClient(outbound, hosts=settings.kustom_hosts)
        verdict = await check_account(kustom, account, known)
    finally:
        await outbound.aclose()
    return None if verdict is AccountVerdict.RIGHT else " ".join(ACCOUNT_WORDS[verdict])


def _password() -> str:
    if sys.stdin.isatty():
        password: str = typer.prompt("Password", hide_input=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise SettingsError("no password came on standard input")
    return password
