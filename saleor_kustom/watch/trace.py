"""The W3C trace that Saleor begins with a delivery, continued: kept, logged, and sent to Saleor.

Never to Kustom: the contract forbids forwarding tracing headers (kustom-order-management,
section 8). Format: https://www.w3.org/TR/trace-context/#traceparent-header
"""

import hashlib
import re
import secrets
from dataclasses import dataclass

HEADER = "traceparent"
_FORM = re.compile(
    r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.{0,200})?", re.ASCII
)
_NO_VERSION = "ff"
_SAMPLED = 0x01


@dataclass(frozen=True, slots=True)
class Trace:
    """One trace. `sampled`: whoever began it records it."""

    trace_id: str  # 32 hexadecimal digits
    sampled: bool = False

    def traceparent(self) -> str:
        """Return the header of a call that is made within this trace."""
        return f"00-{self.trace_id}-{secrets.token_hex(8)}-{int(self.sampled):02x}"


def read(traceparent: str | None) -> Trace | None:
    """Return the trace that a header names; None for one that is no such header."""
    found = _FORM.fullmatch(traceparent or "")
    if found is None:
        return None
    version, trace_id, parent_id, flags, more = found.groups()
    nothing = not int(trace_id, 16) or not int(parent_id, 16)
    if version == _NO_VERSION or nothing or (version == "00" and more):
        return None
    return Trace(trace_id, bool(int(flags, 16) & _SAMPLED))


def of_capture(traceparent: str | None, api_url: str, capture_row: int) -> Trace:
    """Return the trace of a capture's latest delivery; found without one: always the same."""
    own = hashlib.sha256(f"{api_url} {capture_row}".encode()).hexdigest()[:32]
    return read(traceparent) or Trace(own)
