"""What Saleor posted, once it is believed: a trigger to look, never the truth (domain rule 1)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NewType

#: A body with a valid signature of the shop's own key; only intake.signature.verify makes one.
VerifiedBody = NewType("VerifiedBody", bytes)


@dataclass(frozen=True, slots=True)
class Delivery:
    """The few fields that we read. `problem` says why the contents were not understood."""

    event: str
    recipient_id: str | None
    issuing_app_id: str | None
    order_id: str | None
    fulfillment_id: str | None
    fulfillment_created: str | None  # see utc_text
    app_id: str | None = None  # APP_DELETED: which app
    channel: str | None = None  # slug of the order's
    problem: str | None = None

    @property
    def understood(self) -> bool:
        """Tell whether the contents made sense."""
        return self.problem is None


def utc_text(value: str) -> str:
    """Return a time as UTC ISO 8601 with microseconds, the form that identities compare.

    Raises ValueError for what is no time with an offset.
    """
    parsed = datetime.fromisoformat(value)
    if parsed.tzinfo is None:
        raise ValueError(f"a time without offset: {value!r}")
    try:
        return parsed.astimezone(UTC).isoformat(timespec="microseconds")
    except OverflowError as error:
        raise ValueError(f"a time out of range: {value!r}") from error
