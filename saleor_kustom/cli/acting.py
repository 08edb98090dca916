"""What a person does to captures: `retry`, `hold`, `resume`, `settle`."""

import json
from collections.abc import Awaitable, Callable

import typer

from saleor_kustom.capture.held import Reason
from saleor_kustom.capture.plan import NothingWhy
from saleor_kustom.cli.audit import Who, Why
from saleor_kustom.cli.common import with_store
from saleor_kustom.cli.finding import AsJson, OneShop, Term, find
from saleor_kustom.settings import Settings
from saleor_kustom.store import Capture, Store

Act = Callable[[Store, Capture], Awaitable[bool]]


def retry(
    term: Term, who: Who, why: Why, saleor_api_url: OneShop = None, as_json: AsJson = False
) -> None:
    """Try again now: what is held goes on from where it stands, what waits does not wait longer.

    Nothing is captured twice by it: an unknown outcome is looked up first. What was settled
    outside is decided on anew.

    Example: saleor-kustom retry 1042 --why "the password is mended"
    """

    async def act(store: Store, row: Capture) -> bool:
        if row.held:
            return await store.captures.resume(row.api_url, row.id, who, why)
        if row.waiting == NothingWhy.SETTLED_OUTSIDE:
            return await store.by_hand.reopen(row.api_url, row.id, who=who, why=why)
        return await store.captures.hasten(row.api_url, row.id, who, why)

    _each(term, saleor_api_url, act, "due now", as_json=as_json)


def resume(
    term: Term, who: Who, why: Why, saleor_api_url: OneShop = None, as_json: AsJson = False
) -> None:
    """Let held captures go on from where they stand; leave what only waits alone.

    Example: saleor-kustom resume row:97 --why "settled with the shopper"
    """

    async def act(store: Store, row: Capture) -> bool:
        return await store.captures.resume(row.api_url, row.id, who, why)

    _each(term, saleor_api_url, act, "goes on", as_json=as_json)


def hold(
    term: Term, who: Who, why: Why, saleor_api_url: OneShop = None, as_json: AsJson = False
) -> None:
    """Hold captures whose money has not left, until somebody resumes them.

    One that is under way is not held: its outcome must be found out. To keep all that comes of
    an order, a channel or a shop, pause it.

    Example: saleor-kustom hold 1042 --why "the shopper called"
    """

    async def act(store: Store, row: Capture) -> bool:
        held = Reason.HELD_BY_HAND.value
        return await store.by_hand.hold(row.api_url, row.id, held, who=who, why=why)

    _each(term, saleor_api_url, act, "held", as_json=as_json)


def settle(
    term: Term, who: Who, why: Why, saleor_api_url: OneShop = None, as_json: AsJson = False
) -> None:
    """Say of held parcels that their money came another way: nothing is captured for them.

    Only of what is held, and not while an outcome is unknown. `retry` undoes it.

    Example: saleor-kustom settle row:97 --why "paid by invoice 4711"
    """

    async def act(store: Store, row: Capture) -> bool:
        return await store.by_hand.settle(row.api_url, row.id, who=who, why=why)

    _each(term, saleor_api_url, act, "settled outside", as_json=as_json)


def _each(term: str, api_url: str | None, act: Act, did: str, *, as_json: bool) -> None:
    """Do it to every capture that the term means, and say for each what became of it."""

    async def task(_settings: Settings, store: Store) -> list[tuple[Capture, bool]]:
        return [(row, await act(store, row)) for row in await find(store, term, api_url)]

    done = with_store(task)
    for row, took in done:
        state = f"{row.state} (held: {row.held})" if row.held else str(row.state)
        if as_json:
            told = {"row": row.id, "shop": row.api_url, "order": row.order_number, "done": took}
            typer.echo(json.dumps({**told, "was": state}, ensure_ascii=False))
            continue
        parcel = f"Order {row.order_number or row.order_id}, parcel {row.fulfillment_number or '?'}"
        typer.echo(f"{parcel}: {did if took else f'left alone: it is {state}'}.")
    if not any(took for _, took in done):
        raise typer.Exit(1)
