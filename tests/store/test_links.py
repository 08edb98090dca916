"""Links: what was asked for is kept once, done by one, and no Kustom order has two owners."""

import asyncio

import pytest
from rows import BINDING, LEASE_S, OTHER_SHOP, SHOP, claim_one, receive, sql

from saleor_kustom.capture.linking import How, LinkState
from saleor_kustom.capture.parties import Account, Mode
from saleor_kustom.capture.plan import Binding
from saleor_kustom.store import LeaseLost

KUSTOM = BINDING.kustom_order_id
ANOTHER = "99999999-2222-3333-4444-555555555555"
SETTLED_S = 30.0


async def ask(store, order="O1", kustom=KUSTOM, *, shop=SHOP, **more):
    return await store.links.ask(shop, order, kustom, **{"how": How.COMMAND, "who": "anna"} | more)


async def claim(store, worker="worker", limit=10):
    return await store.links.claim(worker, limit, LEASE_S)


async def bind(store, link, binding=BINDING, **more):
    return await store.links.bind(
        link, binding,
        **{"order_id": link.order_id, "order_number": "7", "checkout_id": None,
           "takes_over": False, "lease_s": LEASE_S} | more,
    )  # fmt: skip


async def bound(store, order="O1", binding=BINDING, **more):
    await ask(store, order, binding.kustom_order_id)
    [link] = await claim(store)
    return await bind(store, link, binding, **more)


# ---- asked


async def test_what_was_asked_is_due_and_claimed_once(store):
    asked = await ask(store)
    assert (asked.state, asked.how, asked.who, asked.open) == ("asked", How.COMMAND, "anna", True)
    [link] = await claim(store)
    assert (link.id, link.attempts) == (asked.id, 1)
    assert await claim(store, "another") == []


async def test_asking_the_same_again_is_the_same_row_due_again(store):
    first = await ask(store)
    [link] = await claim(store)
    await store.links.save(link, keep=False, due_in_s=3600.0, code="kustom_away", failures=3)
    again = await ask(store, who="bo")
    assert (again.id, again.who, again.code, again.failures) == (first.id, "bo", None, 0)
    assert len(await claim(store)) == 1


async def test_asking_the_same_while_it_runs_leaves_the_run_alone(store):
    await ask(store)
    [link] = await claim(store)
    again = await ask(store)
    assert (again.worker, again.attempts, again.due_at) == ("worker", 1, link.due_at)
    await store.links.save(link, keep=True, code="x")


async def test_the_right_id_replaces_the_wrong_even_under_a_run(store):
    await ask(store, kustom=ANOTHER)
    [wrong] = await claim(store)
    right = await ask(store)
    assert right.kustom_order_id == KUSTOM
    assert await bind(store, wrong, Binding("playground", "PM1", ANOTHER)) is None
    assert await store.captures.binding(SHOP, "O1") is None
    with pytest.raises(LeaseLost):
        await store.links.save(wrong, keep=True, code="x")
    [link] = await claim(store)
    assert (await bind(store, link)).state is LinkState.BOUND


async def test_what_was_created_for_the_wrong_id_is_not_waited_for_by_the_right_one(store):
    await ask(store, kustom=ANOTHER)
    [link] = await claim(store)
    await store.links.save(link, keep=False, creating_at=1.0)
    assert (await ask(store, kustom=ANOTHER)).creating_at == 1.0
    assert (await ask(store)).creating_at is None


@pytest.mark.parametrize("state", ["bound", "linked"])
async def test_what_is_bound_is_not_asked_for_another(store, state):
    link = await bound(store)
    await store.links.save(link, keep=False, due_in_s=0.0, state=state)
    again = await ask(store, kustom=ANOTHER)
    assert (again.kustom_order_id, again.state) == (KUSTOM, state)
    assert (await store.captures.binding(SHOP, "O1")) == BINDING


async def test_what_is_bound_goes_on_when_it_is_asked_for_again(store):
    link = await bound(store)
    await store.links.save(link, keep=False, due_in_s=None, code="refused_by_saleor")
    assert (await ask(store)).state is LinkState.BOUND
    assert len(await claim(store)) == 1


async def test_what_is_linked_stays_as_it_is(store):
    link = await bound(store)
    done = await store.links.save(link, keep=False, state=LinkState.LINKED, transaction_id="T1")
    again = await ask(store, who="bo")
    assert (again, again.open) == (done, False)


