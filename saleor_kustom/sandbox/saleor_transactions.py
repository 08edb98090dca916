"""Transactions of the simulated Saleor: reported events, and the amounts that follow from them.

The amounts are made anew from the events each time, as Saleor does it (saleor-core-observed,
section 7, and Saleor's payment/transaction_item_calculations.py).
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from saleor_kustom.capture.money import exponent
from saleor_kustom.sandbox.saleor_orders import Wire, amount_of, global_id, money, now, pairs

#: What an event is about → the total that it moves, and the one that it is taken from.
_TOTALS: Mapping[str, tuple[str, str | None]] = {
    "AUTHORIZATION": ("authorizedAmount", None),
    "CHARGE": ("chargedAmount", "authorizedAmount"),
    "REFUND": ("refundedAmount", "chargedAmount"),
    "CANCEL": ("canceledAmount", "authorizedAmount"),
}
_PENDING: Mapping[str, str] = {
    "AUTHORIZATION": "authorizePendingAmount",
    "CHARGE": "chargePendingAmount",
    "REFUND": "refundPendingAmount",
    "CANCEL": "cancelPendingAmount",
}
#: These may come without an amount; nothing else may.
_WITHOUT_AMOUNT = frozenset({"CHARGE_BACK", "REFUND_REVERSE", "INFO"})
#: These are never the same event twice.
_NEVER_DOUBLE = frozenset({"INFO", "CHARGE_ACTION_REQUIRED", "AUTHORIZATION_ACTION_REQUIRED"})
_LONGEST_MESSAGE = 512


class UserError(Exception):
    """An error that a mutation answers in its `errors`."""

    def __init__(self, field: str | None, code: str, message: str) -> None:
        super().__init__(message)
        self.wire: Wire = {"field": field, "code": code, "message": message}


def new_transaction(
    psp_reference: str, currency: str, created_by: Wire | None, *, name: str = "Kustom", **more: Any
) -> Wire:
    """Return a transaction without amounts. `created_by`: an app, a user, or None."""
    made = now()
    zeros = {field: money(Decimal(0), currency) for field in _fields()}
    return {
        "id": global_id("TransactionItem", uuid.uuid4()),
        "name": name,
        "message": "",
        "pspReference": psp_reference,
        "externalUrl": "",
        "actions": ["CHARGE", "REFUND", "CANCEL"],
        "createdAt": made,
        "modifiedAt": made,
        **zeros,
        "createdBy": created_by,
        # Who may report: Saleor keeps the identifier of an app that it no longer shows.
        "owner": created_by,
        "paymentMethodDetails": None,
        "metadata": pairs({}),
        "privateMetadata": pairs({}),
        "adjustments": [],  # events that Saleor made itself when the transaction was created
        "events": [],  # events that were reported, oldest first
        **more,
    }


def adjust(transaction: Wire, kind: str, amount: Decimal) -> None:
    """Set an amount as transactionCreate does: by an event without pspReference."""
    transaction["adjustments"].append(new_event(transaction, kind, "", amount))
    recalculate(transaction)


def report_event(transaction: Wire, given: Mapping[str, Any], by: Wire | None) -> tuple[Wire, bool]:
    """Take a reported event; return it, and whether it had been reported before.

    Raises UserError. The same pspReference and type with another amount is refused and leaves
    a visible failure, which counts for nothing.
    """
    kind, reference = given["type"], given["pspReference"]
    amount = _amount_to_report(transaction, given)
    before = _same(transaction, kind, reference)
    if before is not None and amount_of(before["amount"]) == amount:
        return before, True
    event = new_event(transaction, kind, reference, amount, given, by)
    problem = _conflict(transaction, kind, before)
    if problem is not None:
        failed = {"type": _failure(kind), "message": str(problem), "counts": False}
        transaction["events"].append(event | failed | {"createdBy": None, "externalUrl": ""})
        raise problem
    transaction["events"].append(event)
    if kind in _NAMES_THE_TRANSACTION and not transaction["pspReference"]:
        transaction["pspReference"] = reference
    transaction["modifiedAt"] = now()
    recalculate(transaction)
    return event, False


#: The first of these gives its reference to a transaction that has none.
_NAMES_THE_TRANSACTION = frozenset(
    {"AUTHORIZATION_REQUEST", "AUTHORIZATION_SUCCESS", "CHARGE_REQUEST", "CHARGE_SUCCESS"}
)


def recalculate(transaction: Wire) -> None:
    """Make the amounts anew from the events that count."""
    totals: dict[str, Decimal] = defaultdict(Decimal)
    groups: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(dict)
    for event in _counting(transaction):
        about, _, outcome = event["type"].partition("_")
        if event["pspReference"]:
            # A later outcome under the same reference takes the earlier one's place.
            if outcome in ("SUCCESS", "FAILURE"):
                for other in ("SUCCESS", "FAILURE"):
                    groups[about, event["pspReference"]].pop(other, None)
                groups[about, event["pspReference"]]["DONE"] = Decimal(0)
            groups[about, event["pspReference"]][outcome] = amount_of(event["amount"])
        else:
            _move_alone(totals, about, outcome, amount_of(event["amount"]))
    for (about, _), outcomes in groups.items():
        _move(totals, about, outcomes)
    currency = transaction["authorizedAmount"]["currency"]
    for field in _fields():
        floor = field.startswith("authorize")  # Saleor never shows less than 0 authorized
        amount = max(Decimal(0), totals[field]) if floor else totals[field]
        transaction[field] = money(amount, currency)


def settle(order: Wire) -> None:
    """Make the order's totals and statuses follow from its transactions."""
    currency = order["channel"]["currencyCode"]
    total = amount_of(order["total"]["gross"])
    authorized = _sum(order, "authorizedAmount")
    charged = _sum(order, "chargedAmount")
    order["totalAuthorized"] = money(authorized, currency)
    order["totalCharged"] = money(charged, currency)
    order["chargeStatus"] = _charge_status(charged, total)
    order["authorizeStatus"] = _authorize_status(authorized + charged, total)


