"""How many orders are planned in a second: Saleor's answer read, and a parcel's plan made of it."""

import json
import time
from decimal import Decimal
from typing import Any

from saleor_kustom.bench import shop
from saleor_kustom.bench.stage import Stage, median
from saleor_kustom.capture.authorization import Authorization
from saleor_kustom.capture.decide import decide
from saleor_kustom.capture.plan import Plan
from saleor_kustom.capture.policy import Policy
from saleor_kustom.saleor.reading import read_order

LINES = (3, 50, 1000)
_POLICY = Policy()


def measure(stage: Stage) -> list[dict[str, Any]]:
    """Return orders per CPU-second by number of lines."""
    rows = []
    for lines in LINES:
        answer = json.dumps(shop.order_wire(1, lines)).encode()
        times = stage.of(max(20, 6000 // lines), 2)
        spent_s = [_spent_s(answer, times) for _ in range(stage.rounds)]
        rows.append(
            {
                "lines": lines,
                "orders_per_cpu_s": median([times / max(s, 1e-6) for s in spent_s]),
                "us_per_line": median([s / times / lines * 1e6 for s in spent_s]),
            }
        )
        stage.tell(f"mapping {lines} lines: {rows[-1]['orders_per_cpu_s']:.0f} per CPU-second")
    return rows


def _spent_s(answer: bytes, times: int) -> float:
    began_s = time.process_time()
    for _ in range(times):
        _plan(answer)
    return time.process_time() - began_s


def _plan(answer: bytes) -> Plan:
    """Plan the first parcel. Raises AssertionError for anything else than a plan."""
    order = read_order(json.loads(answer, parse_float=Decimal))
    authorization = Authorization(
        kustom_order_id=shop.kustom_order_id(1),
        status="AUTHORIZED",
        fraud_status="ACCEPTED",
        currency="SEK",
        order_amount_minor=order.total_minor,
        original_order_amount_minor=order.total_minor,
        captured_amount_minor=0,
        refunded_amount_minor=0,
        remaining_minor=order.total_minor,
    )
    decision = decide(order, order.fulfillments[0], (), authorization, _POLICY)
    if not isinstance(decision, Plan):
        raise AssertionError(decision)
    return decision
