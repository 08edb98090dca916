"""Options and fixtures that all tests share."""

from pathlib import Path

import pytest

RECORDINGS = Path(__file__).parent / "recordings"
SHARED = Path(__file__).parent.parent.parent / "shared" / "saleor"


def pytest_addoption(parser):
    parser.addoption("--run-long", action="store_true", help="run the thorough tests too")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--run-long"):
        return
    for item in items:
        if "long" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="thorough: make test-long runs it"))


@pytest.fixture
def database_url(tmp_path):
    return f"sqlite:///{tmp_path}/app.db"
