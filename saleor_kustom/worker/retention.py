"""Raw deliveries are kept as long as they may help to find a fault, and then emptied."""

import logging

from saleor_kustom.store import Store

_log = logging.getLogger(__name__)

_DAY_S = 86400.0


async def strip_old(store: Store, days: int) -> int:
    """Empty raw deliveries older than so many days (0: keep all), once a day in one instance."""
    if not days or not await store.meta.take_turn("retention", _DAY_S):
        return 0
    stripped = await store.erasing.strip_deliveries(days * _DAY_S)
    _log.info("emptied %d raw deliveries older than %d days", stripped, days)
    return stripped
