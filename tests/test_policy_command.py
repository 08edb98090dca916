"""`policy`: as a person types it."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from saleor_kustom.cli import app
from saleor_kustom.errors import BadPolicy, SettingsError
from saleor_kustom.store import Store

SECRET = "a secret key that is long enough for tests"
SHOP = "https://shop.example/graphql/"


@pytest.fixture(autouse=True)
def installed(sqlite_url, monkeypatch):
    monkeypatch.setenv("SALEOR_KUSTOM_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("SALEOR_KUSTOM_SECRET_KEY", SECRET)
    monkeypatch.setenv("SALEOR_KUSTOM_EXTRA_CURRENCIES", "CZK")

    async def install():
        store = await Store.open(sqlite_url, secret_key=SECRET)
        await store.shops.install(SHOP, "APP1", "token", saleor_version="3.22.0", jwks="{}")
        await store.close()

    asyncio.run(install())


def run(*arguments):
    result = CliRunner().invoke(app, ["policy", *arguments], env={"COLUMNS": "200"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def shown(*options):
    return json.loads(run("show", SHOP, "--json", *options))


def test_show_tells_every_choice_and_who_made_it():
    run("set", SHOP, "shipping_fee=last", "gift_card=last")
    run("set", SHOP, "shipping_fee=first", "--channel", "se")
    made = shown("--channel", "se")
    assert made["policy"]["shipping_fee"] == "first"
    assert made["policy"]["extra_currencies"] == ["CZK"]
    by = {key: who.partition(",")[0] for key, who in made["chosen_by"].items()}
    assert by["shipping_fee"] == "channel"
    assert by["gift_card"] == "shop"
    assert by["extra_currencies"] == "environment"
    assert by["product_url"] == "default"
    assert shown()["policy"]["shipping_fee"] == "last"
    assert "proportional" not in run("show", SHOP)


def test_unset_goes_back_to_what_is_below():
    run("set", SHOP, "extra_currencies=HUF")
    assert shown()["policy"]["extra_currencies"] == ["HUF"]
    assert "is inherited now" in run("unset", SHOP, "extra_currencies")
    assert shown()["policy"]["extra_currencies"] == ["CZK"]
    with pytest.raises(BadPolicy, match="is not chosen for every channel"):
        run("unset", SHOP, "extra_currencies")


def test_every_fault_is_told_and_nothing_is_changed():
    with pytest.raises(BadPolicy) as caught:
        run("set", SHOP, "shipping_fee=last", "gift_card=x", "nope=1", "product_url")
    assert [fault.partition(":")[0] for fault in caught.value.faults] == [
        "gift_card", "nope", "product_url",
    ]  # fmt: skip
    assert shown()["policy"]["shipping_fee"] == "first"


def test_a_shop_that_is_not_there_is_told():
    with pytest.raises(SettingsError, match="has installed the app"):
        run("set", "https://nobody.example/graphql/", "shipping_fee=last")
