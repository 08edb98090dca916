"""What a frozen plan asks of Kustom: the call that does it, and the look that finds it done.

One row a call, so that all of them are sent, looked for and recorded by the same code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from saleor_kustom.capture.authorization import Authorization, KustomCapture, KustomRefund
from saleor_kustom.capture.parties import Account
from saleor_kustom.capture.plan import Binding, Call, Plan
from saleor_kustom.kustom.client import KustomClient


@dataclass(frozen=True, slots=True)
class Made:
    """What Kustom has done. `kustom_id` and `amount_minor` None: Kustom does not say."""

    kustom_id: str | None = None
    amount_minor: int | None = None
    at: datetime | None = None
    shipping_info: tuple[Mapping[str, str], ...] = ()
    correlation_id: str | None = None


async def call(
    kustom: KustomClient, account: Account, binding: Binding, plan: Plan, key: str
) -> Made:
    """Make the plan's call. Raises the three verdicts."""
    order_id = binding.kustom_order_id
    match plan.call:
        case Call.CAPTURE:
            captured = await kustom.capture(account, order_id, body=plan.body, key=key)
            return Made(
                captured.capture_id,
                shipping_info=plan.shipping_info,
                correlation_id=captured.correlation_id,
            )
        case Call.REFUND:
            refunded = await kustom.refund(account, order_id, body=plan.body, key=key)
            return Made(refunded.refund_id, correlation_id=refunded.correlation_id)
        case Call.CANCEL:
            await kustom.cancel(account, order_id, key=key)
        case Call.RELEASE:
            await kustom.release_remaining(account, order_id, key=key)
    return Made()


def done(authorization: Authorization, call: Call, reference: str) -> Made | None:
    """Return what shows that this was carried out already; None: nothing does."""
    match call:
        case Call.CAPTURE:
            captures = (c for c in authorization.captures if c.reference == reference)
            return next(map(of_capture, captures), None)
        case Call.REFUND:
            refunds = (r for r in authorization.refunds if r.reference == reference)
            return next(map(_of_refund, refunds), None)
        case Call.CANCEL:
            return Made() if authorization.status == "CANCELLED" else None
        case Call.RELEASE:
            # One that calls itself captured has released its rest, whatever it shows as
            # remaining (contract, section 6: assumed).
            over = authorization.remaining_minor <= 0 or authorization.status == "CAPTURED"
            return Made() if over else None


def of_capture(there: KustomCapture) -> Made:
    """Return a capture that Kustom lists as what was made."""
    return Made(there.capture_id, there.amount_minor, there.captured_at, there.shipping_info)


def _of_refund(there: KustomRefund) -> Made:
    return Made(there.refund_id, there.amount_minor, there.refunded_at)
