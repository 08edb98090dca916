"""The simulated Kustom speaks HTTP as the contract says: credentials, keys, headers, errors."""

import asyncio
import uuid

import httpx
import pytest

from tests.sandbox.conftest import AGENT, BASE, ORDER

CAPTURE = {"captured_amount": 100, "reference": "17/1"}


async def test_a_capture_is_a_201_without_a_body_that_names_the_capture(http, there):
    answer = await http("POST", "/captures", CAPTURE)
    assert (answer.status_code, answer.content) == (201, b"")
    made = there.captures[0]
    assert answer.headers["capture-id"] == made.capture_id
    assert answer.headers["location"].endswith(f"/orders/{ORDER}/captures/{made.capture_id}")
    assert (made.amount, made.reference) == (100, "17/1")


async def test_every_answer_bears_a_correlation_id_and_the_rate(http, kustom):
    for path in ("", "/captures/unknown"):
        answer = await http("GET", path)
        assert uuid.UUID(answer.headers["klarna-correlation-id"])
        assert answer.headers["x-ratelimit-limit"] == "5, 5;w=1"
    assert answer.json()["correlation_id"] == answer.headers["klarna-correlation-id"]
    kustom.switches.sends_correlation_id = False
    answer = await http("GET", "/captures/unknown")
    assert "klarna-correlation-id" not in answer.headers
    assert answer.json()["correlation_id"]


async def test_an_error_is_the_contracts_object(http):
    answer = await http("POST", "/captures", {"captured_amount": 301})
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error_code"] == "CAPTURE_NOT_ALLOWED"
    [message] = answer.json()["error_messages"]
    assert message == (
        "Captured amount is higher than the remaining authorized amount. Capture not possible."
    )


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Basic UE0xLXg6a2V5LTE=", 200),  # PM1-x:key-1
        ("Basic key-1", 200),  # the API key as it is
        ("Basic UE0xLXg6d3Jvbmc=", 401),
        ("Basic key-9", 401),
        ("Basic å".encode(), 401),
        ("Bearer key-1", 401),
        ("", 401),
    ],
)
async def test_credentials_are_checked(kustom, there, authorization, status):
    async with httpx.AsyncClient(transport=kustom.transport()) as plain:
        answer = await plain.get(BASE, headers=[("Authorization", authorization), *AGENT.items()])
        assert (answer.status_code, answer.content == b"") == (status, status == 401)
        if status == 401:
            kustom.switches.explains_401 = True
            explained = await plain.get(BASE, headers=AGENT)
            assert (explained.status_code, explained.json()["error_code"]) == (401, "UNAUTHORIZED")


async def test_a_librarys_own_name_meets_the_firewall(kustom, there, http):
    async with httpx.AsyncClient(transport=kustom.transport(), auth=("PM1-x", "key-1")) as plain:
        answer = await plain.get(BASE)
        assert (answer.status_code, answer.text[:6]) == (403, "<html>")
        kustom.switches.blocks_library_agents = False
        assert (await plain.get(BASE)).status_code == 200


@pytest.mark.parametrize(
    ("order_id", "status", "code"),
    [
        ("11111111-6116-4073-ab96-e330819e2c07", 404, "NO_SUCH_ORDER"),
        ("22222222-6116-4073-ab96-e330819e2c07", 404, "NO_SUCH_ORDER"),  # nobody's
        ("17", 400, "INVALID_ORDER_ID"),
    ],
)
async def test_an_order_that_is_not_ours_is_not_there(kustom, http, order_id, status, code):
    kustom.add_order("11111111-6116-4073-ab96-e330819e2c07", 300, merchant_id="PM2")
    answer = await http("GET", f"/../{order_id}")
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)


async def test_a_foreign_order_may_be_forbidden_instead(kustom, http):
    kustom.add_order("11111111-6116-4073-ab96-e330819e2c07", 300, merchant_id="PM2")
    kustom.switches.foreign_order_status = 403
    answer = await http("GET", "/../11111111-6116-4073-ab96-e330819e2c07")
    assert (answer.status_code, answer.json()["error_code"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"{", "application/json", 400, "BAD_REQUEST"),
        (b"[]", "application/json", 400, "BAD_REQUEST"),
        (b"\xff", "application/json", 400, "BAD_REQUEST"),
        (b"{}", "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b" " * 1_000_001, "application/json", 413, "PAYLOAD_TOO_LARGE"),
    ],
)
async def test_a_body_that_is_no_json_object_is_refused(kustom, there, content, kind, status, code):
    headers = {"Content-Type": kind, **AGENT}
    async with httpx.AsyncClient(transport=kustom.transport(), auth=("PM1-x", "key-1")) as plain:
        answer = await plain.post(f"{BASE}/captures", content=content, headers=headers)
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)
    assert there.captures == []


