"""`plan`: see what would be captured, from recorded deliveries, without sending anything.

It needs neither database nor network nor a Kustom order: the ledger is kept between the files,
and `--authorized` stands for the authorization.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.decide import Earlier, decide
from saleor_kustom.capture.fulfillment import Fulfillment, Order
from saleor_kustom.capture.held import Held
from saleor_kustom.capture.plan import Nothing, NothingWhy, Plan
from saleor_kustom.capture.policy import GiftCard, Policy, ShippingFee
from saleor_kustom.capture.shipping_info import entries
from saleor_kustom.errors import Refused, SettingsError
from saleor_kustom.saleor.reading import read_fulfillment, read_order

_WHY: Mapping[NothingWhy, str] = {
    NothingWhy.WORTH_ZERO: "the parcel is worth nothing",
    NothingWhy.PAID_BY_OTHERS: "other payments pay the order in full",
    NothingWhy.NOT_KUSTOM: "the order was not paid with Kustom",
    NothingWhy.REPLACEMENT: "a replacement order: nothing was authorized for it",
    NothingWhy.TAKEN_OVER: "a cancelled parcel's capture pays these units already",
}


def plan(
    files: Annotated[list[Path], typer.Argument(help="Recorded deliveries, in their order.")],
    authorized: Annotated[
        int | None, typer.Option(help="Authorized amount in minor units; default: the total.")
    ] = None,
    shipping_fee: Annotated[
        ShippingFee, typer.Option(help="With which parcel the fee is captured.")
    ] = ShippingFee.FIRST,
    gift_card: Annotated[
        GiftCard, typer.Option(help="How a gift card is spread over the parcels.")
    ] = GiftCard.PROPORTIONAL,
) -> None:
    """Print what would be captured for recorded deliveries, one JSON object per line.

    Example: saleor-kustom plan parcel-1.json parcel-2.json --shipping-fee last
    """
    policy = Policy(shipping_fee=shipping_fee, gift_card=gift_card)
    for line in planned(files, policy, authorized):
        sys.stdout.write(line + "\n")


def planned(files: Iterable[Path], policy: Policy, authorized: int | None) -> Iterator[str]:
    """Yield a line for each file. Raises SettingsError for a file that is no delivery."""
    desk = _Desk(policy, authorized)
    for path in files:
        yield desk.line(_delivery(path))


def _delivery(path: Path) -> Mapping[str, Any]:
    """Read a recording, or a bare body of that shape."""
    try:
        wire = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        if isinstance(wire, dict) and isinstance(wire.get("body"), str):
            wire = json.loads(wire["body"], parse_float=Decimal)
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: no delivery in JSON ({error})") from None
    if not isinstance(wire, dict):
        raise SettingsError(f"{path}: a delivery is a JSON object")
    return wire


@dataclass(slots=True)
class _Desk:
    """Keeps the ledger between deliveries, by order."""

    policy: Policy
    authorized: int | None
    ledgers: dict[str, dict[str, Earlier]] = field(default_factory=dict)
    tombstones: set[str] = field(default_factory=set)

    def line(self, delivery: Mapping[str, Any]) -> str:
        """Return the JSON line for one delivery."""
        wire_order, wire_fulfillment = (
            delivery.get("order") or {},
            delivery.get("fulfillment") or {},
        )
        fulfillment_id, order_id = wire_fulfillment.get("id"), wire_order.get("id")
        head: dict[str, Any] = {"fulfillment": fulfillment_id, "order": order_id}
        try:
            decision = self._decide(delivery, order_id, fulfillment_id)
        except Refused as error:
            decision = f"not understood: {error}"
            return json.dumps({**head, "held": decision}, ensure_ascii=False)
        match decision:
            case Plan():
                start = json.dumps(head, ensure_ascii=False)[:-1]
                return f'{start}, "body": {decision.body}}}'  # exactly what would be sent
            case Held():
                why = f"{decision.reason}: {decision.problem}"
                return json.dumps({**head, "held": why}, ensure_ascii=False)
            case Nothing():
                why = f"{decision.why}: {_WHY[decision.why]}"
                return json.dumps({**head, "nothing": why}, ensure_ascii=False)
            case _:
                return json.dumps({**head, "nothing": decision}, ensure_ascii=False)

    def _decide(
        self, delivery: Mapping[str, Any], order_id: Any, fulfillment_id: Any
    ) -> Plan | Held | Nothing | str:
        """Return the decision, or in words why the delivery plans nothing."""
        typename = delivery.get("__typename")
        ledger = self.ledgers.setdefault(str(order_id), {})
        if typename == "FulfillmentCanceled":
            return self._cancel(ledger, str(fulfillment_id))
        if typename not in ("FulfillmentCreated", None):
            return f"{typename} plans no capture"
        if fulfillment_id in ledger:
            return "duplicate: this fulfillment is planned already"
        if fulfillment_id in self.tombstones:
            return "cancelled: this fulfillment was cancelled before it was captured"
        order = read_order(delivery.get("order") or {})
        fulfillment = _fulfillment(delivery)
        if fulfillment.status != "FULFILLED":
            return f"the fulfillment is {fulfillment.status}"
        if order.origin == "REISSUE":
            return Nothing(NothingWhy.REPLACEMENT)
        return self._plan(ledger, order, fulfillment)

    def _plan(
        self, ledger: dict[str, Earlier], order: Order, fulfillment: Fulfillment
    ) -> Plan | Held | Nothing:
        decision = decide(
            order,
            fulfillment,
            list(ledger.values()),
            self._authorization(order, ledger),
            self.policy,
            shipping_info=entries(order, fulfillment),
        )
        spent = decision if isinstance(decision, Plan) else getattr(decision, "plan", None)
        if not isinstance(decision, Held):
            ledger[fulfillment.id] = Earlier(fulfillment.id, spent, captured=spent is not None)
        return decision

    def _cancel(self, ledger: dict[str, Earlier], fulfillment_id: str) -> str:
        if fulfillment_id in ledger:
            ledger[fulfillment_id] = replace(ledger[fulfillment_id], canceled=True)
            return "cancelled after its capture: a person decides, or the units ship again"
        self.tombstones.add(fulfillment_id)
        return "cancelled: nothing is captured for it"

    def _authorization(self, order: Order, ledger: Mapping[str, Earlier]) -> Authorization:
        whole = order.total_minor if self.authorized is None else self.authorized
        captured = sum(e.plan.amount_minor for e in ledger.values() if e.plan)
        payments = [t for t in order.transactions if not t.is_gift_card]
        return Authorization(
            kustom_order_id=payments[0].psp_reference if payments else "",
            status="PART_CAPTURED" if captured else "AUTHORIZED",
            fraud_status="ACCEPTED",
            currency=order.currency,
            order_amount_minor=whole,
            original_order_amount_minor=whole,
            captured_amount_minor=captured,
            refunded_amount_minor=0,
            remaining_minor=whole - captured,
        )


def _fulfillment(delivery: Mapping[str, Any]) -> Fulfillment:
    """Read the delivery's fulfillment; a bare body may lack what only identity needs."""
    wire = {
        "fulfillmentOrder": 1,
        "status": "FULFILLED",
        "created": "1970-01-01T00:00:00+00:00",
        **(delivery.get("fulfillment") or {}),
    }
    return read_fulfillment(wire)
