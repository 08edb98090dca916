"""`export`: captures as CSV, with the references that Kustom's settlement files bear."""

import asyncio
import csv
import json
import re
import sys
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from saleor_kustom.capture.money import to_decimal
from saleor_kustom.capture.operation import Kind
from saleor_kustom.cli.common import opened_store, the_shop
from saleor_kustom.cli.finding import OneShop, utc
from saleor_kustom.cli.progress import bar
from saleor_kustom.errors import SettingsError
from saleor_kustom.store import Period, Store

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")

COLUMNS = (
    *("shop", "order", "order_id", "parcel", "fulfillment_id", "channel"),
    *("environment", "merchant_id", "kustom_order_id", "capture_id", "reference"),
    *("amount", "currency", "captured_at", "reported_at", "kind"),
)


def export(
    saleor_api_url: OneShop = None,
    since: Annotated[
        str | None, typer.Option(help="Captured since then (ISO 8601); default: all.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Captured before then (ISO 8601).")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file; default: standard output.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines instead of CSV.")] = False,
) -> None:
    """Write captures and refunds as CSV, times in UTC, `reference` as in settlement files.

    A refund's amount is negative; `capture_id` is its own id. `kind` tells them apart.

    Example: saleor-kustom export --since 2026-11-01 --until 2026-12-01 -o november.csv
    """
    period = Period(
        since=_seconds("--since", since, 0.0),
        until=_seconds("--until", until, 1e12),
        api_url=saleor_api_url,
    )
    if output is None:
        written = asyncio.run(_export(period, sys.stdout, as_json=as_json))
    else:
        with output.open("w", encoding="utf-8", newline="") as file:
            written = asyncio.run(_export(period, file, as_json=as_json))
    typer.echo(f"{written} captures.", err=True)


async def _export(period: Period, file: TextIO, *, as_json: bool) -> int:
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    written = 0
    async with opened_store() as (_settings, store):
        if period.api_url is not None:
            await the_shop(store, period.api_url)
        if not as_json:
            writer.writeheader()
        with bar("captures", await store.looking.captured_count(period)) as done:
            async for row in _rows(store, period):
                if as_json:
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
                else:
                    writer.writerow({name: _cell(value) for name, value in row.items()})
                written += 1
                done(1)
    return written


async def _rows(store: Store, period: Period) -> AsyncIterator[dict[str, Any]]:
    after = 0
    while True:
        page = await store.looking.captured(
            Period(period.since, period.until, period.api_url, after_id=after)
        )
        for row in page:
            yield _described(row)
        if not page:
            return
        after = page[-1]["id"]


def _described(row: Mapping[str, Any]) -> dict[str, Any]:
    plan = json.loads(row["plan"] or "{}")
    amount = row["amount_minor"]
    known = amount is not None and row["currency"]
    amount = -amount if known and row["kind"] == Kind.REFUND else amount
    return {
        "shop": row["api_url"],
        "order": row["order_number"],
        "order_id": row["order_id"],
        "parcel": row["fulfillment_number"],
        "fulfillment_id": row["fulfillment_id"],
        "channel": row["channel"],
        "environment": row["environment"],
        "merchant_id": row["merchant_id"],
        "kustom_order_id": row["kustom_order_id"],
        "capture_id": row["capture_id"],
        "reference": plan.get("reference"),
        "amount": format(to_decimal(amount, row["currency"]), "f") if known else None,
        "currency": row["currency"],
        "captured_at": utc(row["captured_at"]),
        "reported_at": utc(row["reported_at"]),
        "kind": row["kind"],
    }


def _cell(value: Any) -> Any:
    """A spreadsheet would run what begins like a formula; order numbers come from outside."""
    if not isinstance(value, str) or _NUMBER.fullmatch(value):
        return value
    return f"'{value}" if value[:1] in ("=", "+", "-", "@") else value


def _seconds(option: str, text: str | None, default: float) -> float:
    if text is None:
        return default
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{option}: {text!r} is no time such as 2026-11-01") from None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
