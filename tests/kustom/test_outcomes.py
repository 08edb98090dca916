"""However a call to Kustom ends, it ends in a verdict that is true, and money moves once."""

import asyncio
import base64
import json

import httpx
import pytest

from saleor_kustom.errors import CallError, OutcomeUnknown, Refused, Unavailable
from saleor_kustom.kustom.client import KustomClient
from saleor_kustom.outbound import Outbound
from saleor_kustom.sandbox.kustom import FAULTS
from tests.kustom.conftest import ACCOUNT, HOSTS, ORDER
from tests.kustom.test_client import OPERATIONS, answering

BODY = json.dumps({"captured_amount": 100_00, "reference": "17/1"})
TRACKING = json.dumps({"shipping_info": [{"tracking_number": "SE1"}]})
DONE, UNKNOWN = None, OutcomeUnknown
#: fault → verdict on a read, verdict on a capture, verdict on tracking, did it take effect
VERDICTS = {
    "lost request": (Unavailable, UNKNOWN, UNKNOWN, False),
    "500 before": (Unavailable, UNKNOWN, UNKNOWN, False),
    "503": (Unavailable, UNKNOWN, UNKNOWN, False),
    "429": (Unavailable, Unavailable, Unavailable, False),
    "409": (Unavailable, Unavailable, Unavailable, False),
    "html 403": (Unavailable, Unavailable, Unavailable, False),
    "401": (Unavailable, Unavailable, Unavailable, False),
    "refused": (Refused, Refused, Refused, False),
    "hang": (Unavailable, UNKNOWN, UNKNOWN, False),
    "lost answer": (Unavailable, UNKNOWN, UNKNOWN, True),
    "500 after": (Unavailable, UNKNOWN, UNKNOWN, True),
    "html 200": (Unavailable, DONE, UNKNOWN, True),
    "truncated": (Unavailable, DONE, DONE, True),
    "empty 200": (Unavailable, DONE, DONE, True),
    "no capture id": (DONE, DONE, DONE, True),
    "location only": (DONE, DONE, DONE, True),
}


async def ends(call):
    try:
        await call
    except CallError as error:
        return type(error)
    return DONE


@pytest.mark.parametrize("fault", sorted(FAULTS))
async def test_every_fault_ends_in_a_true_verdict_and_a_repeat_takes_effect_once(
    kustom, there, fault
):
    outbound = Outbound(transport=kustom.transport(), deadline_s=0.2 if fault == "hang" else 40)
    client = KustomClient(outbound, hosts=HOSTS)
    read, capture, tracking, takes_effect = VERDICTS[fault]

    kustom.fail_next(fault, on="capture")
    assert await ends(client.capture(ACCOUNT, ORDER, body=BODY, key="1")) is capture
    assert len(there.captures) == takes_effect
    made = await client.capture(ACCOUNT, ORDER, body=BODY, key="1")
    assert [c.capture_id for c in there.captures] == [made.capture_id]

    kustom.fail_next(fault, on="tracking")
    for expected in (tracking, DONE):
        call = client.add_shipping_info(ACCOUNT, ORDER, made.capture_id, body=TRACKING, key="2")
        assert await ends(call) is expected
    assert there.captures[0].shipping_info == [{"tracking_number": "SE1"}]

    kustom.fail_next(fault, on="order")
    assert await ends(client.order(ACCOUNT, ORDER)) is read


async def test_nothing_reached_kustom_when_there_is_no_connection(kustom, client, there):
    kustom.reachable = False
    with pytest.raises(Unavailable) as raised:
        await client.capture(ACCOUNT, ORDER, body=BODY, key="1")
    assert raised.value.code == "NOT_SENT"
    assert kustom.requests == []


@pytest.mark.parametrize("where", ["both", "header", "location", "neither"])
async def test_the_captures_id_is_found_wherever_it_is(kustom, client, there, where):
    kustom.switches.names_captures_by = where
    made = await client.capture(ACCOUNT, ORDER, body=BODY, key="1")
    assert [c.capture_id for c in there.captures] == [made.capture_id]
    assert len(kustom.requests) == (2 if where == "neither" else 1)


LISTED = {"capture_id": "ours", "captured_amount": 100_00, "reference": "17/1"}


def captured(headers=(), listed=(LISTED,), status=201, body=b""):
    """Answer a capture as told, and a listing with captures (or with an error's status)."""

    def respond(request):
        if request.method == "POST":
            return httpx.Response(status, headers=dict(headers), content=body)
        if isinstance(listed, int):
            return httpx.Response(listed)
        return httpx.Response(200, json=list(listed))

    return answering(respond)


async def capture_id(client, body=BODY):
    return (await client.capture(ACCOUNT, ORDER, body=body, key="1")).capture_id


@pytest.mark.parametrize(
    "headers",
    [
        {"capture-id": ""},
        {"capture-id": "one, two"},
        {"capture-id": "../refunds"},
        {"capture-id": "x" * 101},
        {"location": "https://api.kustom.co/"},
        {"location": f"https://api.kustom.co/ordermanagement/v1/orders/{ORDER}"},
        {"location": f"https://api.kustom.co/ordermanagement/v1/orders/{ORDER}/refunds/R-1"},
        {"location": "https://[::1/captures/"},
        {"location": "/captures/%2e%2e"},
    ],
)
async def test_a_header_that_names_no_capture_is_passed_over(headers):
    assert await capture_id(captured(headers)) == "ours"


