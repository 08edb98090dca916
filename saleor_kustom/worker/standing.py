"""What Saleor's buttons can do with an order's Kustom order now, as far as we know."""

from saleor_kustom.worker.journey import Journey


async def actions_now(journey: Journey) -> tuple[str, ...] | None:
    """Return the actions to tell Saleor, or None when nothing is known: they stay as they are.

    From the order's row that Kustom confirmed last. It is this one if this claim did it, since
    an order's rows run one after another.
    """
    own = journey.capture.standing
    if own is not None and journey.authorization is not None:
        return own.actions
    rows = await journey.parts.store.captures.of_order(
        journey.shop.api_url, journey.capture.order_id
    )
    known = [row.standing for row in rows if row.standing is not None]
    return max(known, key=lambda standing: standing.seen_at).actions if known else None
