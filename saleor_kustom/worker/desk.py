"""What the pages ask of the other sides: it looks and plans, and writes nothing there."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.checkup import AccountVerdict, ShopFacts, WebhookState
from saleor_kustom.capture.decide import decide, reference
from saleor_kustom.capture.linking import How, LinkRefusal, Outcome, Refusing, Told
from saleor_kustom.capture.parties import Account, Shop
from saleor_kustom.capture.plan import Binding, Plan
from saleor_kustom.capture.policy import Policy
from saleor_kustom.capture.preview import Preview, Spread, spread
from saleor_kustom.capture.shipping_info import entries
from saleor_kustom.saleor.seen_as import seen_as
from saleor_kustom.store import Capture
from saleor_kustom.worker.checking import check_account
from saleor_kustom.worker.entries import ledger_of, references_of
from saleor_kustom.worker.expiry import Expiry, Extension
from saleor_kustom.worker.journey import Parts
from saleor_kustom.worker.linker import Linker
from saleor_kustom.worker.operations.closing import Closing, ClosingPreview
from saleor_kustom.worker.seeing import see
from saleor_kustom.worker.webhooks import WebhookSync

#: A page that is opened again at once asks Kustom once.
_FRESH_S = 5.0
_MOST_KEPT = 500


@dataclass(slots=True)
class Desk:
    """One for the process; see web/dashboard/desk.py for what the pages expect."""

    parts: Parts
    wake: Callable[[], None]
    linker: Linker
    closer: Closing
    sync: WebhookSync
    expiry: Expiry
    base: Policy  # what the operator chose for all shops
    monotonic: Callable[[], float] = time.monotonic
    _seen: OrderedDict[str, tuple[float, Authorization]] = field(default_factory=OrderedDict)

    def portal_url(self, binding: Binding) -> str | None:
        """Return a link to the order in Kustom's portal."""
        return self.parts.portal_url(binding)

    async def authorization(self, shop: Shop, order_id: str) -> Authorization | None:
        """Return the order's Kustom order as it is now; None: not bound. Raises CallError."""
        binding = await self.parts.store.captures.binding(shop.api_url, order_id)
        if binding is None:
            return None
        account = await self.parts.store.accounts.by_binding(shop.api_url, binding)
        if account is None:
            return None
        key = f"{shop.api_url} {binding.line}"
        at, seen = self._seen.get(key, (float("-inf"), None))
        if seen is not None and self.monotonic() - at < _FRESH_S:
            return seen
        await self.parts.pace(account)
        seen = await self.parts.kustom.order(account, binding.kustom_order_id)
        self._seen[key] = (self.monotonic(), seen)
        while len(self._seen) > _MOST_KEPT:
            self._seen.popitem(last=False)
        return seen

    async def preview(
        self, shop: Shop, capture: Capture, policy: Policy | None = None
    ) -> Preview | None:
        """Plan a parcel on what both sides say now. Raises CallError."""
        seen = await see(self.parts, shop, capture.order_id)
        fulfillment = seen.order.fulfillment(capture.fulfillment_id) if seen else None
        if seen is None or fulfillment is None:
            return None
        rows = await self.parts.store.captures.of_order(shop.api_url, capture.order_id)
        earlier = ledger_of(rows, seen.order, but=capture.id)
        own = reference(seen.order, fulfillment)
        policy = policy or self.parts.policy(shop, seen.order.channel)
        decision = decide(
            seen.order,
            fulfillment,
            earlier,
            seen.authorization,
            policy,
            own_references=references_of(rows) | {own},
            shipping_info=entries(seen.order, fulfillment, policy),
        )
        if isinstance(decision, Plan):
            decision = await self.parts.hooks.extended(
                decision,
                shop.api_url,
                seen.order,
                fulfillment,
                tracking=not capture.without_tracking,
            )
        return Preview(seen.order.currency, decision, seen.authorization)

    async def spread(
        self, shop: Shop, order_id: str, policies: Sequence[Policy]
    ) -> Sequence[Spread] | None:
        """Plan an order's parcels from the first one on, under each policy. Raises CallError."""
        order = await self.parts.saleor.order(shop, order_id)
        return None if order is None else [spread(order, policy) for policy in policies]

    async def link(self, shop: Shop, order_id: str, kustom_order_id: str, who: str) -> Outcome:
        """Store a link, try it, and return how it stands.

        Nothing is stored for an order that the shop's Saleor does not know. Raises CallError
        when it can't be asked, and StoreUnavailable.
        """
        if await self.parts.saleor.order(shop, order_id) is None:
            unknown = Refusing(LinkRefusal.ORDER_UNKNOWN, {"order": order_id})
            return Outcome(Told.REFUSED, unknown.reason.value, unknown.message)
        link = await self.linker.now(shop, order_id, kustom_order_id, how=How.PAGE, who=who)
        return link.outcome(kustom_order_id)

    async def closing(self, shop: Shop, order_id: str) -> ClosingPreview | None:
        """Return what closing an order would do; None: it is not Kustom's. Raises CallError."""
        return await self.closer.preview(shop, order_id)

    async def close(
        self, shop: Shop, order_id: str, *, charge_fee: bool, who: str, why: str
    ) -> Capture:
        """Ask for an order's closing; the worker carries it out."""
        return await self.closer.close(shop, order_id, charge_fee=charge_fee, who=who, why=why)

    async def extend(self, shop: Shop, order_id: str, who: str) -> Extension:
        """Ask Kustom for more time to capture an order. Raises CallError."""
        return await self.expiry.extend(shop, order_id, who=who)

    async def test(self, account: Account, known_order: str | None) -> AccountVerdict:
        """Ask Kustom whether credentials are right."""
        return await check_account(self.parts.kustom, account, known_order)

    async def shop_facts(self, shop: Shop) -> ShopFacts:
        """Ask Saleor for what may block merchants. Raises CallError."""
        seen = await seen_as(self.parts.saleor, shop)
        return ShopFacts(seen.saleor_version, seen.allows_unpaid, seen.approves_by_itself)

    async def webhooks(self, shop: Shop) -> WebhookState:
        """Compare the app's webhooks in Saleor with ours. Raises CallError."""
        found = await self.sync.compare(shop)
        return WebhookState(tuple(map(str, found.changes)), found.inactive, found.lacking)

    async def sync_webhooks(self, shop: Shop) -> int:
        """Bring them up to date, switched off ones too; return how many were refused."""
        return len((await self.sync.sync(shop, activate=True)).failed)
