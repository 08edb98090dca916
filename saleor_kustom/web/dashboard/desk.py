"""What the pages ask of the other sides. It can look and plan, not charge: the edge never may."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.checkup import AccountVerdict, ShopFacts, WebhookState
from saleor_kustom.capture.linking import Outcome
from saleor_kustom.capture.parties import Account, Shop
from saleor_kustom.capture.plan import Binding
from saleor_kustom.capture.policy import Policy
from saleor_kustom.capture.preview import Preview, Spread
from saleor_kustom.store import Capture


class Closing(Protocol):
    """What closing an order would do. Minor units of the currency."""

    @property
    def order_number(self) -> str:
        """Return Saleor's number."""

    @property
    def currency(self) -> str:
        """Return the order's currency."""

    @property
    def remaining_minor(self) -> int:
        """Return what is authorized and not captured."""

    @property
    def captured_minor(self) -> int:
        """Return what was captured."""

    @property
    def fee_minor(self) -> int:
        """Return what of the shipping fee could be charged first."""

    @property
    def waiting(self) -> Sequence[Capture]:
        """Return parcels that are not captured yet and would lose their money."""


class Extension(Protocol):
    """What came of asking for more time: until when, or why not."""

    @property
    def until(self) -> datetime | None:
        """Return when the authorization ends now; None: there is no more time."""

    @property
    def problem(self) -> str | None:
        """Return why there is no more time."""


class Desk(Protocol):
    """Joined in app.py."""

    base: Policy  # what the operator chose for all shops

    def wake(self) -> None:
        """Tell the worker that something was stored."""

    def portal_url(self, binding: Binding) -> str | None:
        """Return a link to an order in Kustom's portal."""

    async def authorization(self, shop: Shop, order_id: str) -> Authorization | None:
        """Return the order's Kustom order as it is now; None: not bound. Raises CallError."""

    async def preview(self, shop: Shop, capture: Capture) -> Preview | None:
        """Plan a parcel on what both sides say now, and write nothing. Raises CallError.

        None: the order is not there, or not Kustom's.
        """

    async def test(self, account: Account, known_order: str | None) -> AccountVerdict:
        """Ask Kustom whether credentials are right."""

    async def shop_facts(self, shop: Shop) -> ShopFacts:
        """Ask Saleor for what may block merchants. Raises CallError."""

    async def spread(
        self, shop: Shop, order_id: str, policies: Sequence[Policy]
    ) -> Sequence[Spread] | None:
        """Plan an order's parcels under each policy; None: Saleor has no such order."""

    async def link(self, shop: Shop, order_id: str, kustom_order_id: str, who: str) -> Outcome:
        """Store a link, try it, and return how it stands."""

    async def closing(self, shop: Shop, order_id: str) -> Closing | None:
        """Return what closing an order would do; None: it is not Kustom's. Raises CallError."""

    async def close(
        self, shop: Shop, order_id: str, *, charge_fee: bool, who: str, why: str
    ) -> Capture:
        """Ask for an order's closing; the worker carries it out."""

    async def extend(self, shop: Shop, order_id: str, who: str) -> Extension:
        """Ask Kustom for more time to capture an order. Raises CallError."""

    async def webhooks(self, shop: Shop) -> WebhookState:
        """Compare the app's webhooks in Saleor with ours. Raises CallError."""

    async def sync_webhooks(self, shop: Shop) -> int:
        """Bring them up to date; return how many were refused. Raises CallError."""
