"""Linking: an order gets the Kustom order that somebody names, if it fits; both sides know once."""

import asyncio
import uuid

import pytest

from saleor_kustom.capture.linking import How, LinkState
from saleor_kustom.capture.parties import Account, Mode
from saleor_kustom.sandbox.world import MERCHANT
from tests.walks.conftest import MUGS

ANOTHER = "99999999-2222-4333-8444-555555555555"
UNKNOWN = "11111111-2222-4333-8444-555555555555"


def placed(world, *, there=True, amount=349_00, kustom_id=None, **more):
    """Place an order that nothing in Saleor connects with its Kustom order."""
    order = world.saleor.add_order([MUGS], **more)
    made = None
    if there:
        made = world.kustom.add_order(kustom_id or str(uuid.uuid4()), amount)
    return order, made


async def link(world, order, kustom_id, *, how=How.COMMAND, **more):
    shop = await world.app.store.shops.get(world.saleor.api_url)
    order_id = order if isinstance(order, str) else order["id"]
    return await world.app.linker.now(shop, order_id, kustom_id, how=how, who="anna", **more)


def calls(world, name):
    return [r for r in world.saleor.requests if name in r["query"]]


# ---- what a link does


@pytest.mark.parametrize("how", [How.COMMAND, How.API])
async def test_the_order_is_bound_and_both_sides_know(world, how):
    order, there = placed(world)
    done = await link(world, order, there.order_id, how=how)
    assert (done.state, done.code, done.open) == (LinkState.LINKED, None, False)
    [transaction] = order["transactions"]
    assert done.transaction_id == transaction["id"]
    assert transaction["pspReference"] == there.order_id
    assert transaction["createdBy"]["identifier"] == "saleor-kustom"
    assert transaction["authorizedAmount"]["amount"] == 349.0
    assert transaction["externalUrl"].endswith(f"/{there.order_id}?merchantId=PM1")
    assert order["authorizeStatus"] == "FULL"
    assert there.merchant_reference1 == order["number"]


async def test_four_requests_and_no_more(world):
    order, there = placed(world)
    world.saleor.requests.clear()
    world.kustom.requests.clear()
    await link(world, order, there.order_id)
    assert len(world.saleor.requests) == 2
    assert [method for method, _ in world.kustom.requests] == ["GET", "PATCH"]


async def test_the_id_may_be_spelt_in_capitals(world):
    order, there = placed(world)
    done = await link(world, order, f" {there.order_id.upper()} ")
    assert (done.state, done.kustom_order_id) == (LinkState.LINKED, there.order_id)


async def test_asking_again_changes_nothing(world):
    order, there = placed(world)
    first = await link(world, order, there.order_id)
    world.saleor.requests.clear()
    assert await link(world, order, there.order_id) == first
    assert world.saleor.requests == []
    assert len(order["transactions"]) == 1


@pytest.mark.parametrize("owner", ["app", "other", "staff", "nobody"])
async def test_a_transaction_that_stands_is_not_made_again(world, owner):
    order, there = placed(world)
    world.saleor.add_transaction(order, there.order_id.upper(), owner=owner)
    done = await link(world, order, there.order_id)
    [transaction] = order["transactions"]
    assert (done.state, done.transaction_id) == (LinkState.LINKED, transaction["id"])


async def test_what_other_payments_authorize_in_full_is_not_authorized_twice(world):
    order, there = placed(world)
    world.saleor.add_transaction(order, "K4MADNY", owner="other")
    done = await link(world, order, there.order_id)
    assert (done.state, done.transaction_id) == (LinkState.LINKED, None)
    assert len(order["transactions"]) == 1


async def test_the_rest_beside_another_payment_is_authorized(world):
    order, there = placed(world, amount=300_00)
    world.saleor.add_transaction(order, "voucher", owner="other", amount="49.00")
    await link(world, order, there.order_id)
    assert [t["authorizedAmount"]["amount"] for t in order["transactions"]] == [49.0, 300.0]


async def test_a_gift_card_is_no_payment_beside(world):
    order, there = placed(world, amount=300_00, gift_card="49.00")
    done = await link(world, order, there.order_id)
    assert done.state is LinkState.LINKED
    assert order["transactions"][-1]["authorizedAmount"]["amount"] == 300.0


async def test_what_is_authorized_is_what_kustom_has_captured_and_still_holds(world):
    order, there = placed(world)
    world.kustom.ledger.capture(there, {"captured_amount": 100_00, "reference": "by hand"})
    await link(world, order, there.order_id)
    assert order["transactions"][0]["authorizedAmount"]["amount"] == 349.0


