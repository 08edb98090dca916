"""`erase` and `secrets rotate`, as a person types them; and what retention does by itself."""

import asyncio

import pytest
from typer.testing import CliRunner

from saleor_kustom.capture.delivery import Delivery, VerifiedBody
from saleor_kustom.cli import app
from saleor_kustom.errors import SettingsError
from saleor_kustom.store import Store
from saleor_kustom.worker.retention import strip_old

SECRET = "a secret key that is long enough for tests"
NEW = "another secret key that is long enough too"
SHOP = "https://shop.example/graphql/"


@pytest.fixture(autouse=True)
def installed(sqlite_url, monkeypatch):
    monkeypatch.setenv("SALEOR_KUSTOM_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("SALEOR_KUSTOM_SECRET_KEY", SECRET)

    async def install():
        store = await Store.open(sqlite_url, secret_key=SECRET)
        await store.shops.install(SHOP, "APP1", "token", saleor_version="3.22.0", jwks="{}")
        told = Delivery("order_cancelled", "APP1", None, "O1", None, None)
        await store.deliveries.receive(SHOP, told, VerifiedBody(b"{}"))
        await store.close()

    asyncio.run(install())


def run(*arguments, stdin=None):
    result = CliRunner().invoke(app, arguments, input=stdin)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_an_order_is_erased_when_a_person_confirms():
    assert run("erase", SHOP, "O1", stdin="n\n").exit_code == 1
    assert "1 raw deliveries" in run("erase", SHOP, "O1", stdin="y\n").output
    assert "0 raw deliveries" in run("erase", SHOP, "O1", "--yes").output


def test_an_order_that_is_not_known_is_told_as_such():
    with pytest.raises(SettingsError, match="nothing is known here"):
        run("erase", SHOP, "O2", "--yes")


def test_a_key_is_rotated_by_command(monkeypatch):
    with pytest.raises(SettingsError, match="SECRET_KEY_PREVIOUS"):
        run("secrets", "rotate")
    monkeypatch.setenv("SALEOR_KUSTOM_SECRET_KEY", NEW)
    monkeypatch.setenv("SALEOR_KUSTOM_SECRET_KEY_PREVIOUS", SECRET)
    assert "1 secrets were encrypted anew" in run("secrets", "rotate").output
    monkeypatch.delenv("SALEOR_KUSTOM_SECRET_KEY_PREVIOUS")
    assert "shop.example" in run("shops").output


async def test_retention_runs_once_a_day_and_not_at_all_if_so_chosen(sqlite_url):
    clock = [1_800_000_000.0]
    store = await Store.open(sqlite_url, secret_key=SECRET, clock=lambda: clock[0])
    clock[0] += 91 * 86400.0
    assert await strip_old(store, 0) == 0
    assert await strip_old(store, 90) == 1
    assert await strip_old(store, 90) == 0
    await store.close()
