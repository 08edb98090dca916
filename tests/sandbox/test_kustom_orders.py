"""A simulated order goes through the contract's states, and refuses what they do not allow."""

import pytest

STATES = ["AUTHORIZED", "PART_CAPTURED", "CAPTURED", "CANCELLED", "EXPIRED", "CLOSED"]
TRACKING = {"shipping_info": [{"tracking_number": "SE1"}]}
CANCEL, RELEASE = "/cancel", "/release-remaining-authorization"
EXTEND = "/extend-authorization-time"


async def reach(state, http, clock):
    """Bring the order (of 300) into a state; return its capture's id, if it has one."""
    made = None
    amounts = {"PART_CAPTURED": 100, "EXPIRED": 100, "CAPTURED": 300, "CLOSED": 300}
    if state in amounts:
        made = await http("POST", "/captures", {"captured_amount": amounts[state]})
    if state == "CANCELLED":
        await http("POST", CANCEL)
    if state == "EXPIRED":
        clock.pass_d(28)
    if state == "CLOSED":
        await http("POST", "/refunds", {"refunded_amount": 300})
    assert (await http("GET", "")).json()["status"] == state
    return made.headers["capture-id"] if made else "none"


#: the contract's table (section 6): what each state allows
ALLOWED = {
    "capture": {"AUTHORIZED", "PART_CAPTURED"},
    "refund": {"PART_CAPTURED", "CAPTURED"},
    "cancel": {"AUTHORIZED"},
    "release": {"PART_CAPTURED"},
    "extend": {"AUTHORIZED", "PART_CAPTURED"},
    "tracking": {"PART_CAPTURED", "CAPTURED", "EXPIRED", "CLOSED"},
    "authorization": {"AUTHORIZED", "PART_CAPTURED"},
    "references": set(STATES) - {"CANCELLED"},
    "customer": set(STATES) - {"CANCELLED"},
    "acknowledge": set(STATES) - {"CANCELLED"},
}
CODES = {"capture": "CAPTURE_NOT_ALLOWED", "refund": "REFUND_NOT_ALLOWED",
         "cancel": "CANCEL_NOT_ALLOWED", "customer": "UPDATE_NOT_ALLOWED"}  # fmt: skip


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("operation", ALLOWED)
async def test_each_state_allows_what_the_contract_says(http, clock, state, operation):
    capture_id = await reach(state, http, clock)
    clock.pass_d(1)
    calls = {
        "capture": ("POST", "/captures", {"captured_amount": 1}),
        "refund": ("POST", "/refunds", {"refunded_amount": 1}),
        "cancel": ("POST", CANCEL, None),
        "release": ("POST", RELEASE, None),
        "extend": ("POST", EXTEND, None),
        "tracking": ("POST", f"/captures/{capture_id}/shipping-info", TRACKING),
        "authorization": ("PATCH", "/authorization", {"order_amount": 400}),
        "references": ("PATCH", "/merchant-references", {"merchant_reference2": "x"}),
        "customer": ("PATCH", "/customer-details", {"shipping_address": {"city": "Umeå"}}),
        "acknowledge": ("POST", "/acknowledge", None),
    }
    answer = await http(*calls[operation])
    if state in ALLOWED[operation]:
        assert answer.status_code in (201, 204)
    else:
        code = CODES.get(operation, "NOT_ALLOWED")
        assert (answer.status_code, answer.json()["error_code"]) == (403, code)


async def amounts(http):
    order = (await http("GET", "")).json()
    return order["status"], order["captured_amount"], order["remaining_authorized_amount"]


async def test_parts_sum_to_the_order_and_not_a_unit_more(http):
    for amount, after in ((100, ("PART_CAPTURED", 100, 200)), (200, ("CAPTURED", 300, 0))):
        await http("POST", "/captures", {"captured_amount": amount})
        assert await amounts(http) == after
    assert (await http("POST", "/captures", {"captured_amount": 1})).status_code == 403


async def test_a_released_order_is_captured_or_stays_as_it_was(http, kustom):
    await http("POST", "/captures", {"captured_amount": 100})
    await http("POST", RELEASE)
    assert await amounts(http) == ("CAPTURED", 100, 0)
    kustom.switches.released_status = "PART_CAPTURED"
    assert await amounts(http) == ("PART_CAPTURED", 100, 0)
    kustom.switches.clears_remaining = False
    assert await amounts(http) == ("PART_CAPTURED", 100, 200)
    for path, body in (("/captures", {"captured_amount": 1}), (RELEASE, None), (EXTEND, None)):
        assert (await http("POST", path, body)).status_code == 403


async def test_an_expired_order_shows_no_remainder_and_says_so(http, clock, there):
    clock.pass_d(28)
    assert await amounts(http) == ("EXPIRED", 0, 0)
    answer = await http("POST", "/captures", {"captured_amount": 1})
    text = f"Order {there.order_id} is expired. Capture not possible."
    assert answer.json()["error_messages"] == [text]


