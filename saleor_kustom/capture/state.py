"""What may happen to a capture: one table, no I/O.

A state names what is *known*. *Held* is not a state but a mark with a reason: a held capture
stays where it is and goes on from there, so that a release never skips a question
(domain rule 19).

The rules:

1. Every change of state is a row of `TRANSITIONS`; any other raises and changes nothing.
2. The intent is on disk before a call leaves (`SENDING`), the outcome after it.
3. No answer is not an event: the capture stays `SENDING`, and we look before we send again.
4. Money that moved is never forgotten: nothing leads back from `CAPTURED`.
"""

from collections.abc import Mapping
from enum import StrEnum

from saleor_kustom.errors import IllegalTransition


class State(StrEnum):
    """Where a fulfillment's capture stands."""

    RECEIVED = "received"  # Saleor told us; nothing is decided
    PLANNED = "planned"  # body, amount, units and idempotency key are frozen on disk
    SENDING = "sending"  # the call may have left; its outcome is not known here
    CAPTURED = "captured"  # Kustom confirmed and its capture id is stored
    REPORTED = "reported"  # Saleor knows too; only tracking or a cancellation can follow
    NOTHING = "nothing"  # there is nothing to capture, and the reason is stored
    WITHDRAWN = "withdrawn"  # the fulfillment was cancelled, and no money is known to have moved


class Event(StrEnum):
    """What can be learned or decided about a capture."""

    PLAN_FROZEN = "plan_frozen"  # order, authorization and ledger gave a plan
    NOTHING_TO_CAPTURE = "nothing_to_capture"  # they gave a reason why there is none
    SEND_STARTED = "send_started"  # committed before the request leaves
    KUSTOM_CONFIRMED = "kustom_confirmed"  # 201, or our reference found at Kustom
    KUSTOM_REFUSED = "kustom_refused"  # a definite no: the plan is void, its units are free
    KUSTOM_HAS_NONE = "kustom_has_none"  # looked, late enough: the request never took effect
    FULFILLMENT_CANCELED = "fulfillment_canceled"  # Saleor's spelling
    REPORT_ACCEPTED = "report_accepted"  # Saleor took the write-back
    RECONSIDERED = "reconsidered"  # a person, or news, asks for a new decision


TRANSITIONS: Mapping[State, Mapping[Event, State]] = {
    State.RECEIVED: {
        Event.PLAN_FROZEN: State.PLANNED,
        Event.NOTHING_TO_CAPTURE: State.NOTHING,
        # A capture with our reference is there already: a restored database, a lost ledger.
        Event.KUSTOM_CONFIRMED: State.CAPTURED,
        Event.FULFILLMENT_CANCELED: State.WITHDRAWN,
    },
    State.PLANNED: {
        Event.SEND_STARTED: State.SENDING,
        Event.KUSTOM_CONFIRMED: State.CAPTURED,
        Event.FULFILLMENT_CANCELED: State.WITHDRAWN,
        Event.RECONSIDERED: State.RECEIVED,
    },
    # No answer is not an event: we stay here, and look before we send again.
    State.SENDING: {
        Event.KUSTOM_CONFIRMED: State.CAPTURED,
        Event.KUSTOM_REFUSED: State.RECEIVED,
        Event.KUSTOM_HAS_NONE: State.PLANNED,
    },
    State.CAPTURED: {Event.REPORT_ACCEPTED: State.REPORTED},
    State.REPORTED: {},
    State.NOTHING: {
        Event.FULFILLMENT_CANCELED: State.WITHDRAWN,
        # For example: the order's Kustom id was written late.
        Event.RECONSIDERED: State.RECEIVED,
    },
    # A restored database did not know that it had been captured before.
    State.WITHDRAWN: {Event.KUSTOM_CONFIRMED: State.CAPTURED},
}

#: States whose plan holds units, the fee and the gift card's share of the order's ledger.
SPENDING = frozenset({State.PLANNED, State.SENDING, State.CAPTURED, State.REPORTED})

#: States in which money has not moved as far as we know: these go before reports and tracking.
MONEY_FIRST = frozenset({State.RECEIVED, State.PLANNED, State.SENDING})


def after(state: State, event: Event) -> State:
    """Return the state that follows, or raise IllegalTransition."""
    try:
        return TRANSITIONS[state][event]
    except KeyError:
        raise IllegalTransition(f"{event} is not possible when {state}") from None
