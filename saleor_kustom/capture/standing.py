"""How a Kustom order stands after an operation, and what Saleor's buttons could do then."""

from typing import Self

from pydantic import BaseModel, ConfigDict

from saleor_kustom.capture.allowed import ENDED
from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.plan import Call, Plan


class Standing(BaseModel):
    """Amounts of a Kustom order in minor units of its currency."""

    model_config = ConfigDict(frozen=True)

    remaining_minor: int
    captured_minor: int
    refunded_minor: int
    seen_at: float = 0.0  # unix seconds

    @classmethod
    def of(cls, authorization: Authorization, seen_at: float) -> Self:
        """Return how it stands as it was read."""
        ended = authorization.status in ENDED
        return cls(
            remaining_minor=0 if ended else authorization.remaining_minor,
            captured_minor=authorization.captured_amount_minor,
            refunded_minor=authorization.refunded_amount_minor,
            seen_at=seen_at,
        )

    def after(self, plan: Plan) -> "Standing":
        """Return how it stands when Kustom has done what a plan asks."""
        amount = plan.amount_minor
        match plan.call:
            case Call.CAPTURE:
                left, captured = self.remaining_minor - amount, self.captured_minor + amount
                changed = {"remaining_minor": max(0, left), "captured_minor": captured}
            case Call.REFUND:
                changed = {"refunded_minor": self.refunded_minor + amount}
            case Call.CANCEL | Call.RELEASE:
                changed = {"remaining_minor": 0}
        return self.model_copy(update=changed)

    @property
    def actions(self) -> tuple[str, ...]:
        """Return what is really possible, as Saleor calls it (domain: availableActions)."""
        remains = self.remaining_minor > 0
        possible = {
            "CHARGE": remains,
            "REFUND": self.captured_minor > self.refunded_minor,
            "CANCEL": remains,
        }
        return tuple(action for action, is_possible in possible.items() if is_possible)
