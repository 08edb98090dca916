"""What shipped before the app was installed: shown with its sum, captured when a person says so.

Nobody knows whether somebody captured it by hand meanwhile, so each is planned against Kustom's
own list first, and planned anew when it is captured (domain rules 7 and 24).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from saleor_kustom.capture.decide import decide, reference
from saleor_kustom.capture.held import Held
from saleor_kustom.capture.ledger import Earlier
from saleor_kustom.capture.parties import Shop
from saleor_kustom.capture.plan import Nothing, Plan
from saleor_kustom.saleor.listing import Shipped
from saleor_kustom.worker.entries import ledger_of
from saleor_kustom.worker.journey import Parts
from saleor_kustom.worker.seeing import Seen, see

_NOT_SEEN = "not paid with Kustom, or its channel has no credentials"


@dataclass(frozen=True, slots=True)
class Preview:
    """One parcel. `order_number` is the order's id where the number isn't known.

    `amount_minor` None: it would not be captured, and `why`.
    """

    shipped: Shipped
    order_number: str
    currency: str
    amount_minor: int | None
    why: str = ""


class BeforeInstall:
    """Previews and releases fulfillments that the app never heard of."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def preview(self, shop: Shop, shipped: Iterable[Shipped]) -> Sequence[Preview]:
        """Return what each would capture now, the older parcels of an order first.

        Raises CallError.
        """
        found: list[Preview] = []
        ordered = sorted(shipped, key=lambda one: (one.order_id, one.created))
        for order_id, parcels in groupby(ordered, key=lambda one: one.order_id):
            seen = await see(self._parts, shop, order_id)
            if seen is None:
                found += [Preview(one, order_id, "", None, _NOT_SEEN) for one in parcels]
            else:
                found += await self._parcels(shop, seen, list(parcels))
        return found

    async def capture(self, shop: Shop, chosen: Iterable[Preview]) -> int:
        """Make the captures due; return how many. A running worker then plans and sends them."""
        made = 0
        for one in chosen:
            made += await self._parts.store.captures.notice(
                shop.api_url,
                one.shipped.order_id,
                one.shipped.fulfillment_id,
                one.shipped.created,
            )
        return made

    async def _parcels(self, shop: Shop, seen: Seen, parcels: list[Shipped]) -> list[Preview]:
        order, authorization = seen.order, seen.authorization
        rows = await self._parts.store.captures.of_order(shop.api_url, order.id)
        earlier = ledger_of(rows, order)
        policy = self._parts.policy(shop, order.channel)
        references = {entry.plan.reference for entry in earlier if entry.plan}
        found = []
        for shipped in parcels:
            fulfillment = order.fulfillment(shipped.fulfillment_id)
            if fulfillment is None:
                continue
            own = reference(order, fulfillment)
            if own in {capture.reference for capture in authorization.captures}:
                why = "Kustom has its capture already"
                found.append(Preview(shipped, order.number, order.currency, None, why))
                continue
            decision = decide(
                order,
                fulfillment,
                earlier,
                authorization,
                policy,
                own_references=frozenset(references | {own}),
            )
            found.append(_preview(shipped, seen, decision))
            if isinstance(decision, Plan):
                earlier.append(Earlier(fulfillment.id, decision))
                left = authorization.remaining_minor - decision.amount_minor
                authorization = replace(authorization, remaining_minor=left)
        return found


def _preview(shipped: Shipped, seen: Seen, decision: Plan | Held | Nothing) -> Preview:
    number, currency = seen.order.number, seen.order.currency
    match decision:
        case Plan():
            return Preview(shipped, number, currency, decision.amount_minor)
        case Held():
            return Preview(shipped, number, currency, None, decision.problem)
        case Nothing():
            return Preview(shipped, number, currency, None, decision.why.value)
