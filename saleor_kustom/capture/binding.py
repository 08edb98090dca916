"""Which Kustom order an order might belong to, and whether it really fits (domain rule 4).

A shopper can write public checkout metadata, and a pspReference may be anybody's UUID: an id
is a claim, and the Kustom order itself must confirm it.
"""

import uuid
from dataclasses import dataclass
from enum import StrEnum

from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.fulfillment import Order, Transaction
from saleor_kustom.capture.money import shown
from saleor_kustom.capture.policy import Policy

_BINDABLE = frozenset({"AUTHORIZED", "PART_CAPTURED", "CAPTURED"})


class Source(StrEnum):
    """Where an id was found, most trusted first."""

    PRIVATE_METADATA = "private_metadata"
    PUBLIC_METADATA = "public_metadata"
    TRANSACTION = "transaction"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An id that claims to be the order's Kustom order."""

    kustom_order_id: str
    source: Source

    @property
    def valid(self) -> bool:
        """Tell whether it is a UUID at all."""
        return _is_uuid(self.kustom_order_id)

    @property
    def guessed(self) -> bool:
        """Tell whether nobody said that it is Kustom's: unknown there means another provider."""
        return self.source is Source.TRANSACTION


def candidates(order: Order, policy: Policy) -> tuple[Candidate, ...]:
    """Return the ids in the order in which they are tried; each once."""
    key = policy.kustom_order_id_key
    found = [
        Candidate(text.strip(), source)
        for text, source in (
            (order.private_metadata.get(key, ""), Source.PRIVATE_METADATA),
            (order.metadata.get(key, ""), Source.PUBLIC_METADATA),
        )
        if text.strip()
    ]
    found += [
        Candidate(t.psp_reference.strip(), Source.TRANSACTION)
        for t in order.transactions
        if not t.is_gift_card and _is_uuid(t.psp_reference.strip())
    ]
    first: dict[str, Candidate] = {}
    for candidate in found:
        first.setdefault(candidate.kustom_order_id.lower(), candidate)
    return tuple(first.values())


def refusal(order: Order, authorization: Authorization) -> str | None:
    """Return why the Kustom order does not fit the order, with both values; None: it fits."""
    if authorization.status not in _BINDABLE:
        return f"it is {authorization.status}"
    if authorization.currency.upper() != order.currency.upper():
        return f"it is in {authorization.currency}, the order in {order.currency}"
    if authorization.original_order_amount_minor not in _amounts(order, authorization):
        there = shown(authorization.original_order_amount_minor, order.currency)
        here = " or ".join(
            shown(amount, order.currency) for amount in sorted(_amounts(order, authorization))
        )
        return f"it was placed over {there}, the order asks for {here}"
    named = authorization.merchant_reference1
    if named and named.strip().lstrip("#") not in _names(order):
        return f"it names another order, {named[:60]}"
    return None


def another_shoppers(
    order: Order, authorization: Authorization, candidate: Candidate
) -> str | None:
    """Return why an id that a shopper may have put there seems to be another shopper's.

    An order's public metadata can be written by whoever knows the order or its checkout, and a
    pspReference may be what a storefront was told. Where the Kustom order names no order, of the
    same amount there may be many; then both sides must not name two shoppers.
    """
    if candidate.source is Source.PRIVATE_METADATA or authorization.merchant_reference1:
        return None
    shoppers = {order.shopper, authorization.shopper} - {None}
    if len(shoppers) < 2:  # noqa: PLR2004 - two of them
        return None
    return "it names no order, and another shopper's e-mail address than this one"


def is_kustoms(transaction: Transaction, kustom_order_id: str) -> bool:
    """Tell whether a transaction stands for the Kustom order."""
    return transaction.psp_reference.strip().lower() == kustom_order_id.strip().lower()


def paid_minor(transaction: Transaction) -> int:
    """Return what a transaction pays or will pay of the order."""
    return transaction.authorized_minor + transaction.charged_minor


def _amounts(order: Order, authorization: Authorization) -> set[int]:
    """Return what the Kustom order may be over: authorized in Saleor, or the total's rest."""
    kustom_order_id = authorization.kustom_order_id
    own = [t for t in order.transactions if is_kustoms(t, kustom_order_id)]
    others = [t for t in order.transactions if not is_kustoms(t, kustom_order_id)]
    beside = sum(paid_minor(t) for t in others if not _in_total(order, t))
    amounts = {order.total_minor - beside}
    for transaction in own:
        amounts.add(
            paid_minor(transaction) + transaction.refunded_minor + transaction.canceled_minor
        )
    if not own and order.total_authorized_minor:
        amounts.add(order.total_authorized_minor + order.total_charged_minor)
    return {amount for amount in amounts if amount > 0}


def _in_total(order: Order, transaction: Transaction) -> bool:
    """Tell whether a gift card already lowered order.total (until 3.22)."""
    base = sum(line.total_minor for line in order.lines) + order.shipping_minor
    return transaction.is_gift_card and order.total_minor < base


def _names(order: Order) -> set[str]:
    return {order.number, order.id}


def _is_uuid(value: str) -> bool:
    try:
        return str(uuid.UUID(value)) == value.lower()
    except ValueError:
        return False