# ---- merchant references


@pytest.mark.parametrize(
    ("chosen", "before", "after"),
    [
        ("if_empty", "", "1"),
        ("if_empty", "#1", "#1"),
        ("overwrite", "#1", "1"),
        ("overwrite", "", "1"),
        ("never", "", ""),
    ],
)
async def test_the_merchant_chooses_what_becomes_of_the_reference(world, chosen, before, after):
    choice = {"merchant_references": chosen}
    await world.app.store.policies.set(world.saleor.api_url, "se", choice, who="anna")
    order, there = placed(world)
    there.merchant_reference1 = before
    assert (await link(world, order, there.order_id)).state is LinkState.LINKED
    assert there.merchant_reference1 == after
    assert there.merchant_reference2 == ""


async def test_a_reference_that_kustom_refuses_keeps_nobody_from_being_paid(world):
    order, there = placed(world)
    fulfilled = world.saleor.fulfill(order["id"])
    world.kustom.ledger.refer = refusing  # cancelled between the look and the call, say
    done = await link(world, order, there.order_id)
    assert done.state is LinkState.LINKED
    assert "NOT_ALLOWED" in done.detail["references"]
    await world.settle()
    assert [c.amount for c in there.captures] == [349_00]
    assert fulfilled["status"] == "FULFILLED"


def refusing(*_args):
    from saleor_kustom.sandbox.kustom_rules import Refusal

    raise Refusal(403, "NOT_ALLOWED", "No.")


# ---- what waits for it


async def test_what_waits_for_its_kustom_order_is_captured_at_once(world, rows):
    order, there = placed(world)
    world.saleor.fulfill(order["id"])
    await world.settle()
    [row] = await rows(order)
    assert row.waiting == "kustom_order_unknown"
    await link(world, order, there.order_id)
    await world.settle()
    assert [c.amount for c in there.captures] == [349_00]
    [transaction] = order["transactions"]
    assert [e["type"] for e in transaction["events"]] == ["CHARGE_SUCCESS"]
    assert order["chargeStatus"] == "FULL"


async def test_what_is_held_because_nothing_links_it_goes_on(world, rows, later):
    order, there = placed(world)
    world.saleor.fulfill(order["id"])
    await later(100_000, 3600.0)
    [row] = await rows(order)
    assert row.held == "not_linked"
    await link(world, order, there.order_id)
    await world.settle()
    assert [str(row.state) for row in await rows(order)] == ["reported"]


@pytest.mark.parametrize("private", [True, False])
async def test_the_right_id_replaces_a_wrong_one_in_the_metadata(world, rows, private):
    order, there = placed(world)
    world.saleor.update_metadata(order["id"], {"kustom_order_id": UNKNOWN}, private=private)
    world.saleor.fulfill(order["id"])
    await world.settle()
    [row] = await rows(order)
    assert row.held == "link_refused"
    await link(world, order, there.order_id)
    await world.settle()
    [row] = await rows(order)
    assert (row.state, row.held) == ("reported", None)
    assert [c.amount for c in there.captures] == [349_00]


async def test_a_replacement_order_is_linked_by_a_person(world, rows):
    order, there = placed(world, origin="REISSUE")
    world.saleor.fulfill(order["id"])
    await world.settle()
    [row] = await rows(order)
    assert (row.state, row.waiting) == ("nothing", "replacement")
    await link(world, order, there.order_id)
    await world.settle()
    [row] = await rows(order)
    assert row.state == "reported"
    assert [c.amount for c in there.captures] == [349_00]


async def test_an_order_taken_for_another_providers_is_linked(world, rows):
    order, there = placed(world)
    world.saleor.add_transaction(order, UNKNOWN, owner="other", amount="0.00")
    world.saleor.fulfill(order["id"])
    await world.settle()
    [row] = await rows(order)
    assert (row.state, row.waiting) == ("nothing", "not_kustom")
    await link(world, order, there.order_id)
    await world.settle()
    assert [c.amount for c in there.captures] == [349_00]


async def test_what_was_captured_before_the_link_is_reported_on_the_new_transaction(world, rows):
    order, there = placed(world)
    world.saleor.update_metadata(order["id"], {"kustom_order_id": there.order_id})
    world.saleor.fulfill(order["id"], {order["lines"][0]["id"]: 1})
    await world.settle()
    [row] = await rows(order)
    assert row.report_problem == "no_transaction"
    done = await link(world, order, there.order_id)
    await world.settle()
    [row] = await rows(order)
    assert (done.state, row.report_problem) == (LinkState.LINKED, None)
    [transaction] = order["transactions"]
    assert [e["pspReference"] for e in transaction["events"]] == [row.capture_id]
    assert transaction["authorizedAmount"]["amount"] == 200.0
    assert transaction["chargedAmount"]["amount"] == 149.0


