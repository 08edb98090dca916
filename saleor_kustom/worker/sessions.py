"""A storefront pays with a Kustom order: whether it may, by what both sides say right now.

Saleor has made a transaction of ours and waits for the answer. Nothing that the browser said is
believed but which Kustom order to look at; a Kustom order is given to one checkout or order, for
one transaction, before the answer leaves (domain rule 4). Told to the shopper: capture/session.py.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.fulfillment import Checkout, Order
from saleor_kustom.capture.linking import How, LinkState, kind_of
from saleor_kustom.capture.parties import Account, Shop
from saleor_kustom.capture.plan import Binding
from saleor_kustom.capture.retry import FRAUD_POLL_S
from saleor_kustom.capture.session import (
    Code,
    Result,
    Session,
    SessionAnswer,
    decide_session,
    failure,
)
from saleor_kustom.capture.standing import Standing
from saleor_kustom.errors import CallError, Refused, Unavailable
from saleor_kustom.saleor.linking import Linking
from saleor_kustom.store import Holder
from saleor_kustom.worker.journey import Parts

_log = logging.getLogger(__name__)

#: Saleor waits 20 seconds for an answer (2 to connect, 18 to read); a later one is not heard. So
#: after this another transaction may take the place of one whose answer was lost.
SETTLED_S = 30.0


@dataclass(frozen=True, slots=True)
class Authorized:
    """The answer, with what goes along when Kustom has authorized it."""

    answer: SessionAnswer
    actions: tuple[str, ...] = ()
    portal_url: str | None = None


class Sessions:
    """Answers storefronts. Never raises CallError: what can't be said now is a failure too."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def environment(self, shop: Shop, source_id: str) -> str | None:
        """Return where the source's channel is paid with Kustom (playground, live), or None."""
        try:
            source = await self._source(shop, source_id)
        except CallError as error:
            _log.warning("could not read %s now: %s", source_id, error)
            return None
        account = await self._account(shop, source) if source else None
        return account.environment if account else None

    async def authorize(self, shop: Shop, session: Session) -> Authorized:
        """Return what Kustom has authorized for a checkout or an order, or why nothing."""
        try:
            found = await self._authorize(shop, session)
        except CallError as error:
            return self._failed(session, Code.TRY_AGAIN, str(error))
        return found

    async def _authorize(self, shop: Shop, session: Session) -> Authorized:
        source = await self._source(shop, session.source_id)
        if source is None:
            return self._failed(session, Code.SOURCE_UNKNOWN, "Saleor does not know it")
        account = await self._account(shop, source)
        if account is None:
            return self._failed(session, Code.NO_CREDENTIALS, f"channel {source.channel}")
        binding = Binding(account.environment, account.merchant_id, session.kustom_order_id)
        try:
            authorization = await self._look(shop, account, session)
        except Refused as error:
            return self._failed(session, Code.KUSTOM_ORDER_UNKNOWN, str(error))
        answer = decide_session(source, session, authorization)
        if answer.code is not None:
            why = f"{authorization.status} {authorization.order_amount_minor}"
            return self._failed(session, answer.code, why)
        taken = await self._take(shop, source, session, binding)
        if taken is not None:
            return self._failed(session, taken, "another has it, or was just answered for it")
        await self._follow_up(shop, source, session, answer)
        actions = Standing.of(authorization, 0.0).actions
        return Authorized(answer, actions, self._parts.portal_url(binding))

    async def _look(self, shop: Shop, account: Account, session: Session) -> Authorization:
        """Read the Kustom order, unless its account is paused. Raises CallError."""
        parts, name = self._parts, f"{account.environment}/{account.merchant_id}"
        if await parts.store.pauses.of_account(shop.api_url, name):
            raise Unavailable("PAUSED")
        await parts.pace(account)
        try:
            found = await parts.kustom.order(account, session.kustom_order_id)
        except CallError as error:
            parts.pace.failed(account, error)
            raise
        parts.pace.succeeded(account)
        return found

    async def _source(self, shop: Shop, source_id: str) -> Order | Checkout | None:
        if kind_of(source_id) == "Checkout":
            return await Linking(self._parts.saleor).checkout(shop, source_id)
        return await self._parts.saleor.order(shop, source_id)

    async def _account(self, shop: Shop, source: Order | Checkout) -> Account | None:
        """Return the channel's account, or that of the merchant whom an order belongs to."""
        store = self._parts.store
        known = await store.captures.binding(shop.api_url, source.id)
        if known is not None and isinstance(source, Order):
            return await store.accounts.by_binding(shop.api_url, known)
        return await store.accounts.get(shop.api_url, source.channel)

    async def _take(
        self, shop: Shop, source: Order | Checkout, session: Session, binding: Binding
    ) -> Code | None:
        """Give the source the Kustom order, for this transaction; or return why not."""
        links = self._parts.store.links
        link = await links.get(shop.api_url, source.id)
        if link is not None and link.open and link.how is not How.SESSION:
            return Code.TRY_AGAIN  # it makes a transaction of its own
        holders = await links.reserve(
            shop.api_url,
            source.id,
            binding,
            session.transaction_id,
            is_checkout=isinstance(source, Checkout),
            settled_s=SETTLED_S,
        )
        return _refused(holders, shop, source.id, session, binding)

    async def _follow_up(
        self, shop: Shop, source: Order | Checkout, session: Session, answer: SessionAnswer
    ) -> None:
        """Store what is left to do: for an order its reference, for a review how it ends.

        The order is looked at once Saleor has taken the answer, or certainly has not.
        """
        pending = answer.result is Result.REQUEST
        if isinstance(source, Order) or pending:
            await self._parts.store.links.ask(
                shop.api_url,
                source.id,
                session.kustom_order_id,
                how=How.SESSION,
                who="storefront",
                state=LinkState.BOUND,
                transaction_id=session.transaction_id,
                under_review=pending,
                due_in_s=FRAUD_POLL_S[0] if pending else SETTLED_S,
            )
        if isinstance(source, Order):
            await self._parts.store.captures.wake_order(shop.api_url, source.id)

    def _failed(self, session: Session, code: Code, why: str) -> Authorized:
        """Log with all ids what the shopper is told in general words."""
        _log.warning(
            "no authorization for %s by the Kustom order %s: %s (%s)",
            session.source_id,
            session.kustom_order_id,
            code,
            why,
        )
        return Authorized(failure(code))


def _refused(
    holders: Sequence[Holder], shop: Shop, source_id: str, session: Session, binding: Binding
) -> Code | None:
    """Return why the source did not get the Kustom order; None: it has it, for this transaction."""
    for holder in holders:
        own = (holder.api_url, holder.order_id) == (shop.api_url, source_id)
        if not own:
            return Code.BELONGS_TO_ANOTHER
        if holder.binding != binding:
            # An order's is bound for good; a checkout's earlier answer may still come true.
            return Code.TRY_AGAIN if holder.is_checkout else Code.PAID_WITH_ANOTHER
        if holder.transaction_id != session.transaction_id:
            return Code.TRY_AGAIN
    return None
