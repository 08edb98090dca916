"""Every test of the store runs on both databases, unless it says that it is about one."""

import pytest
from databases import SECRET_KEY, Server

from saleor_kustom.store import Store


@pytest.fixture(scope="session")
def server(testrun_uid):
    """The PostgreSQL of this test run."""
    server = Server(testrun_uid)
    server.start()
    yield server
    server.end()


@pytest.fixture
def postgres_url(server):
    """A fresh PostgreSQL database with our schema."""
    url = server.create()
    yield url
    server.drop(url)


@pytest.fixture
def sqlite_url(tmp_path):
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request):
    """A fresh database of each kind."""
    return request.getfixturevalue(f"{request.param}_url")


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
