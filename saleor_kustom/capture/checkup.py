"""What a check of an account or a shop finds: verdicts, in the words of a table."""

from dataclasses import dataclass
from enum import StrEnum


class AccountVerdict(StrEnum):
    """What became of a test of credentials at Kustom."""

    RIGHT = "right"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - a verdict
    WRONG_ENVIRONMENT = "wrong_environment"  # they are right on the other one
    FOREIGN_MERCHANT = "foreign_merchant"  # accepted, but the orders are another merchant's
    BLOCKED = "blocked"  # a firewall's 403, before anybody looked at them
    NO_NETWORK = "no_network"  # Kustom was not reached
    NO_ANSWER = "no_answer"  # reached, and no sensible answer


@dataclass(frozen=True, slots=True)
class ShopFacts:
    """Settings of a Saleor that decide whether merchants can ship what is authorized only."""

    version: str
    allows_unpaid: bool  # fulfillmentAllowUnpaid
    approves_by_itself: bool  # fulfillmentAutoApprove


@dataclass(frozen=True, slots=True)
class WebhookState:
    """The app's webhooks as Saleor has them, against ours; all empty: they are the same."""

    changes: tuple[str, ...] = ()  # what would bring them up to date
    inactive: tuple[str, ...] = ()  # switched off by somebody
    lacking: tuple[str, ...] = ()  # permissions that this version needs
