"""Tell Saleor, beside and behind the captures' own writes, what needs a person.

App problems follow what is held; notes on orders are a merchant's choice. One of all instances
does it, once a minute; whatever fails is tried the next time.
"""

import json
import logging

from graphql import DocumentNode

from saleor_kustom.capture.held import Held as HeldReason
from saleor_kustom.capture.held import Reason
from saleor_kustom.capture.mirror import NOTED, Held, changes, knows_problems, note, problems
from saleor_kustom.capture.money import shown
from saleor_kustom.capture.parties import Shop
from saleor_kustom.errors import CallError, Refused
from saleor_kustom.saleor.client import document
from saleor_kustom.store import Capture, Scope
from saleor_kustom.worker.expiry import NEAR_S
from saleor_kustom.worker.journey import Parts

_log = logging.getLogger(__name__)

_CREATE, _DISMISS = document("problem_create"), document("problem_dismiss")
_NOTE = document("order_note")
_EVERY_S = 60.0
_PORTION = 500
#: A line whose commit is younger may have an older one beside it that is not visible yet.
_SETTLED_S = 10.0
_CURSOR = "notes"


class Mirror:
    """Problems and notes of every shop."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def tick(self) -> None:
        """Do what is due, in one of all instances. Never raises for one shop."""
        store = self._parts.store
        if not await store.meta.take_turn("mirror", _EVERY_S):
            return
        for shop in await store.shops.all():
            try:
                await self.problems(shop)
            except CallError as error:
                _log.info("could not tell %s of problems now: %s", shop.api_url, error)
        await self.notes()

    async def problems(self, shop: Shop) -> None:
        """Bring the app's problems in a Saleor up to date. Raises CallError."""
        if not knows_problems(shop.saleor_version):
            return
        store, name = self._parts.store, f"problems {shop.api_url}"
        sums = [s for s in await store.overview.held(shop.api_url) if s.what != Reason.OBSERVED]
        near = await store.overview.at_risk(shop.api_url, self._parts.clock() + NEAR_S)
        paused = [p for p in await store.pauses.list(shop.api_url) if p.scope is Scope.ACCOUNT]
        wanted = problems(
            [Held(s.what, s.currency, s.count, s.amount_minor) for s in sums],
            sum(s.count for s in near),
            [(p.key, p.why) for p in paused],
        )
        told = json.loads(await store.meta.get(name) or "{}")
        found = changes(wanted, told)
        if found.dismiss:
            await self._mutate(shop, _DISMISS, {"keys": list(found.dismiss)})
        for key, message in found.create.items():
            await self._mutate(shop, _CREATE, {"key": key[:128], "message": message})
        if found.create or found.dismiss:
            await store.meta.put(name, json.dumps(wanted))

    async def notes(self) -> None:
        """Write the notes of what happened since the last time, where merchants chose that."""
        store = self._parts.store
        after = await store.meta.get(_CURSOR)
        wanted = [shop for shop in await store.shops.all() if _wants_notes(shop)]
        if after is None or not wanted:  # nothing is noted of the time before somebody chose it
            newest = str(await store.history.newest())
            if newest != after:
                await store.meta.put(_CURSOR, newest)
            return
        shops = {shop.api_url: shop for shop in wanted}
        while lines := await store.history.since(int(after), settled_s=_SETTLED_S, limit=_PORTION):
            for line in lines:
                if line["api_url"] in shops and line["what"] in NOTED:
                    await self._note(shops[line["api_url"]], line["capture_id"], line["what"])
                    await store.meta.put(_CURSOR, str(line["id"]))
            after = str(lines[-1]["id"])
            await store.meta.put(_CURSOR, after)

    async def _note(self, shop: Shop, capture_id: int, what: str) -> None:
        row = await self._parts.store.captures.get(shop.api_url, capture_id)
        if row is None or not row.is_parcel:
            return
        if not self._parts.policy(shop, row.channel or "").order_notes:
            return
        message = note(what, row.fulfillment_number, _amount(row), _problem(row))
        try:
            await self._mutate(shop, _NOTE, {"order": row.order_id, "message": message})
        except CallError as error:  # a note is not worth a retry
            _log.info("could not add a note to order %s: %s", row.order_number, error)

    async def _mutate(
        self, shop: Shop, mutation: DocumentNode, variables: dict[str, object]
    ) -> None:
        try:
            await self._parts.saleor.mutate(shop, mutation, variables, "done")
        except Refused as error:  # asking again changes nothing
            _log.info("%s refused what is only for show: %s", shop.api_url, error)


def _wants_notes(shop: Shop) -> bool:
    """Tell whether any of the shop's documents asks for notes."""
    return any(chosen.get("order_notes") is True for chosen in shop.policies.values())


def _amount(row: Capture) -> str:
    return shown(row.amount_minor or 0, row.currency or "")


def _problem(row: Capture) -> str:
    if row.held not in {each.value for each in Reason}:
        return row.held or ""
    held = HeldReason(Reason(row.held), row.held_detail)
    return f"{held.problem} {held.cure}"
