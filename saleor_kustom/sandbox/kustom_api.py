"""The operations of the simulated Kustom: method, path, and what each answers (contract, 4)."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from saleor_kustom.sandbox.kustom_orders import Ledger, SimulatedOrder
from saleor_kustom.sandbox.kustom_rules import Body, Refusal
from saleor_kustom.sandbox.kustom_shown import shown_capture, shown_order, shown_refund


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose credentials are right and whose order exists."""

    ledger: Ledger
    order: SimulatedOrder
    url: str
    ids: Mapping[str, str]  # what the path names: order_id, capture_id, refund_id
    body: Body
    key: str | None


@dataclass(frozen=True, slots=True)
class Operation:
    """A row of the contract's table. `name` is what faults are aimed at."""

    name: str
    method: str
    path: str  # behind the order's
    act: Callable[[Call], Response]


def _read(call: Call) -> Response:
    return json_answer(shown_order(call.ledger, call.order))


def _captures(call: Call) -> Response:
    switches = call.ledger.switches
    return json_answer([shown_capture(capture, switches) for capture in call.order.captures])


def _one_capture(call: Call) -> Response:
    found = call.ledger.find(call.order, call.ids["capture_id"])
    return json_answer(shown_capture(found, call.ledger.switches))


def _capture(call: Call) -> Response:
    made = call.ledger.capture(call.order, call.body, call.key)
    headers = {"capture-id": made.capture_id, "location": f"{call.url}/{made.capture_id}"}
    kept = {"both": headers, "header": {"capture-id"}, "location": {"location"}, "neither": ()}
    names = kept[call.ledger.switches.names_captures_by]
    return Response(status_code=201, headers={n: v for n, v in headers.items() if n in names})


def _track(call: Call) -> Response:
    if not call.order.captures:
        raise Refusal(403, "NOT_ALLOWED", "Order has no captures.")
    found = call.ledger.find(call.order, call.ids["capture_id"])
    call.ledger.track(call.order, call.body, found)
    return _nothing(call)


def _track_order(call: Call) -> Response:
    call.ledger.track(call.order, call.body)
    return _nothing(call)


def _refund(call: Call) -> Response:
    refund_id = call.ledger.refund(call.order, call.body)["refund_id"]
    headers = {"refund-id": refund_id, "location": f"{call.url}/{refund_id}"}
    return Response(status_code=201, headers=headers)


def _one_refund(call: Call) -> Response:
    for refund in call.order.refunds:
        if refund["refund_id"] == call.ids["refund_id"]:
            return json_answer(shown_refund(refund, call.ledger.switches))
    raise Refusal(404, "NOT_FOUND", "No such refund.")


def _cancel(call: Call) -> Response:
    call.ledger.cancel(call.order)
    return _nothing(call)


def _release(call: Call) -> Response:
    call.ledger.release(call.order)
    return _nothing(call)


def _extend(call: Call) -> Response:
    call.ledger.extend(call.order)
    return _nothing(call)


def _authorize(call: Call) -> Response:
    call.ledger.authorize(call.order, call.body)
    return _nothing(call)


def _refer(call: Call) -> Response:
    call.ledger.refer(call.order, call.body)
    return _nothing(call)


def _readdress(call: Call) -> Response:
    call.ledger.readdress(call.order, call.body)
    return _nothing(call)


def _acknowledge(call: Call) -> Response:
    call.ledger.acknowledge(call.order)
    return _nothing(call)


OPERATIONS = (
    Operation("order", "GET", "", _read),
    Operation("acknowledge", "POST", "/acknowledge", _acknowledge),
    Operation("cancel", "POST", "/cancel", _cancel),
    Operation("release", "POST", "/release-remaining-authorization", _release),
    Operation("extend", "POST", "/extend-authorization-time", _extend),
    Operation("authorization", "PATCH", "/authorization", _authorize),
    Operation("customer", "PATCH", "/customer-details", _readdress),
    Operation("references", "PATCH", "/merchant-references", _refer),
    Operation("tracking", "POST", "/shipping-info", _track_order),
    Operation("capture", "POST", "/captures", _capture),
    Operation("order", "GET", "/captures", _captures),
    Operation("order", "GET", "/captures/{capture_id}", _one_capture),
    Operation("tracking", "POST", "/captures/{capture_id}/shipping-info", _track),
    Operation("refund", "POST", "/refunds", _refund),
    Operation("order", "GET", "/refunds/{refund_id}", _one_refund),
)


def json_answer(value: Any, status: int = 200) -> Response:
    """Return a JSON answer."""
    return Response(json.dumps(value), status, media_type="application/json")


def refused(refusal: Refusal, correlation_id: str) -> Response:
    """Return the error object (contract, section 5.7)."""
    error = {
        "error_code": refusal.code,
        "error_messages": list(refusal.messages),
        "correlation_id": correlation_id,
    }
    return json_answer(error, refusal.status)


def _nothing(call: Call) -> Response:
    return Response(status_code=call.ledger.switches.empty_success_status)
