"""For those who run the app: metrics and health, on an address of their own.

Never on the address that Saleor and the Dashboard reach: what a shop turns over is nobody
else's business. `serve` and `work` both serve it, so each process tells of itself.
"""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from saleor_kustom.errors import StoreUnavailable
from saleor_kustom.store import Numbers, Store
from saleor_kustom.watch.metrics import REGISTRY
from saleor_kustom.web.bodies import refusal

#: Environments of Kustom → whether calls are held back because it does not answer.
Breakers = Callable[[], Mapping[str, bool]]


class Health:
    """Whether this process lives, and whether it can do its work."""

    def __init__(self, store: Store, hangs: Callable[[], bool]) -> None:
        self._store = store
        self._hangs = hangs

    def routes(self) -> list[BaseRoute]:
        """Return the two routes."""
        return [
            Route("/health/live", self.live, methods=["GET"]),
            Route("/health/ready", self.ready, methods=["GET"]),
        ]

    async def live(self, _request: Request) -> Response:
        """Answer: that is all there is to tell."""
        return JSONResponse({"status": "ok"})

    async def ready(self, _request: Request) -> Response:
        """Answer 503 when the database does not answer, or the worker's loop hangs."""
        await self._store.ping()  # its error is answered with 503
        if self._hangs():
            return refusal(503, "WORKER_HANGS", "The worker's loop does not come round any more.")
        return JSONResponse({"status": "ok"})


def create_operations(store: Store, health: Health, breakers: Breakers) -> Starlette:
    """Return the application that is served at METRICS_ADDRESS."""

    async def metrics(_request: Request) -> Response:
        try:
            shared = _shared(await store.numbers())
            up = 1.0
        except StoreUnavailable:  # what we counted ourselves is worth having then, too
            shared, up = [], 0.0
        own = [
            _gauge("breaker_open", "Whether Kustom is not called, since it does not answer.",
                   ("environment",), {(env,): float(on) for env, on in breakers().items()}),
            _gauge("database_up", "Whether the database answered this scrape.", (), {(): up}),
        ]  # fmt: skip
        text = generate_latest(REGISTRY) + b"".join(map(generate_latest, [*own, *shared]))
        return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)

    async def unavailable(_request: Request, _error: Exception) -> Response:
        return refusal(503, "STORE_UNAVAILABLE", "The database does not answer.")

    return Starlette(
        routes=[Route("/metrics", metrics, methods=["GET"]), *health.routes()],
        exception_handlers={StoreUnavailable: unavailable},
    )


Values = Mapping[tuple[str, ...], float]


def _shared(numbers: Numbers) -> list[CollectorRegistry]:
    """Return what the database knows; each instance says the same, so take the maximum."""
    by_currency = ("currency",)
    return [
        _gauge("queue_waiting", "Captures that something is to be done about.", (),
               {(): numbers.waiting}),
        _gauge("queue_due", "Of these, due now and not begun (paused ones too).", (),
               {(): numbers.due}),
        _gauge("queue_running", "Of these, under way in some instance.", (),
               {(): numbers.running}),
        _gauge("queue_oldest_due_seconds", "How long the longest due capture has been due.", (),
               {(): numbers.oldest_due_s}),
        _gauge("held", "Captures that a person must look at, by reason.", ("reason",),
               {(reason,): n for reason, n in numbers.held.items()}),
        _gauge("paused", "Pauses by scope: shop, channel, order, account.", ("scope",),
               {(scope,): n for scope, n in numbers.paused.items()}),
        _gauge("waiting_minor_units", "What parcels that are not captured yet are worth, held "
               "ones too, in minor units.", by_currency,
               {(one.currency,): one.minor for one in numbers.waiting_money}),
        _gauge("authorized_minor_units", "Money authorized and not captured, as the last night "
               "saw it, in minor units.", by_currency,
               {(one.currency,): one.minor for one in numbers.authorized}),
        _gauge("expiring_minor_units", "Of this, what expires within a week.", by_currency,
               {(one.currency,): one.minor for one in numbers.expiring}),
    ]  # fmt: skip


def _gauge(name: str, tells: str, labels: Iterable[str], values: Values) -> CollectorRegistry:
    """Return a gauge that lives for one scrape: labels that are gone are gone."""
    registry = CollectorRegistry()
    gauge = Gauge(f"saleor_kustom_{name}", tells, tuple(labels), registry=registry)
    for label_values, value in values.items():
        (gauge.labels(*label_values) if label_values else gauge).set(value)
    return registry
