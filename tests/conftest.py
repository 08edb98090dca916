"""Options and fixtures that all tests share."""

import os
import tempfile
from pathlib import Path

import pytest
from databases import Cluster, Server
from hypothesis import Phase, settings

RECORDINGS = Path(__file__).parent / "recordings"
SHARED = Path(__file__).parent.parent.parent / "shared" / "saleor"

# For mutation testing (scripts/mutants): few examples, and a fault need not be made small.
settings.register_profile("mutants", max_examples=20, phases=[Phase.explicit, Phase.generate])


def pytest_addoption(parser):
    parser.addoption("--run-long", action="store_true", help="run the thorough tests too")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """Run twice as many tests at a time as there are cores: many wait for disks and processes."""
    return 2 * len(os.sched_getaffinity(0))


def pytest_collection_modifyitems(config, items):
    if config.getoption("--run-long"):
        return
    for item in items:
        if "long" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="thorough: make test-long runs it"))


def pytest_terminal_summary(terminalreporter):
    """Print what tests measured, for people: nothing is asserted about it."""
    figures = [
        value
        for report in terminalreporter.getreports("passed")
        for name, value in report.user_properties
        if name == "figure"
    ]
    if figures:
        terminalreporter.section("figures")
        for figure in sorted(figures):
            terminalreporter.line(figure)


@pytest.fixture(scope="session")
def server(testrun_uid):
    """The PostgreSQL of this test run."""
    server = Server(testrun_uid)
    server.start()
    yield server
    server.end()


@pytest.fixture
def postgres_url(server):
    """A PostgreSQL database with our schema and no rows."""
    url = server.create()
    yield url
    server.drop(url)


@pytest.fixture
def fresh_postgres_url(server):
    """The same, never used before, so that it has no statistics."""
    url = server.create(fresh=True)
    yield url
    server.drop(url)


@pytest.fixture
def new_cluster():
    """Makes servers of the test's own, which may be crashed; options are those of initdb."""
    made = []

    def make(*options, durable=False):
        cluster = Cluster(tempfile.mkdtemp(prefix="kustom-own-"))
        made.append(cluster)
        cluster.create(*options)
        cluster.start(durable=durable)
        return cluster

    yield make
    for cluster in made:
        cluster.remove()


@pytest.fixture
def own_cluster(new_cluster):
    return new_cluster(durable=True)


@pytest.fixture
def memory_path():
    """A folder that no disk is behind, where that can be had: flushing it costs nothing.

    For tests in which a process dies, never the machine.
    """
    where = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="saleor-kustom-", dir=where) as folder:
        yield Path(folder)


@pytest.fixture
def sqlite_url(tmp_path):
    return f"sqlite:///{tmp_path}/app.db"


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request):
    """A fresh database of each kind."""
    return request.getfixturevalue(f"{request.param}_url")
