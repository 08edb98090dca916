"""What an operator sees of a capture: its trace, its log lines, its numbers."""

from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest

from saleor_kustom.capture.operation import Kind
from saleor_kustom.capture.state import State
from saleor_kustom.sandbox.kustom import SimulatedKustom
from saleor_kustom.sandbox.world import KUSTOM_URL, SALEOR_URL, open_world
from saleor_kustom.watch import trace
from saleor_kustom.watch.context import bound_fields
from saleor_kustom.watch.metrics import REGISTRY
from saleor_kustom.worker.telling import tell
from tests.walks.conftest import MUGS


class Seen(httpx.AsyncBaseTransport):
    """Keeps every request that the app makes."""

    def __init__(self):
        self.requests = []

    def around(self, inner):
        seen = self

        class Tap(httpx.AsyncBaseTransport):
            async def handle_async_request(self, request):
                seen.requests.append(request)
                return await inner.handle_async_request(request)

        return Tap()

    def traces(self, host):
        sent = [r for r in self.requests if str(r.url).startswith(host)]
        return [trace.read(r.headers.get("traceparent")) for r in sent]


@pytest.fixture
def seen():
    return Seen()


@pytest.fixture
async def world(database_url, clock, seen):
    kustom = SimulatedKustom(clock=lambda: datetime.fromtimestamp(clock.now, UTC))
    async with open_world(database_url, kustom=kustom, clock=clock, tap=seen.around) as made:
        await made.install()
        yield made


def value(name, **labels):
    return REGISTRY.get_sample_value(f"saleor_kustom_{name}", labels) or 0.0


async def test_saleors_trace_goes_on_to_saleor_and_never_to_kustom(world, seen, rows):
    order, _ = world.order([MUGS])
    world.saleor.fulfill(order["id"])
    seen.requests.clear()
    await world.settle()
    [row] = await rows(order)
    began = trace.read(row.traceparent)
    assert began is not None
    stored = await world.app.store._db.read("select traceparent from delivery")
    assert began in [trace.read(one["traceparent"]) for one in stored]
    assert began in seen.traces(SALEOR_URL)
    assert None not in seen.traces(SALEOR_URL)
    to_kustom = seen.traces(KUSTOM_URL)
    assert len(to_kustom) == 2
    assert set(to_kustom) == {None}


async def test_every_line_of_a_capture_can_be_found_by_its_ids(world, rows, caplog):
    caplog.set_level("INFO")
    order, there = world.order([MUGS])
    world.saleor.fulfill(order["id"])
    bound_to = []
    caplog.handler.addFilter(lambda record: bound_to.append((record, dict(bound_fields()))) or True)
    await world.settle()
    [row] = await rows(order)
    ours = [(r, c) for r, c in bound_to if r.name == "saleor_kustom.worker.telling"]
    assert [r.getMessage() for r, _ in ours][:3] == ["send_started", "kustom_confirmed", "reported"]
    for record, context in ours:
        assert context["capture_row"] == row.id
        assert context["shop"] == world.saleor.api_url
        assert context["fulfillment"] == row.fulfillment_id
        assert context["attempt"] >= 1
        assert len(context["trace_id"]) == 32
        assert record.order == order["number"]
    confirmed = ours[1][0]
    assert confirmed.capture_id == there.captures[0].capture_id
    assert confirmed.correlation_id
    [taken] = [c for r, c in bound_to if r.getMessage() == "took a delivery"][:1]
    assert taken["shop"] == world.saleor.api_url
    assert taken["request"] == "POST /api/webhooks/saleor/fulfillment_created"


async def test_what_happens_is_counted(world, later):
    captured = value("captures_total", kind="fulfillment", outcome="captured", reason="")
    held = value("captures_total", kind="fulfillment", outcome="held", reason="fraud_rejected")
    money = value("captured_minor_units_total", currency="SEK")
    stored = value("deliveries_total", event="fulfillment_created", outcome="stored")
    kustom = {"peer": "kustom", "operation": "POST /captures"}
    took = value("call_seconds_count", **kustom, verdict="ok")
    lost = value("call_seconds_count", **kustom, verdict="outcome_unknown")

    order, _ = world.order([MUGS])
    world.kustom.fail_next("lost answer", on="capture")
    world.saleor.fulfill(order["id"])
    expired, there = world.order([MUGS])
    there.fraud_status = "REJECTED"
    world.saleor.fulfill(expired["id"])
    await world.settle()
    await later()

    assert (
        value("captures_total", kind="fulfillment", outcome="captured", reason="") == captured + 1
    )
    assert (
        value("captures_total", kind="fulfillment", outcome="held", reason="fraud_rejected")
        == held + 1
    )
    assert value("captured_minor_units_total", currency="SEK") == money + 349_00
    assert value("deliveries_total", event="fulfillment_created", outcome="stored") == stored + 2
    assert value("call_seconds_count", **kustom, verdict="outcome_unknown") == lost + 1
    assert value("call_seconds_count", **kustom, verdict="ok") == took
    saleor = {"peer": "saleor", "operation": "ReportCapture", "verdict": "ok"}
    assert value("call_seconds_count", **saleor) >= 1


async def test_what_is_held_when_comparing_is_counted_too(world):
    held = value("captures_total", kind="fulfillment", outcome="held", reason="capture_differs")
    order, there = world.order([MUGS])
    world.saleor.fulfill(order["id"])
    await world.settle()
    there.captures[0].amount = 1
    shop = await world.app.store.shops.get(world.saleor.api_url)
    await world.app.reconciler.run(shop, since=None, now=world.app.worker.parts.clock() + 3600)
    await world.app.reconciler.run(shop, since=None, now=world.app.worker.parts.clock() + 3600)
    assert (
        value("captures_total", kind="fulfillment", outcome="held", reason="capture_differs")
        == held + 1
    )


async def test_a_refund_is_counted_as_such_and_is_no_captured_money(world, rows):
    order, _ = world.order([MUGS])
    world.saleor.fulfill(order["id"])
    await world.settle()
    [row] = await rows(order)
    before = replace(row, kind=Kind.REFUND, state=State.SENDING)
    refunds = value("captures_total", kind="refund", outcome="captured", reason="")
    money = value("captured_minor_units_total", currency="SEK")
    tell(before, replace(before, state=State.CAPTURED), "kustom_confirmed", {})
    assert value("captures_total", kind="refund", outcome="captured", reason="") == refunds + 1
    assert value("captured_minor_units_total", currency="SEK") == money