async def test_a_fully_captured_order_does_not_expire(http, clock):
    await http("POST", "/captures", {"captured_amount": 300})
    clock.pass_d(100)
    assert (await amounts(http))[0] == "CAPTURED"


@pytest.mark.parametrize("fraud_status", ["PENDING", "REJECTED", "STOPPED"])
async def test_what_fraud_review_has_not_accepted_is_not_captured(http, there, fraud_status):
    there.fraud_status = fraud_status
    answer = await http("POST", "/captures", {"captured_amount": 1})
    assert answer.json()["error_code"] == "CAPTURE_NOT_ALLOWED"
    there.fraud_status = "ACCEPTED"
    assert (await http("POST", "/captures", {"captured_amount": 1})).status_code == 201


async def test_a_shoppers_card_may_fail(http, there):
    there.payment_fails = True
    answer = await http("POST", "/captures", {"captured_amount": 1})
    assert (answer.status_code, answer.json()["error_code"]) == (403, "PAYMENT_METHOD_FAILED")


async def test_a_payment_method_may_allow_one_capture_only(http, kustom):
    kustom.switches.takes_several_captures = False
    statuses = [(await http("POST", "/captures", {"captured_amount": 1})).status_code for _ in "12"]
    assert statuses == [201, 403]


async def test_an_extension_is_28_days_from_now_and_90_in_all(http, clock, there):
    for day, until in ((10, 38), (30, 58), (50, 78), (70, 90)):
        clock.now = there.created_at
        clock.pass_d(day)
        assert (await http("POST", EXTEND)).status_code == 204
        assert (there.expires_at - there.created_at).days == until
    clock.pass_d(1)
    assert (await http("POST", EXTEND)).status_code == 403


async def test_an_authorization_is_not_lowered_below_what_is_captured(http, there):
    await http("POST", "/captures", {"captured_amount": 100})
    assert (await http("PATCH", "/authorization", {"order_amount": 99})).status_code == 403
    assert (await http("PATCH", "/authorization", {"order_amount": 100})).status_code == 204
    assert await amounts(http) == ("CAPTURED", 100, 0)
    assert (await http("GET", "")).json()["original_order_amount"] == 300


async def test_tracking_is_appended_and_never_replaced(http, there):
    made = await http("POST", "/captures", {"captured_amount": 1, **TRACKING})
    path = f"/captures/{made.headers['capture-id']}/shipping-info"
    await http("POST", path, TRACKING)
    await http("POST", "/shipping-info", TRACKING)
    shown = (await http("GET", "")).json()
    assert shown["captures"][0]["shipping_info"] == TRACKING["shipping_info"] * 2
    assert shown["shipping_info"] == TRACKING["shipping_info"]


async def test_tracking_for_a_capture_that_is_not_there_is_refused(http):
    answer = await http("POST", "/captures/none/shipping-info", TRACKING)
    assert (answer.status_code, answer.json()["error_code"]) == (403, "NOT_ALLOWED")
    await http("POST", "/captures", {"captured_amount": 1})
    answer = await http("POST", "/captures/none/shipping-info", TRACKING)
    assert (answer.status_code, answer.json()["error_code"]) == (404, "NO_SUCH_CAPTURE")


@pytest.mark.parametrize("state", ["EXPIRED", "CLOSED"])
async def test_tracking_on_a_closed_order_may_be_refused(http, clock, kustom, state):
    kustom.switches.tracks_closed_orders = False
    capture_id = await reach(state, http, clock)
    answer = await http("POST", f"/captures/{capture_id}/shipping-info", TRACKING)
    assert (answer.status_code, answer.json()["error_code"]) == (403, "NOT_ALLOWED")


async def test_captures_and_refunds_are_shown_one_by_one_and_in_the_order(http):
    made = [await http("POST", "/captures", {"captured_amount": n}) for n in (100, 200)]
    refund = await http("POST", "/refunds", {"refunded_amount": 150, "reference": "r"})
    order = (await http("GET", "")).json()
    assert order["refunded_amount"] == 150
    listed = (await http("GET", "/captures")).json()
    assert order["captures"] == listed
    assert [c["klarna_reference"] for c in listed] == ["K4MADNY-1", "K4MADNY-2"]
    assert [c["refunded_amount"] for c in listed] == [100, 50]
    one = await http("GET", f"/captures/{made[1].headers['capture-id']}")
    assert one.json() == listed[1]
    shown = await http("GET", f"/refunds/{refund.headers['refund-id']}")
    assert order["refunds"] == [shown.json()]
    assert (await http("GET", "/refunds/none")).json()["error_code"] == "NOT_FOUND"
    too_much = await http("POST", "/refunds", {"refunded_amount": 151})
    assert too_much.json()["error_code"] == "REFUND_NOT_ALLOWED"


async def test_an_order_can_be_acknowledged_and_readdressed(http, there):
    assert (await http("POST", "/acknowledge")).status_code == 204
    body = {"shipping_address": {"city": "Umeå"}}
    assert (await http("PATCH", "/customer-details", body)).status_code == 204
    assert there.acknowledged
    assert (await http("GET", "")).json()["shipping_address"]["city"] == "Umeå"