def all_events(transaction: Wire) -> list[Wire]:
    """Return the events as the API lists them: newest first."""
    return [*reversed(transaction["events"]), *reversed(transaction.get("adjustments", ()))]


def _amount_to_report(transaction: Wire, given: Mapping[str, Any]) -> Decimal:
    currency = transaction["authorizedAmount"]["currency"]
    kind = given["type"]
    if given.get("amount") is not None:
        step = Decimal(1).scaleb(-exponent(currency))
        return Decimal(given["amount"]).quantize(step)
    if kind == "INFO":
        return Decimal(0)
    known = [e for e in transaction["events"] if e["pspReference"] == given["pspReference"]]
    may_lack = kind in _WITHOUT_AMOUNT or kind.endswith("_FAILURE")
    if not may_lack or not known:
        message = f"The `amount` field is required for {kind} event."
        raise UserError("amount", "REQUIRED", message)
    return amount_of(known[0]["amount"])


def _same(transaction: Wire, kind: str, reference: str) -> Wire | None:
    if kind in _NEVER_DOUBLE:
        return None
    for event in transaction["events"]:
        if (event["type"], event["pspReference"]) == (kind, reference):
            found: Wire = event
            return found
    return None


def _conflict(transaction: Wire, kind: str, before: Wire | None) -> UserError | None:
    if before is not None:
        return UserError(
            "pspReference",
            "INCORRECT_DETAILS",
            "The transaction with provided `pspReference` and `type` already exists with "
            "different amount.",
        )
    events = all_events(transaction)
    if kind == "AUTHORIZATION_SUCCESS" and any(e["type"] == kind for e in events):
        return UserError(
            "type",
            "ALREADY_EXISTS",
            "Event with `AUTHORIZATION_SUCCESS` already reported for the transaction. Use "
            "`AUTHORIZATION_ADJUSTMENT` to change the authorization amount.",
        )
    return None


