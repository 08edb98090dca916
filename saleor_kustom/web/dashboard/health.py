"""Health: whether deliveries come, captures go, and how the other sides answer."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from saleor_kustom import __version__
from saleor_kustom.errors import CallError
from saleor_kustom.store import Store
from saleor_kustom.watch.readings import readings
from saleor_kustom.web.dashboard.captures import needing
from saleor_kustom.web.dashboard.days import captured, days_of
from saleor_kustom.web.dashboard.desk import Desk
from saleor_kustom.web.dashboard.door import Visitor
from saleor_kustom.web.dashboard.render import page, said

_LATE_S = 300.0  # a parcel that is due for so long and not begun: something is wrong


class HealthPage:
    """Numbers of the shop, and of this process."""

    def __init__(self, store: Store, desk: Desk, clock: Callable[[], float]) -> None:
        self._store = store
        self._desk = desk
        self._clock = clock

    async def health(self, request: Request, visitor: Visitor) -> Response:
        """Return the page."""
        api_url, now = visitor.shop.api_url, self._clock()
        queue = await self._store.overview.queue(api_url)
        days = days_of(request, now)
        sums = captured(await self._store.overview.captured(api_url, days.since), days)
        held = await self._store.overview.held(api_url)
        installations = await self._store.shops.installations(api_url)
        return page(
            "health.html",
            visitor,
            tab="health",
            need=await needing(self._store, api_url, now),
            queue=queue,
            late=queue.due_since is not None and now - queue.due_since > _LATE_S,
            today=sum(one.today for one in sums),
            month=sum(one.month for one in sums),
            held=sum(one.count for one in held if one.what != "observed"),
            readings=readings(),
            version=__version__,
            shop_version=visitor.shop.saleor_version,
            installed_at=max((row["installed_at"] for row in installations), default=None),
        )

    async def webhooks(self, _request: Request, visitor: Visitor) -> Response:
        """Return the app's webhooks as Saleor has them against ours."""
        state, failed = None, ""
        try:
            state = await self._desk.webhooks(visitor.shop)
        except CallError as error:
            failed = str(error)
        return page("webhooks.html", visitor, state=state, failed=failed)

    async def sync(self, _request: Request, visitor: Visitor) -> Response:
        """Bring the webhooks up to date."""
        try:
            refused = await self._desk.sync_webhooks(visitor.shop)
        except CallError as error:
            return said(visitor.texts, "said.sync_failed", status="error", why=str(error))
        if refused:
            return said(visitor.texts, "said.sync_refused", status="error", n=refused)
        return said(visitor.texts, "said.sync")
