"""Our real client before a simulated Kustom."""

from datetime import UTC, datetime, timedelta

import pytest

from saleor_kustom.capture.parties import Account
from saleor_kustom.kustom.client import KustomClient
from saleor_kustom.outbound import Outbound
from saleor_kustom.sandbox.kustom import SimulatedKustom

HOSTS = {"playground": "https://playground.test", "live": "https://live.test/"}
ACCOUNT = Account("playground", "PM1", "PM1-å", "kco_test_api_hush:hush")
ORDER = "f3392f8b-6116-4073-ab96-e330819e2c07"


class Clock:
    """Time that passes only when a test says so."""

    def __init__(self):
        self.now = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def __call__(self):
        return self.now

    def pass_h(self, hours):
        self.now += timedelta(hours=hours)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def kustom(clock):
    simulated = SimulatedKustom(clock=clock)
    simulated.add_merchant(ACCOUNT.username, ACCOUNT.password, ACCOUNT.merchant_id)
    return simulated


@pytest.fixture
def there(kustom):
    return kustom.add_order(ORDER, 349_00, merchant_reference1="17")


@pytest.fixture
def client(kustom, there):
    return KustomClient(Outbound(transport=kustom.transport()), hosts=HOSTS)