def new_event(
    transaction: Wire,
    kind: str,
    reference: str,
    amount: Decimal,
    given: Mapping[str, Any] | None = None,
    by: Wire | None = None,
) -> Wire:
    """Return an event that is in no list yet."""
    given = given or {"message": "Manual adjustment of the transaction."}
    return {
        "id": global_id("TransactionEvent", uuid.uuid4().int % 10**9),
        "type": kind,
        "pspReference": reference,
        "amount": money(amount, transaction["authorizedAmount"]["currency"]),
        "message": (given.get("message") or "")[:_LONGEST_MESSAGE],
        "externalUrl": given.get("externalUrl") or "",
        "createdAt": given.get("time") or now(),
        "createdBy": by,
        "counts": True,
    }


def _counting(transaction: Wire) -> Iterable[Wire]:
    """Return what counts, oldest first; an adjustment of the authorization hides older ones."""
    events = [*transaction.get("adjustments", ()), *transaction["events"]]
    events = [event for event in events if event.get("counts", True)]
    kinds = [event["type"] for event in events]
    last = len(kinds) - kinds[::-1].index(_ADJUSTMENT) - 1 if _ADJUSTMENT in kinds else 0
    return [
        event
        for index, event in enumerate(events)
        if index >= last or not event["type"].startswith("AUTHORIZATION_")
    ]


_ADJUSTMENT = "AUTHORIZATION_ADJUSTMENT"


def _move(totals: dict[str, Decimal], about: str, outcomes: Mapping[str, Decimal]) -> None:
    """Apply the events of one pspReference."""
    if about not in _TOTALS:
        return
    field, source = _TOTALS[about]
    for outcome in ("ADJUSTMENT", "BACK", "REVERSE"):
        if outcome in outcomes:
            _move_alone(totals, about, outcome, outcomes[outcome])
    if "REVERSE" in outcomes:
        totals["refundedAmount"] -= outcomes["REVERSE"]
    moved = Decimal(0)
    if "REQUEST" in outcomes and "DONE" not in outcomes:
        totals[_PENDING[about]] += outcomes["REQUEST"]
        moved += outcomes["REQUEST"]
    if "SUCCESS" in outcomes:
        totals[field] += outcomes["SUCCESS"]
        moved += outcomes["SUCCESS"]
    if source is not None:
        totals[source] -= moved


def _move_alone(totals: dict[str, Decimal], about: str, outcome: str, amount: Decimal) -> None:
    """Apply an event that takes nothing from another total."""
    if (about, outcome) == ("AUTHORIZATION", "ADJUSTMENT"):
        totals["authorizedAmount"] = amount
    elif (about, outcome) == ("CHARGE", "BACK"):
        totals["chargedAmount"] -= amount
    elif (about, outcome) == ("REFUND", "REVERSE"):
        totals["chargedAmount"] += amount
    elif outcome == "SUCCESS" and about in _TOTALS:
        totals[_TOTALS[about][0]] += amount


def _failure(kind: str) -> str:
    about = kind.partition("_")[0]
    return f"{about}_FAILURE" if about in _TOTALS else kind


def _fields() -> tuple[str, ...]:
    return (*(field for field, _ in _TOTALS.values()), *_PENDING.values())


def _sum(order: Wire, field: str) -> Decimal:
    return sum((amount_of(t[field]) for t in order["transactions"]), Decimal(0))


def _charge_status(charged: Decimal, total: Decimal) -> str:
    if charged == total:
        return "FULL"
    if charged <= 0:
        return "NONE"
    return "PARTIAL" if charged < total else "OVERCHARGED"


def _authorize_status(covered: Decimal, total: Decimal) -> str:
    if covered == 0:
        return "NONE" if total else "FULL"
    return "FULL" if covered >= total else "PARTIAL"
