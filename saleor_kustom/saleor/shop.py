"""Ask a Saleor for its own settings."""

from collections.abc import Mapping
from typing import Any

from saleor_kustom.capture.checkup import ShopFacts
from saleor_kustom.capture.parties import Shop
from saleor_kustom.errors import Unavailable
from saleor_kustom.saleor.client import SaleorClient, document

_SHOP = document("shop")


async def read_facts(saleor: SaleorClient, shop: Shop) -> ShopFacts:
    """Return the settings as they are now. Raises Unavailable."""
    answer: Any = (await saleor.read(shop, _SHOP, {})).get("shop")
    if not isinstance(answer, Mapping):
        raise Unavailable("SALEOR_NONSENSE", ("no shop in the answer",))
    return ShopFacts(
        version=str(answer.get("version") or ""),
        allows_unpaid=answer.get("fulfillmentAllowUnpaid") is True,
        approves_by_itself=answer.get("fulfillmentAutoApprove") is True,
    )
