"""Shops, their installations, and which merchant account captures what."""

import dataclasses

from rows import ACCOUNT, BINDING, OTHER_SHOP, SHOP, claim, claim_one, receive, rest

from saleor_kustom.capture.parties import Account, Mode
from saleor_kustom.store import StoredKeys

LIVE = Account("live", "M2", "M2_user", "another password")


async def install(store, shop=SHOP, app_id="APP1", token="token 1"):  # noqa: S107
    await store.shops.install(shop, app_id, token, saleor_version="3.22.1", jwks='{"keys": []}')


async def test_a_shop_is_known_by_its_api_url_alone(store):
    await install(store)
    shop = await store.shops.get(SHOP)
    assert (shop.app_id, shop.token, shop.saleor_version, shop.mode) == (
        "APP1", "token 1", "3.22.1", None,
    )  # fmt: skip
    assert await store.shops.get(OTHER_SHOP) is None
    await install(store, OTHER_SHOP, token="token 2")
    assert [shop.api_url for shop in await store.shops.all()] == [OTHER_SHOP, SHOP]


async def test_a_reinstall_replaces_the_token_and_keeps_mode_and_history(store, clock):
    await install(store)
    await store.shops.set_mode(SHOP, Mode.CAPTURE, who="anna")
    clock.now += 100
    await install(store, app_id="APP2", token="token 2")
    shop = await store.shops.get(SHOP)
    assert (shop.app_id, shop.token, shop.mode) == ("APP2", "token 2", Mode.CAPTURE)
    first, second = await store.shops.installations(SHOP)
    assert (first["app_id"], first["ended_at"]) == ("APP1", second["installed_at"])
    assert (second["app_id"], second["ended_at"]) == ("APP2", None)


async def test_an_upgraded_shop_keeps_all_but_its_version(store):
    await install(store)
    before = await store.shops.get(SHOP)
    await install(store, OTHER_SHOP)
    await store.shops.upgraded(SHOP, "3.23.28")
    assert await store.shops.get(SHOP) == dataclasses.replace(before, saleor_version="3.23.28")
    assert (await store.shops.get(OTHER_SHOP)).saleor_version == "3.22.1"
    [line, _] = await store.history.of_shop(SHOP)
    assert (line["what"], line["detail"]) == ("upgraded", {"saleor_version": "3.23.28"})


async def test_a_late_uninstall_of_an_older_installation_removes_nothing(store):
    await install(store)
    await install(store, app_id="APP2")
    assert not await store.shops.uninstall(SHOP, "APP1")
    assert not await store.shops.uninstall(OTHER_SHOP, "APP2")
    assert await store.shops.get(SHOP)


async def test_an_uninstall_forgets_the_token_and_the_keys(store):
    await install(store)
    assert await store.shops.uninstall(SHOP, "APP1")
    assert await store.shops.get(SHOP) is None
    assert await store.shops.keys(SHOP) is None
    assert not await store.shops.uninstall(SHOP, "APP1")


async def test_a_reinstall_wakes_what_waited_for_it_and_what_runs(store):
    for order in ("O1", "O2", "O3"):
        await receive(store, order)
    waits, runs, rests = await claim(store)
    await rest(store, waits, waiting="shop_removed")
    await rest(store, rests, waiting="not_kustom")
    await install(store)
    assert (await claim_one(store)).order_id == "O1"
    await rest(store, runs, waiting="token_refused")  # it had met the old token
    assert (await claim_one(store)).order_id == "O2"


async def test_keys_are_kept_with_their_age(store, clock):
    await install(store)
    assert await store.shops.keys(SHOP) == StoredKeys('{"keys": []}', clock.now)
    clock.now += 50
    await store.shops.keep_keys(SHOP, '{"keys": [1]}')
    assert await store.shops.keys(SHOP) == StoredKeys('{"keys": [1]}', clock.now)


async def test_what_changes_for_a_shop_is_written_down_with_who_did_it(store):
    await install(store)
    await store.shops.set_mode(SHOP, Mode.CAPTURE, who="anna")
    await store.accounts.set(SHOP, "sweden", ACCOUNT, who="bo")
    await store.history.add(SHOP, "noted", {"number": 1})
    lines = [
        (line["what"], line["detail"].get("who")) for line in await store.history.of_shop(SHOP)
    ]
    assert lines == [
        ("noted", None), ("credentials_set", "bo"), ("mode_set", "anna"), ("installed", None),
    ]  # fmt: skip
    assert await store.history.of_shop(OTHER_SHOP) == []


async def test_a_channel_has_its_own_account_or_the_shops_default(store):
    await store.accounts.set(SHOP, "sweden", ACCOUNT)
    assert await store.accounts.get(SHOP, "norway") is None
    await store.accounts.set(SHOP, None, LIVE)
    assert await store.accounts.get(SHOP, "norway") == LIVE
    assert await store.accounts.get(SHOP, "sweden") == ACCOUNT
    assert await store.accounts.get(SHOP, None) == LIVE
    assert await store.accounts.get(OTHER_SHOP, "sweden") is None
    assert await store.accounts.list(SHOP) == [(None, LIVE), ("sweden", ACCOUNT)]


async def test_an_order_keeps_its_account_when_the_channel_moves_and_gets_new_passwords(store):
    await store.accounts.set(SHOP, "sweden", ACCOUNT)
    await store.accounts.set(SHOP, "sweden", LIVE)
    assert await store.accounts.by_binding(SHOP, BINDING) == ACCOUNT
    rotated = dataclasses.replace(ACCOUNT, username="PM1_new", password="new")
    await store.accounts.set(SHOP, "norway", rotated)
    assert await store.accounts.by_binding(SHOP, BINDING) == rotated
    assert await store.accounts.by_binding(OTHER_SHOP, BINDING) is None


async def test_a_paused_account_is_paused_until_it_is_resumed_or_has_new_credentials(store):
    await store.accounts.pause("playground", "PM1", "401")
    await store.accounts.pause("playground", "PM1", "again", api_url=SHOP)
    assert [pause.key for pause in await store.accounts.paused()] == ["playground/PM1"] * 2
    await store.accounts.resume("playground", "PM1", api_url=SHOP)
    assert await store.accounts.paused() == []
    await store.accounts.pause("playground", "PM1", "401", api_url=SHOP)
    await store.accounts.set(SHOP, None, ACCOUNT)
    assert await store.accounts.paused() == []


async def test_a_second_pause_leaves_the_first_as_it_is(store, clock):
    await store.accounts.pause("playground", "PM1", "first")
    clock.now += 10
    await store.accounts.pause("playground", "PM1", "second")
    [pause] = await store.accounts.paused()
    assert (pause.why, pause.at) == ("first", clock.now - 10)


async def test_one_shops_refused_credentials_do_not_stop_another_shop(store):
    await receive(store, "O1")
    await receive(store, "O2", shop=OTHER_SHOP)
    for number, capture in enumerate(await claim(store)):
        binding = dataclasses.replace(BINDING, kustom_order_id=str(number))
        await store.captures.bind(capture, binding, "test")
        await rest(store, capture, due_in_s=0.0)
    await store.accounts.pause("playground", "PM1", "401", api_url=OTHER_SHOP)
    assert (await claim_one(store)).api_url == SHOP
