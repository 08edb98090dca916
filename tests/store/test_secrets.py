"""Secrets at rest: unreadable without the key, and useless in another shop's row."""

import pytest
from databases import SECRET_KEY
from rows import ACCOUNT, OTHER_SHOP, SHOP, sql

from saleor_kustom.errors import StoreUnavailable
from saleor_kustom.store import Store
from saleor_kustom.store.secrets import Secrets

OTHER_KEY = "another secret key that is long enough too"
TOKEN = "the-token-of-the-installation"


async def install(store, shop=SHOP):
    await store.shops.install(shop, "APP1", TOKEN, saleor_version="3.22.1", jwks="{}")


def test_a_secret_opens_for_its_own_shop_and_purpose_only():
    secrets = Secrets(SECRET_KEY)
    sealed = secrets.seal("pässword", shop=SHOP, purpose="token")
    assert secrets.open(sealed, shop=SHOP, purpose="token") == "pässword"
    for shop, purpose in ((OTHER_SHOP, "token"), (SHOP, "password")):
        with pytest.raises(StoreUnavailable, match="altered"):
            secrets.open(sealed, shop=shop, purpose=purpose)


def test_the_same_secret_is_never_sealed_to_the_same_text():
    secrets = Secrets(SECRET_KEY)
    assert len({secrets.seal("x", shop=SHOP, purpose="token") for _ in range(50)}) == 50


@pytest.mark.parametrize("broken", ["", "v1", "v1.", "v2.{id}.{rest}", "v1.{id}.", "v1.{id}.????"])
def test_a_broken_secret_is_an_error_of_ours(broken):
    secrets = Secrets(SECRET_KEY)
    _, key_id, rest = secrets.seal("x", shop=SHOP, purpose="token").split(".")
    with pytest.raises(StoreUnavailable):
        secrets.open(broken.format(id=key_id, rest=rest), shop=SHOP, purpose="token")


def test_every_altered_byte_is_noticed():
    secrets = Secrets(SECRET_KEY)
    sealed = secrets.seal("abcde", shop=SHOP, purpose="token")
    for place in range(12, len(sealed)):
        altered = sealed[:place] + ("A" if sealed[place] != "A" else "B") + sealed[place + 1 :]
        with pytest.raises(StoreUnavailable):
            secrets.open(altered, shop=SHOP, purpose="token")


def test_an_older_key_still_opens_while_the_first_seals():
    old = Secrets(OTHER_KEY).seal("x", shop=SHOP, purpose="token")
    both = Secrets(SECRET_KEY, OTHER_KEY)
    assert both.open(old, shop=SHOP, purpose="token") == "x"
    new = both.seal("x", shop=SHOP, purpose="token")
    assert Secrets(SECRET_KEY).open(new, shop=SHOP, purpose="token") == "x"


@pytest.mark.parametrize("kept", ["token", "password"])
async def test_a_start_with_another_key_is_refused(database_url, kept):
    store = await Store.open(database_url, secret_key=SECRET_KEY)
    if kept == "token":
        await install(store)
    else:
        await store.accounts.set(SHOP, None, ACCOUNT)
    await store.close()
    with pytest.raises(StoreUnavailable, match="SECRET_KEY"):
        await Store.open(database_url, secret_key=OTHER_KEY)


async def test_a_token_copied_to_another_shops_row_does_not_open(store):
    await install(store)
    await install(store, OTHER_SHOP)
    token = "(select token from shop where api_url = :shop)"
    swap = "update shop set token = {} where api_url <> :shop"
    await sql(store, swap.format(token), shop=SHOP)
    assert (await store.shops.get(SHOP)).token == TOKEN
    with pytest.raises(StoreUnavailable, match="altered"):
        await store.shops.get(OTHER_SHOP)


async def test_no_secret_is_in_the_files_of_the_database(sqlite_url, tmp_path):
    store = await Store.open(sqlite_url, secret_key=SECRET_KEY)
    await install(store)
    await store.accounts.set(SHOP, None, ACCOUNT)
    while_open = all_bytes(tmp_path)
    await store.close()
    closed = all_bytes(tmp_path)
    assert b"PM1_user" in while_open  # what is not secret can be found there
    for secret in (TOKEN, ACCOUNT.password, SECRET_KEY):
        assert secret.encode() not in while_open + closed


def all_bytes(folder):
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_no_secret_is_in_any_table(store):
    await install(store)
    await store.accounts.set(SHOP, "sweden", ACCOUNT, who="anna")
    await store.accounts.pause("playground", "PM1", "401")
    for table in ("shop", "account", "channel_account", "pause", "history", "installation"):
        text = str(await sql(store, f"select * from {table}"))  # noqa: S608 - a name of ours
        assert text != "[]"
        assert TOKEN not in text
        assert ACCOUNT.password not in text


async def test_no_secret_is_shown_by_the_values_that_carry_it(store):
    await install(store)
    await store.accounts.set(SHOP, None, ACCOUNT)
    shown = repr(await store.shops.get(SHOP)) + repr(await store.accounts.get(SHOP, None))
    assert TOKEN not in shown
    assert ACCOUNT.password not in shown
