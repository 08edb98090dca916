"""What follows a failed call is a pure decision: again, a person, or the whole account."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saleor_kustom.capture.retry import (
    Again,
    GiveUp,
    PauseAccount,
    after_failure,
    late_id_wait_s,
    nth,
)
from saleor_kustom.errors import CallError, OutcomeUnknown, Refused, Unavailable

HOUR_S = 3600.0
chances = st.floats(0.0, 1.0, exclude_max=True)
failures = st.integers(0, 10_000)
passing = st.sampled_from(
    [
        Unavailable("CONFLICT", status=409),
        Unavailable("TOO_MANY_REQUESTS", status=429),
        Unavailable("NOT_SENT"),
        Unavailable("BAD_GATEWAY", status=502),
        OutcomeUnknown("NO_ANSWER"),
        OutcomeUnknown("NONSENSE", status=200),
        OutcomeUnknown("SERVER_ERROR", status=500),
    ]
)


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_what_is_refused_with_a_reason_is_for_a_person(status):
    error = Refused("CAPTURE_NOT_ALLOWED", status=status)
    assert after_failure(error, failures=0, chance=0.5) == GiveUp()


def test_refused_credentials_pause_the_account():
    error = Unavailable("UNAUTHORIZED", status=401)
    assert after_failure(error, failures=0, chance=0.5) == PauseAccount()


@given(failures, chances)
def test_a_firewall_is_asked_slowly_and_somebody_is_told(count, chance):
    error = Unavailable("FIREWALL", status=403)
    match after_failure(error, failures=count, chance=chance):
        case Again(after_s, alert):
            assert 900.0 <= after_s <= 1800.0
            assert alert
        case decision:
            raise AssertionError(decision)


@given(passing, failures, chances)
def test_what_may_pass_is_asked_again_for_ever_within_an_hour(error, count, chance):
    match after_failure(error, failures=count, chance=chance):
        case Again(after_s, alert):
            assert 0.1 <= after_s <= HOUR_S
            assert not alert
        case decision:
            raise AssertionError(decision)


@given(passing, chances)
def test_the_span_doubles_from_two_seconds_to_an_hour_and_the_jitter_is_over_all_of_it(
    error, chance
):
    waits = [after_failure(error, failures=n, chance=chance).after_s for n in range(30)]
    spans = [min(HOUR_S, 2.0 * 2**n) for n in range(30)]
    assert waits == [max(0.1, span * chance) for span in spans]


@given(failures, chances, st.floats(0.0, 1e6))
def test_retry_after_is_never_cut_short(count, chance, wanted_s):
    error = Unavailable("TOO_MANY_REQUESTS", status=429, retry_after_s=wanted_s)
    plain = Unavailable("TOO_MANY_REQUESTS", status=429)
    asked = after_failure(error, failures=count, chance=chance).after_s
    assert asked == wanted_s + after_failure(plain, failures=count, chance=chance).after_s


def test_what_is_no_verdict_is_a_bug():
    with pytest.raises(AssertionError, match="not a verdict"):
        after_failure(CallError("X"), failures=0, chance=0.5)


def test_waits_are_used_up():
    assert [nth((1.0, 2.0), count) for count in range(4)] == [1.0, 2.0, None, None]


@pytest.mark.parametrize(
    ("age_s", "looked", "wait_s"),
    [
        (0.0, 0, 120.0),
        (37.0, 1, 83.0),  # news of the parcel came meanwhile
        (60.0, 7, 60.0),
        (120.0, 1, 900.0),
        (1020.0, 2, 3600.0),
        (4620.0, 3, 86400.0),
        (91_000.0, 9, 20.0),
        (91_020.0, 4, None),
        (1e9, 0, 120.0),  # somebody asked for a retry
        (1e9, 1, None),
    ],
)
def test_a_late_id_is_waited_for_by_age_however_often_news_come(age_s, looked, wait_s):
    assert late_id_wait_s(age_s, looked=looked) == wait_s
