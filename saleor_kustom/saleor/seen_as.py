"""Ask a Saleor how it sees the app, off the way of captures: to check up, or bring up to date."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from saleor_kustom.capture.parties import Shop
from saleor_kustom.errors import Refused
from saleor_kustom.saleor.client import SaleorClient, document

_DOCTOR = document("doctor")


@dataclass(frozen=True, slots=True)
class SeenWebhook:
    """One webhook as Saleor has it."""

    name: str
    target_url: str
    active: bool
    query: str
    id: str = ""
    events: frozenset[str] = frozenset()  # of both kinds


@dataclass(frozen=True, slots=True)
class SeenAs:
    """The app and the shop's settings as Saleor has them."""

    app_id: str
    active: bool
    permissions: frozenset[str]
    webhooks: tuple[SeenWebhook, ...]
    saleor_version: str
    allows_unpaid: bool  # fulfillmentAllowUnpaid
    approves_by_itself: bool  # fulfillmentAutoApprove


async def seen_as(saleor: SaleorClient, shop: Shop) -> SeenAs:
    """Raises Unavailable; Refused("UNKNOWN_APP") when Saleor does not know the token."""
    answer = await saleor.read(shop, _DOCTOR, {})
    app, settings = answer.get("app"), answer.get("shop")
    if not isinstance(app, Mapping) or not isinstance(settings, Mapping):
        raise Refused("UNKNOWN_APP", ("this Saleor does not know the token",))
    return SeenAs(
        app_id=str(app.get("id")),
        active=app.get("isActive") is True,
        permissions=frozenset(str(one.get("code")) for one in _objects(app.get("permissions"))),
        webhooks=tuple(map(_webhook, _objects(app.get("webhooks")))),
        saleor_version=str(settings.get("version") or ""),
        allows_unpaid=settings.get("fulfillmentAllowUnpaid") is True,
        approves_by_itself=settings.get("fulfillmentAutoApprove") is True,
    )


def _webhook(seen: Mapping[str, Any]) -> SeenWebhook:
    return SeenWebhook(
        name=str(seen.get("name") or ""),
        target_url=str(seen.get("targetUrl") or ""),
        active=seen.get("isActive") is True,
        query=str(seen.get("subscriptionQuery") or ""),
        id=str(seen.get("id") or ""),
        events=frozenset(
            str(one.get("eventType"))
            for kind in ("asyncEvents", "syncEvents")
            for one in _objects(seen.get(kind))
        ),
    )


def _objects(listed: Any) -> list[Mapping[str, Any]]:
    return [one for one in listed or () if isinstance(one, Mapping)]
