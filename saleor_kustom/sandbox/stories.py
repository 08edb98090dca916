"""The story that `make demo` plays: what a shop's day does to fulfillments, over real HTTP."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from saleor_kustom.sandbox.kustom_orders import SimulatedOrder
from saleor_kustom.sandbox.saleor_orders import Line, Wire
from saleor_kustom.sandbox.world import World

JACKET = Line("Fjällräven jacka", "1299.00", sku="JACKA-M", variant="M")
MUGS = Line("Kaffemugg Ö", "33.33", 3, sku="MUGG-1", total="93.09")
BREAD = Line("Knäckebröd", "24.90", 2, sku="BROD-1", tax_rate="0.12", total="46.36")


@dataclass(slots=True)
class Outcome:
    """What a story must have led to, checked at both sides."""

    title: str
    order: Wire
    there: SimulatedOrder
    amounts: Sequence[int]  # minor units, capture by capture
    tracking: Mapping[int, Sequence[str]] = field(default_factory=dict)  # by capture, from 0
    shown: Sequence[str] | None = None  # the numbers that a storefront finds; None: not looked at
    reported: bool = True
    refunds: Sequence[int] = ()  # minor units
    # Which captures shipped parcels bear in Saleor; None: each one its own.
    written: Sequence[int] | None = None


Settle = Callable[[], Awaitable[None]]


async def three_parcels(world: World, settle: Settle) -> Outcome:
    """One order, three parcels, the shipping fee once; tracking with, and after, the capture."""
    order, there = world.order((JACKET, MUGS, BREAD))
    jacket, mugs, bread = (line["id"] for line in order["lines"])
    world.saleor.fulfill(order["id"], {jacket: 1, mugs: 1}, tracking="SE1")
    await settle()
    second = world.saleor.fulfill(order["id"], {mugs: 1, bread: 1})
    await settle()
    world.saleor.fulfill(order["id"], {mugs: 1, bread: 1}, tracking="SE3")
    world.saleor.update_tracking(second["id"], "SE2")
    await settle()
    amounts = (1299_00 + 31_03 + 49_00, 31_03 + 23_18, 31_03 + 23_18)
    return Outcome("Three parcels", order, there, amounts, {0: ["SE1"], 1: ["SE2"], 2: ["SE3"]})


async def gift_card(world: World, settle: Settle) -> Outcome:
    """A gift card paid 300 kronor, which Kustom never authorized."""
    order, there = world.order((JACKET, Line("Mugg", "33.33", 3)), gift_card="300.00")
    jacket, mugs = (line["id"] for line in order["lines"])
    for parcel in ({jacket: 1}, {mugs: 3}):
        world.saleor.fulfill(order["id"], parcel)
        await settle()
    # 300.00 of 1447.99 falls on 1348.00: 279.28, rounded down; the rest on the second parcel.
    return Outcome("A gift card pays a part", order, there, (1348_00 - 279_28, 99_99 - 20_72))


async def lost_answer(world: World, settle: Settle) -> Outcome:
    """Kustom captures, and its answer is lost: looked up, never captured twice."""
    order, there = world.order((BREAD,))
    world.kustom.fail_next("lost answer", on="capture")
    world.saleor.fulfill(order["id"], tracking="SE4")
    await settle()
    return Outcome("The answer is lost", order, there, (46_36 + 49_00,), {0: ["SE4"]})


async def waits_for_approval(world: World, settle: Settle) -> Outcome:
    """A fulfillment that waits for approval captures nothing until it is approved."""
    order, there = world.order((JACKET,))
    waiting = world.saleor.fulfill(order["id"], auto_approve=False, tracking="SE5")
    await settle()
    if there.captures:
        raise AssertionError("captured before the approval")
    world.saleor.approve(waiting["id"])
    await settle()
    return Outcome("Approved later", order, there, (1348_00,), {0: ["SE5"]})


async def cancelled_in_time(world: World, settle: Settle) -> Outcome:
    """Cancelled while it waited, then shipped after all: captured once."""
    order, there = world.order((MUGS,))
    first = world.saleor.fulfill(order["id"], auto_approve=False)
    world.saleor.cancel_fulfillment(first["id"])
    await settle()
    world.saleor.fulfill(order["id"])
    await settle()
    return Outcome("Cancelled, then shipped", order, there, (93_09 + 49_00,))


async def foreign_transaction(world: World, settle: Settle) -> Outcome:
    """Another app owns the transaction: captured, and the metadata says so."""
    order, there = world.order((BREAD,), owner="other")
    world.saleor.fulfill(order["id"])
    await settle()
    return Outcome("Another app's transaction", order, there, (95_36,), reported=False)


async def several_numbers(world: World, settle: Settle) -> Outcome:
    """Tracking comes late, changes, and is several numbers; then the parcel ships again.

    Its number changes while nothing of what Kustom has may be told twice; the parcel that replaces
    it tells the capture that it took over.
    """
    order, there = world.order((MUGS,))
    first = world.saleor.fulfill(order["id"])
    await settle()
    for tracking in ("UJ338439355SE", "UJ338439355SE, RR123456785SE"):
        world.saleor.update_tracking(first["id"], tracking)
        await settle()
    world.saleor.cancel_fulfillment(first["id"])
    await settle()
    again = world.saleor.fulfill(order["id"], tracking="uj 338 439 355 se")
    await settle()
    by_3pl = {"tracking_number": '["RR123456785SE", "CP123456785SE"]'}
    world.saleor.update_metadata(again["id"], by_3pl)
    await settle()
    told = ["UJ338439355SE", "RR123456785SE", "CP123456785SE"]
    amounts = (93_09 + 49_00,)
    return Outcome(
        "Late, changed, several", order, there, amounts, {0: told}, shown=told[1:], written=()
    )


async def by_hand_in_the_portal(world: World, settle: Settle) -> Outcome:
    """Somebody captures the rest in Kustom's portal, and refunds a part: Saleor shows both.

    It is no parcel's: the rest is held when it ships, with both numbers.
    """
    order, there = world.order((MUGS,))
    [mugs] = (line["id"] for line in order["lines"])
    world.saleor.fulfill(order["id"], {mugs: 1})
    await settle()
    await world.listen_to_kustom()
    world.kustom.ledger.capture(there, {"captured_amount": 62_06, "reference": "portal"})
    world.kustom.ledger.refund(there, {"refunded_amount": 10_00})
    await settle()
    world.kustom.posts.destinations.clear()
    world.saleor.fulfill(order["id"], {mugs: 2})
    await settle()
    amounts = (31_03 + 49_00, 62_06)
    return Outcome("By hand in the portal", order, there, amounts, refunds=(10_00,), written=(0,))


STORIES = (
    three_parcels,
    gift_card,
    lost_answer,
    waits_for_approval,
    cancelled_in_time,
    foreign_transaction,
    several_numbers,
    by_hand_in_the_portal,
)


def problems(outcome: Outcome) -> list[str]:
    """Return what is not as it must be, at Kustom or in Saleor; empty when all is right."""
    found = []
    captures = outcome.there.captures
    if [c.amount for c in captures] != list(outcome.amounts):
        found.append(f"captured {[c.amount for c in captures]}, not {list(outcome.amounts)}")
    if len({c.reference for c in captures}) != len(captures):
        found.append("two captures bear one reference")
    for index, numbers in outcome.tracking.items():
        sent = [entry.get("tracking_number") for entry in captures[index].shipping_info]
        if sent != list(numbers):
            found.append(f"capture {index + 1} has the tracking {sent}, not {list(numbers)}")
    refunds = [refund["refunded_amount"] for refund in outcome.there.refunds]
    if refunds != list(outcome.refunds):
        found.append(f"refunded {refunds}, not {list(outcome.refunds)}")
    return found + _in_saleor(outcome)


def _in_saleor(outcome: Outcome) -> list[str]:
    shipped = [f for f in outcome.order["fulfillments"] if f["status"] == "FULFILLED"]
    known = [_metadata(f, "privateMetadata").get("kustom.capture_id") for f in shipped]
    ids = [capture.capture_id for capture in outcome.there.captures]
    borne = ids if outcome.written is None else [ids[index] for index in outcome.written]
    found = [] if list(filter(None, known)) == borne else [f"Saleor has {known}, Kustom {ids}"]
    if _metadata(outcome.order, "privateMetadata").get("kustom.order_id") != outcome.there.order_id:
        found.append("the order does not name its Kustom order")
    [transaction] = outcome.order["transactions"]
    refunded = [refund["refund_id"] for refund in outcome.there.refunds]
    for kind, made in (("CHARGE", ids), ("REFUND", refunded)):
        events = [e for e in transaction["events"] if e["type"] == f"{kind}_SUCCESS"]
        wanted = made if outcome.reported else []
        if len(events) != len(wanted) or not all(map(_tells, events, wanted)):
            found.append(f"the transaction's events are {events}, not of {wanted}")
    return found + _in_storefront(outcome)


def _in_storefront(outcome: Outcome) -> list[str]:
    public = _metadata(outcome.order["fulfillments"][-1], "metadata").get("kustom.tracking", "[]")
    numbers = [entry.get("tracking_number") for entry in json.loads(public)]
    if outcome.shown is None or numbers == list(outcome.shown):
        return []
    return [f"a storefront is shown {numbers}, not {list(outcome.shown)}"]


def _tells(event: Wire, made: str) -> bool:
    """Tell whether an event is of a capture or refund: by its reference, or in its words."""
    return made == event["pspReference"] or made in event["message"]


def _metadata(item: Wire, which: str) -> dict[str, str]:
    return {pair["key"]: pair["value"] for pair in item[which]}