async def test_a_refused_one_begins_anew(store):
    await ask(store, kustom=ANOTHER)
    [link] = await claim(store)
    await store.links.save(link, keep=False, state="refused", code="does_not_fit", detail={"a": 1})
    again = await ask(store)
    assert (again.state, again.code, dict(again.detail)) == ("asked", None, {})


async def test_shops_have_links_of_their_own(store):
    await ask(store)
    await ask(store, shop=OTHER_SHOP)
    assert len(await claim(store)) == 2
    assert await store.links.get(OTHER_SHOP, "O2") is None
    [only] = await store.links.list(OTHER_SHOP, linked=True, limit=10)
    assert only.api_url == OTHER_SHOP


async def test_the_list_shows_what_is_not_done_newest_first(store):
    link = await bound(store)
    await store.links.save(link, keep=False, state="linked")
    await ask(store, "O2")
    await ask(store, "O3")
    shown = await store.links.list(SHOP, linked=False, limit=10)
    assert [one.order_id for one in shown] == ["O3", "O2"]
    assert len(await store.links.list(SHOP, linked=True, limit=2)) == 2


# ---- leases


async def test_a_dead_run_is_taken_over_when_its_lease_ends(store, clock):
    await ask(store)
    [dead] = await claim(store, "dead")
    clock.now += LEASE_S
    [alive] = await claim(store, "alive")
    assert alive.attempts == 2
    for late in (store.links.renew(dead, LEASE_S), store.links.save(dead, keep=True, code="x")):
        with pytest.raises(LeaseLost):
            await late
    assert await bind(store, dead) is None


async def test_a_renewed_lease_lasts(store, clock):
    await ask(store)
    [link] = await claim(store)
    clock.now += LEASE_S - 1
    await store.links.renew(link, LEASE_S)
    clock.now += LEASE_S - 1
    assert await claim(store, "another") == []


async def test_one_can_be_claimed_before_it_is_due_but_not_while_it_runs(store):
    asked = await ask(store, due_in_s=600.0)
    assert await claim(store) == []
    mine = await store.links.claim_one(asked, "me", LEASE_S)
    assert mine.attempts == 1
    assert await store.links.claim_one(asked, "you", LEASE_S) is None
    done = await store.links.save(mine, keep=False, state="refused")
    assert await store.links.claim_one(done, "you", LEASE_S) is None


async def test_what_ran_is_handed_back(store):
    await ask(store)
    await claim(store)
    assert await store.links.release_all("another") == 0
    assert await store.links.release_all("worker") == 1
    assert len(await claim(store)) == 1


async def test_a_start_frees_what_died_with_the_only_process(store):
    await ask(store)
    await claim(store)
    freed = await store.links.start()
    assert freed == (1 if store._db.dialect == "sqlite" else 0)


async def test_a_run_may_not_write_what_the_queue_keeps(store):
    await ask(store)
    [link] = await claim(store)
    with pytest.raises(ValueError, match="worker"):
        await store.links.save(link, keep=True, worker="me")


async def test_a_note_stands_in_the_shops_history_only_if_the_lease_was_ours(store, clock):
    await ask(store)
    [dead] = await claim(store, "dead")
    clock.now += LEASE_S
    [alive] = await claim(store, "alive")
    with pytest.raises(LeaseLost):
        await store.links.save(dead, keep=True, note="linked")
    await store.links.save(alive, keep=False, note="linked", transaction_id="T1")
    [line] = await store.history.of_shop(SHOP)
    assert (line["what"], line["detail"]) == (
        "linked",
        {"order": "O1", "kustom_order": KUSTOM, "who": "anna", "how": "command",
         "transaction_id": "T1"},
    )  # fmt: skip


# ---- bound


async def test_binding_wakes_the_orders_captures_on_the_kustom_orders_line(store, clock):
    await receive(store)
    await store.captures.save(await claim_one(store), what="waits", keep=False)
    assert [c.due_at for c in await store.captures.of_order(SHOP, "O1")] == [None]
    link = await bound(store)
    assert (link.state, link.order_number) == (LinkState.BOUND, "7")
    [capture] = await store.captures.of_order(SHOP, "O1")
    assert (capture.due_at, capture.line, capture.account) == (
        clock.now, BINDING.line, "playground/PM1",
    )  # fmt: skip


