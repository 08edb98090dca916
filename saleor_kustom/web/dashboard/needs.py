"""What needs a person, the most money first. Nothing is kept here: what is solved is gone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from saleor_kustom.store import OpenAuthorization, Pause, Scope, Store, Sum
from saleor_kustom.web.dashboard.asked import whole
from saleor_kustom.web.dashboard.captures import NEAR_S, needing
from saleor_kustom.web.dashboard.door import Visitor
from saleor_kustom.web.dashboard.parcels import Shown, shown
from saleor_kustom.web.dashboard.render import page
from saleor_kustom.web.texts import Texts

_PAGE = 50


@dataclass(frozen=True, slots=True)
class Need:
    """One thing: what it is, what to do, and the buttons that do it."""

    kind: str  # held | expiring | paused | observed | tracking | delivery
    title: str
    minor: int | None  # money at risk
    currency: str
    problem: str
    cure: str
    at: float | None = None  # since when, or until when; unix seconds
    parcel: Shown | None = None
    pause: Pause | None = None
    observed: tuple[Sum, ...] = ()
    order_id: str = ""  # to open, or to close
    technical: Mapping[str, Any] = field(default_factory=dict)


class NeedsPage:
    """Gathers what is held, what expires, and what stands still."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    async def needs(self, request: Request, visitor: Visitor) -> Response:
        """Return what needs a person; `after`: so many held parcels stand on earlier pages."""
        api_url, texts, now = visitor.shop.api_url, visitor.texts, self._clock()
        after = whole(request.query_params.get("after"), 6) or 0
        reason = request.query_params.get("reason", "")[:100] or None
        rows = await self._store.overview.held_parcels(
            api_url, reason=reason, limit=_PAGE + 1, after=after
        )
        pauses = await self._store.pauses.list(api_url)
        sums = await self._store.overview.held(api_url)
        needs = [_held(shown(row, pauses, texts)) for row in rows[:_PAGE]]
        if not after and not reason:
            needs += await self._others(api_url, texts, now, sums, pauses)
        needs.sort(key=lambda need: need.minor or 0, reverse=True)
        return page(
            "needs.html",
            visitor,
            tab="needs",
            needs=needs,
            more=after + _PAGE if len(rows) > _PAGE else None,
            reason=reason,
            after=after,
            bulk=_by_reason(sums, texts),
            sums_of=_sums_of,
            mode=visitor.shop.mode,
            need=await needing(self._store, api_url, now),
        )

    async def _others(
        self, api_url: str, texts: Texts, now: float, sums: Sequence[Sum], pauses: Sequence[Pause]
    ) -> list[Need]:
        expiring = await self._store.authorizations.expiring(api_url, now + NEAR_S)
        refused = await self._store.overview.tracking_refused(api_url)
        unread = await self._store.deliveries.not_understood(api_url)
        found = [_expiring(one, texts) for one in expiring if one.expires_at > now]
        found += [_paused(pause, texts) for pause in pauses]
        found += [_tracking(shown(row, pauses, texts), texts) for row in refused]
        if unread:
            problem = texts("need.delivery.problem", n=len(unread))
            cure, first = texts("need.delivery.cure"), unread[0]
            technical = {"event": first["event"], "problem": first["problem"]}
            title = texts("need.delivery.title")
            found.append(
                Need("delivery", title, None, "", problem, cure, first["received_at"],
                     technical=technical)
            )  # fmt: skip
        observed = tuple(s for s in sums if s.what == "observed")
        return found + ([_observed(observed, texts)] if observed else [])


def _held(parcel: Shown) -> Need:
    row = parcel.row
    return Need(
        "held",
        parcel.title,
        parcel.minor,
        row.currency or "",
        parcel.problem,
        parcel.cure,
        row.updated_at,
        parcel=parcel,
        technical=parcel.technical,
        order_id=row.order_id,
    )


def _expiring(one: OpenAuthorization, texts: Texts) -> Need:
    technical = {"kustom_order_id": one.kustom_order_id}
    if one.problem:
        technical["extension_refused"] = one.problem
    return Need(
        "expiring",
        texts("need.expiring.title", order=one.order_number),
        one.remaining_minor,
        one.currency,
        texts("need.expiring.problem"),
        texts("need.expiring.cure"),
        one.expires_at,
        technical=technical,
        order_id=one.order_id,
    )


def _paused(pause: Pause, texts: Texts) -> Need:
    account = pause.scope is Scope.ACCOUNT
    which = "account" if account else "pause"
    return Need(
        "paused",
        texts(f"need.paused.{pause.scope}", of=pause.key),
        None,
        "",
        texts(f"need.{which}.problem", who=pause.who, why=pause.why),
        texts(f"need.{which}.cure"),
        pause.at,
        pause=pause,
    )


def _tracking(parcel: Shown, texts: Texts) -> Need:
    return Need(
        "tracking",
        parcel.title,
        None,
        "",
        texts("need.tracking.problem", why=parcel.row.tracking_problem or ""),
        texts("need.tracking.cure"),
        parcel.row.updated_at,
        parcel=parcel,
    )


def _observed(sums: tuple[Sum, ...], texts: Texts) -> Need:
    count = sum(one.count for one in sums)
    largest = max(sums, key=lambda one: one.amount_minor)
    return Need(
        "observed",
        texts("need.observed.title", n=count),
        largest.amount_minor,
        largest.currency,
        texts("need.observed.problem"),
        texts("need.observed.cure"),
        observed=sums,
    )


@dataclass(frozen=True, slots=True)
class Bulk:
    """Held parcels of one reason together."""

    reason: str
    problem: str
    count: int


def _by_reason(sums: Sequence[Sum], texts: Texts) -> list[Bulk]:
    """Return what may be retried together, the most frequent first."""
    counts: dict[str, int] = {}
    for one in sums:
        if one.what != "observed":
            counts[one.what] = counts.get(one.what, 0) + one.count
    found = [Bulk(reason, texts.known("reason", reason), n) for reason, n in counts.items()]
    return sorted(found, key=lambda bulk: bulk.count, reverse=True)


def _sums_of(observed: Sequence[Sum]) -> Mapping[str, int]:
    return {one.currency: one.amount_minor for one in observed}
