"""A transaction of our own beside another app's or a staff user's (domain rule 24)."""

from dataclasses import replace

from saleor_kustom.capture.fulfillment import Order, Transaction
from saleor_kustom.capture.parties import Shop
from saleor_kustom.capture.plan import Binding
from saleor_kustom.capture.policy import ForeignTransaction
from saleor_kustom.capture.report import NewTransaction, ReportProblem, transaction_of
from saleor_kustom.worker.journey import Parts


def reportable(
    parts: Parts, shop: Shop, order: Order, binding: Binding
) -> Transaction | ReportProblem:
    """Return the transaction that we may report on, or why there is none."""
    return transaction_of(order, binding.kustom_order_id, shop.app_id, parts.app_identifier)


def wants_own(parts: Parts, shop: Shop, order: Order) -> bool:
    """Tell whether the merchant chose that a transaction of ours carries the charges."""
    policy = parts.policy(shop, order.channel)
    return policy.foreign_transaction is ForeignTransaction.OWN


async def is_being_linked(parts: Parts, shop: Shop, order: Order) -> bool:
    """Tell whether a link is under way, which makes a transaction itself."""
    link = await parts.store.links.get(shop.api_url, order.id)
    return link is not None and link.open


async def make_own(
    parts: Parts, shop: Shop, order: Order, binding: Binding
) -> Transaction | ReportProblem | None:
    """Make a transaction of our own for the charges; None: Saleor does not let us.

    The order that was read just now has none. An earlier request whose answer was lost may have
    made one meanwhile: of two the older is taken, by every later report too. Raises CallError.
    """
    url = parts.portal_url(binding)
    new = NewTransaction(order.id, order.currency, binding.kustom_order_id, external_url=url)
    made = await parts.saleor.create_transaction(shop, new)
    if made is None:
        return None
    return reportable(parts, shop, replace(order, transactions=made), binding)
