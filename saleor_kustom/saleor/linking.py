"""What linking asks of Saleor beside what captures do: a checkout, an order by its number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from saleor_kustom.capture.fulfillment import Checkout
from saleor_kustom.capture.parties import Shop
from saleor_kustom.errors import Refused
from saleor_kustom.saleor.client import SaleorClient, document
from saleor_kustom.saleor.reading import read_checkout

_REVIEW = document("report_review")
_BY_NUMBER = document("orders_by_number")
_CHECKOUT = document("checkout")
#: As many orders as Saleor lists at once.
MOST_NUMBERS = 100


@dataclass(frozen=True, slots=True)
class Reviewed:
    """How Kustom's review of an authorization ended."""

    transaction_id: str
    accepted: bool
    amount: Decimal
    psp_reference: str
    message: str
    external_url: str | None


class Linking:
    """Raises Refused or Unavailable as SaleorClient does."""

    def __init__(self, client: SaleorClient) -> None:
        self._client = client

    async def checkout(self, shop: Shop, checkout_id: str) -> Checkout | None:
        """Return a checkout as it is now; None when this Saleor knows no such one."""
        found = await self._client.read(shop, _CHECKOUT, {"id": checkout_id})
        checkout = found.get("checkout")
        return read_checkout(checkout) if isinstance(checkout, dict) else None

    async def order_ids(self, shop: Shop, numbers: Sequence[str]) -> Mapping[str, str]:
        """Return the ids of the orders that have these numbers, by number; at most 100."""
        if not numbers:
            return {}
        found = await self._client.read(shop, _BY_NUMBER, {"numbers": list(numbers)})
        try:
            nodes = [edge["node"] for edge in found["orders"]["edges"]]
            return {str(node["number"]): str(node["id"]) for node in nodes}
        except (KeyError, TypeError) as error:
            raise Refused("NOT_UNDERSTOOD", ("the list of orders",)) from error

    async def report_review(self, shop: Shop, reviewed: Reviewed) -> None:
        """Tell Saleor how an authorization ended that it knows as requested. Safe to repeat."""
        variables = {
            "transaction": reviewed.transaction_id,
            "type": "AUTHORIZATION_SUCCESS" if reviewed.accepted else "AUTHORIZATION_FAILURE",
            "amount": format(reviewed.amount, "f"),
            "pspReference": reviewed.psp_reference,
            "message": reviewed.message[:512],
            "externalUrl": reviewed.external_url,
        }
        await self._client.mutate(shop, _REVIEW, variables, "reported")
