"""Decide what gives the shopper back what is not captured: a cancellation or a release."""

from saleor_kustom.capture.allowed import ENDED
from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.plan import Call, Nothing, NothingWhy, Plan


def decide_closing(
    authorization: Authorization, *, reference: str, only_if_untouched: bool = False
) -> Plan | Nothing:
    """Return the cancellation of an order without captures, else the release of its rest.

    only_if_untouched: an order of which something was captured stays as it is. Kustom cancels
    only orders without captures and releases only with (contract, section 6).
    """
    captured = bool(authorization.captures) or authorization.captured_amount_minor > 0
    if authorization.status in ENDED or authorization.remaining_minor <= 0:
        return Nothing(NothingWhy.NOTHING_LEFT)
    if captured and only_if_untouched:
        return Nothing(NothingWhy.HAS_CAPTURES)
    return Plan(
        call=Call.RELEASE if captured else Call.CANCEL,
        reference=reference,
        amount_minor=authorization.remaining_minor,
        base_minor=0,
        units={},
    )
