"""Find what happened at Kustom outside this app, and tell Saleor of it once.

Found by hints (hints.py) and by comparing (compare.py). The order of the reads matters: Saleor
first, so that it never seems to lack what came between; then Kustom; then our own ledger, whose
plans are stored before they are sent, so that nothing of ours is taken for somebody else's.
"""

import logging
from collections.abc import Sequence

from saleor_kustom.capture.binding import is_kustoms
from saleor_kustom.capture.fulfillment import Transaction
from saleor_kustom.capture.held import Reason
from saleor_kustom.capture.money import to_decimal
from saleor_kustom.capture.outside import (
    EVENT,
    MESSAGE,
    Kind,
    Ours,
    Outside,
    change_of_authorization,
    happened,
    is_shown,
    shows_the_same,
    to_tell,
)
from saleor_kustom.capture.parties import Mode, Shop, mode_of
from saleor_kustom.capture.report import Report, ReportProblem, TransactionReport
from saleor_kustom.capture.standing import Standing
from saleor_kustom.errors import Refused
from saleor_kustom.saleor.client import document
from saleor_kustom.store import Capture, SeenOutside
from saleor_kustom.worker.entries import ours_of
from saleor_kustom.worker.journey import Parts
from saleor_kustom.worker.own_transaction import is_being_linked, make_own, reportable, wants_own
from saleor_kustom.worker.seeing import Seen

_log = logging.getLogger(__name__)

_NOTES, _NOTE = document("notes"), document("order_note")
#: Saleor said no for good; what has such a problem is not told again by itself.
_REFUSED = "refused: "
_AMOUNTS_DIFFER = "amounts_differ"
_MONEY = frozenset({Kind.CAPTURE, Kind.REFUND})
#: A parcel that is held for one of these may go on when more is authorized.
_LACKS = frozenset({Reason.ABOVE_REMAINING, Reason.CAPTURED_OUTSIDE})


