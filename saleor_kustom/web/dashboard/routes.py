"""Every route of the pages, with the permission that it needs."""

import time
from collections.abc import Callable

from starlette.routing import BaseRoute, Route

from saleor_kustom.saleor.keys import KeyRing
from saleor_kustom.settings import Settings
from saleor_kustom.store import Store
from saleor_kustom.web.dashboard.acts import Acts
from saleor_kustom.web.dashboard.capture import CapturePages
from saleor_kustom.web.dashboard.captures import CapturesPages
from saleor_kustom.web.dashboard.configuring import Configuring
from saleor_kustom.web.dashboard.desk import Desk
from saleor_kustom.web.dashboard.door import ACT, CONFIGURE, LOOK, Door, Handler
from saleor_kustom.web.dashboard.health import HealthPage
from saleor_kustom.web.dashboard.needs import NeedsPage
from saleor_kustom.web.dashboard.order import OrderPages
from saleor_kustom.web.dashboard.ordering import Ordering
from saleor_kustom.web.dashboard.settings import SettingsPages
from saleor_kustom.web.dashboard.shell import Shells


class Dashboard:
    """Routes below /app. Shells hold no data; everything else is behind the door."""

    def __init__(
        self,
        store: Store,
        keys: KeyRing,
        settings: Settings,
        desk: Desk,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._door = Door(store, keys, clock)
        self._shells = Shells(store, settings)
        order, captures = OrderPages(store, desk), CapturesPages(store, clock)
        one, needs, acts = CapturePages(store, desk), NeedsPage(store, clock), Acts(store, desk)
        ordering = Ordering(store, desk)
        health = HealthPage(store, desk, clock)
        settings_, configuring = SettingsPages(store, desk, clock), Configuring(store, desk)
        #: Method, path, permission, handler.
        self.guarded: tuple[tuple[str, str, str, Handler], ...] = (
            ("GET", "/app/pages/order", LOOK, order.order),
            ("GET", "/app/pages/amounts", LOOK, order.amounts),
            ("GET", "/app/pages/captures", LOOK, captures.captures),
            ("GET", "/app/pages/capture/{id:int}", LOOK, one.capture),
            ("GET", "/app/pages/preview/{id:int}", LOOK, one.preview),
            ("GET", "/app/pages/needs", LOOK, needs.needs),
            ("GET", "/app/export.csv", LOOK, captures.export),
            ("GET", "/app/pages/health", LOOK, health.health),
            ("GET", "/app/pages/webhooks", LOOK, health.webhooks),
            ("POST", "/app/acts/sync-webhooks", CONFIGURE, health.sync),
            ("GET", "/app/pages/settings", CONFIGURE, settings_.settings),
            ("GET", "/app/pages/shop-check", CONFIGURE, settings_.check),
            ("POST", "/app/acts/account", CONFIGURE, configuring.account),
            ("POST", "/app/acts/account-test", CONFIGURE, configuring.account_test),
            ("POST", "/app/acts/mode", CONFIGURE, configuring.mode),
            ("POST", "/app/acts/policy", CONFIGURE, configuring.policy),
            ("POST", "/app/acts/policy-preview", CONFIGURE, configuring.policy_preview),
            ("POST", "/app/acts/retry", ACT, acts.retry),
            ("POST", "/app/acts/retry-all", ACT, acts.retry_all),
            ("GET", "/app/pages/close", LOOK, ordering.closing),
            ("POST", "/app/acts/link", ACT, ordering.link),
            ("POST", "/app/acts/refund", ACT, ordering.refund),
            ("POST", "/app/acts/close", ACT, ordering.close),
            ("POST", "/app/acts/extend", ACT, ordering.extend),
            ("POST", "/app/acts/settle", ACT, acts.settle),
            ("POST", "/app/acts/look-again", ACT, acts.look_again),
            ("POST", "/app/acts/pause", ACT, acts.pause),
            ("POST", "/app/acts/unpause", ACT, acts.unpause),
        )

    def routes(self) -> list[BaseRoute]:
        """Return the shells and what is behind the door."""
        shells: list[BaseRoute] = [
            Route("/app", self._shells.app, methods=["GET"]),
            Route("/app/", self._shells.app, methods=["GET"]),
            Route("/app/order", self._shells.order, methods=["GET"]),
        ]
        return shells + [
            Route(path, self._door.guard(needs, then), methods=[method])
            for method, path, needs, then in self.guarded
        ]
