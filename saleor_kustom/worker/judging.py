"""Whether an order may have a Kustom order: reads both sides, changes nothing (domain rule 4)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.binding import refusal
from saleor_kustom.capture.fulfillment import Order
from saleor_kustom.capture.linking import LinkRefusal, Refusing
from saleor_kustom.capture.parties import Account, Shop
from saleor_kustom.capture.plan import Binding
from saleor_kustom.errors import Refused
from saleor_kustom.store import Holder
from saleor_kustom.worker.journey import Parts

#: Reads a Kustom order, at our pace. Raises CallError.
Look = Callable[[Binding, Account], Awaitable[Authorization]]


@dataclass(frozen=True, slots=True)
class Fits:
    """Both sides as they were read just now. `bound`: it is the order's own already."""

    order: Order
    account: Account
    binding: Binding
    authorization: Authorization
    bound: bool


async def judge(
    parts: Parts, shop: Shop, order_id: str, kustom_order_id: str, look: Look
) -> Fits | Refusing:
    """Return both sides when they fit, or why not. Raises CallError.

    What is bound already is not asked whether it fits: captures changed its amounts since.
    """
    order = await parts.saleor.order(shop, order_id)
    if order is None:
        return _refusing(LinkRefusal.ORDER_UNKNOWN, kustom_order_id, order=order_id)
    store = parts.store
    known = await store.captures.binding(shop.api_url, order.id)
    if known is not None and known.kustom_order_id != kustom_order_id:
        bound = known.kustom_order_id
        return _refusing(LinkRefusal.ORDER_BOUND, kustom_order_id, bound=bound)
    if known is not None:
        account = await store.accounts.by_binding(shop.api_url, known)
    else:
        account = await store.accounts.get(shop.api_url, order.channel)
    if account is None:
        return _refusing(LinkRefusal.NO_CREDENTIALS, kustom_order_id, channel=order.channel)
    binding = Binding(account.environment, account.merchant_id, kustom_order_id)
    try:
        authorization = await look(binding, account)
    except Refused as error:
        return _unknown(binding, error)
    why = refusal(order, authorization) if known is None else None
    if why is not None:
        return _refusing(LinkRefusal.DOES_NOT_FIT, kustom_order_id, why=why)
    return Fits(order, account, binding, authorization, bound=known is not None)


async def preview(parts: Parts, shop: Shop, order_id: str, kustom_order_id: str) -> Fits | Refusing:
    """Return what a person's link would come to, and change nothing. Raises CallError."""

    async def look(binding: Binding, account: Account) -> Authorization:
        await parts.pace(account)
        return await parts.kustom.order(account, binding.kustom_order_id)

    judged = await judge(parts, shop, order_id, kustom_order_id, look)
    if isinstance(judged, Refusing) or judged.bound:
        return judged
    holders = await parts.store.links.holders(shop.api_url, judged.order.id, judged.binding)
    held = (taken_by(shop, one, kustom_order_id) for one in holders if not one.is_checkout)
    return next(held, judged)


def taken_by(shop: Shop, holder: Holder, kustom_order_id: str) -> Refusing:
    """Return the refusal of a Kustom order that another has; shops do not see each other's."""
    if holder.api_url != shop.api_url:
        bound = LinkRefusal.KUSTOM_ORDER_BOUND
        return _refusing(bound, kustom_order_id, holder="one of another shop")
    reason = LinkRefusal.KUSTOM_ORDER_BOUND
    if holder.is_checkout:
        reason = LinkRefusal.KUSTOM_ORDER_IN_USE
    return _refusing(reason, kustom_order_id, holder=holder.order_id)


def _unknown(binding: Binding, error: Refused) -> Refusing:
    return _refusing(
        LinkRefusal.KUSTOM_ORDER_UNKNOWN,
        binding.kustom_order_id,
        merchant=binding.merchant_id,
        environment=binding.environment,
        why=str(error),
    )


def _refusing(reason: LinkRefusal, asked: str, **detail: str) -> Refusing:
    return Refusing(reason, {"asked": asked, **detail})