async def test_on_a_foreign_transaction_that_came_later_nothing_is_reported_and_it_is_said(
    world, rows
):
    order, there = placed(world)
    world.saleor.update_metadata(order["id"], {"kustom_order_id": there.order_id})
    world.saleor.fulfill(order["id"])
    await world.settle()
    world.saleor.add_transaction(order, there.order_id, owner="other")
    await link(world, order, there.order_id)
    await world.settle()
    [row] = await rows(order)
    assert row.report_problem == "foreign_transaction"


# ---- what is refused


async def refused(world, order, kustom_id, **more):
    done = await link(world, order, kustom_id, **more)
    assert (done.state, done.open) == (LinkState.REFUSED, False)
    return done.code, done.detail["message"]


async def test_an_order_that_saleor_does_not_know(world):
    _, there = placed(world)
    code, message = await refused(world, "T3JkZXI6MTIz", there.order_id)
    assert (code, message) == ("order_unknown", "Saleor knows no order T3JkZXI6MTIz.")


async def test_a_kustom_order_that_is_not_there_or_is_a_foreign_merchants(world):
    order, _ = placed(world)
    foreign = world.kustom.add_order(ANOTHER, 349_00, merchant_id="PM2")
    for kustom_id in (UNKNOWN, foreign.order_id):
        code, message = await refused(world, order, kustom_id)
        assert code == "kustom_order_unknown"
        assert kustom_id in message
        assert "the merchant PM1 (playground)" in message
    assert order["transactions"] == []


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"currency": "EUR"}, "it is in EUR, the order in SEK"),
        ({"amount": 348_99}, "it was placed over 348.99 SEK, the order asks for 349.00 SEK"),
        ({"merchant_reference1": "4711"}, "it names another order, 4711"),
        ({"cancelled": True}, "it is CANCELLED"),
    ],
)
async def test_one_that_does_not_fit_is_refused_with_both_values(world, more, why):
    order, _ = placed(world)
    values = {"amount": 349_00, "currency": "SEK"} | more
    there = world.kustom.add_order(ANOTHER, **values)
    before = there.merchant_reference1
    code, message = await refused(world, order, there.order_id)
    assert code == "does_not_fit"
    assert message == f"The Kustom order {ANOTHER} does not fit this order: {why}."
    assert order["transactions"] == []
    assert there.merchant_reference1 == before
    assert await world.app.store.captures.binding(world.saleor.api_url, order["id"]) is None


async def test_a_kustom_order_that_another_order_has(world):
    first, there = placed(world)
    await link(world, first, there.order_id)
    there.merchant_reference1 = ""
    second, _ = placed(world)
    code, message = await refused(world, second, there.order_id)
    assert code == "kustom_order_bound"
    assert there.order_id in message
    assert first["id"] in message


async def test_an_order_that_has_another_kustom_order_is_refused_with_both_ids(world, rows):
    order, there = placed(world)
    world.saleor.update_metadata(order["id"], {"kustom_order_id": there.order_id})
    world.saleor.fulfill(order["id"])
    await world.settle()
    other = world.kustom.add_order(ANOTHER, 349_00)
    code, message = await refused(world, order, other.order_id)
    assert code == "order_bound"
    assert there.order_id in message
    assert ANOTHER in message


async def test_a_linked_order_stays_linked_whatever_else_is_asked(world):
    order, there = placed(world)
    done = await link(world, order, there.order_id)
    assert await link(world, order, ANOTHER) == done


async def test_without_credentials_it_is_said_which_channel_lacks_them(world):
    await world.app.store._db(("delete from channel_account", {}))
    order, there = placed(world)
    code, message = await refused(world, order, there.order_id)
    assert code == "no_credentials"
    assert "the channel se" in message


async def test_a_refused_order_can_be_linked_right(world):
    order, there = placed(world)
    await refused(world, order, UNKNOWN)
    assert (await link(world, order, there.order_id)).state is LinkState.LINKED


