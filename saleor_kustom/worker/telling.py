"""Log and count what a commit has made of a capture: one line and at most one count for each."""

import logging
from collections.abc import Mapping
from typing import Any

from saleor_kustom.capture.state import State
from saleor_kustom.store import Capture
from saleor_kustom.watch.metrics import CAPTURED_MINOR, CAPTURES

_log = logging.getLogger(__name__)

#: What of a line of history goes into the log: ids, amounts, codes. Never what somebody wrote.
_LOGGED = (
    *("why", "reason", "code", "status", "correlation_id", "capture_id", "amount_minor", "key"),
    *("looked_up", "entries"),
)
_OUTCOMES = frozenset({State.CAPTURED, State.REPORTED, State.NOTHING, State.WITHDRAWN})


def tell(before: Capture, now: Capture, what: str, detail: Mapping[str, Any]) -> None:
    """Log `what` happened, with the fields that help to find it, and count where it ended."""
    newly_held = bool(now.held) and now.held != before.held
    fields = {name: detail[name] for name in _LOGGED if detail.get(name) is not None}
    fields |= {"state": now.state.value, "order": now.order_number, "kind": now.kind.value}
    _log.log(logging.WARNING if newly_held else logging.INFO, what, extra=fields)
    if newly_held:
        CAPTURES.labels(now.kind.value, "held", now.held).inc()
    if now.state is before.state or now.state not in _OUTCOMES:
        return
    why = now.waiting or "" if now.state is State.NOTHING else ""
    CAPTURES.labels(now.kind.value, now.state.value, why).inc()
    if now.state is State.CAPTURED and now.captures:
        CAPTURED_MINOR.labels(now.currency or "").inc(now.amount_minor or 0)
