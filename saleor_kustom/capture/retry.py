"""When to ask again, as data: one pure decision for every way a call can fail.

What is refused waits for a person; what may pass is asked again with the same key and body,
after an exponential backoff with full jitter, seconds to an hour, for as long as the
authorization lives (an expired one shows itself at the next look).
"""

from dataclasses import dataclass
from itertools import accumulate

from saleor_kustom.errors import CallError, OutcomeUnknown, Refused, Unavailable

_BASE_S = 2.0
_CAP_S = 3600.0
#: A firewall's HTML 403 says nothing about the order and passes slowly (contract, section 2).
_FIREWALL_S = 900.0
#: Kustom's fraud review takes hours (contract, section 6).
FRAUD_POLL_S = (300.0, 600.0, 1200.0, 1800.0)
#: Digital goods are fulfilled before a storefront writes the id (domain rule 6).
LATE_ID_S = (120.0, 900.0, 3600.0, 86400.0)


@dataclass(frozen=True, slots=True)
class Again:
    """Ask again after `after_s` seconds. `alert`: a person should know that it takes long."""

    after_s: float
    alert: bool = False


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Asking again changes nothing; a person must look."""


@dataclass(frozen=True, slots=True)
class PauseAccount:
    """The merchant account's credentials are refused: nothing of that account can succeed."""


Decision = Again | GiveUp | PauseAccount


def after_failure(error: CallError, *, failures: int, chance: float) -> Decision:
    """Decide what follows a failed call.

    `failures`: how many calls failed in a row before this one. `chance`: uniform in [0, 1),
    the jitter. A Retry-After is a floor, never shortened by the jitter.
    """
    match error:
        case Refused():
            return GiveUp()
        case Unavailable(status=401):
            return PauseAccount()
        case Unavailable(status=403):
            return Again(_FIREWALL_S * (1 + chance), alert=True)
        case Unavailable() | OutcomeUnknown():
            floor = error.retry_after_s or 0.0
            return Again(floor + backoff_s(failures, chance))
        case _:
            raise AssertionError(f"not a verdict: {error!r}")


def backoff_s(failures: int, chance: float) -> float:
    """Return full jitter over an exponentially growing span: up to 2, 4, 8 … 3600 seconds."""
    span = min(_CAP_S, _BASE_S * 2.0 ** min(failures, 20))
    return max(0.1, span * chance)


def late_id_wait_s(age_s: float, *, looked: int) -> float | None:
    """Return how long to wait for an id that an order lacks, or None: it is a person's turn.

    `age_s`: since the capture is there. By age, since news of the parcel, such as tracking, make
    looks of their own, which must not use the waits up. `looked`: how often in a row it was looked
    for before; whoever asks for a retry is given one wait more, however old it is.
    """
    if looked == 0:
        return LATE_ID_S[0]
    looks_at_s = accumulate(LATE_ID_S)
    return next((at_s - age_s for at_s in looks_at_s if at_s > age_s + 1.0), None)


def nth(waits_s: tuple[float, ...], count: int) -> float | None:
    """Return the wait after `count` earlier ones, or None when they are used up."""
    return waits_s[count] if count < len(waits_s) else None
