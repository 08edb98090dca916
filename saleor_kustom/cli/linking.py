"""`link`, `links` and `link-token`: which Kustom order an order belongs to, when nothing tells."""

import asyncio
import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from saleor_kustom import settings as settings_of
from saleor_kustom.app import App, open_app
from saleor_kustom.capture.binding import is_uuid, kustom_id
from saleor_kustom.capture.linking import How, Outcome, Refusing, Told, kind_of
from saleor_kustom.capture.parties import Shop
from saleor_kustom.cli.audit import Who
from saleor_kustom.cli.common import the_shop, with_store
from saleor_kustom.cli.shops import AsJson, ShopUrl
from saleor_kustom.errors import CallError, SettingsError, StoreUnavailable
from saleor_kustom.saleor.linking import MOST_NUMBERS, Linking
from saleor_kustom.settings import Settings
from saleor_kustom.store import Link, Store
from saleor_kustom.worker.judging import preview

_HEADER = ("order", "kustom_order_id")
_AT_ONCE = 4
_LARGEST_FILE = 20_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """One order to link. `line`: of the file; 0: of the command itself."""

    line: int
    order: str  # number or global id
    kustom_order_id: str
    problem: str = ""  # why it can't even be tried
    order_id: str = ""


def link(
    shop: ShopUrl,
    who: Who,
    order: Annotated[str | None, typer.Argument(help="The order's number or id.")] = None,
    kustom_order_id: Annotated[
        str | None, typer.Argument(help="Kustom's order id, a UUID.")
    ] = None,
    csv_file: Annotated[
        Path | None,
        typer.Option("--csv", help="A file of lines: order,kustom_order_id. Others are listed."),
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Only say what would be refused.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON line per order.")] = False,
) -> None:
    """Give orders their Kustom orders, if they fit; what waits for it is captured at once.

    With --csv the good lines of a file are linked and the bad ones listed; the exit code is 1 when
    one was refused.

    Example: saleor-kustom link https://shop.example/graphql/ 1001
    f3392f8b-6116-4073-ab96-e330819e2c07
    """
    rows = _asked(order, kustom_order_id, csv_file)
    told = asyncio.run(_link(shop, rows, How.FILE if csv_file else How.COMMAND, who, dry_run))
    for row, outcome in told:
        typer.echo(_line(row, outcome, as_json=as_json))
    counts = {one: sum(o.told is one for _, o in told) for one in Told}
    if csv_file and not as_json:
        linked = "would be linked" if dry_run else "linked"
        typer.echo(
            f"{counts[Told.LINKED]} {linked}, {counts[Told.KEPT]} kept for later, "
            f"{counts[Told.REFUSED]} refused."
        )
    if counts[Told.REFUSED]:
        raise typer.Exit(1)


def _asked(order: str | None, kustom_order_id: str | None, csv_file: Path | None) -> list[Row]:
    if csv_file is not None and order is None:
        return read_rows(csv_file)
    if csv_file is not None or order is None or kustom_order_id is None:
        raise SettingsError("give either ORDER and KUSTOM_ORDER_ID, or --csv FILE")
    return [_row(0, [order, kustom_order_id])]


def read_rows(path: Path) -> list[Row]:
    """Read a file of lines "order,kustom_order_id", with or without a header.

    A semicolon or a tab separates as well, as spreadsheets write them. A line that makes no sense
    is kept with its problem. Raises SettingsError for what is no such file at all.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise SettingsError(f"--csv {path}: the file is larger than 20 MB; split it")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SettingsError(f"--csv {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"--csv {path}: is not UTF-8 text; save it as CSV UTF-8") from None
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    first = lines[0][1] if lines else ""
    separator = next((s for s in ",;\t" if s in first), ",")
    rows = [_row(number, _cells(line, separator)) for number, line in lines]
    if rows and (rows[0].order.lower(), rows[0].kustom_order_id.lower()) == _HEADER:
        rows = rows[1:]
    if not rows:
        raise SettingsError(f"--csv {path}: has no lines; right would be: 1001,f3392f8b-…")
    return _without_repeats(rows)


def _cells(line: str, separator: str) -> Sequence[str]:
    """Return a line's cells; of one that is no CSV, the line as it is."""
    try:
        return next(csv.reader([line], delimiter=separator, strict=True, skipinitialspace=True))
    except csv.Error:
        return [line[:60]]


def _row(line: int, cells: Sequence[str]) -> Row:
    values = [cell.strip() for cell in cells]
    if len(values) != len(_HEADER):
        problem = f"It has {len(values)} columns, not two: order,kustom_order_id"
        return Row(line, values[0] if values else "", "", problem)
    order, asked = values[0].removeprefix("#"), kustom_id(values[1])
    if not order:
        return Row(line, order, asked, "It names no order")
    if not is_uuid(asked):
        return Row(line, order, asked, f"{values[1][:60]!r} is no Kustom order id (a UUID)")
    return Row(line, order, asked)


def _without_repeats(rows: Sequence[Row]) -> list[Row]:
    """Say of a line that contradicts an earlier one which that is."""
    seen: dict[str, Row] = {}
    found = []
    for row in rows:
        earlier = seen.get(row.order) or seen.get(row.kustom_order_id)
        same = earlier and (earlier.order, earlier.kustom_order_id) == (
            row.order,
            row.kustom_order_id,
        )
        if earlier and not same and not row.problem:
            found.append(replace(row, problem=f"It contradicts line {earlier.line}"))
            continue
        if not row.problem:
            seen[row.order] = seen[row.kustom_order_id] = row
        found.append(row)
    return found


async def _link(
    api_url: str, rows: Sequence[Row], how: How, who: str, dry_run: bool
) -> list[tuple[Row, Outcome]]:
    async with open_app(settings_of.load()) as app:
        shop = await the_shop(app.store, api_url)
        rows = await _resolved(app, shop, rows)
        slots = asyncio.Semaphore(_AT_ONCE)

        async def one(row: Row) -> tuple[Row, Outcome]:
            async with slots:
                if dry_run and not row.problem:
                    return row, await _previewed(app, shop, row)
                return row, await _one(app, shop, row, how, who)

        tasks = [asyncio.create_task(one(row)) for row in rows]
        shown = track(tasks, "Linking", console=Console(stderr=True), disable=len(rows) < _AT_ONCE)
        return [await task for task in shown]


async def _resolved(app: App, shop: Shop, rows: Sequence[Row]) -> list[Row]:
    """Look the numbers' ids up. Raises SettingsError when the shop can't be asked."""
    numbers = [row.order for row in rows if not row.problem and kind_of(row.order) != "Order"]
    ids: dict[str, str] = {}
    saleor = Linking(app.saleor)
    try:
        for start in range(0, len(numbers), MOST_NUMBERS):
            ids |= await saleor.order_ids(shop, numbers[start : start + MOST_NUMBERS])
    except CallError as error:
        raise SettingsError(f"{shop.api_url} can't be asked now: {error}") from None
    return [_with_id(row, ids) for row in rows]


def _with_id(row: Row, ids: dict[str, str]) -> Row:
    if row.problem or kind_of(row.order) == "Order":
        return replace(row, order_id=row.order)
    if row.order not in ids:
        return replace(row, problem=f"Saleor knows no order {row.order[:60]}")
    return replace(row, order_id=ids[row.order])


async def _one(app: App, shop: Shop, row: Row, how: How, who: str) -> Outcome:
    if row.problem:
        return Outcome(Told.REFUSED, "bad_row", f"{row.problem}.")
    try:
        done = await app.linker.now(shop, row.order_id, row.kustom_order_id, how=how, who=who)
    except StoreUnavailable as error:
        message = f"It could not be stored now; link it again. {error}"
        return Outcome(Told.REFUSED, "store_unavailable", message)
    return done.outcome(row.kustom_order_id)


async def _previewed(app: App, shop: Shop, row: Row) -> Outcome:
    try:
        judged = await preview(app.linker.parts, shop, row.order_id, row.kustom_order_id)
    except CallError as error:
        return Outcome(Told.KEPT, error.code.lower(), f"can't be said now: {error}")
    if isinstance(judged, Refusing):
        return Outcome(Told.REFUSED, judged.reason.value, judged.message)
    return Outcome(Told.LINKED)


def _line(row: Row, outcome: Outcome, *, as_json: bool) -> str:
    if as_json:
        shown: dict[str, Any] = {"line": row.line} if row.line else {}
        shown |= {"order": row.order, "kustom_order": row.kustom_order_id}
        shown |= {"status": outcome.told.value, "code": outcome.code or None}
        return json.dumps(shown | {"message": outcome.message or None}, ensure_ascii=False)
    where = f"line {row.line}: " if row.line else ""
    what = f"order {row.order or '?'}: {outcome.told}"
    return f"{where}{what}{f': {outcome.message}' if outcome.message else ''}"


def links(
    shop: ShopUrl,
    linked: Annotated[bool, typer.Option("--all", help="Those that are done, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: AsJson = False,
) -> None:
    """List what was asked to be linked and is not done, newest first: refused or waiting.

    Example: saleor-kustom links https://shop.example/graphql/
    """

    async def task(_settings: Settings, store: Store) -> Sequence[Link]:
        found = await the_shop(store, shop)
        return await store.links.list(found.api_url, linked=linked, limit=limit)

    table = Table("order", "Kustom order", "by", "status", "why")
    for one in with_store(task):
        told = one.outcome(one.kustom_order_id)
        order, who = one.order_number or one.order_id, f"{one.who} ({one.how})"
        if as_json:
            shown = {"order": order, "order_id": one.order_id, "by": who}
            shown |= {"kustom_order": one.kustom_order_id, "status": told.told.value}
            typer.echo(json.dumps(shown | {"code": told.code or None, "message": told.message}))
        table.add_row(order, one.kustom_order_id, who, told.told, told.message)
    if not as_json:
        Console().print(table)


def link_token(
    shop: ShopUrl,
    who: Who,
    overlap_hours: Annotated[
        float, typer.Option(help="How long the token before stays good.", min=0.0, max=720.0)
    ] = 0.0,
    revoke: Annotated[bool, typer.Option(help="Take the shop's token away instead.")] = False,
) -> None:
    """Make the token with which a checkout's server links orders (POST /api/link). Shown once.

    The token before is void at once, or after --overlap-hours.

    Example: saleor-kustom link-token https://shop.example/graphql/
    """

    async def task(_settings: Settings, store: Store) -> str | None:
        found = await the_shop(store, shop)
        if revoke:
            await store.link_tokens.revoke(found.api_url, who=who)
            return None
        overlap_s = overlap_hours * 3600.0
        return await store.link_tokens.make(found.api_url, overlap_s=overlap_s, who=who)

    token = with_store(task)
    typer.echo(token or f"{shop} has no link token any more.")
