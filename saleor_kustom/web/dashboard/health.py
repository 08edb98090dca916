"""Health: whether deliveries come, captures go, and how the other sides answer."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from saleor_kustom import __version__
from saleor_kustom.store import Store
from saleor_kustom.watch.readings import readings
from saleor_kustom.web.dashboard.captures import needing
from saleor_kustom.web.dashboard.days import captured, days_of
from saleor_kustom.web.dashboard.door import Visitor
from saleor_kustom.web.dashboard.render import page

_LATE_S = 300.0  # a parcel that is due for so long and not begun: something is wrong


class HealthPage:
    """Numbers of the shop, and of this process."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
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
