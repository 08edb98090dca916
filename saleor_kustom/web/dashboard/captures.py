"""All captures of a shop: found, filtered, summed up, and exported."""

import csv
import io
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from saleor_kustom.capture.plan import Plan
from saleor_kustom.store import Capture, Status, Store, Wanted
from saleor_kustom.web.amounts import decimal
from saleor_kustom.web.dashboard import chart
from saleor_kustom.web.dashboard.asked import whole
from saleor_kustom.web.dashboard.days import captured, days_of
from saleor_kustom.web.dashboard.door import Visitor
from saleor_kustom.web.dashboard.parcels import shown
from saleor_kustom.web.dashboard.render import PRIVATE, page

#: From then on money that was authorized is at risk (worker/expiry looks every night from there).
NEAR_S = 7 * 86_400.0
_PAGE = 50
_EXPORT_PAGE = 500
_LONGEST_SEARCH = 200


@dataclass(frozen=True, slots=True)
class Tile:
    """A number at a glance. `minor` by currency; `go`: the view that lists what is counted."""

    name: str
    count: int
    sums: tuple[tuple[str, int], ...] = ()
    go: str = ""
    alarming: bool = False


class CapturesPages:
    """The list and what stands above it."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    async def captures(self, request: Request, visitor: Visitor) -> Response:
        """Return a page of captures, newest first, with the numbers at a glance on the first."""
        api_url = visitor.shop.api_url
        asked = wanted_of(request)
        rows = list(await self._store.captures.list(api_url, replace(asked, limit=_PAGE + 1)))
        more = len(rows) > _PAGE
        pauses = await self._store.pauses.list(api_url)
        first = asked.before_id is None
        glance = await self._glance(request, api_url) if first else {}
        return page(
            "captures.html",
            visitor,
            tab="captures",
            parcels=[shown(row, pauses, visitor.texts) for row in rows[:_PAGE]],
            older=rows[_PAGE - 1].id if more else None,
            first=first,
            asked=asked,
            query=_query(request),
            statuses=list(Status),
            channels=await self._store.overview.channels(api_url),
            need=await needing(self._store, api_url, self._clock()),
            **glance,
        )

    async def export(self, request: Request, visitor: Visitor) -> Response:
        """Stream what the filters find as CSV, newest first."""
        rows = self._exported(visitor.shop.api_url, wanted_of(request))
        name = datetime.fromtimestamp(self._clock(), UTC).strftime("kustom-captures-%Y-%m-%d.csv")
        headers = {**PRIVATE, "Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(rows, media_type="text/csv; charset=utf-8", headers=headers)

    async def _glance(self, request: Request, api_url: str) -> dict[str, Any]:
        now = self._clock()
        days = days_of(request, now)
        sums = captured(await self._store.overview.captured(api_url, days.since), days)
        queue = await self._store.overview.queue(api_url)
        held = await self._store.overview.held(api_url)
        risk = await self._store.overview.at_risk(api_url, now + NEAR_S)
        tiles = (
            Tile(
                "today", sum(s.today for s in sums), _of((s.currency, s.today_minor) for s in sums)
            ),
            Tile(
                "month", sum(s.month for s in sums), _of((s.currency, s.month_minor) for s in sums)
            ),
            Tile("waiting", queue.waiting, go="captures?status=waiting"),
            Tile(
                "held",
                sum(s.count for s in held),
                _of((s.currency, s.amount_minor) for s in held),
                go="needs",
                alarming=any(s.what != "observed" for s in held),
            ),
            Tile(
                "risk",
                sum(s.count for s in risk),
                _of((s.currency, s.amount_minor) for s in risk),
                go="needs",
                alarming=bool(risk),
            ),
        )
        drawn = sums[0] if sums and any(sums[0].by_day) else None
        columns = chart.columns(drawn.by_day, days.starts) if drawn else ()
        return {"tiles": tiles, "drawn": drawn, "columns": columns, "chart": chart}

    async def _exported(self, api_url: str, asked: Wanted) -> AsyncIterator[str]:
        yield "\ufeff"  # so that spreadsheets read it as UTF-8
        yield _lines([EXPORTED])
        before = asked.before_id
        while True:
            part = replace(asked, before_id=before, limit=_EXPORT_PAGE)
            rows = await self._store.captures.list(api_url, part)
            bindings = await self._store.captures.bindings(api_url, {row.order_id for row in rows})
            yield _lines([_exported_row(row, bindings.get(row.order_id)) for row in rows])
            if len(rows) < _EXPORT_PAGE:
                return
            before = rows[-1].id


def wanted_of(request: Request) -> Wanted:
    """Return the filters of a query; what makes no sense is left out."""
    query = request.query_params
    status = query.get("status", "")
    return Wanted(
        status=Status(status) if status in list(Status) else None,
        channel=query.get("channel", "")[:_LONGEST_SEARCH] or None,
        since=_seconds(query.get("since")),
        until=_seconds(query.get("until")),
        search=query.get("search", "").strip().lstrip("#")[:_LONGEST_SEARCH] or None,
        before_id=whole(query.get("before")),
    )


async def needing(store: Store, api_url: str, now: float) -> int:
    """Return how much needs a person, for the tab."""
    held = await store.overview.held(api_url)
    risk = await store.overview.at_risk(api_url, now + NEAR_S)
    paused = await store.pauses.list(api_url)
    parcels = sum(s.count for s in held if s.what != "observed")
    observed = any(s.what == "observed" for s in held)
    return parcels + observed + sum(s.count for s in risk) + len(paused)


#: The columns: Kustom's settlement files name captures by id and reference, orders by theirs.
EXPORTED = (
    "order", "parcel", "status", "amount", "currency", "captured_at", "capture_id", "reference",
    "kustom_order_id", "merchant_id", "environment", "channel", "held", "tracking",
    "saleor_order_id", "fulfillment_id",
)  # fmt: skip


def _exported_row(row: Capture, binding: Any) -> tuple[str, ...]:
    plan = Plan.model_validate_json(row.plan) if row.plan else None
    at = datetime.fromtimestamp(row.captured_at, UTC).isoformat() if row.captured_at else ""
    numbers = (entry.get("tracking_number", "") for entry in row.tracking)
    fields = (
        row.order_number, row.fulfillment_number, "held" if row.held else row.state.value,
        decimal(row.amount_minor, row.currency), row.currency, at, row.capture_id,
        plan.reference if plan else None, binding and binding.kustom_order_id,
        binding and binding.merchant_id, binding and binding.environment, row.channel, row.held,
        " ".join(filter(None, numbers)), row.order_id, row.fulfillment_id,
    )  # fmt: skip
    return tuple(_cell(field) for field in fields)


def _cell(value: object) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _lines(rows: list[tuple[str, ...]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def _query(request: Request) -> dict[str, str]:
    """Return the filters as they were asked, for links and fields."""
    names = ("status", "channel", "since", "until", "search")
    return {n: v for n in names if (v := request.query_params.get(n, "")[:_LONGEST_SEARCH])}


def _of(pairs: Any) -> tuple[tuple[str, int], ...]:
    """Return amounts by currency, added up, without those that are 0."""
    sums: dict[str, int] = {}
    for currency, minor in pairs:
        sums[currency] = sums.get(currency, 0) + minor
    return tuple((currency, minor) for currency, minor in sums.items() if minor)


def _seconds(text: str | None) -> float | None:
    seconds = whole(text, 11)
    return None if seconds is None else float(seconds)
