"""Run extensions on a plan: in a thread, with a time limit, and never at the cost of money.

One that raises, takes too long or breaks a law is left out with a warning, and the capture goes
on without it. A thread can't be stopped: so one that took too long is not called again until
the process starts anew.
"""

import asyncio
import contextlib
import json
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any

from saleor_kustom.capture.extension import Unlawful, extended
from saleor_kustom.capture.fulfillment import Fulfillment, Order
from saleor_kustom.capture.plan import Plan
from saleor_kustom.extending import GROUP, Extension, Planned
from saleor_kustom.watch.metrics import HOOKS_SKIPPED

_log = logging.getLogger(__name__)

#: For each extension: far more than changing a few texts takes, far less than a lease.
LIMIT_S = 2.0


@dataclass(slots=True)
class Hook:
    """One extension. `hung`: it took too long once, and its thread may still run."""

    name: str
    function: Extension
    hung: bool = False


@dataclass(slots=True)
class Hooks:
    """All extensions, in the order of their names."""

    hooks: Sequence[Hook] = ()
    limit_s: float = LIMIT_S
    broken: dict[str, str] = field(default_factory=dict)  # name → why it could not be loaded

    @classmethod
    def load(cls) -> "Hooks":
        """Find the extensions of the installed packages; one that can't be loaded is left out."""
        hooks, broken = [], {}
        for found in sorted(entry_points(group=GROUP), key=lambda point: point.name):
            try:
                function = found.load()
                if not callable(function):
                    raise TypeError(f"{found.value} can't be called")
            except Exception as error:  # noqa: BLE001 - whatever a stranger's module does
                _log.exception("the extension %s can't be loaded and is left out", found.name)
                broken[found.name] = f"{type(error).__name__}: {error}"
                continue
            hooks.append(Hook(found.name, function))
            _log.info("the extension %s (%s) may change plans", found.name, found.value)
        return cls(tuple(hooks), broken=broken)

    async def extended(
        self, plan: Plan, shop: str, order: Order, fulfillment: Fulfillment, *, tracking: bool
    ) -> Plan:
        """Return the plan as the extensions want it, as far as they keep the laws."""
        for hook in self.hooks:
            if not hook.hung:
                plan = await self._one(hook, plan, shop, order, fulfillment, tracking=tracking)
        return plan

    async def _one(
        self,
        hook: Hook,
        plan: Plan,
        shop: str,
        order: Order,
        fulfillment: Fulfillment,
        *,
        tracking: bool,
    ) -> Plan:
        try:
            async with asyncio.timeout(self.limit_s):
                changed = await _called(hook, _planned(plan, shop, order, fulfillment))
            return plan if changed is None else extended(
                plan, changed, hook.name, tracking=tracking
            )  # fmt: skip
        except TimeoutError:
            hook.hung = True
            self._skip(hook, "too_slow", f"not done within {self.limit_s:g} s")
        except Unlawful as error:
            self._skip(hook, "refused", str(error))
        except _Raised as error:
            self._skip(hook, "raised", str(error))
        return plan

    def _skip(self, hook: Hook, why: str, what: str) -> None:
        HOOKS_SKIPPED.labels(hook.name, why).inc()
        _log.warning("went on without the extension %s: %s", hook.name, what)


class _Raised(Exception):  # noqa: N818 - an extension's own trouble
    """An extension raised; its class is told, its text may quote an order."""


async def _called(hook: Hook, planned: Planned) -> Any:
    """Call it in a thread of its own, which nobody waits for when the process ends."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()

    def run() -> None:
        try:
            outcome: tuple[Any, BaseException | None] = (_plain(hook.function(planned)), None)
        except BaseException as error:  # noqa: BLE001 - also SystemExit: it is not ours to end
            outcome = (None, error)
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(_tell, done, outcome)

    threading.Thread(target=run, name=f"extension {hook.name}", daemon=True).start()
    changed, error = await done
    if error is not None:
        where = error.__traceback__
        while where is not None and where.tb_next is not None:
            where = where.tb_next
        line = f" (line {where.tb_lineno})" if where else ""
        raise _Raised(f"it raised {type(error).__name__}{line}") from error
    return changed


def _tell(done: "asyncio.Future[tuple[Any, Any]]", outcome: tuple[Any, Any]) -> None:
    if not done.done():
        done.set_result(outcome)


def _plain(changed: Any) -> Any:
    """Return it as JSON knows it: nothing that an extension keeps can change it afterwards."""
    return None if changed is None else json.loads(json.dumps(changed, allow_nan=False))


def _planned(plan: Plan, shop: str, order: Order, fulfillment: Fulfillment) -> Planned:
    return Planned(
        shop=shop,
        channel=order.channel,
        currency=order.currency,
        order_id=order.id,
        order_number=order.number,
        fulfillment_id=fulfillment.id,
        fulfillment_number=fulfillment.number,
        order_metadata=dict(order.metadata),
        order_private_metadata=dict(order.private_metadata),
        fulfillment_metadata=dict(fulfillment.metadata),
        fulfillment_private_metadata=dict(fulfillment.private_metadata),
        body=json.loads(plan.body),
    )