async def test_only_the_key_counts_and_the_input_does_not(http, there):
    first = await http("POST", "/captures", CAPTURE, key="k")
    other = await http("POST", "/captures", {"captured_amount": 7}, key="k")
    assert other.headers["capture-id"] == first.headers["capture-id"]
    assert [capture.amount for capture in there.captures] == [100]
    assert there.captures[0].key == "k"


async def test_other_keys_and_none_are_other_captures(http, there):
    for key in ("a", "b", None, None):
        await http("POST", "/captures", {"captured_amount": 10}, key=key)
    assert len(there.captures) == 4


async def test_a_key_is_a_merchants_own(kustom, http, there):
    await http("POST", "/captures", CAPTURE, key="k")
    order_id = "11111111-6116-4073-ab96-e330819e2c07"
    other = kustom.add_order(order_id, 300, merchant_id="PM2")
    path = f"/../{order_id}/captures"
    await http("POST", path, CAPTURE, key="k", auth=("PM2-x", "key-2"))
    assert len(other.captures) == 1


async def test_a_key_is_honoured_for_a_day(http, there, clock):
    await http("POST", "/captures", CAPTURE, key="k")
    clock.pass_d(0.99)
    await http("POST", "/captures", CAPTURE, key="k")
    assert len(there.captures) == 1
    clock.pass_d(0.02)
    await http("POST", "/captures", CAPTURE, key="k")
    assert len(there.captures) == 2


async def test_keys_may_be_forgotten(http, there, kustom):
    await http("POST", "/captures", CAPTURE, key="k")
    kustom.forget_keys()
    await http("POST", "/captures", CAPTURE, key="k")
    assert len(there.captures) == 2


@pytest.mark.parametrize("remembers", [False, True])
async def test_a_key_may_honour_a_refusal_too(http, there, kustom, remembers):
    kustom.switches.remembers_refusals = remembers
    there.fraud_status = "PENDING"
    refusal = await http("POST", "/captures", CAPTURE, key="k")
    there.fraud_status = "ACCEPTED"
    again = await http("POST", "/captures", CAPTURE, key="k")
    assert (refusal.status_code, again.status_code) == (403, 403 if remembers else 201)


@pytest.mark.parametrize("per_endpoint", [False, True])
async def test_a_key_used_for_two_endpoints_may_make_the_second_vanish(
    http, there, kustom, per_endpoint
):
    kustom.switches.keys_per_endpoint = per_endpoint
    made = await http("POST", "/captures", CAPTURE, key="k")
    path = f"/captures/{made.headers['capture-id']}/shipping-info"
    await http("POST", path, {"shipping_info": [{"tracking_number": "1"}]}, key="k")
    assert len(there.captures[0].shipping_info) == per_endpoint


@pytest.mark.parametrize("waits", [False, True])
async def test_a_key_in_flight_is_a_conflict_or_a_wait_and_captures_once(
    http, there, kustom, waits
):
    kustom.switches.waits_in_flight, kustom.delay_s = waits, 0.05
    answers = await asyncio.gather(*(http("POST", "/captures", CAPTURE, key="k") for _ in range(4)))
    assert sorted(a.status_code for a in answers) == ([201] * 4 if waits else [201, 409, 409, 409])
    assert len(there.captures) == 1


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("both", {"capture-id", "location"}),
        ("header", {"capture-id"}),
        ("location", {"location"}),
        ("neither", set()),
    ],
)
async def test_a_capture_may_be_named_in_other_ways(http, kustom, where, names):
    kustom.switches.names_captures_by = where
    answer = await http("POST", "/captures", CAPTURE)
    assert {name for name in ("capture-id", "location") if name in answer.headers} == names


async def test_every_request_is_recorded_also_those_that_fail(http, kustom):
    kustom.fail_next("503")
    for method, path in (("GET", ""), ("GET", ""), ("POST", "/cancel")):
        await http(method, path)
    path = f"/ordermanagement/v1/orders/{ORDER}"
    assert kustom.requests == [("GET", path), ("GET", path), ("POST", f"{path}/cancel")]


async def test_what_the_api_does_not_have_is_not_there(http, there):
    assert (await http("GET", "/nothing")).status_code == 404
    assert (await http("DELETE", "/captures")).status_code == 405
    assert (await http("POST", "/captures/C-1/trigger-send-out")).status_code == 404


async def test_switches_change_how_an_order_is_written_and_not_what_it_says(http, kustom, there):
    await http("POST", "/captures", CAPTURE)
    before = (await http("GET", "")).json()
    assert (before["purchase_currency"], before["expires_at"]) == (
        "SEK",
        "2026-12-21T12:00:00.000Z",
    )
    assert "merchant_reference1" not in before
    kustom.switches.writes_lower_case = kustom.switches.writes_offsets = True
    kustom.switches.sends_nulls = True
    after = (await http("GET", "")).json()
    assert (after["purchase_currency"], after["expires_at"]) == ("sek", "2026-12-21T12:00:00+00:00")
    assert after["merchant_reference1"] is None
    assert after["captures"][0]["captured_at"] == "2026-11-23T12:00:00+00:00"