async def test_a_kustom_order_is_bound_once_and_an_order_too(store):
    await bound(store)
    await ask(store, "O2")
    [second] = await claim(store)
    assert await bind(store, second) is None
    assert [h.order_id for h in await store.links.holders(SHOP, "O2", BINDING)] == ["O1"]
    await sql(store, "delete from link where order_id = 'O1'")
    await ask(store, "O1", ANOTHER)
    [third] = await claim(store)
    another = Binding("playground", "PM1", ANOTHER)
    assert await bind(store, third, another) is None
    assert await store.captures.binding(SHOP, "O1") == BINDING


async def test_binding_again_what_is_bound_so_goes_on(store):
    await receive(store)
    await store.captures.bind(await claim_one(store), BINDING, "metadata")
    assert (await bound(store)).state is LinkState.BOUND


async def test_of_many_that_bind_at_once_one_does(store):
    for n in range(8):
        await ask(store, f"O{n}")
    links = await claim(store)
    done = await asyncio.gather(*(bind(store, link) for link in links))
    assert sum(1 for link in done if link) == 1
    assert len(await store.links.holders(SHOP, "none", BINDING)) == 1


# ---- reserved for what a storefront was answered


async def reserve(store, source="C1", binding=BINDING, transaction="T1", *, checkout=True):
    holders = await store.links.reserve(
        SHOP, source, binding, transaction, is_checkout=checkout, settled_s=SETTLED_S
    )
    return [(h.order_id, h.binding.kustom_order_id, h.transaction_id) for h in holders]


async def test_a_checkout_has_its_kustom_order_alone(store):
    assert await reserve(store) == [("C1", KUSTOM, "T1")]
    assert await reserve(store, "C2", transaction="T2") == [("C1", KUSTOM, "T1")]
    assert await reserve(store, "O1", transaction="T3", checkout=False) == [("C1", KUSTOM, "T1")]


async def test_the_same_transaction_gets_the_same_answer(store):
    assert await reserve(store) == await reserve(store) == [("C1", KUSTOM, "T1")]


async def test_another_transaction_of_the_checkout_waits_until_the_first_is_settled(store, clock):
    await reserve(store)
    assert await reserve(store, transaction="T2") == [("C1", KUSTOM, "T1")]
    clock.now += SETTLED_S
    assert await reserve(store, transaction="T2") == [("C1", KUSTOM, "T2")]


async def test_a_checkout_may_be_paid_with_another_kustom_order_later(store, clock):
    another = Binding("playground", "PM1", ANOTHER)
    await reserve(store)
    assert await reserve(store, binding=another, transaction="T2") == [("C1", KUSTOM, "T1")]
    clock.now += SETTLED_S
    assert await reserve(store, binding=another, transaction="T2") == [("C1", ANOTHER, "T2")]
    assert await reserve(store, "C2", transaction="T3") == [("C2", KUSTOM, "T3")]


async def test_not_with_one_that_another_has(store, clock):
    another = Binding("playground", "PM1", ANOTHER)
    await reserve(store)
    await reserve(store, "C2", another, "T2")
    clock.now += SETTLED_S
    found = await reserve(store, binding=another, transaction="T3")
    assert sorted(found) == [("C1", KUSTOM, "T1"), ("C2", ANOTHER, "T2")]


async def test_an_order_is_bound_for_good_by_its_session(store, clock):
    assert await reserve(store, "O1", checkout=False) == [("O1", KUSTOM, "T1")]
    clock.now += SETTLED_S
    another = Binding("playground", "PM1", ANOTHER)
    assert await reserve(store, "O1", another, "T2", checkout=False) == [("O1", KUSTOM, "T1")]
    assert await store.captures.binding(SHOP, "O1") == BINDING


async def test_an_order_that_was_bound_by_its_metadata_gets_its_transaction(store):
    await receive(store)
    await store.captures.bind(await claim_one(store), BINDING, "metadata")
    assert await reserve(store, "O1", checkout=False) == [("O1", KUSTOM, "T1")]


async def test_the_order_takes_over_what_its_own_checkout_was_answered_for(store):
    await reserve(store)
    await receive(store, "O1")
    await receive(store, "O2")
    by_order = {c.order_id: c for c in await store.captures.claim("w", 9, LEASE_S)}
    bind_ = store.captures.bind
    assert not await bind_(by_order["O2"], BINDING, "transaction", checkout_id="C2")
    assert not await bind_(by_order["O2"], BINDING, "transaction")
    assert await bind_(by_order["O1"], BINDING, "transaction", checkout_id="C1")
    assert [h.order_id for h in await store.links.holders(SHOP, "C1", BINDING)] == ["O1"]
    [link] = await claim(store)  # what is left to do for it
    assert (link.order_id, link.state, link.how) == ("O1", LinkState.BOUND, How.SESSION)
    assert link.transaction_id == "T1"


