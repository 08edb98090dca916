"""Read both sides of an order without binding it, for what only looks."""

from dataclasses import dataclass

from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.binding import candidates, refusal
from saleor_kustom.capture.fulfillment import Order
from saleor_kustom.capture.parties import Account, Shop
from saleor_kustom.capture.plan import Binding
from saleor_kustom.errors import Refused
from saleor_kustom.worker.journey import Parts


@dataclass(frozen=True, slots=True)
class Seen:
    """An order and its authorization as they are now."""

    order: Order
    account: Account
    binding: Binding
    authorization: Authorization


async def see(parts: Parts, shop: Shop, order_id: str) -> Seen | None:
    """Return both sides; None: the order is gone or not Kustom's. Raises CallError.

    Takes its reads from what the rate leaves (Pace.leave_room).
    """
    order = await parts.saleor.order(shop, order_id)
    if order is None:
        return None
    binding = await parts.store.captures.binding(shop.api_url, order_id)
    if binding is not None:
        account = await parts.store.accounts.by_binding(shop.api_url, binding)
        ids = [binding.kustom_order_id]
    else:
        account = await parts.store.accounts.get(shop.api_url, order.channel)
        policy = parts.policy(shop, order.channel)
        known = candidates(order, policy, parts.app_identifier)
        ids = [one.kustom_order_id for one in known if one.valid]
    if account is None:
        return None
    for kustom_order_id in ids:
        found = await _found(parts, account, kustom_order_id)
        if found is not None and (binding is not None or refusal(order, found) is None):
            merchant = Binding(account.environment, account.merchant_id, kustom_order_id)
            return Seen(order, account, merchant, found)
    return None


async def _found(parts: Parts, account: Account, kustom_order_id: str) -> Authorization | None:
    await parts.pace.leave_room()
    await parts.pace(account)
    try:
        return await parts.kustom.order(account, kustom_order_id)
    except Refused:
        return None
