"""Every status with every kind of body has the verdict that the contract's section 8 gives it."""

import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saleor_kustom.errors import OutcomeUnknown, Refused, Unavailable
from saleor_kustom.kustom.verdicts import retry_after_s, verdict
from saleor_kustom.outbound import Answer

ERROR = {"error_code": "SOME_CODE", "error_messages": ["Some words."], "correlation_id": "body-id"}
EXPLAINED = json.dumps(ERROR).encode()
UNEXPLAINED = {
    "html": b"<html><body>Forbidden</body></html>",
    "empty": b"",
    "truncated": EXPLAINED[:-10],
    "list": json.dumps([ERROR]).encode(),
    "wrong types": b'{"error_code": 7, "error_messages": "no list"}',
    "another's object": b'{"message": "Forbidden"}',
    "binary": b"\xff\x00\xfe",
    "text": b'"error_code"',
}
READ, WRITE = False, True


def judged(status, body=b"", *, writes=WRITE, **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return verdict(Answer(status, httpx.Headers(names), body), writes=writes)


@pytest.mark.parametrize("writes", [READ, WRITE])
@pytest.mark.parametrize("status", [400, 403, 404, 413, 415, 422])
def test_a_no_of_kustoms_own_is_final(status, writes):
    error = judged(status, EXPLAINED, writes=writes, retry_after="9")
    assert type(error) is Refused
    assert (error.code, error.messages, error.status) == ("SOME_CODE", ("Some words.",), status)
    assert error.retry_after_s is None


@pytest.mark.parametrize("writes", [READ, WRITE])
@pytest.mark.parametrize("body", UNEXPLAINED.values(), ids=UNEXPLAINED)
@pytest.mark.parametrize("status", [400, 404, 405, 408, 410, 413, 415, 418, 422, 451])
def test_a_no_that_something_in_between_gave_says_nothing(status, body, writes):
    error = judged(status, body, writes=writes)
    assert type(error) is Unavailable
    assert (error.code, error.messages, error.status) == ("NONSENSE", (), status)


@pytest.mark.parametrize("writes", [READ, WRITE])
@pytest.mark.parametrize("body", UNEXPLAINED.values(), ids=UNEXPLAINED)
def test_a_firewalls_403_says_nothing_about_the_order(body, writes):
    error = judged(403, body, writes=writes)
    assert type(error) is Unavailable
    assert (error.code, error.status) == ("FIREWALL", 403)


@pytest.mark.parametrize("writes", [READ, WRITE])
@pytest.mark.parametrize("body", [EXPLAINED, *UNEXPLAINED.values()])
def test_refused_credentials_mean_that_nothing_happened(body, writes):
    error = judged(401, body, writes=writes)
    assert type(error) is Unavailable
    assert (error.code, error.status) == ("UNAUTHORIZED", 401)


@pytest.mark.parametrize("writes", [READ, WRITE])
@pytest.mark.parametrize("body", [EXPLAINED, *UNEXPLAINED.values()])
@pytest.mark.parametrize("status", [409, 429])
def test_busy_means_that_nothing_happened(status, body, writes):
    error = judged(status, body, writes=writes, retry_after="7")
    assert type(error) is Unavailable
    assert error.code == ("SOME_CODE" if body == EXPLAINED else f"HTTP_{status}")
    assert (error.status, error.retry_after_s) == (status, 7.0)


@pytest.mark.parametrize("writes", [READ, WRITE])
@pytest.mark.parametrize("body", [EXPLAINED, *UNEXPLAINED.values()])
@pytest.mark.parametrize("status", [500, 501, 502, 503, 504, 520, 599, 999])
def test_a_fault_of_the_server_leaves_a_write_unknown(status, body, writes):
    error = judged(status, body, writes=writes)
    assert type(error) is (OutcomeUnknown if writes else Unavailable)
    assert error.code == ("SOME_CODE" if body == EXPLAINED else f"HTTP_{status}")


@pytest.mark.parametrize("writes", [READ, WRITE])
@pytest.mark.parametrize("body", [EXPLAINED, *UNEXPLAINED.values()])
@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_a_redirect_means_that_nothing_happened(status, body, writes):
    error = judged(status, body, writes=writes, location="https://elsewhere.test/")
    assert type(error) is Unavailable
    assert error.status == status


@given(
    status=st.integers(100, 999).filter(lambda status: not 200 <= status < 300),
    body=st.sampled_from([EXPLAINED, *UNEXPLAINED.values()]) | st.binary(),
    writes=st.booleans(),
)
def test_only_an_explained_no_is_final_and_only_a_write_is_ever_unknown(status, body, writes):
    error = judged(status, body, writes=writes)
    assert type(error) in (Refused, Unavailable, OutcomeUnknown)
    if type(error) is Refused:
        assert b"error_code" in body
    if type(error) is OutcomeUnknown:
        assert writes


def test_the_correlation_id_is_the_bodys_else_the_headers():
    assert judged(400, EXPLAINED, klarna_correlation_id="header-id").correlation_id == "body-id"
    assert judged(400, klarna_correlation_id="header-id").correlation_id == "header-id"
    assert judged(400).correlation_id is None
    assert judged(400, klarna_correlation_id="x" * 1000).correlation_id == "x" * 100


DATE = "Mon, 23 Nov 2026 19:00:00 GMT"


@pytest.mark.parametrize(
    ("status", "headers", "wait_s"),
    [
        (429, {"retry-after": "7"}, 7.0),
        (503, {"retry-after": "0"}, 0.0),
        (429, {"retry-after": "1.5"}, 1.5),
        (429, {"retry-after": "Mon, 23 Nov 2026 19:02:00 GMT", "date": DATE}, 120.0),
        (429, {"retry-after": "Mon, 23 Nov 2026 18:00:00 GMT", "date": DATE}, None),
        (429, {"retry-after": "Mon, 23 Nov 2026 19:02:00 GMT"}, None),
        (429, {"retry-after": "Mon, 23 Nov 2026 19:02:00", "date": DATE}, None),
        (429, {"retry-after": "soon", "x-ratelimit-reset": "2"}, 2.0),
        (429, {"x-ratelimit-reset": "1"}, 1.0),
        (429, {"retry-after": "7", "x-ratelimit-reset": "1"}, 7.0),
        (500, {"x-ratelimit-reset": "1"}, None),  # every answer bears it
        (429, {"x-ratelimit-reset": "1795460400"}, None),  # a moment, no waiting time
        (429, {"retry-after": "-1"}, None),
        (429, {"retry-after": "nan"}, None),
        (429, {"retry-after": "inf"}, None),
        (429, {"retry-after": "9" * 1000}, None),
        (429, {"retry-after": "٣"}, None),
        (429, {}, None),
    ],
)
def test_a_wait_is_taken_when_it_is_one(status, headers, wait_s):
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    assert retry_after_s(Answer(status, httpx.Headers(encoded), b"")) == wait_s


@given(st.text(), st.text())
def test_no_header_breaks_the_verdict(retry_after, date):
    encoded = [(b"retry-after", retry_after.encode()), (b"date", date.encode())]
    wait_s = retry_after_s(Answer(429, httpx.Headers(encoded), b""))
    assert wait_s is None or 0 <= wait_s <= 86400
