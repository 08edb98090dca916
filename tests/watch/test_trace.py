"""The W3C trace: read strictly, continued under a new span, and the same for a capture's life."""

import pytest

from saleor_kustom.watch import trace
from saleor_kustom.watch.context import bound, trace_headers

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"


def test_a_trace_is_read_and_continued_under_a_span_of_our_own():
    made = trace.read(GOOD)
    assert made == trace.Trace(TRACE, sampled=True)
    first, second = made.traceparent(), made.traceparent()
    assert trace.read(first) == made
    assert SPAN not in first
    assert first != second


def test_what_nobody_records_stays_so():
    assert trace.read(f"00-{TRACE}-{SPAN}-00").traceparent().endswith("-00")


def test_a_later_version_may_say_more():
    assert trace.read(f"01-{TRACE}-{SPAN}-03-what-comes-then") == trace.Trace(TRACE, sampled=True)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        GOOD.upper(),
        f"{GOOD}-more",  # version 00 has four parts
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}",
        f"{GOOD}\r\nX-Evil: 1",
        f"00-{TRACE}-{SPAN}-\u0661\u0661",  # digits, but none of ASCII
    ],
)
def test_what_is_no_such_header_names_no_trace(header):
    assert trace.read(header) is None


def test_a_capture_without_a_delivery_has_one_trace_of_its_own_for_ever():
    one = trace.of_capture(None, "https://shop.example/graphql/", 7)
    assert one == trace.of_capture("nonsense", "https://shop.example/graphql/", 7)
    assert one != trace.of_capture(None, "https://shop.example/graphql/", 8)
    assert trace.read(one.traceparent()) == one


def test_outside_of_a_trace_nothing_is_sent():
    assert trace_headers() == {}
    with bound(trace=trace.read(GOOD)):
        assert trace.read(trace_headers()["traceparent"]) == trace.Trace(TRACE, sampled=True)
        with bound(shop="inner"):  # says more, and keeps the trace
            assert TRACE in trace_headers()["traceparent"]
    assert trace_headers() == {}
