"""What people change on the settings page. Each change is kept in the history with who made it."""

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from saleor_kustom.capture.checkup import AccountVerdict
from saleor_kustom.capture.parties import Account, Mode, merchant_of
from saleor_kustom.capture.policy import Policy, choices, merged, value_of
from saleor_kustom.errors import BadPolicy, CallError
from saleor_kustom.store import Capture, Store, Wanted
from saleor_kustom.web.dashboard.asked import read_asked, text
from saleor_kustom.web.dashboard.desk import Desk
from saleor_kustom.web.dashboard.door import Visitor
from saleor_kustom.web.dashboard.render import PRIVATE, html, said

_RECENT = 50  # captures among which an order is chosen to show a policy on


class Configuring:
    """The endpoints behind the settings page."""

    def __init__(self, store: Store, desk: Desk) -> None:
        self._store = store
        self._desk = desk

    async def account(self, request: Request, visitor: Visitor) -> Response:
        """Keep credentials for a channel, test them, and say what came of it."""
        asked = await read_asked(request)
        environment, username = text(asked, "environment"), text(asked, "username")
        password = text(asked, "password")
        if environment not in ("live", "playground") or not username or not password:
            return said(visitor.texts, "said.account_missing", status="warning", code=400)
        merchant_id = text(asked, "merchant_id") or merchant_of(username)
        account = Account(environment, merchant_id, username, password)
        channel = text(asked, "channel") or None
        await self._store.accounts.set(visitor.shop.api_url, channel, account, who=visitor.name)
        self._desk.wake()
        return await self._tested(visitor, account)

    async def account_test(self, request: Request, visitor: Visitor) -> Response:
        """Test kept credentials; such that test well end their account's pause."""
        asked = await read_asked(request)
        environment, merchant_id = text(asked, "environment"), text(asked, "merchant_id")
        account = await self._store.accounts.of_merchant(
            visitor.shop.api_url, environment, merchant_id
        )
        if account is None:
            raise HTTPException(404, visitor.texts("settings.no_account"))
        return await self._tested(visitor, account)

    async def mode(self, request: Request, visitor: Visitor) -> Response:
        """Say whether the shop's fulfillments move money (domain rule 25)."""
        asked = text(await read_asked(request), "mode")
        if asked not in ("", Mode.OBSERVE, Mode.CAPTURE):
            raise HTTPException(400, "There is no such mode.")
        mode = Mode(asked) if asked else None
        await self._store.shops.set_mode(visitor.shop.api_url, mode, who=visitor.name)
        self._desk.wake()
        return said(visitor.texts, f"said.mode_{asked or 'default'}")

    async def policy(self, request: Request, visitor: Visitor) -> Response:
        """Keep a channel's choices; an empty one is inherited."""
        asked = await read_asked(request)
        channel = text(asked, "channel")
        try:
            chosen, left = _chosen(asked)
        except BadPolicy as error:
            return _bad_policy(visitor, error)
        api_url = visitor.shop.api_url
        await self._store.policies.set(api_url, channel, chosen, who=visitor.name)
        await self._store.policies.unset(api_url, channel, left, who=visitor.name)
        self._desk.wake()
        return said(visitor.texts, "said.policy")

    async def policy_preview(self, request: Request, visitor: Visitor) -> Response:
        """Show what a recent order's parcels capture as it is, and with these choices."""
        asked = await read_asked(request)
        channel = text(asked, "channel")
        try:
            chosen, left = _chosen(asked)
        except BadPolicy as error:
            return _bad_policy(visitor, error)
        row = await self._recent(visitor.shop.api_url, channel)
        found, failed = None, ""
        if row is not None:
            policies = await self._policies(visitor, channel, chosen, left)
            try:
                found = await self._desk.spread(visitor.shop, row.order_id, policies)
            except CallError as error:
                failed = str(error)
        made = html("policy_preview.html", visitor.texts, row=row, spreads=found, failed=failed)
        return HTMLResponse(made, headers=PRIVATE)

    async def _tested(self, visitor: Visitor, account: Account) -> Response:
        api_url = visitor.shop.api_url
        known = await self._store.accounts.an_order_of(
            api_url, account.environment, account.merchant_id
        )
        verdict = await self._desk.test(account, known)
        right = verdict is AccountVerdict.RIGHT
        if right:
            await self._store.accounts.resume(
                account.environment, account.merchant_id, api_url=api_url
            )
            self._desk.wake()
        status = "success" if right else "error"
        return said(
            visitor.texts, f"said.account_{verdict}", status=status, merchant=account.merchant_id
        )

    async def _policies(
        self, visitor: Visitor, channel: str, chosen: Mapping[str, Any], left: list[str]
    ) -> list[Policy]:
        """Return the channel's policy as it is, and as it would be."""
        listed = await self._store.policies.list(visitor.shop.api_url)
        documents = {one.channel: one.document for one in listed}
        above = [documents.get("", {})] if channel else []
        own = documents.get(channel, {})
        new = {key: value for key, value in own.items() if key not in left} | dict(chosen)
        base = self._desk.base
        return [merged(base, [*above, document])[0] for document in (own, new)]

    async def _recent(self, api_url: str, channel: str) -> Capture | None:
        """Return a capture of the recent order with the most parcels: there choices show best."""
        wanted = Wanted(channel=channel or None, limit=_RECENT)
        rows = [r for r in await self._store.captures.list(api_url, wanted) if r.order_number]
        counts: dict[str, int] = {}
        for row in rows:
            counts[row.order_id] = counts.get(row.order_id, 0) + 1
        return max(rows, key=lambda row: counts[row.order_id], default=None)


def _chosen(asked: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return what was chosen and what is inherited. Raises BadPolicy with every fault."""
    chosen: dict[str, Any] = {}
    left: list[str] = []
    faults: list[str] = []
    for key in choices():
        if key not in asked:
            continue
        typed = text(asked, key)
        try:
            if typed:
                chosen[key] = value_of(key, typed)
            else:
                left.append(key)
        except BadPolicy as error:
            faults += error.faults
    if faults:
        raise BadPolicy(faults)
    return chosen, left


def _bad_policy(visitor: Visitor, error: BadPolicy) -> Response:
    faults = "; ".join(error.faults)
    return said(visitor.texts, "said.policy_bad", status="error", code=400, faults=faults)
