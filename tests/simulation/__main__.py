"""Replay a seed, or run many: `python -m tests.simulation SEED` or `FIRST LAST [PROCESSES]`.

`SEED quiet`: nobody presses a button.
"""

import logging
import sys
import time
import traceback
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.sim import replay, simulate


def _broken(seed):
    try:
        simulate(seed)
    except Exception:  # noqa: BLE001 - any is a finding
        return seed, traceback.format_exc()
    return seed, None


def _many(first, last, processes):
    started, broken = time.monotonic(), 0
    with ProcessPoolExecutor(processes) as pool:
        for seed, error in pool.map(_broken, range(first, last), chunksize=4):
            if error:
                broken += 1
                print(f"seed {seed}: {error.strip().rpartition('Error: ')[2]}", flush=True)
    took_s = time.monotonic() - started
    print(f"{last - first} seeds from {first}, {broken} broken, {took_s:.0f} s")
    return broken


def main(first, last=None, processes="2"):
    logging.disable(logging.CRITICAL)
    if last in (None, "quiet"):
        replay(int(first), presses=None if last is None else 0.0)
        return
    sys.exit(1 if _many(int(first), int(last), int(processes)) else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
