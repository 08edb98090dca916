"""Each fault looks to a client like the real thing, also over a real connection."""

import asyncio
import logging

import httpx
import pytest

from saleor_kustom.sandbox.kustom import FAULTS
from saleor_kustom.sandbox.kustom_faults import AFTER, BEFORE
from saleor_kustom.web.listen import listening
from tests.sandbox.conftest import AGENT, ORDER

CAPTURE = {"captured_amount": 100}
BROKEN = "broken"
#: fault → status of a capture's answer
SEEN = {
    "lost request": BROKEN, "lost answer": BROKEN, "hang": BROKEN, "500 before": 500,
    "500 after": 504, "503": 503, "429": 429, "409": 409, "401": 401, "html 403": 403,
    "refused": 403,
    "html 200": 200, "truncated": 201, "empty 200": 200, "no capture id": 201,
    "location only": 201,
}  # fmt: skip


async def seen(call):
    try:
        return (await call).status_code
    except (httpx.ReadError, httpx.ReadTimeout, httpx.RemoteProtocolError):
        return BROKEN


@pytest.mark.parametrize("fault", sorted(FAULTS))
async def test_a_fault_strikes_once_before_or_after_the_effect(http, kustom, there, fault):
    kustom.fail_next(fault)
    if fault == "hang":
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await http("POST", "/captures", CAPTURE)
    else:
        assert await seen(http("POST", "/captures", CAPTURE)) == SEEN[fault]
    assert len(there.captures) == (fault in AFTER)
    assert (await http("POST", "/captures", CAPTURE)).status_code == 201


@pytest.mark.parametrize("fault", sorted(FAULTS))
async def test_over_a_real_connection_a_fault_is_the_same(kustom, there, fault, caplog):
    kustom.fail_next(fault)
    caplog.set_level(logging.ERROR)
    async with (
        listening(kustom.app, "127.0.0.1", 0) as address,
        httpx.AsyncClient(auth=("PM1-x", "key-1"), headers=AGENT, trust_env=False) as http,
    ):
        url = f"{address}/ordermanagement/v1/orders/{ORDER}/captures"
        call = http.post(url, json=CAPTURE, timeout=0.5 if fault == "hang" else 30)
        assert await seen(call) == SEEN[fault]
        assert len(there.captures) == (fault in AFTER)
        assert (await http.post(url, json=CAPTURE)).status_code == 201
    assert caplog.records == []  # what a story breaks is no error of the server


def test_every_fault_strikes_either_before_or_after():
    assert set(BEFORE) & set(AFTER) == set()
    assert set(SEEN) == FAULTS


async def test_an_operation_that_took_effect_is_remembered_under_its_key(http, kustom, there):
    for fault in sorted(AFTER):
        kustom.fail_next(fault)
        await seen(http("POST", "/captures", CAPTURE, key="k"))
    answer = await http("POST", "/captures", CAPTURE, key="k")
    assert answer.headers["capture-id"] == there.captures[0].capture_id
    assert len(there.captures) == 1


async def test_a_fault_waits_for_its_operation_and_lasts_as_long_as_asked(http, kustom):
    kustom.fail_next("503", times=2, on="capture")
    assert (await http("GET", "")).status_code == 200
    statuses = [(await http("POST", "/captures", CAPTURE)).status_code for _ in range(3)]
    assert statuses == [503, 503, 201]


async def test_faults_can_be_taken_away(http, kustom):
    kustom.fail_next("503", times=100)
    kustom.heal()
    assert (await http("GET", "")).status_code == 200


def test_a_mistyped_fault_is_an_error(kustom):
    with pytest.raises(ValueError, match="no fault is called 'lost anwser'"):
        kustom.fail_next("lost anwser")


async def test_too_many_requests_say_when_to_come_again(http, kustom):
    kustom.fail_next("429")
    answer = await http("GET", "")
    assert (answer.headers["retry-after"], answer.json()["error_code"]) == (
        "7",
        "TOO_MANY_REQUESTS",
    )


async def test_location_may_be_all_that_is_left_of_the_headers(http, kustom, there):
    kustom.fail_next("location only")
    answer = await http("POST", "/captures", CAPTURE)
    assert "capture-id" not in answer.headers
    assert answer.headers["location"].endswith(there.captures[0].capture_id)


async def test_a_truncated_read_is_half_of_one(http, kustom):
    whole = await http("GET", "")
    kustom.fail_next("truncated")
    half = await http("GET", "")
    assert (half.status_code, half.content) == (200, whole.content[: len(whole.content) // 2])


async def test_a_kustom_that_is_away_refuses_connections(http, kustom, there):
    kustom.reachable = False
    with pytest.raises(httpx.ConnectError):
        await http("POST", "/captures", CAPTURE)
    async with (
        listening(kustom.app, "127.0.0.1", 0) as address,
        httpx.AsyncClient(headers=AGENT, trust_env=False) as plain,
    ):
        call = plain.post(f"{address}/ordermanagement/v1/orders/{ORDER}/captures", json=CAPTURE)
        assert await seen(call) == BROKEN
    assert there.captures == []
