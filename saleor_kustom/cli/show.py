"""`show`: everything about one order, from the first delivery to the last answer."""

import json
from collections.abc import Mapping
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from saleor_kustom.capture.held import WORDS, Held, Reason
from saleor_kustom.capture.money import shown
from saleor_kustom.cli.common import with_store
from saleor_kustom.cli.finding import AsJson, OneShop, Term, Zone, find, local, utc, zone_of
from saleor_kustom.settings import Settings
from saleor_kustom.store import Capture, Store


def show(
    term: Term, saleor_api_url: OneShop = None, timezone: Zone = None, as_json: AsJson = False
) -> None:
    """Show an order's whole history: deliveries, attempts, answers, and who did what.

    Example: saleor-kustom show 1042
    """
    zone = zone_of(timezone)

    async def task(_settings: Settings, store: Store) -> list[dict[str, Any]]:
        found = await find(store, term, saleor_api_url)
        orders = dict.fromkeys((row.api_url, row.order_id) for row in found)
        return [await _order(store, *order) for order in orders]

    for order in with_store(task):
        if as_json:
            typer.echo(json.dumps(_timed(order, utc), ensure_ascii=False, default=str))
        else:
            _print(Console(), _timed(order, lambda at: local(at, zone)))


async def _order(store: Store, api_url: str, order_id: str) -> dict[str, Any]:
    rows = await store.captures.of_order(api_url, order_id)
    authorization = await store.authorizations.get(api_url, order_id)
    return {
        "shop": api_url,
        "order_id": order_id,
        "order": next((row.order_number for row in rows if row.order_number), None),
        "binding": await store.looking.bound(api_url, order_id),
        "authorization": authorization and {
            "remaining_minor": authorization.remaining_minor,
            "currency": authorization.currency,
            "expires_at": authorization.expires_at,
            "seen_at": authorization.seen_at,
        },
        "deliveries": list(await store.looking.deliveries(api_url, order_id)),
        "captures": [await _capture(store, row) for row in rows],
    }  # fmt: skip


async def _capture(store: Store, row: Capture) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in row.__dataclass_fields__}
    known = row.held if row.held in WORDS else None
    held = Held(Reason(known), row.held_detail) if known else None
    return values | {
        "plan": json.loads(row.plan) if row.plan else None,
        "problem": held.problem if held else None,
        "cure": held.cure if held else None,
        "history": list(await store.captures.history(row.api_url, row.id)),
    }


_TIMES = frozenset({"at", "expires_at", "seen_at", "bound_at", "received_at", "due_at",
                    "captured_at", "reported_at", "created_at", "updated_at", "sent_first_at",
                    "sent_last_at"})  # fmt: skip


def _timed(value: Any, written: Any) -> Any:
    """Return the same with every time as `written` says it."""
    if isinstance(value, Mapping):
        return {
            name: written(inner) if name in _TIMES else _timed(inner, written)
            for name, inner in value.items()
        }
    return [_timed(inner, written) for inner in value] if isinstance(value, list) else value


def _print(console: Console, order: dict[str, Any]) -> None:
    console.rule(escape(f"Order {order['order'] or order['order_id']} of {order['shop']}"))
    binding, authorization = order["binding"], order["authorization"]
    if binding:
        console.print(
            f"Kustom order {binding['kustom_order_id']} of {binding['environment']} merchant "
            f"{binding['merchant_id']}, known by {binding['how']} since {binding['bound_at']}",
            soft_wrap=True,
        )
    if authorization:
        left = shown(authorization["remaining_minor"], authorization["currency"])
        console.print(
            f"{left} left until {authorization['expires_at']}, seen {authorization['seen_at']}"
        )
    for row in order["captures"]:
        _print_capture(console, row, order["deliveries"])


def _print_capture(console: Console, row: dict[str, Any], deliveries: list[dict[str, Any]]) -> None:
    amount = shown(row["amount_minor"], row["currency"]) if row["amount_minor"] else ""
    name = f"Parcel {row['fulfillment_number'] or row['fulfillment_id']}"
    if row["kind"] != "fulfillment":
        name = str(row["kind"]).capitalize()
    console.print(
        f"\n[bold]{name}[/] (row:{row['id']}) {row['state']} {amount} {row['capture_id'] or ''}",
        soft_wrap=True,
    )
    if row["problem"]:
        console.print(f"[red]Held:[/] {escape(row['problem'])}\n{escape(row['cure'])}")
    if row["waiting"]:
        console.print(f"Waits: {row['waiting']}; next try {row['due_at'] or 'when news comes'}")
    table = Table("when", "what", "detail")
    for at, what, detail in _happened(row, deliveries):
        table.add_row(at, what, escape(detail))
    console.print(table)


def _happened(row: dict[str, Any], deliveries: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    told = [
        (one["received_at"], f"delivery: {one['event']}", one["problem"] or "")
        for one in deliveries
        if one["fulfillment_id"] in (None, row["fulfillment_id"])
    ]
    done = [(line["at"], line["what"], _detail(line["detail"])) for line in row["history"]]
    return sorted(told + done, key=lambda line: line[0])


def _detail(detail: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in detail.items() if value not in ("", None))
