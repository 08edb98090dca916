"""The steps of an operation: consider, send, look up, tell Saleor. Each ends in a commit.

They are a capture's own steps (worker/steps.py) where money moves: frozen, sent and looked for by
the same code. Only what is decided, and what Saleor is told, is an operation's.
"""

from typing import NoReturn

from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.plan import Nothing, Plan
from saleor_kustom.capture.state import Event, State
from saleor_kustom.worker.entries import keeps_its_mark
from saleor_kustom.worker.journey import Journey
from saleor_kustom.worker.operations.deciding import decide_operation
from saleor_kustom.worker.operations.telling import tell_done, tell_refused
from saleor_kustom.worker.sending import NO_PLAN, freeze_and_send, look_up

#: A person asked once more for what had come to nothing, or was held.
ASKED_AGAIN = "asked_again"


async def advance_operation(journey: Journey) -> NoReturn:
    """Take the operation as far as it goes now. Ends as a capture's `advance` does."""
    while True:
        match journey.capture.state:
            case State.RECEIVED:
                await _consider(journey)
            case State.PLANNED:
                await journey.advance(Event.RECONSIDERED, detail={}, **NO_PLAN)
            case State.SENDING:
                await look_up(journey)
            case State.CAPTURED:
                await tell_done(journey)
            case State.NOTHING if journey.capture.waiting == ASKED_AGAIN:
                await journey.advance(Event.RECONSIDERED, detail={})
            case State.NOTHING if journey.capture.by_button and not journey.capture.reported_at:
                await tell_refused(journey)
            case _:
                raise await _nothing_new(journey)


async def _nothing_new(journey: Journey) -> Exception:
    capture = journey.capture
    kept = {"waiting": capture.waiting, "waiting_detail": capture.waiting_detail}
    return await journey.rest(what="rests", detail={}, **kept)


async def _consider(journey: Journey) -> None:
    """Decide on both sides as they are now: send, hold, or say why there is nothing to do."""
    capture = journey.capture
    if keeps_its_mark(capture):
        raise await journey.hold(Held(Reason(capture.held or ""), capture.held_detail))
    match await decide_operation(journey):
        case None:
            return  # Kustom has it already: the state says what is next
        case Held() as held:
            raise await journey.hold(held)
        case Nothing(why=why):
            detail = {"why": why.value}
            raise await journey.rest(
                Event.NOTHING_TO_CAPTURE, what="nothing", detail=detail, waiting=why.value
            )
        case Plan() as plan:
            await freeze_and_send(journey, plan)