async def test_an_order_bound_otherwise_takes_nothing_over(store):
    await reserve(store)
    await receive(store)
    capture = await claim_one(store)
    another = Binding("playground", "PM1", ANOTHER)
    assert await store.captures.bind(capture, another, "metadata")
    assert await claim(store) == []
    assert not await store.captures.bind(capture, BINDING, "transaction", checkout_id="C1")
    holders = await store.links.holders(SHOP, "none", BINDING)
    assert [h.order_id for h in holders] == ["C1"]


async def test_only_who_may_takes_a_kustom_order_from_a_checkout(store):
    await reserve(store)
    await ask(store)
    [link] = await claim(store)
    assert await bind(store, link, checkout_id="C2") is None
    assert (await bind(store, link, takes_over=True)).state is LinkState.BOUND


async def test_not_even_a_person_takes_it_from_an_order(store):
    await bound(store, "O2")
    await ask(store)
    [link] = await claim(store)
    assert await bind(store, link, takes_over=True) is None


async def test_a_lost_lease_takes_nothing_over(store, clock):
    await reserve(store)
    await ask(store)
    [dead] = await claim(store, "dead")
    clock.now += LEASE_S
    await claim(store, "alive")
    assert await bind(store, dead, takes_over=True) is None
    assert [h.order_id for h in await store.links.holders(SHOP, "O1", BINDING)] == ["C1"]


# ---- woken


async def waits(store, code):
    await ask(store)
    [link] = await claim(store)
    await store.links.save(link, keep=False, due_in_s=None, code=code, state="bound")


async def test_a_shop_that_writes_again_wakes_its_links(store):
    await waits(store, "observe")
    await store.shops.set_mode(OTHER_SHOP, Mode.CAPTURE)
    assert await claim(store) == []
    await store.shops.set_mode(SHOP, Mode.CAPTURE)
    assert len(await claim(store)) == 1


async def test_new_credentials_and_such_that_tested_well_wake_links(store):
    await waits(store, "unauthorized")
    await store.accounts.set(SHOP, None, Account("playground", "PM1", "u", "p"))
    [link] = await claim(store)
    await store.links.save(link, keep=False, due_in_s=900.0, code="paused")
    await store.accounts.resume("playground", "PM1", api_url=SHOP)
    assert len(await claim(store)) == 1


async def test_what_waits_for_a_person_is_not_woken(store):
    await waits(store, "refused_by_saleor")
    await store.shops.set_mode(SHOP, Mode.CAPTURE)
    assert await claim(store) == []


# ---- tokens


async def test_a_token_is_its_shops_alone_and_is_not_in_the_database(store):
    token = await store.link_tokens.make(SHOP, who="anna")
    other = await store.link_tokens.make(OTHER_SHOP)
    assert await store.link_tokens.accepts(SHOP, token)
    for shop, given in ((SHOP, other), (OTHER_SHOP, token), ("unknown", token), (SHOP, "")):
        assert not await store.link_tokens.accepts(shop, given)
    [kept] = await sql(store, "select * from link_token where api_url = :a", a=SHOP)
    assert token not in str(kept)
    [line] = await store.history.of_shop(SHOP)
    assert line["what"] == "link_token_made"
    assert token not in str(line)


async def test_what_a_token_is_compared_with_where_there_is_none_opens_nothing(store):
    assert not await store.link_tokens.accepts("unknown", "no shop")
    await store.link_tokens.make(SHOP)
    assert not await store.link_tokens.accepts(SHOP, "no shop")


async def test_a_new_token_voids_the_old_one_at_once_or_later(store, clock):
    first = await store.link_tokens.make(SHOP)
    second = await store.link_tokens.make(SHOP)
    assert not await store.link_tokens.accepts(SHOP, first)
    third = await store.link_tokens.make(SHOP, overlap_s=60.0)
    assert await store.link_tokens.accepts(SHOP, second)
    clock.now += 60
    assert not await store.link_tokens.accepts(SHOP, second)
    assert await store.link_tokens.accepts(SHOP, third)


async def test_a_revoked_token_is_void(store):
    token = await store.link_tokens.make(SHOP)
    assert await store.link_tokens.revoke(SHOP)
    assert not await store.link_tokens.accepts(SHOP, token)
    assert not await store.link_tokens.revoke(SHOP)
