"""A simulated Kustom and a plain HTTP client that speaks to it."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from saleor_kustom.sandbox.kustom import SimulatedKustom

ORDER = "f3392f8b-6116-4073-ab96-e330819e2c07"
BASE = f"http://kustom.test/ordermanagement/v1/orders/{ORDER}"
AGENT = {"User-Agent": "tests/1"}


class Clock:
    """Time that passes only when a test says so."""

    def __init__(self):
        self.now = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def __call__(self):
        return self.now

    def pass_d(self, days):
        self.now += timedelta(days=days)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def kustom(clock):
    simulated = SimulatedKustom(clock=clock)
    simulated.add_merchant("PM1-x", "key-1", "PM1")
    simulated.add_merchant("PM2-x", "key-2", "PM2")
    return simulated


@pytest.fixture
def there(kustom):
    return kustom.add_order(ORDER, 300)


@pytest.fixture
async def http(kustom, there):
    """Speak as the order's merchant; paths are behind the order's."""
    made = httpx.AsyncClient(transport=kustom.transport(), auth=("PM1-x", "key-1"), headers=AGENT)
    async with made:

        async def call(method, path, body=None, key=None, **more):
            headers = {"Klarna-Idempotency-Key": key} if key else {}
            return await made.request(method, BASE + path, json=body, headers=headers, **more)

        yield call
