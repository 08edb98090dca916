"""Whole histories under random faults: never twice, never lost, never above what is authorized.

A seed that breaks a law is replayed, with all that happened, by
`python -m tests.simulation SEED` (`SEED quiet`: nobody presses a button);
`python -m tests.simulation FIRST LAST PROCESSES` runs many.
"""

import random

import pytest

from tests.simulation.sim import fingerprint, simulate

#: Each once broke a law: what they found is told in docs/simulation.md.
FOUND = (85, 102, 187, 214, 250, 280)
FRESH = 10
LONG = 10_000
_AT_ONCE = 100


def _hold(seed, *, quiet=False):
    """Run a seed. `quiet`: nobody presses a button, as when the seed broke."""
    try:
        return simulate(seed, presses=0.0 if quiet else None)
    except Exception as error:
        replay = f"python -m tests.simulation {seed}{' quiet' * quiet}"
        raise AssertionError(f"replay it with: {replay}\n{error}") from error


@pytest.mark.parametrize("seed", FOUND)
def test_what_once_broke_holds(seed):
    _hold(seed, quiet=True)


@pytest.mark.parametrize("nth", range(FRESH))
def test_fresh_histories_hold(nth, testrun_uid):
    seed = random.Random(f"{testrun_uid} {nth}").randrange(1_000_000, 10**9)
    _hold(seed)


def test_a_seed_is_the_same_history_every_time():
    assert fingerprint(_hold(7)) == fingerprint(_hold(7))


@pytest.mark.long
@pytest.mark.parametrize("first", range(0, LONG, _AT_ONCE))
def test_ten_thousand_histories_hold(first):
    for seed in range(first, first + _AT_ONCE):
        _hold(seed)
