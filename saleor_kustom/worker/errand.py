"""One claimed link on its way: what was read about it in this claim, and how it is saved."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.linking import LinkEvent, LinkWait, Refusing, link_after
from saleor_kustom.capture.parties import Account, Mode, Shop
from saleor_kustom.capture.plan import Binding
from saleor_kustom.capture.retry import Again, GiveUp, PauseAccount, after_failure
from saleor_kustom.errors import CallError
from saleor_kustom.saleor.linking import Linking
from saleor_kustom.store import Link
from saleor_kustom.worker.journey import Parts, Rest
from saleor_kustom.worker.reading import PAUSED, PAUSED_S

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Errand:
    """A link under our lease. Lives for one claim."""

    parts: Parts
    link: Link
    shop: Shop
    leased_at: float  # monotonic
    account: Account | None = None

    @property
    def saleor(self) -> Linking:
        """Return what linking asks of Saleor."""
        return Linking(self.parts.saleor)

    def mode(self, account: Account) -> Mode:
        """Return whether anything may be written at Kustom or Saleor (domain rule 25)."""
        by_default = Mode.CAPTURE if account.environment == "playground" else Mode.OBSERVE
        return self.shop.mode or by_default

    async def before_call(self) -> None:
        """Make the lease outlast a call, or raise LeaseLost: another instance has the link."""
        lease = self.parts.lease
        if self.parts.monotonic() - self.leased_at > lease.spare_s:
            leased_at = self.parts.monotonic()
            await self.parts.store.links.renew(self.link, lease.lasts_s)
            self.leased_at = leased_at

    async def look(self, binding: Binding, account: Account) -> Authorization:
        """Read the Kustom order as it is now. Raises CallError."""
        self.account = account
        name = f"{account.environment}/{account.merchant_id}"
        pause = await self.parts.store.pauses.of_account(self.shop.api_url, name)
        if pause is not None:
            raise await self.wait(PAUSED, PAUSED_S, {"why": pause.why, "who": pause.who})
        await self.parts.pace(account)
        await self.before_call()
        found = await self.parts.kustom.order(account, binding.kustom_order_id)
        self.parts.pace.succeeded(account)
        return found

    async def keep(self, **columns: Any) -> None:
        """Commit something, and go on under a renewed lease. Raises LeaseLost."""
        leased_at = self.parts.monotonic()
        self.link = await self.parts.store.links.save(
            self.link, keep=True, lease_s=self.parts.lease.lasts_s, **columns
        )
        self.leased_at = leased_at

    async def refuse(self, refusing: Refusing) -> Rest:
        """Commit that it does not fit, and why. To be raised."""
        state = link_after(self.link.state, LinkEvent.DOES_NOT_FIT)
        self.link = await self.parts.store.links.save(
            self.link,
            keep=False,
            state=state,
            code=refusing.reason.value,
            detail={**refusing.detail, "message": refusing.message},
            note="link_refused",
        )
        return Rest()

    async def wait(self, code: str, due_in_s: float | None, detail: Mapping[str, Any]) -> Rest:
        """Commit what it waits for and when it is looked at again. To be raised.

        due_in_s None: when somebody asks for it again, or what it waits for has come.
        """
        again = self.link.code == code
        self.link = await self.parts.store.links.save(
            self.link,
            keep=False,
            due_in_s=due_in_s,
            code=code,
            detail=dict(detail),
            failures=self.link.failures + 1 if again else 1,
        )
        return Rest()

    async def done(self, **columns: Any) -> Rest:
        """Commit that both sides know. To be raised."""
        state = link_after(self.link.state, LinkEvent.BOTH_KNOW)
        values: dict[str, Any] = {"code": None, "detail": {}, "failures": 0, "creating_at": None}
        self.link = await self.parts.store.links.save(
            self.link, keep=False, state=state, note="linked", **(values | columns)
        )
        return Rest()

    async def failed(self, error: CallError) -> Rest:
        """Store what a failed call means: again later, a paused account, or a person."""
        if self.account is not None and not error.code.startswith("SALEOR"):
            self.parts.pace.failed(self.account, error)
        detail = {"code": error.code, "message": "; ".join(error.messages)[:500]}
        _log.warning("link of order %s: %s", self.link.order_id, error)
        failures = self.link.failures
        match after_failure(error, failures=failures, chance=self.parts.chance()):
            case Again() as again:
                return await self._again(error.code.lower(), again.after_s, detail)
            case PauseAccount():
                await self._pause(error)
                return await self.wait("unauthorized", PAUSED_S, detail)
            case GiveUp():
                return await self.wait(LinkWait.REFUSED_BY_SALEOR, None, detail)

    async def _again(self, code: str, after_s: float, detail: Mapping[str, Any]) -> Rest:
        """Wait longer with every failure, whatever failed."""
        self.link = await self.parts.store.links.save(
            self.link,
            keep=False,
            due_in_s=after_s,
            code=code,
            detail=dict(detail),
            failures=self.link.failures + 1,
        )
        return Rest()

    async def _pause(self, error: CallError) -> None:
        account = self.account
        if account is not None:
            await self.parts.store.accounts.pause(
                account.environment, account.merchant_id, str(error), api_url=self.shop.api_url
            )
