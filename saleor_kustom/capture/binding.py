"""Which Kustom order an order might belong to, and whether it really fits (domain rule 4).

A shopper can write public checkout metadata, and a pspReference may be anybody's UUID: an id
is a claim, and the Kustom order itself must confirm it.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.fulfillment import Order, Transaction
from saleor_kustom.capture.money import shown
from saleor_kustom.capture.policy import Policy

_BINDABLE = frozenset({"AUTHORIZED", "PART_CAPTURED", "CAPTURED"})


class Source(StrEnum):
    """Where an id was found, most trusted first."""

    OWN_TRANSACTION = "own_transaction"  # this app answered for it when the checkout was paid
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
        return is_uuid(self.kustom_order_id)

    @property
    def guessed(self) -> bool:
        """Tell whether nobody said that it is Kustom's: unknown there means another provider."""
        return self.source is Source.TRANSACTION


class Purchase(Protocol):
    """What a Kustom order may pay: an order, or a checkout that becomes one."""

    @property
    def currency(self) -> str:
        """Return the ISO 4217 code."""

    @property
    def total_minor(self) -> int:
        """Return what is to be paid in all."""

    @property
    def base_minor(self) -> int:
        """Return what lines and shipping fee cost, whatever a gift card took off the total."""

    @property
    def total_authorized_minor(self) -> int:
        """Return what Saleor shows as authorized."""

    @property
    def total_charged_minor(self) -> int:
        """Return what Saleor shows as charged."""

    @property
    def transactions(self) -> Sequence[Transaction]:
        """Return its payments."""

    @property
    def names(self) -> Collection[str]:
        """Return what a merchant reference may call it."""


def kustom_id(text: str) -> str:
    """Return an id in the one spelling that is kept: two spellings must not be two orders."""
    return text.strip().lower()


def candidates(
    order: Order, policy: Policy, app_identifier: str | None = None
) -> tuple[Candidate, ...]:
    """Return the ids in the order in which they are tried; each once.

    `app_identifier` is our own: a transaction of ours is no guess, since only we name it.
    """
    key = policy.kustom_order_id_key
    payments = [
        t for t in order.transactions if not t.is_gift_card and is_uuid(t.psp_reference.strip())
    ]
    own = [t for t in payments if app_identifier and t.owner_app_identifier == app_identifier]
    found = [Candidate(kustom_id(t.psp_reference), Source.OWN_TRANSACTION) for t in own]
    found += [
        Candidate(kustom_id(text), source)
        for text, source in (
            (order.private_metadata.get(key, ""), Source.PRIVATE_METADATA),
            (order.metadata.get(key, ""), Source.PUBLIC_METADATA),
        )
        if text.strip()
    ]
    found += [Candidate(kustom_id(t.psp_reference), Source.TRANSACTION) for t in payments]
    first: dict[str, Candidate] = {}
    for candidate in found:
        first.setdefault(candidate.kustom_order_id, candidate)
    return tuple(first.values())


class Misfit(StrEnum):
    """In what a Kustom order does not fit."""

    STATUS = "status"
    CURRENCY = "currency"
    AMOUNT = "amount"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why a Kustom order does not fit, in words with both values."""

    kind: Misfit
    why: str


def refusal(order: Purchase, authorization: Authorization) -> str | None:
    """Return why the Kustom order does not fit the order, with both values; None: it fits."""
    unfit = misfit(order, authorization)
    return unfit.why if unfit else None


def misfit(order: Purchase, authorization: Authorization) -> Unfit | None:
    """Return in what the Kustom order does not fit the order; None: it fits."""
    if authorization.status not in _BINDABLE:
        return Unfit(Misfit.STATUS, f"it is {authorization.status}")
    if authorization.currency.upper() != order.currency.upper():
        why = f"it is in {authorization.currency}, the order in {order.currency}"
        return Unfit(Misfit.CURRENCY, why)
    amounts = _amounts(order, authorization)
    if authorization.original_order_amount_minor not in amounts:
        there = shown(authorization.original_order_amount_minor, order.currency)
        here = " or ".join(shown(amount, order.currency) for amount in sorted(amounts))
        why = f"it was placed over {there}, the order asks for {here or 'nothing more'}"
        return Unfit(Misfit.AMOUNT, why)
    named = authorization.merchant_reference1
    if named and named.strip().lstrip("#") not in order.names:
        return Unfit(Misfit.REFERENCE, f"it names another order, {named[:60]}")
    return None


def is_kustoms(transaction: Transaction, kustom_order_id: str) -> bool:
    """Tell whether a transaction stands for the Kustom order."""
    return kustom_id(transaction.psp_reference) == kustom_id(kustom_order_id)


def paid_minor(transaction: Transaction) -> int:
    """Return what a transaction pays or will pay of the order."""
    return transaction.authorized_minor + transaction.charged_minor


def _amounts(order: Purchase, authorization: Authorization) -> set[int]:
    """Return what the Kustom order may be over: authorized in Saleor, or the total's rest."""
    kustom_order_id = authorization.kustom_order_id
    own = [t for t in order.transactions if is_kustoms(t, kustom_order_id)]
    others = [t for t in order.transactions if not is_kustoms(t, kustom_order_id)]
    amounts = {order.total_minor - beside_minor(order, others)}
    for transaction in own:
        amounts.add(
            paid_minor(transaction) + transaction.refunded_minor + transaction.canceled_minor
        )
    if not own and order.total_authorized_minor:
        amounts.add(order.total_authorized_minor + order.total_charged_minor)
    return {amount for amount in amounts if amount > 0}


def beside_minor(order: Purchase, others: Sequence[Transaction]) -> int:
    """Return what other payments pay of the total."""
    return sum(paid_minor(t) for t in others if not _in_total(order, t))


def _in_total(order: Purchase, transaction: Transaction) -> bool:
    """Tell whether a gift card already lowered order.total (until 3.22)."""
    return transaction.is_gift_card and order.total_minor < order.base_minor


def is_uuid(value: str) -> bool:
    """Tell whether a text is a UUID as Kustom writes its ids, in any case."""
    try:
        return str(uuid.UUID(value)) == value.lower()
    except ValueError:
        return False
