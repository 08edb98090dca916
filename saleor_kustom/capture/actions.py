"""What a person can do now about a parcel or an order: one table, no I/O.

Pages draw a button for each act that is listed here, and the endpoint behind it asks the same
table again: no dead buttons, and no act that a page would not offer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from saleor_kustom.capture.held import Reason
from saleor_kustom.capture.plan import NothingWhy
from saleor_kustom.capture.state import MONEY_FIRST, State


class Act(StrEnum):
    """What a person can ask for."""

    CAPTURE_NOW = "capture_now"  # a parcel that waits: try at once
    RETRY = "retry"  # a held parcel: go on from where it stands
    RELEASE = "release"  # a parcel that was only observed: capture it
    REOPEN = "reopen"  # a parcel that was said to be settled outside: capture it after all
    SETTLE = "settle"  # a held parcel: its money came another way, nothing is to be captured
    REFUND = "refund"  # of a parcel that was cancelled after its capture
    PREVIEW = "preview"  # see the exact request, send nothing
    LOOK_AGAIN = "look_again"  # compare an order's parcels with both sides now
    PAUSE = "pause"  # nothing of the order is captured until somebody goes on
    UNPAUSE = "unpause"
    LINK = "link"  # say which Kustom order an order was paid with
    CLOSE = "close"  # nothing more ships: give back what is not captured


@dataclass(frozen=True, slots=True)
class Parcel:
    """What decides about a parcel. `under_way`: a run has it now."""

    state: State
    held: str | None = None
    waiting: str | None = None
    under_way: bool = False
    paused: bool = False  # it, or what it belongs to
    canceled: bool = False
    is_parcel: bool = True  # else an operation beside the parcels' captures


#: What a cancelled parcel is held for until somebody decides about its money (domain rule 20).
_REFUNDABLE = frozenset({Reason.CANCELED_AFTER_CAPTURE})

_PARCEL: Mapping[Act, Callable[[Parcel], bool]] = {
    Act.REFUND: lambda p: p.is_parcel and p.canceled and p.held in _REFUNDABLE,
    Act.RETRY: lambda p: p.held not in (None, Reason.OBSERVED, Reason.CANCELED_AFTER_CAPTURE),
    Act.RELEASE: lambda p: p.held == Reason.OBSERVED,
    Act.CAPTURE_NOW: lambda p: _waits(p) and not p.paused,
    Act.REOPEN: lambda p: (
        p.state is State.NOTHING and p.waiting == NothingWhy.SETTLED_OUTSIDE and not p.canceled
    ),
    Act.PREVIEW: lambda p: (
        p.is_parcel and p.state in (State.RECEIVED, State.PLANNED) and not p.canceled
    ),
    # Never while an outcome is unknown: then money may be moving.
    Act.SETTLE: lambda p: (
        p.is_parcel
        and p.held not in (None, Reason.OBSERVED)
        and p.state in (State.RECEIVED, State.PLANNED)
        and not p.under_way
        and not p.canceled
    ),
}


def of_parcel(parcel: Parcel) -> tuple[Act, ...]:
    """Return what makes sense for a parcel now, the most useful first."""
    return tuple(act for act, possible in _PARCEL.items() if possible(parcel))


def of_order(parcels: list[Parcel], *, paused: bool, linked: bool) -> tuple[Act, ...]:
    """Return what makes sense for an order now.

    paused: the order itself, by a person. linked: its Kustom order is known for good.
    """
    acts = [] if linked else [Act.LINK]
    if parcels:
        acts.append(Act.LOOK_AGAIN)
    if paused:
        acts.append(Act.UNPAUSE)
    elif not parcels or any(p.state in MONEY_FIRST for p in parcels):
        acts.append(Act.PAUSE)
    if linked:
        acts.append(Act.CLOSE)
    return tuple(acts)


def _waits(parcel: Parcel) -> bool:
    return parcel.state in MONEY_FIRST and parcel.held is None and not parcel.under_way
