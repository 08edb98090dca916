"""A world with a clock that tests move."""

import itertools
import time
from datetime import UTC, datetime

import pytest

from saleor_kustom.sandbox.kustom import SimulatedKustom
from saleor_kustom.sandbox.saleor_orders import Line
from saleor_kustom.sandbox.world import open_world

MUGS = Line("Mug", "100.00", 3)


class Clock:
    """Time that passes only when a test says so; near the real one, since tokens expire."""

    def __init__(self):
        self.now = time.time()

    def __call__(self):
        return self.now

    def pass_s(self, seconds):
        self.now += seconds


@pytest.fixture
def points(request):
    """Return one part's points of `parts`: all of them, or a third where others prove as much.

    Which third it is changes with the order of the tests; `--run-long` takes all.
    """

    def of(part, parts, *, third=False):
        if not third or request.config.getoption("run_long"):
            return itertools.count(part + 1, parts)
        shift = request.config.getoption("randomly_seed") % 3
        return itertools.count(3 * part + 1 + shift, 3 * parts)

    return of


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def world(database_url, clock):
    kustom = SimulatedKustom(clock=lambda: datetime.fromtimestamp(clock.now, UTC))
    async with open_world(database_url, kustom=kustom, clock=clock) as made:
        await made.install()
        yield made


@pytest.fixture
def later(world, clock):
    """Let time pass in steps until nothing waits that time alone would mend."""

    async def run(seconds=7200.0, step=60.0):
        passed = 0.0
        while passed < seconds:
            clock.pass_s(step)
            passed += step
            await world.settle()

    return run


@pytest.fixture
def rows(world):
    async def read(order):
        return await world.app.store.captures.of_order(world.saleor.api_url, order["id"])

    return read
