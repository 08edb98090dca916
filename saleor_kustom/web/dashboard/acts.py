"""What people do on the pages. Each act asks the table of capture/actions.py once more, is kept in
the history with who did it, and says what it did.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from saleor_kustom.capture.actions import Act
from saleor_kustom.capture.held import Reason
from saleor_kustom.store import Capture, Scope, Store
from saleor_kustom.web.dashboard.asked import read_asked, text, whole
from saleor_kustom.web.dashboard.desk import Desk
from saleor_kustom.web.dashboard.door import CONFIGURE, Visitor
from saleor_kustom.web.dashboard.parcels import possible
from saleor_kustom.web.dashboard.render import PRIVATE, said

_PORTION = 25  # parcels in one request of a bulk act, so that its progress can be shown


class Acts:
    """The endpoints behind the buttons."""

    def __init__(self, store: Store, desk: Desk) -> None:
        self._store = store
        self._desk = desk

    async def retry(self, request: Request, visitor: Visitor) -> Response:
        """Let one parcel go on: a held one from where it stands, a waiting one at once."""
        row, asked = await self._row(request, visitor)
        act = asked.get("act")
        here = (Act.RETRY, Act.RELEASE, Act.CAPTURE_NOW, Act.REOPEN)
        if act not in here or act not in await possible(self._store, row):
            return said(visitor.texts, "said.not_now", status="warning", code=409)
        api_url = visitor.shop.api_url
        if act == Act.CAPTURE_NOW:
            done = await self._store.captures.hasten(api_url, row.id, visitor.name)
        elif act == Act.REOPEN:
            why = "reopened in the Dashboard"
            done = await self._store.by_hand.reopen(api_url, row.id, who=visitor.name, why=why)
        else:
            done = await self._resume(visitor, row.id)
        self._desk.wake()
        return self._done(visitor, f"said.{act}", done=done)

    async def settle(self, request: Request, visitor: Visitor) -> Response:
        """Take a person's word that a held parcel's money came another way."""
        row, asked = await self._row(request, visitor)
        why = text(asked, "why")
        if not why:
            return said(visitor.texts, "said.why_missing", status="warning", code=400)
        done = Act.SETTLE in await possible(self._store, row) and await self._store.by_hand.settle(
            visitor.shop.api_url, row.id, who=visitor.name, why=why
        )
        return self._done(visitor, "said.settle", done=done)

    async def retry_all(self, request: Request, visitor: Visitor) -> Response:
        """Let held parcels of one reason go on, some at a time; answer how far it came."""
        asked = await read_asked(request)
        reason, after = str(asked.get("reason", "")), whole(asked.get("after")) or 0
        until = whole(asked.get("until")) or 0
        if reason not in {each.value for each in Reason}:
            raise HTTPException(400, "There is no such reason.")
        rows = await self._store.captures.held_after(
            visitor.shop.api_url, reason, after=after, until=until, limit=_PORTION
        )
        if reason == Reason.OBSERVED and after == 0 and not await self._sum_is(visitor, asked):
            return said(visitor.texts, "said.sum_changed", status="warning", code=409, go="needs")
        done = await asyncio.gather(*(self._resume(visitor, row) for row in rows))
        self._desk.wake()
        return JSONResponse(
            {"done": sum(done), "after": max(rows, default=after), "more": len(rows) == _PORTION},
            headers=PRIVATE,
        )

    async def look_again(self, request: Request, visitor: Visitor) -> Response:
        """Read both sides of an order again, now."""
        asked = await read_asked(request)
        woken = await self._store.captures.wake_order(visitor.shop.api_url, text(asked, "order"))
        self._desk.wake()
        return self._done(visitor, "said.look_again", done=bool(woken))

    async def pause(self, request: Request, visitor: Visitor) -> Response:
        """Pause an order, a channel or the shop; who and why are kept."""
        asked = await read_asked(request)
        scope, key = self._scope(asked, visitor)
        why = text(asked, "why")
        if not why:
            return said(visitor.texts, "said.why_missing", status="warning", code=400)
        api_url = visitor.shop.api_url
        await self._store.pauses.set(scope, api_url, key, who=visitor.name, why=why)
        return said(visitor.texts, "said.pause")

    async def unpause(self, request: Request, visitor: Visitor) -> Response:
        """End a pause."""
        asked = await read_asked(request)
        scope, key = self._scope(asked, visitor)
        done = await self._store.pauses.lift(scope, visitor.shop.api_url, key, who=visitor.name)
        self._desk.wake()
        return self._done(visitor, "said.unpause", done=done)

    async def _resume(self, visitor: Visitor, row_id: int) -> bool:
        return await self._store.captures.resume(
            visitor.shop.api_url, row_id, visitor.name, "resumed in the Dashboard"
        )

    async def _row(self, request: Request, visitor: Visitor) -> tuple[Capture, Mapping[str, Any]]:
        asked = await read_asked(request)
        row = await self._store.captures.get(visitor.shop.api_url, whole(asked.get("capture")) or 0)
        if row is None:
            raise HTTPException(404, visitor.texts("capture.none"))
        return row, asked

    async def _sum_is(self, visitor: Visitor, asked: Mapping[str, Any]) -> bool:
        """Tell whether what was observed is still what the person was shown (domain rule 25)."""
        sums = await self._store.overview.held(visitor.shop.api_url)
        now = {s.currency: s.amount_minor for s in sums if s.what == Reason.OBSERVED}
        given = asked.get("sums")
        return isinstance(given, dict) and {k: whole(v) for k, v in given.items()} == now

    def _scope(self, asked: Mapping[str, Any], visitor: Visitor) -> tuple[Scope, str]:
        """Return what is paused. An order takes HANDLE_PAYMENTS, the rest MANAGE_APPS as well."""
        name = text(asked, "scope")
        if name not in (Scope.ORDER, Scope.CHANNEL, Scope.SHOP):
            raise HTTPException(400, "There is no such scope.")
        if name != Scope.ORDER and not visitor.may(CONFIGURE):
            raise HTTPException(403, visitor.texts("door.permission", permission=CONFIGURE))
        key = "" if name == Scope.SHOP else text(asked, "key")
        if name != Scope.SHOP and not key:
            raise HTTPException(400, "The key is missing.")
        return Scope(name), key

    def _done(self, visitor: Visitor, key: str, *, done: bool) -> Response:
        if done:
            return said(visitor.texts, key)
        return said(visitor.texts, "said.not_now", status="warning", code=409)
