"""A new SECRET_KEY, while instances run: each secret is sealed anew, and none is lost."""

import pytest
from databases import SECRET_KEY
from rows import ACCOUNT, BINDING, OTHER_SHOP, SHOP, sql

from saleor_kustom.capture.parties import Account
from saleor_kustom.errors import StoreUnavailable
from saleor_kustom.store import Store
from saleor_kustom.store import secrets as secrets_of

NEW_KEY = "quite another key that is long enough as well"
LIVE = Account("live", "PM1", "PM1_live", "a password of the live account")


@pytest.fixture
async def filled(database_url):
    """A database that the old key sealed."""
    store = await Store.open(database_url, secret_key=SECRET_KEY)
    for shop, token in ((SHOP, "token of one"), (OTHER_SHOP, "token of the other")):
        await store.shops.install(shop, "APP1", token, saleor_version="3.22.1", jwks="{}")
        await store.accounts.set(shop, None, ACCOUNT)
        await store.accounts.set(shop, "no", LIVE)
    yield store
    await store.close()


async def opened(url, key=NEW_KEY, previous=""):
    return await Store.open(url, secret_key=key, previous_key=previous)


async def everything_opens(store):
    for shop, token in ((SHOP, "token of one"), (OTHER_SHOP, "token of the other")):
        assert (await store.shops.get(shop)).token == token
        assert (await store.accounts.by_binding(shop, BINDING)).password == ACCOUNT.password
        assert (await store.accounts.get(shop, "no")).password == LIVE.password


async def key_ids(store):
    ids = set()
    for kept in secrets_of.SEALED:
        for row in await sql(store, f"select {kept.column} from {kept.table}"):  # noqa: S608
            ids.add(row[kept.column].split(".")[1])
    return ids


async def test_after_a_rotation_the_new_key_suffices(filled, database_url):
    rotating = await opened(database_url, previous=SECRET_KEY)
    assert await rotating.rotate_secrets() == 6
    assert await rotating.rotate_secrets() == 0
    await everything_opens(rotating)
    assert len(await key_ids(rotating)) == 1
    await rotating.close()
    alone = await opened(database_url)
    await everything_opens(alone)
    await alone.close()
    with pytest.raises(StoreUnavailable, match="SECRET_KEY"):
        await opened(database_url, key=SECRET_KEY)


async def test_an_instance_with_both_keys_runs_through_a_rotation(filled, database_url):
    running = await opened(database_url, previous=SECRET_KEY)
    rotating = await opened(database_url, previous=SECRET_KEY)
    await everything_opens(running)
    await running.accounts.set(SHOP, "dk", LIVE)  # sealed with the new key already
    assert await rotating.rotate_secrets() == 5
    await everything_opens(running)
    await running.close()
    await rotating.close()


async def test_what_is_sealed_with_the_old_key_meanwhile_is_sealed_anew_too(
    filled, database_url, monkeypatch
):
    """An instance that was not restarted yet takes an installation in the middle."""
    rotating = await opened(database_url, previous=SECRET_KEY)
    seal_anew, times = secrets_of._sealed_anew, []

    async def meanwhile(db, secrets, kept):
        statements = await seal_anew(db, secrets, kept)
        times.append(kept.table)
        if len(times) == 1:
            await filled.shops.install(SHOP, "APP2", "newer", saleor_version="3.22.1", jwks="{}")
        return statements

    monkeypatch.setattr(secrets_of, "_sealed_anew", meanwhile)
    assert await rotating.rotate_secrets() == 6
    assert (await rotating.shops.get(SHOP)).token == "newer"
    assert len(await key_ids(rotating)) == 1
    await rotating.close()


async def test_without_the_previous_key_nothing_starts(filled, database_url):
    with pytest.raises(StoreUnavailable, match="SECRET_KEY"):
        await opened(database_url)


async def test_an_altered_secret_stops_a_rotation_and_changes_nothing(filled, database_url):
    await sql(filled, "update shop set token = token || 'A' where api_url = :shop", shop=SHOP)
    rotating = await opened(database_url, previous=SECRET_KEY)
    with pytest.raises(StoreUnavailable, match="altered"):
        await rotating.rotate_secrets()
    assert len(await key_ids(rotating)) == 1
    await rotating.close()


async def test_every_sealed_column_is_listed(filled):
    """Whatever looks like a sealed secret, in any table, is in SEALED."""
    listed = {(kept.table, kept.column) for kept in secrets_of.SEALED}
    found = set()
    for table in await tables(filled):
        for row in await sql(filled, f"select * from {table}"):  # noqa: S608 - names of the schema
            found |= {(table, name) for name, value in row.items() if str(value).startswith("v1.")}
    assert found == listed


async def tables(store):
    if store._db.dialect == "sqlite":
        rows = await sql(store, "select name from sqlite_master where type = 'table'")
    else:
        rows = await sql(
            store, "select tablename as name from pg_tables where schemaname = 'public'"
        )
    return [row["name"] for row in rows if not row["name"].startswith("sqlite_")]
