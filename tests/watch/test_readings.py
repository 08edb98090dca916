"""What people are shown of calls comes from the numbers that Prometheus reads."""

import pytest
from prometheus_client import Histogram

from saleor_kustom.errors import OutcomeUnknown, Refused
from saleor_kustom.watch import metrics, readings
from saleor_kustom.watch.readings import Reading


@pytest.fixture
def calls(monkeypatch):
    fresh = Histogram("calls", "x", ["peer", "operation", "verdict"], buckets=(0.05, 0.5, 5.0),
                      registry=None)  # fmt: skip
    monkeypatch.setattr(readings, "CALLS", fresh)
    monkeypatch.setattr(metrics, "CALLS", fresh)
    return fresh


def test_nothing_was_called(calls):
    none = Reading(0, 0, None, None, None)
    assert readings.readings() == {"kustom": none, "saleor": none}


def test_calls_are_summed_up_by_side_and_shares_told_by_bucket(calls):
    for seconds, times in ((0.01, 90), (0.4, 6), (4.0, 3), (99.0, 1)):
        for _ in range(times):
            calls.labels("kustom", "capture", "ok").observe(seconds)
    calls.labels("saleor", "order", "unavailable").observe(0.01)
    reading = readings.readings()
    assert reading["kustom"] == Reading(100, 100, 0.05, 0.5, 5.0)
    assert reading["saleor"] == Reading(1, 0, 0.05, 0.05, 0.05)


def test_a_refusal_is_an_answer_and_what_we_stopped_is_nobodys_fault(calls):
    for error in (Refused("NO"), OutcomeUnknown("LOST"), KeyboardInterrupt()):
        with pytest.raises(type(error)), metrics.call("kustom", "capture"):
            raise error
    assert readings.readings()["kustom"].calls == 2
    assert readings.readings()["kustom"].answered == 1