async def test_an_order_of_another_shop_is_not_found_with_this_shops_token(world):
    # Every read is made at the shop's own Saleor, with its own token.
    from saleor_kustom.sandbox.saleor import SimulatedSaleor

    elsewhere = SimulatedSaleor("http://other.test/graphql/").add_order([MUGS])
    _, there = placed(world)
    assert (await refused(world, elsewhere, there.order_id))[0] == "order_unknown"


async def test_a_kustom_order_of_another_shops_order_is_refused_without_telling_which(world):
    _, there = placed(world)
    store = world.app.store
    await store.shops.install(
        "http://other.test/graphql/", "A", "t", saleor_version="3.22.1", jwks="{}"
    )
    await store.links.ask(
        "http://other.test/graphql/", "T3JkZXI6OQ==", there.order_id, how=How.API, who="x"
    )
    [theirs] = await store.links.claim("w", 1, 60.0)
    from saleor_kustom.capture.plan import Binding

    await store.links.bind(
        theirs, Binding("playground", "PM1", there.order_id), order_id="T3JkZXI6OQ==",
        order_number="9", checkout_id=None, takes_over=False, lease_s=60.0,
    )  # fmt: skip
    order, _ = placed(world)
    code, message = await refused(world, order, there.order_id)
    assert code == "kustom_order_bound"
    assert "T3JkZXI6OQ" not in message


# ---- observe, and both sides away


async def test_an_observing_shop_writes_nothing_until_it_is_switched_on(world):
    order, there = placed(world)
    shop = await world.app.store.shops.get(world.saleor.api_url)
    await world.app.store.shops.set_mode(shop.api_url, Mode.OBSERVE)
    waiting = await link(world, order, there.order_id)
    assert (waiting.state, waiting.code, waiting.open) == (LinkState.BOUND, "observe", False)
    assert order["transactions"] == []
    assert there.merchant_reference1 == ""
    await world.app.store.shops.set_mode(shop.api_url, Mode.CAPTURE)
    await world.settle()
    assert len(order["transactions"]) == 1
    assert there.merchant_reference1 == order["number"]


async def test_a_live_account_observes_by_itself(world):
    await world.app.store.accounts.set(
        world.saleor.api_url, None,
        Account("live", "PM1", MERCHANT.username, MERCHANT.password),
    )  # fmt: skip
    order, there = placed(world)
    assert (await link(world, order, there.order_id)).code == "observe"


@pytest.mark.parametrize("fault", ["503", "429", "html 403", "lost request", "500 before"])
async def test_kustom_away_it_is_kept_and_done_later(world, later, fault):
    order, there = placed(world)
    world.kustom.fail_next(fault)
    kept = await link(world, order, there.order_id)
    assert (kept.state, kept.open) == (LinkState.ASKED, True)
    assert kept.code
    await later(4000.0)
    assert len(order["transactions"]) == 1
    done = await world.app.store.links.get(world.saleor.api_url, order["id"])
    assert done.state is LinkState.LINKED


@pytest.mark.parametrize("fault", ["500", "429", "html", "not json"])
async def test_saleor_away_it_is_kept_and_done_later(world, later, fault):
    order, there = placed(world)
    world.saleor.fail_next(fault)
    kept = await link(world, order, there.order_id)
    assert (kept.state, kept.open) == (LinkState.ASKED, True)
    await later(600.0)
    assert len(order["transactions"]) == 1


async def test_refused_credentials_pause_the_account_and_new_ones_go_on(world, later):
    order, there = placed(world)
    world.kustom.fail_next("401")
    kept = await link(world, order, there.order_id)
    assert kept.code == "unauthorized"
    [pause] = await world.app.store.accounts.paused()
    assert pause.key == "playground/PM1"
    second, there2 = placed(world)
    assert (await link(world, second, there2.order_id)).code == "paused"
    await world.app.store.accounts.resume(
        "playground", "PM1", api_url=world.saleor.api_url
    )  # fmt: skip
    await world.settle()
    assert len(order["transactions"]) == len(second["transactions"]) == 1


# ---- the transaction whose answer is lost


def fail_creating(world, fault, times=1):
    """Let the answers to the next transactionCreate go wrong; other requests are answered."""
    original = world.saleor._api.answer
    left = [times]

    async def answer(body, app):
        if "transactionCreate" in body.get("query", "") and left[0]:
            left[0] -= 1
            if fault == "lost answer":
                await original(body, app)
            raise FailingError
        return await original(body, app)

    world.saleor._api.answer = answer


class FailingError(Exception):
    pass