class OutsideLook:
    """Looks at single orders that we know. Raises CallError when a side is away."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def order(self, shop: Shop, order_id: str) -> Sequence[Outside]:
        """Read both sides of an order and compare them; return what is new."""
        captures, accounts = self._parts.store.captures, self._parts.store.accounts
        binding = await captures.binding(shop.api_url, order_id)
        account = await accounts.by_binding(shop.api_url, binding) if binding else None
        if binding is None or account is None:
            return ()
        order = await self._parts.saleor.order(shop, order_id)
        if order is None:
            return ()
        await self._parts.pace(account)
        there = await self._parts.kustom.order(account, binding.kustom_order_id)
        return await self.compare(shop, Seen(order, account, binding, there))

    async def compare(self, shop: Shop, seen: Seen, *, dry_run: bool = False) -> Sequence[Outside]:
        """Keep what is new, tell Saleor of all that it was not told of; return what is new."""
        store, order = self._parts.store, seen.order
        rows = await store.captures.of_order(shop.api_url, order.id)
        ours = ours_of(rows, order)
        kept = await store.outside.of_order(shop.api_url, order.id)
        known = [row.what for row in kept]
        keys = {one.key for one in known}
        new = [one for one in happened(seen.authorization, ours, known) if one.key not in keys]
        if dry_run:
            return new
        await store.outside.see(shop.api_url, order.id, order.currency, new)
        for one in new:
            _log.info("order %s: at Kustom, outside the app: %s", order.number, one)
        if mode_of(shop, seen.account) is Mode.CAPTURE:
            one_order = _OneOrder(self._parts, shop, seen)
            await one_order.tell(kept, new, ours, rows)
            await one_order.note_disputes(kept)
        return new


class _OneOrder:
    """An order whose both sides were read."""

    def __init__(self, parts: Parts, shop: Shop, seen: Seen) -> None:
        self._parts, self._shop, self._seen = parts, shop, seen
        self._store = parts.store.outside

    async def tell(
        self,
        kept: Sequence[SeenOutside],
        new: Sequence[Outside],
        ours: Ours,
        rows: Sequence[Capture],
    ) -> None:
        """Tell Saleor's transaction what it was not told of, and what the authorization is."""
        refused = {row.what.key for row in kept if (row.problem or "").startswith(_REFUSED)}
        known = [*(row.what for row in kept), *new]
        untold = [
            one for one in known if one.kind in _MONEY and not one.told and one.key not in refused
        ]
        transaction = await self._transaction(bool(untold))
        if isinstance(transaction, ReportProblem):
            await self._not_told(kept, untold, transaction.value)
            return
        there = self._seen.authorization
        telling = to_tell(transaction, there, untold)
        for one in untold:
            if one not in telling and is_shown(transaction, there, one.kind):
                await self._store.told(self._shop.api_url, self._seen.order.id, one)
            elif one not in telling:
                await self._not_told(kept, [one], _AMOUNTS_DIFFER)
        change = await self._change(transaction, telling, known, ours, rows)
        for one in (*telling, *((change,) if change else ())):
            if not await self._report(transaction, one):
                return

    async def _transaction(self, wanted: bool) -> Transaction | ReportProblem:
        parts, shop, seen = self._parts, self._shop, self._seen
        found = reportable(parts, shop, seen.order, seen.binding)
        if not isinstance(found, ReportProblem) or not wanted:
            return found
        if not wants_own(parts, shop, seen.order):
            return found
        if await is_being_linked(parts, shop, seen.order):
            return found
        return await make_own(parts, shop, seen.order, seen.binding) or found

    async def _change(
        self,
        transaction: Transaction,
        telling: Sequence[Outside],
        known: Sequence[Outside],
        ours: Ours,
        rows: Sequence[Capture],
    ) -> Outside | None:
        """Return the change of authorization to tell, kept before it is sent.

        None while something of ours is under way, and where another transaction of the order has
        the authorization (domain rule 24).
        """
        seen, there = self._seen, self._seen.authorization
        kustoms = [t for t in seen.order.transactions if is_kustoms(t, there.kustom_order_id)]
        if ours.under_way or [t.id for t in kustoms] != [transaction.id]:
            return None
        if shows_the_same(transaction, there):
            for one in known:  # its answer was lost
                if one.kind not in _MONEY and one.kind is not Kind.DISPUTE and not one.told:
                    await self._store.told(self._shop.api_url, seen.order.id, one)
            return None
        change = change_of_authorization(transaction, there, telling, known)
        if change is not None and change.key not in {one.key for one in known}:
            _log.info("order %s: at Kustom, outside the app: %s", seen.order.number, change)
            await self._store.see(self._shop.api_url, seen.order.id, seen.order.currency, [change])
            await self._wake_what_lacked_it(rows)
        return change

    async def _wake_what_lacked_it(self, rows: Sequence[Capture]) -> None:
        for row in rows:
            if row.held in _LACKS:
                await self._parts.store.captures.notice(
                    row.api_url, row.order_id, row.fulfillment_id, row.fulfillment_created
                )

    async def _report(self, transaction: Transaction, one: Outside) -> bool:
        """Report one event; False: Saleor lets us report none."""
        api_url, order = self._shop.api_url, self._seen.order
        standing = Standing.of(self._seen.authorization, self._parts.clock())
        event = TransactionReport(
            transaction_id=transaction.id,
            type=EVENT[one.kind],
            psp_reference=one.kustom_id,
            amount=to_decimal(one.amount_minor or 0, order.currency),
            message=MESSAGE[one.kind],
            external_url=self._parts.portal_url(self._seen.binding),
            time=one.happened_at,
            # Saleor asks only a transaction's owner; nobody's is ours only after this report.
            available_actions=standing.actions if transaction.owner_app_id else None,
        )
        try:
            report = Report(order.id, "", transaction=event)
            reported = await self._parts.saleor.report(self._shop, report)
        except Refused as error:
            _log.error("order %s: Saleor refused %s: %s", order.number, one, error)
            await self._store.not_told(api_url, order.id, one, f"{_REFUSED}{error}")
            return True
        if reported.transaction_refused:
            problem = ReportProblem.FOREIGN_TRANSACTION.value
            await self._store.not_told(api_url, order.id, one, problem)
            return False
        await self._store.told(api_url, order.id, one)
        return True

    async def _not_told(
        self, kept: Sequence[SeenOutside], untold: Sequence[Outside], problem: str
    ) -> None:
        """Keep why Saleor was not told, unless that stands there already."""
        before = {row.what.key: row.problem for row in kept}
        for one in untold:
            if before.get(one.key) != problem:
                await self._store.not_told(self._shop.api_url, self._seen.order.id, one, problem)

    async def note_disputes(self, kept: Sequence[SeenOutside]) -> None:
        """Add a note about each dispute, once: Kustom has no way to look at one (unverified)."""
        disputes = [r.what for r in kept if r.what.kind is Kind.DISPUTE and not r.what.told]
        if not disputes:
            return
        order, url = self._seen.order, self._parts.portal_url(self._seen.binding)
        saleor = self._parts.saleor
        there = str(await saleor.read(self._shop, _NOTES, {"id": order.id}))
        for one in disputes:
            text = f"Kustom told of a dispute about this order ({one.kustom_id})."
            if text not in there:
                where = f" Answer it in Kustom's portal: {url}" if url else ""
                variables = {"order": order.id, "message": text + where}
                await saleor.mutate(self._shop, _NOTE, variables, "done")
            await self._store.told(self._shop.api_url, order.id, one)
