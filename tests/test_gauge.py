"""Calls are counted with how long they took and whether they were answered."""

import pytest
from serving import Serving, answer

from saleor_kustom.gauge import Gauge, Measured, Reading
from saleor_kustom.outbound import NotSent


def test_nothing_was_called():
    assert Gauge().read() == Reading(0, 0, None, None, None)


def test_the_last_calls_are_kept_and_their_shares_told():
    gauge = Gauge()
    for n in range(2000):
        gauge.count(float(n), answered=n % 2 == 0)
    reading = gauge.read()
    assert (reading.calls, reading.answered) == (1000, 500)
    assert (reading.median_s, reading.slow_s, reading.slowest_s) == (1500.0, 1950.0, 1990.0)


async def test_an_answer_counts_and_so_does_none():
    gauge = Gauge()
    async with Serving(answer(b"{}")) as good, Serving(answer(status="503 Busy")) as bad:
        calls = Measured(gauge, deadline_s=5)
        await calls.request("GET", good.url)
        await calls.request("GET", bad.url)
        port = good.port
    with pytest.raises(NotSent):
        await calls.request("GET", f"http://127.0.0.1:{port}/")
    await calls.aclose()
    assert (gauge.read().calls, gauge.read().answered) == (3, 1)