@pytest.fixture
def losing(world, monkeypatch):
    from starlette.responses import Response

    original = world.saleor._graphql

    async def graphql(request):
        try:
            return await original(request)
        except FailingError:
            return Response(status_code=502)

    for route in world.saleor.app.routes:
        if route.path == "/graphql/":
            from starlette.routing import request_response

            route.app = request_response(graphql)


@pytest.mark.parametrize("fault", ["lost answer", "lost request"])
async def test_after_a_lost_answer_it_is_looked_for_and_never_made_twice(
    world, later, losing, fault
):
    order, there = placed(world)
    fail_creating(world, fault)
    kept = await link(world, order, there.order_id)
    assert (kept.state, kept.open) == (LinkState.BOUND, True)
    assert kept.creating_at is not None
    assert len(order["transactions"]) == (1 if fault == "lost answer" else 0)
    await later(300.0, 5.0)
    [transaction] = order["transactions"]
    done = await world.app.store.links.get(world.saleor.api_url, order["id"])
    assert (done.state, done.transaction_id) == (LinkState.LINKED, transaction["id"])
    assert done.creating_at is None


async def test_it_is_not_asked_for_again_before_the_first_request_has_settled(world, clock, losing):
    order, there = placed(world)
    fail_creating(world, "lost request")
    await link(world, order, there.order_id)
    for _ in range(11):  # a minute
        clock.pass_s(5.0)
        await world.settle()
    assert len(calls(world, "transactionCreate")) == 1
    kept = await world.app.store.links.get(world.saleor.api_url, order["id"])
    assert kept.code == "creating"
    clock.pass_s(10.0)
    await world.settle()
    assert len(calls(world, "transactionCreate")) == 2
    assert len(order["transactions"]) == 1


async def test_what_saleor_refuses_waits_for_a_person_and_goes_on_when_asked_again(world):
    order, there = placed(world)
    object.__setattr__(world.app.linker.parts, "portal_url", lambda _b: "no url")
    kept = await link(world, order, there.order_id)
    assert (kept.state, kept.code, kept.open) == (LinkState.BOUND, "refused_by_saleor", False)
    assert "externalUrl" in kept.detail["message"]
    assert kept.creating_at is None
    object.__setattr__(world.app.linker.parts, "portal_url", lambda _b: None)
    assert (await link(world, order, there.order_id)).state is LinkState.LINKED
    assert len(order["transactions"]) == 1


async def test_a_removed_shop_is_left_alone(world):
    order, there = placed(world)
    shop = await world.app.store.shops.get(world.saleor.api_url)
    await world.app.store.links.ask(shop.api_url, order["id"], there.order_id,
                                    how=How.API, who="x")  # fmt: skip
    await world.app.store.shops.uninstall(shop.api_url, shop.app_id)
    world.saleor.requests.clear()
    await world.app.linker.drain()
    kept = await world.app.store.links.get(shop.api_url, order["id"])
    assert (kept.code, kept.open, world.saleor.requests) == ("shop_removed", False, [])


async def test_who_waits_is_not_kept_waiting_and_it_goes_on(world, later):
    order, there = placed(world)
    world.kustom.fail_next("hang")
    kept = await link(world, order, there.order_id, within_s=0.05)
    assert (kept.state, kept.open, kept.worker) == (LinkState.ASKED, True, None)
    world.kustom.heal()
    await world.settle()
    assert len(order["transactions"]) == 1


async def test_of_many_who_ask_at_once_one_links_and_all_are_told(world, database_url, clock):
    from saleor_kustom.sandbox.world import open_world

    order, there = placed(world)
    async with open_world(
        database_url, saleor=world.saleor, kustom=world.kustom, clock=clock
    ) as another:
        asked = [link(w, order, there.order_id) for w in (world, another) for _ in range(3)]
        told = await asyncio.gather(*asked)
    assert {one.state for one in told} == {LinkState.LINKED}
    assert len(order["transactions"]) == 1


async def test_an_order_deleted_after_it_was_bound_waits_for_a_person(world, losing):
    order, there = placed(world)
    fail_creating(world, "lost request")
    await link(world, order, there.order_id)
    del world.saleor.orders[order["id"]]
    again = await link(world, order, there.order_id)
    assert (again.state, again.code, again.open) == (LinkState.BOUND, "order_unknown", False)


async def test_credentials_that_are_gone_hold_a_bound_link_until_they_are_back(world, losing):
    order, there = placed(world)
    fail_creating(world, "lost request")
    await link(world, order, there.order_id)
    await world.app.store._db(("delete from channel_account", {}), ("delete from account", {}))
    assert (await link(world, order, there.order_id)).code == "no_credentials"