@pytest.mark.parametrize(
    "headers",
    [
        {"capture-id": "C-1"},
        {"Capture-Id": " C-1 ", "location": "https://elsewhere.test/captures/C-2"},
        {"location": f"https://api.kustom.co/ordermanagement/v1/orders/{ORDER}/captures/C-1/"},
        {"location": f"/ordermanagement/v1/orders/{ORDER}/captures/C-1?x=/captures/C-2"},
    ],
)
async def test_a_header_that_names_the_capture_is_taken(headers):
    assert await capture_id(captured(headers, listed=500)) == "C-1"


@pytest.mark.parametrize(
    "listed",
    [
        (),
        (LISTED, LISTED),
        (LISTED | {"captured_amount": 99_99},),
        (LISTED | {"reference": None},),
        (LISTED | {"reference": "17/2"},),
        404,
        401,
        500,
        200,
    ],
    ids=["none", "two", "another amount", "no reference", "another", "404", "401", "500", "empty"],
)
@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_a_success_whose_capture_is_not_found_is_unknown(status, listed):
    with pytest.raises(OutcomeUnknown) as raised:
        await capture_id(captured(listed=listed, status=status))
    assert (raised.value.code, raised.value.status) == ("NO_CAPTURE_ID", status)


async def test_the_capture_is_found_among_others():
    others = [LISTED | {"capture_id": "a", "reference": "17/2"}, LISTED,
              LISTED | {"capture_id": "b", "reference": None}]  # fmt: skip
    assert await capture_id(captured(listed=others)) == "ours"


async def test_without_a_reference_no_capture_is_taken_for_ours():
    unnamed = (LISTED | {"reference": None},)
    with pytest.raises(OutcomeUnknown):
        await capture_id(captured(listed=unnamed), json.dumps({"captured_amount": 100_00}))


async def test_looking_for_the_id_ends_before_the_lease_does():
    async def respond(request):
        if request.method == "GET":
            await asyncio.sleep(60)
        return httpx.Response(201, headers={"klarna-correlation-id": "c-1"})

    with pytest.raises(OutcomeUnknown) as raised:
        async with asyncio.timeout(10):
            await capture_id(answering(respond, second_call_s=0.1))
    assert raised.value.correlation_id == "c-1"


async def test_a_refund_without_an_id_is_unknown():
    client = answering(lambda _: httpx.Response(201))
    with pytest.raises(OutcomeUnknown) as raised:
        await client.refund(ACCOUNT, ORDER, body="{}", key="1")
    assert raised.value.code == "NO_REFUND_ID"


@pytest.mark.parametrize(
    "name", sorted(set(OPERATIONS) - {"order", "captures", "capture", "refund"})
)
@pytest.mark.parametrize("body", [b"<html>OK</html>", b"{", b"\xff"])
async def test_a_write_that_something_in_between_answered_is_unknown(name, body):
    client = answering(lambda _: httpx.Response(200, content=body))
    with pytest.raises(OutcomeUnknown) as raised:
        await getattr(client, name)(ACCOUNT, ORDER, **OPERATIONS[name][0])
    assert raised.value.code == "NONSENSE"


@pytest.mark.parametrize("name", ["order", "captures"])
@pytest.mark.parametrize("body", [b"<html>OK</html>", b"", b"{", b"7", b"null", b"\xff", b'["x"]'])
async def test_a_read_that_makes_no_sense_is_asked_again(name, body):
    client = answering(lambda _: httpx.Response(200, content=body))
    with pytest.raises(Unavailable) as raised:
        await getattr(client, name)(ACCOUNT, ORDER)
    assert (raised.value.code, raised.value.status) == ("NONSENSE", 200)


@pytest.mark.parametrize("switch", ["validation_status", "foreign_order_status", "explains_401"])
async def test_what_the_contract_leaves_open_leads_to_the_same_verdict(kustom, client, switch):
    other = {"validation_status": 422, "foreign_order_status": 403, "explains_401": True}[switch]
    foreign = "11111111-6116-4073-ab96-e330819e2c07"
    kustom.add_order(foreign, 100, merchant_id="another")

    async def verdicts():
        wrong = type(ACCOUNT)("playground", "PM1", ACCOUNT.username, "wrong")
        bad = json.dumps({"captured_amount": "100"})
        return (
            await ends(client.capture(ACCOUNT, ORDER, body=bad, key="1")),
            await ends(client.order(ACCOUNT, foreign)),
            await ends(client.order(wrong, ORDER)),
        )

    before = await verdicts()
    setattr(kustom.switches, switch, other)
    assert await verdicts() == before == (Refused, Refused, Unavailable)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("refused"),
        httpx.ReadError("broken"),
        httpx.LocalProtocolError(f"Illegal header value {ACCOUNT.password}"),
        *[httpx.Response(status) for status in (301, 401, 403, 404, 409, 429, 500)],
        httpx.Response(400, json={"error_code": "BAD_VALUE"}),
        httpx.Response(200, text="<html>"),
    ],
    ids=lambda failure: getattr(failure, "status_code", type(failure).__name__),
)
async def test_no_error_tells_credentials(name, failure):
    def respond(_request):
        if isinstance(failure, Exception):
            raise failure
        return httpx.Response(failure.status_code, content=failure.content)

    with pytest.raises(CallError) as raised:
        await getattr(answering(respond), name)(ACCOUNT, ORDER, **OPERATIONS[name][0])
    secrets = (ACCOUNT.password, base64.b64encode(ACCOUNT.password.encode()).decode()[:-4])
    shown = f"{raised.value} {raised.value!r} {raised.value.__dict__} {ACCOUNT!r}"
    assert not [secret for secret in secrets if secret in shown]
