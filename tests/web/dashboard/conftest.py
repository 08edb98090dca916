import pytest

from tests.web.dashboard.pages import open_pages


@pytest.fixture
async def pages(sqlite_url, monkeypatch):
    async with open_pages(sqlite_url) as pages:
        pages.monkeypatch = monkeypatch
        yield pages
