"""What an extension is given and gives back: the supported interface, documented in
docs/extending.md. Nothing here changes in a way that breaks an extension within a major version.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

#: The entry point group under which a package offers extensions.
GROUP = "saleor_kustom.plan"


@dataclass(frozen=True, slots=True)
class Planned:
    """One capture before it is frozen. `body` is a copy: change it and return it.

    The metadata is Saleor's; the private one may hold what is nobody else's business.
    """

    shop: str  # the shop's GraphQL URL
    channel: str  # slug
    currency: str
    order_id: str  # Saleor's global ids
    order_number: str
    fulfillment_id: str
    fulfillment_number: int
    order_metadata: Mapping[str, str]
    order_private_metadata: Mapping[str, str]
    fulfillment_metadata: Mapping[str, str]
    fulfillment_private_metadata: Mapping[str, str]
    body: dict[str, Any]  # as Kustom will get it: order_lines, shipping_info, …


#: Returns the changed body, or None to leave it as it is.
Extension = Callable[[Planned], Mapping[str, Any] | None]
