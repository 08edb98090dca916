"""`plan`: see what would be captured, from recorded deliveries, without sending anything.

It needs neither database nor network nor a Kustom order: the ledger is kept between the files,
and `--authorized` stands for the authorization. What it plans counts as captured at once, so a
parcel that is cancelled later was paid, and its units are taken over when they ship again.
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
from saleor_kustom.capture.binding import candidates
from saleor_kustom.capture.decide import Earlier, decide, reference
from saleor_kustom.capture.delivery import utc_text
from saleor_kustom.capture.fulfillment import Fulfillment, Order
from saleor_kustom.capture.held import Held, Reason
from saleor_kustom.capture.money import shown
from saleor_kustom.capture.plan import Nothing, NothingWhy, Plan
from saleor_kustom.capture.policy import GiftCard, Policy, ShippingFee
from saleor_kustom.capture.shipping_info import entries
from saleor_kustom.errors import Refused, SettingsError
from saleor_kustom.saleor.reading import read_fulfillment, read_order

_WHY: Mapping[NothingWhy, str] = {
    NothingWhy.WORTH_ZERO: "the parcel is worth nothing",
    NothingWhy.PAID_BY_OTHERS: "gift cards or other payments pay all of it",
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
    product_url: Annotated[
        str | None, typer.Option(help="Storefront link of a product, with {slug}.")
    ] = None,
    allow_currency: Annotated[
        list[str], typer.Option(help="A currency to allow beside those that Kustom lists.")
    ] = [],  # noqa: B006 - typer's own way to say none
) -> None:
    """Print what would be captured for recorded deliveries, one JSON object per line.

    Nothing is sent. A parcel counts as captured from its line on.

    Example: saleor-kustom plan parcel-1.json parcel-2.json --shipping-fee last
    """
    policy = Policy(
        shipping_fee=shipping_fee,
        gift_card=gift_card,
        product_url=product_url,
        extra_currencies=frozenset(currency.upper() for currency in allow_currency),
    )
    for line in planned(files, policy, authorized):
        sys.stdout.write(line + "\n")


def planned(files: Iterable[Path], policy: Policy, authorized: int | None) -> Iterator[str]:
    """Yield a line for each file. Raises SettingsError for a file that is no delivery."""
    desk = _Desk(policy, authorized)
    for path in files:
        yield desk.line(*_delivery(path))


def _delivery(path: Path) -> tuple[str, Mapping[str, Any]]:
    """Read a recording, or a bare body of that shape; return the shop's address and the body."""
    headers: dict[str, str] = {}
    try:
        wire = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        if isinstance(wire, dict) and "body" in wire:
            pairs = dict(wire.get("headers") or ()).items()
            headers = {str(name).lower(): str(value) for name, value in pairs}
            wire = wire["body"]
        if isinstance(wire, str):
            wire = json.loads(wire, parse_float=Decimal)
    except (OSError, ValueError, TypeError) as error:
        raise SettingsError(f"{path}: no delivery in JSON ({error})") from None
    if not isinstance(wire, dict):
        raise SettingsError(f"{path}: a delivery is a JSON object")
    event = headers.get("saleor-event", "").title().replace("_", "")
    return headers.get("saleor-api-url", ""), ({"__typename": event} if event else {}) | wire


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known of one fulfillment: its identity (domain rule 3) and its plan."""

    order_id: str
    created: str
    currency: str
    earlier: Earlier


@dataclass(slots=True)
class _Desk:
    """Keeps the ledger between deliveries, by shop and fulfillment."""

    policy: Policy
    authorized: int | None
    seen: dict[tuple[str, str], _Seen] = field(default_factory=dict)

    def line(self, shop: str, delivery: Mapping[str, Any]) -> str:
        """Return the JSON line for one delivery."""
        head = {name: _part(delivery, name).get("id") for name in ("fulfillment", "order")}
        try:
            decision = self._decide(shop, delivery)
        except Refused as error:
            decision = Held(Reason.NOT_UNDERSTOOD)
            return _json(head | {"held": f"{decision.reason}: {decision.problem} {error}"})
        match decision:
            case Plan():
                return f'{_json(head)[:-1]}, "body": {decision.body}}}'  # exactly as it is sent
            case Held():
                return _json(head | {"held": f"{decision.reason}: {decision.problem}"})
            case Nothing():
                return _json(head | {"nothing": f"{decision.why}: {_why(decision)}"})
            case _:
                return _json(head | {"nothing": decision})

    def _decide(self, shop: str, delivery: Mapping[str, Any]) -> Plan | Held | Nothing | str:
        """Return the decision, or in words why the delivery plans nothing."""
        typename = delivery.get("__typename")
        if typename not in (_CREATED, _CANCELED, None):
            return f"{typename} plans no capture"
        fulfillment = _fulfillment(delivery)
        if typename is None and fulfillment.status == "CANCELED":
            typename = _CANCELED
        order_id = str(_part(delivery, "order").get("id"))
        seen = self.seen.get((shop, fulfillment.id))
        if seen and _differs(seen, order_id, fulfillment.created):
            return Held(Reason.IDENTITY_CHANGED, {"fulfillment": fulfillment.id})
        if typename == _CANCELED:
            return self._cancel(shop, order_id, fulfillment, seen)
        if seen:
            canceled = seen.earlier.canceled
            return "cancelled: nothing is captured" if canceled else "duplicate: seen before"
        if fulfillment.status != "FULFILLED":
            return f"the fulfillment is {fulfillment.status}"
        if "lines" not in _part(delivery, "fulfillment"):
            raise Refused("NOT_UNDERSTOOD", ("the fulfillment has no lines",))
        # The ledger is our own: what the order lists of fulfillments is not looked at.
        order = read_order(_part(delivery, "order") | {"fulfillments": None})
        return self._plan(shop, order, fulfillment)

    def _plan(self, shop: str, order: Order, fulfillment: Fulfillment) -> Plan | Held | Nothing:
        if order.origin == "REISSUE":  # inherits all metadata; nothing was authorized (rule 5)
            return Nothing(NothingWhy.REPLACEMENT)
        ledger = [
            seen.earlier
            for (where, _), seen in self.seen.items()
            if (where, seen.order_id) == (shop, order.id)
        ]
        decision = decide(
            order,
            fulfillment,
            ledger,
            self._authorization(order, ledger),
            self.policy,
            own_references=frozenset({reference(order, fulfillment)}),
            shipping_info=entries(order, fulfillment, self.policy),
        )
        plan = decision if isinstance(decision, Plan) else getattr(decision, "plan", None)
        earlier = Earlier(fulfillment.id, plan, captured=isinstance(decision, Plan))
        kept = _Seen(order.id, fulfillment.created, order.currency, earlier)
        self.seen[shop, fulfillment.id] = kept
        return decision

    def _cancel(
        self, shop: str, order_id: str, fulfillment: Fulfillment, seen: _Seen | None
    ) -> Held | str:
        """Leave a tombstone; what was captured is held for a decision (domain rule 20)."""
        seen = seen or _Seen(order_id, fulfillment.created, "", Earlier(fulfillment.id, None))
        if seen.earlier.canceled:
            return "duplicate: cancelled before"
        plan = seen.earlier.plan if seen.earlier.captured else None  # no money: units are free
        self.seen[shop, fulfillment.id] = replace(
            seen, earlier=replace(seen.earlier, plan=plan, canceled=True)
        )
        if plan is None:
            return "cancelled: nothing is captured"
        amount = shown(plan.amount_minor, seen.currency)
        return Held(Reason.CANCELED_AFTER_CAPTURE, {"amount": amount})

    def _authorization(self, order: Order, ledger: Iterable[Earlier]) -> Authorization:
        whole = order.total_minor if self.authorized is None else self.authorized
        captured = sum(e.plan.amount_minor for e in ledger if e.plan and e.captured)
        payments = [t.psp_reference for t in order.transactions if not t.is_gift_card]
        claimed = [c.kustom_order_id for c in candidates(order, self.policy)]
        return Authorization(
            kustom_order_id=next(iter(claimed + payments), ""),
            status="PART_CAPTURED" if captured else "AUTHORIZED",
            fraud_status="ACCEPTED",
            currency=order.currency,
            order_amount_minor=whole,
            original_order_amount_minor=whole,
            captured_amount_minor=captured,
            refunded_amount_minor=0,
            remaining_minor=whole - captured,
        )


_CREATED, _CANCELED = "FulfillmentCreated", "FulfillmentCanceled"
_UNTIMED = "1970-01-01T00:00:00+00:00"


def _fulfillment(delivery: Mapping[str, Any]) -> Fulfillment:
    """Read the delivery's fulfillment; a bare body may lack what only identity needs."""
    wire = {"fulfillmentOrder": 1, "status": "FULFILLED", "created": _UNTIMED}
    return read_fulfillment(wire | _part(delivery, "fulfillment"))


def _differs(seen: _Seen, order_id: str, created: str) -> bool:
    untimed = utc_text(_UNTIMED)
    times = {seen.created, created} - {untimed}
    return seen.order_id != order_id or len(times) > 1


def _part(delivery: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return an object of the delivery, without its nulls; empty when there is none."""
    part = delivery.get(name)
    return {k: v for k, v in part.items() if v is not None} if isinstance(part, dict) else {}


def _why(nothing: Nothing) -> str:
    over = ", ".join(nothing.plan.takes_over) if nothing.plan else ""
    return _WHY[nothing.why] + (f" ({over})" if over else "")


def _json(line: Mapping[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False)
