"""Close an order of which nothing more ships: show what that means, then ask for it.

Saleor refuses to cancel an order with a live fulfillment, so this is the only way to give the
shopper back what is not captured before the authorization expires.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from saleor_kustom.capture.charge import decide_fee
from saleor_kustom.capture.money import shown
from saleor_kustom.capture.operation import Request, Source
from saleor_kustom.capture.parties import Shop
from saleor_kustom.capture.plan import Plan
from saleor_kustom.capture.standing import Standing
from saleor_kustom.capture.state import MONEY_FIRST
from saleor_kustom.store import Capture
from saleor_kustom.worker.entries import ledger_of, references_of
from saleor_kustom.worker.journey import Parts
from saleor_kustom.worker.seeing import see


@dataclass(frozen=True, slots=True)
class ClosingPreview:
    """What closing an order would do. Minor units of the currency.

    `fee_minor`: what of the shipping fee was not charged yet and could be, before the rest is
    given back. `waiting`: parcels that are not captured yet and would lose their money.
    """

    order_number: str
    kustom_order_id: str
    status: str  # Kustom's
    currency: str
    remaining_minor: int
    captured_minor: int
    fee_minor: int
    waiting: Sequence[Capture] = ()

    def shown(self, minor: int) -> str:
        """Return an amount for a person."""
        return shown(minor, self.currency)


class Closing:
    """Previews and asks. A running worker carries out what was asked."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def preview(self, shop: Shop, order_id: str) -> ClosingPreview | None:
        """Return what closing would do now; None: the order is gone or not Kustom's.

        Raises CallError.
        """
        seen = await see(self._parts, shop, order_id)
        if seen is None:
            return None
        order, authorization = seen.order, seen.authorization
        rows = await self._parts.store.captures.of_order(shop.api_url, order_id)
        fee = decide_fee(
            order,
            ledger_of(rows, order),
            authorization,
            self._parts.policy(shop, order.channel),
            reference="preview",
            own_references=references_of(rows),
        )
        standing = Standing.of(authorization, self._parts.clock())
        return ClosingPreview(
            order_number=order.number,
            kustom_order_id=authorization.kustom_order_id,
            status=authorization.status,
            currency=order.currency,
            remaining_minor=standing.remaining_minor,
            captured_minor=standing.captured_minor,
            fee_minor=fee.amount_minor if isinstance(fee, Plan) else 0,
            waiting=[row for row in rows if row.is_parcel and row.state in MONEY_FIRST],
        )

    async def close(
        self, shop: Shop, order_id: str, *, charge_fee: bool, who: str, why: str
    ) -> Capture:
        """Ask for the closing, with the fee charged first where wanted; return its row.

        While a closing is open no other is made, so asking twice is asking once.
        """
        request = Request(source=Source.PERSON, who=who, why=why, fee_first=charge_fee)
        return await self._parts.store.operations.close(shop.api_url, order_id, request)
