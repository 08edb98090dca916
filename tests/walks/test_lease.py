"""Nothing is sent to Kustom unless the lease outlasts the call and the look behind it."""

from datetime import UTC, datetime

import httpx
import pytest

from saleor_kustom.kustom.client import SECOND_CALL_S
from saleor_kustom.outbound import Outbound
from saleor_kustom.sandbox.kustom import SimulatedKustom
from saleor_kustom.sandbox.world import open_world
from saleor_kustom.worker.lease import Lease
from tests.walks.conftest import MUGS


class SlowNetwork(httpx.AsyncBaseTransport):
    """Every request takes its time on the way; `at_kustom` sees those to Kustom arrive."""

    def __init__(self, inner, clock, takes_s, at_kustom):
        self._inner, self._clock, self._takes_s = inner, clock, takes_s
        self._at_kustom = at_kustom

    async def handle_async_request(self, request):
        if "ordermanagement" in request.url.path:
            await self._at_kustom(request)
        response = await self._inner.handle_async_request(request)
        self._clock.pass_s(self._takes_s)
        return response


@pytest.mark.parametrize("takes_s", [1.0, 4.0, 6.0, 15.0, 19.0])
async def test_whatever_the_calls_before_took(sqlite_url, clock, takes_s):
    left = []

    async def at_kustom(_request):
        [row] = await world.app.store._db.read("select due_at from capture")
        left.append(row["due_at"] - clock.now)

    kustom = SimulatedKustom(clock=lambda: datetime.fromtimestamp(clock.now, UTC))
    async with open_world(
        sqlite_url,
        kustom=kustom,
        clock=clock,
        tap=lambda inner: SlowNetwork(inner, clock, takes_s, at_kustom),
    ) as world:
        await world.install()
        order, there = world.order([MUGS])
        world.saleor.fulfill(order["id"])
        await world.settle()
    assert there.captured == 349_00
    lease = Lease()
    assert len(left) == 2
    assert min(left) >= lease.call_s + lease.second_call_s


async def test_the_usual_lease_is_what_the_calls_are_made_for(sqlite_url):
    async with open_world(sqlite_url) as world:
        lease = world.app.worker.parts.lease
        # How long the docs say that a takeover takes: the lease, and the look behind it.
        assert lease.lasts_s == 60.0
        assert world.app.worker._poll_s == 1.0
        deadlines = (world.app.kustom._outbound._deadline_s, world.app.kustom._second_call_s)
        assert deadlines == (lease.call_s, lease.second_call_s)
        assert world.app.saleor._outbound._deadline_s < lease.call_s
        assert Outbound()._deadline_s == lease.call_s
        assert lease.second_call_s == SECOND_CALL_S


def test_a_lease_that_its_calls_outlast_is_refused():
    with pytest.raises(ValueError, match="outlast"):
        Lease(lasts_s=55.0)
