"""`policy`: what a merchant chooses, per shop and channel."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from saleor_kustom.app import chosen_by_operator
from saleor_kustom.capture.policy import Policy, as_json, choices, merged, typed, value_of
from saleor_kustom.cli.audit import os_user
from saleor_kustom.cli.common import the_shop, with_store
from saleor_kustom.cli.shops import ShopUrl
from saleor_kustom.errors import BadPolicy
from saleor_kustom.settings import Settings
from saleor_kustom.store import Chosen, Store

app = typer.Typer(help="What is captured how, and told to whom; per shop and channel.")

Channel = Annotated[
    str | None, typer.Option(help="The channel's slug; without it the shop's default.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@app.command("show")
def show(shop: ShopUrl, channel: Channel = None, as_json: AsJson = False) -> None:
    """Show every choice, and whether default, environment, shop or channel made it.

    Example: saleor-kustom policy show https://shop.example/graphql/ --channel se
    """

    async def task(settings: Settings, store: Store) -> dict[str, Any]:
        found = await the_shop(store, shop)
        chosen = await store.policies.list(found.api_url)
        return described(chosen_by_operator(settings), chosen, channel or "")

    shown = with_store(task)
    if as_json:
        typer.echo(json.dumps({"shop": shop, **shown}, ensure_ascii=False))
        return
    table = Table("choice", "value", "chosen by", "what for", title=f"{channel or 'every channel'}")
    for key, value in shown["policy"].items():
        description = choices()[key].description
        table.add_row(key, typed(value) or "(none)", shown["chosen_by"][key], description)
    Console().print(table)
    for fault in shown["faults"]:
        typer.echo(f"left out: {fault}", err=True)


def described(base: Policy, documents: Sequence[Chosen], channel: str) -> dict[str, Any]:
    """Return a channel's policy as JSON has it, and who chose what."""
    found = {one.channel: one for one in documents}
    levels = {"": "shop", channel: "channel" if channel else "shop"}
    of = [found[name] for name in levels if name in found]
    policy, faults = merged(base, [one.document for one in of])
    by = {
        key: "default" if value == choices()[key].default else "environment"
        for key, value in as_json(base).items()
    }
    for one in of:
        by |= {key: f"{levels[one.channel]}, {one.who}" for key in one.document if key in by}
    return {
        "channel": channel or None,
        "policy": as_json(policy),
        "chosen_by": by,
        "faults": list(faults),
    }


@app.command("set")
def set_(
    shop: ShopUrl,
    chosen: Annotated[list[str], typer.Argument(help="key=value, one or several.")],
    channel: Channel = None,
) -> None:
    """Choose. A running server takes it for what it plans from then on.

    Example: saleor-kustom policy set https://shop.example/graphql/ shipping_fee=last --channel se
    """
    values = _values(chosen)

    async def task(_settings: Settings, store: Store) -> None:
        found = await the_shop(store, shop)
        await store.policies.set(found.api_url, channel or "", values, who=os_user())

    with_store(task)
    for key, value in values.items():
        typer.echo(f"{key} is {typed(value) or '(none)'} for {_where(channel)} of {shop}.")


@app.command("unset")
def unset(
    shop: ShopUrl,
    keys: Annotated[list[str], typer.Argument(help="The choices to leave.")],
    channel: Channel = None,
) -> None:
    """Leave choices to what they are inherited from: the shop, the environment, the default.

    Example: saleor-kustom policy unset https://shop.example/graphql/ shipping_fee --channel se
    """

    async def task(_settings: Settings, store: Store) -> list[str]:
        found = await the_shop(store, shop)
        there = {one.channel: one.document for one in await store.policies.list(found.api_url)}
        missing = [key for key in keys if key not in there.get(channel or "", {})]
        if missing:
            raise BadPolicy([f"{key}: is not chosen for {_where(channel)}" for key in missing])
        await store.policies.unset(found.api_url, channel or "", keys, who=os_user())
        return keys

    for key in with_store(task):
        typer.echo(f"{key} is inherited now for {_where(channel)} of {shop}.")


def _values(chosen: list[str]) -> Mapping[str, Any]:
    """Read every key=value. Raises BadPolicy with all that are wrong."""
    values: dict[str, Any] = {}
    faults: list[str] = []
    for one in chosen:
        key, equals, text = one.partition("=")
        try:
            if not equals:
                raise BadPolicy([f"{one[:60]}: has no value; right would be: key=value"])
            values[key.strip()] = value_of(key.strip(), text.strip())
        except BadPolicy as error:
            faults += error.faults
    if faults:
        raise BadPolicy(faults)
    return values


def _where(channel: str | None) -> str:
    return f"the channel {channel}" if channel else "every channel without its own"
