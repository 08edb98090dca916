"""Every test of the store runs on both databases, unless it says that it is about one."""

import pytest
from databases import SECRET_KEY

from saleor_kustom.store import Store


class Clock:
    """The database's time, moved by hand."""

    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def store(database_url, clock):
    """A store whose time stands still until a test moves it."""
    store = await Store.open(database_url, secret_key=SECRET_KEY, clock=clock)
    yield store
    await store.close()
