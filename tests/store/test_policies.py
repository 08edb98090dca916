"""Policies as they are stored: merged, with history, and never half of two writers."""

import asyncio

import pytest

from saleor_kustom.capture.policy import GiftCard, Policy, ShippingFee
from saleor_kustom.errors import BadPolicy
from tests.store.rows import OTHER_SHOP, SHOP, claim_one, receive, rest, sql


async def chosen(store, channel="", shop=SHOP, **values):
    return await store.policies.set(shop, channel, values, who="anna")


async def installed(store, shop=SHOP):
    await store.shops.install(shop, "APP1", "token", saleor_version="3.22.0", jwks="{}")


async def test_a_channel_goes_before_its_shop_and_a_shop_before_the_environment(store):
    environment = Policy(gift_card=GiftCard.LAST, extend_authorizations=True)
    await chosen(store, shipping_fee="last", extend_authorizations=False)
    await chosen(store, "se", shipping_fee="proportional")
    se = await store.policies.get(SHOP, "se", environment)
    no = await store.policies.get(SHOP, "no", environment)
    assert se == Policy(shipping_fee=ShippingFee.PROPORTIONAL, gift_card=GiftCard.LAST)
    assert no == Policy(shipping_fee=ShippingFee.LAST, gift_card=GiftCard.LAST)
    assert await store.policies.get(OTHER_SHOP, "se", environment) == environment


async def test_what_is_not_named_stays_and_what_is_unset_is_gone(store):
    await chosen(store, shipping_fee="last")
    assert await chosen(store, gift_card="last") == {"shipping_fee": "last", "gift_card": "last"}
    left = await store.policies.unset(SHOP, "", ["shipping_fee"], who="bo")
    [one] = await store.policies.list(SHOP)
    assert one.document == left == {"gift_card": "last"}
    assert (one.channel, one.who) == ("", "bo")


async def test_a_bad_choice_changes_nothing(store):
    await chosen(store, shipping_fee="last")
    with pytest.raises(BadPolicy):
        await chosen(store, gift_card="last", shipping_fee="never")
    [one] = await store.policies.list(SHOP)
    assert one.document == {"shipping_fee": "last"}


async def test_history_tells_who_changed_what_and_is_silent_when_nothing_changed(store):
    await chosen(store, "se", shipping_fee="last")
    await chosen(store, "se", shipping_fee="last")
    await store.policies.unset(SHOP, "se", ["shipping_fee"], who="bo")
    told = [line["detail"] for line in await store.history.of_shop(SHOP)]
    assert told == [
        {
            "channel": "se",
            "who": "bo",
            "changes": {"shipping_fee": {"before": "last", "after": None}},
        },
        {
            "channel": "se",
            "who": "anna",
            "changes": {"shipping_fee": {"before": None, "after": "last"}},
        },
    ]


async def test_writers_that_meet_lose_nothing_of_each_other(store):
    values = {
        "shipping_fee": "last",
        "gift_card": "last",
        "extend_authorizations": True,
        "kustom_order_id_key": "k",
    }
    await asyncio.gather(*(chosen(store, **{key: value}) for key, value in values.items()))
    [one] = await store.policies.list(SHOP)
    assert one.document == values
    assert len(await store.history.of_shop(SHOP)) == len(values)


async def test_a_shop_comes_with_its_policies_in_one_read(store):
    await installed(store)
    await installed(store, OTHER_SHOP)
    assert (await store.shops.get(SHOP)).policies == {}
    await chosen(store, shipping_fee="last")
    await chosen(store, "se", gift_card="last")
    await chosen(store, "se", shop=OTHER_SHOP, gift_card="proportional")
    expected = {"": {"shipping_fee": "last"}, "se": {"gift_card": "last"}}
    assert (await store.shops.get(SHOP)).policies == expected
    others, own = await store.shops.all()
    assert (own.api_url, own.policies) == (SHOP, expected)
    assert others.policies == {"se": {"gift_card": "proportional"}}


async def test_a_shop_that_installs_again_keeps_its_choices(store):
    await installed(store)
    await chosen(store, shipping_fee="last")
    await store.shops.uninstall(SHOP, "APP1")
    assert await store.shops.get(SHOP) is None
    await installed(store)
    assert (await store.shops.get(SHOP)).policies == {"": {"shipping_fee": "last"}}


async def test_a_currency_that_is_allowed_now_wakes_what_was_held_for_it(store):
    await receive(store)
    held = await claim_one(store)
    await rest(store, held, held="currency_untested")
    await chosen(store, shipping_fee="last")
    [row] = await sql(store, "select due_at from capture")
    assert row["due_at"] is None
    await chosen(store, extra_currencies=["CZK"])
    [row] = await sql(store, "select due_at from capture")
    assert row["due_at"] is not None
