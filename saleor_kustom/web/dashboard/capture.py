"""One capture: its history, the exact request, and whether that adds up; before and after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from saleor_kustom.capture import actions
from saleor_kustom.capture.actions import Act
from saleor_kustom.capture.held import Held
from saleor_kustom.capture.plan import Nothing, Plan
from saleor_kustom.capture.preview import checks, lines_of
from saleor_kustom.errors import CallError
from saleor_kustom.store import Capture, Store
from saleor_kustom.web.dashboard.asked import whole
from saleor_kustom.web.dashboard.desk import Desk
from saleor_kustom.web.dashboard.door import Visitor
from saleor_kustom.web.dashboard.parcels import facts_of, pretty, shown, tracking_of
from saleor_kustom.web.dashboard.render import page
from saleor_kustom.web.texts import Texts


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a capture's history."""

    at: float
    text: str
    detail: Mapping[str, Any]


class CapturePages:
    """One capture, as it stands and as it would be."""

    def __init__(self, store: Store, desk: Desk) -> None:
        self._store = store
        self._desk = desk

    async def capture(self, request: Request, visitor: Visitor) -> Response:
        """Return a capture with history and request."""
        row = await self.row(request, visitor)
        pauses = await self._store.pauses.list(visitor.shop.api_url)
        history = await self._store.captures.history(visitor.shop.api_url, row.id)
        told = await self._store.deliveries.of_fulfillment(
            row.api_url, row.order_id, row.fulfillment_id
        )
        binding = await self._store.captures.binding(visitor.shop.api_url, row.order_id)
        plan = Plan.model_validate_json(row.plan) if row.plan else None
        parcel = shown(row, pauses, visitor.texts)
        return page(
            "capture.html",
            visitor,
            tab="captures",
            parcel=parcel,
            row=row,
            tracking=tracking_of(row),
            binding=binding,
            portal=self._desk.portal_url(binding) if binding else None,
            plan=plan,
            request_body=pretty(plan.body) if plan and plan.body else "",
            lines=lines_of(plan.body) if plan else (),
            checks=checks(plan.body) if plan and plan.body else (),
            history=sorted(
                _told(told, visitor.texts) + _history(history, visitor.texts),
                key=lambda line: line.at,
            ),
            under_way=parcel.under_way,
        )

    async def preview(self, request: Request, visitor: Visitor) -> Response:
        """Return what a parcel would capture now; nothing is sent or stored."""
        row = await self.row(request, visitor)
        pauses = await self._store.pauses.list(visitor.shop.api_url)
        possible = Act.PREVIEW in actions.of_parcel(facts_of(row, pauses))
        decision: Plan | Held | Nothing | None = None
        found, seen, failed = None, None, ""
        try:
            found = await self._desk.preview(visitor.shop, row) if possible else None
            decision = found.decision if found else None
            seen = found.authorization if found else None
        except CallError as error:
            failed = str(error)
        plan = decision if isinstance(decision, Plan) else None
        held = decision if isinstance(decision, Held) else None
        remaining = seen.remaining_minor if seen else None
        currency = found.currency if found else row.currency
        return page(
            "preview.html",
            visitor,
            tab="captures",
            row=row,
            title=shown(row, pauses, visitor.texts).title,
            currency=currency,
            possible=possible,
            failed=failed,
            plan=plan,
            problem=visitor.texts.problem(held) if held else "",
            cure=visitor.texts.cure(held) if held else "",
            nothing=_nothing(decision, visitor.texts),
            request_body=pretty(plan.body) if plan else "",
            lines=lines_of(plan.body) if plan else (),
            checks=checks(plan.body, remaining) if plan else (),
        )

    async def row(self, request: Request, visitor: Visitor) -> Capture:
        """Return the capture that a path names, of the visitor's own shop. Raises 404."""
        asked = whole(request.path_params["id"]) or 0  # none of ours is longer
        row = await self._store.captures.get(visitor.shop.api_url, asked)
        if row is None:
            raise HTTPException(404, visitor.texts("capture.none"))
        return row


def _nothing(decision: object, texts: Texts) -> str:
    if isinstance(decision, Nothing):
        return texts.known("why", decision.why)
    return ""


def _told(rows: Sequence[Mapping[str, Any]], texts: Texts) -> list[Line]:
    """Return the deliveries as lines: what Saleor told, and when it came."""
    return [
        Line(
            row["received_at"],
            texts("history.delivery", event=row["event"].replace("_", " ")),
            {"problem": row["problem"]} if row["problem"] else {},
        )
        for row in rows
    ]


def _history(rows: Sequence[Mapping[str, Any]], texts: Texts) -> list[Line]:
    found = []
    for row in rows:
        detail = dict(row["detail"])
        why = detail.get("why") or detail.get("reason")
        text = texts.known("history", row["what"])
        if why:
            text += f": {texts.known('why', str(why))}"
        if detail.get("who"):
            text += f" ({detail['who']})"
        found.append(Line(row["at"], text, detail))
    return found
