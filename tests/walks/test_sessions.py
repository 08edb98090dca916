"""A storefront pays a checkout or an order with a Kustom order, through Saleor."""

import asyncio
import contextlib
import uuid

import httpx
import pytest

from saleor_kustom.capture.linking import How, LinkState
from saleor_kustom.capture.parties import Account
from saleor_kustom.sandbox.routed import Routed
from saleor_kustom.sandbox.saleor import SimulatedSaleor
from saleor_kustom.sandbox.saleor_transactions import UserError
from saleor_kustom.sandbox.world import APP_URL, open_world
from tests.walks.conftest import MUGS

OURS = "saleor-kustom"
ANOTHER = "99999999-2222-4333-8444-555555555555"
UNKNOWN = "11111111-2222-4333-8444-555555555555"


def filled(world, **more):
    """Fill a checkout that the shopper has paid at Kustom."""
    checkout = world.saleor.add_checkout([MUGS], **more)
    return checkout, world.kustom.add_order(str(uuid.uuid4()), 349_00)


async def pay(world, source, kustom_id, **more):
    """Start a payment as a storefront does; return the transaction, its event, and the data."""
    data = {"kustomOrderId": kustom_id}
    return await world.saleor.initialize_transaction(
        source["id"], OURS, **{"data": data} | more
    )  # fmt: skip


def shown(transaction):
    return transaction["pspReference"], transaction["authorizedAmount"]["amount"]


async def holder(world, kustom_id):
    return await world.app.store.links.holder(world.saleor.api_url, kustom_id)


# ---- a checkout is paid, and becomes an order that ships


async def test_a_checkout_is_authorized_over_what_kustom_authorized(world):
    checkout, there = filled(world)
    transaction, event, data = await pay(world, checkout, there.order_id)
    assert (event["type"], event["amount"]["amount"]) == ("AUTHORIZATION_SUCCESS", 349.0)
    assert shown(transaction) == (there.order_id, 349.0)
    assert transaction["createdBy"]["identifier"] == OURS
    assert transaction["actions"] == ["CANCEL", "CHARGE"]
    assert event["externalUrl"].endswith(f"/{there.order_id}?merchantId=PM1")
    assert data == {"status": "authorized", "message": "Authorized by Kustom."}


@pytest.mark.parametrize("amount", ["0.01", "1000000.00", "0"])
async def test_the_storefronts_amount_counts_for_nothing(world, amount):
    checkout, there = filled(world)
    transaction, _, _ = await pay(world, checkout, there.order_id, amount=amount)
    assert shown(transaction) == (there.order_id, 349.0)


@pytest.mark.parametrize("version", ["3.21.69", "3.22.67", "3.23.28"])
async def test_the_order_that_it_becomes_is_captured_told_and_named(database_url, clock, version):
    saleor = SimulatedSaleor(version=version)
    async with open_world(database_url, saleor=saleor, clock=clock) as world:
        await world.install()
        checkout, there = filled(world)
        await pay(world, checkout, there.order_id)
        order = saleor.complete(checkout["id"])
        assert order["authorizeStatus"] == "FULL"
        saleor.fulfill(order["id"])
        await world.settle()
        assert [c.amount for c in there.captures] == [349_00]
        [transaction] = order["transactions"]
        assert [e["type"] for e in transaction["events"] if e["counts"]] == [
            "AUTHORIZATION_SUCCESS", "CHARGE_SUCCESS",
        ]  # fmt: skip
        assert order["chargeStatus"] == "FULL"
        assert there.merchant_reference1 == order["number"]
        assert (await holder(world, there.order_id)).order_id == order["id"]
        link = await world.app.store.links.get(saleor.api_url, order["id"])
        assert (link.state, link.how, link.transaction_id) == (
            LinkState.LINKED, How.SESSION, transaction["id"],
        )  # fmt: skip


async def test_the_checks_run_again_when_the_order_is_first_planned(world, rows):
    checkout, there = filled(world)
    await pay(world, checkout, there.order_id)
    order = world.saleor.complete(checkout["id"])
    there.merchant_reference1 = "another order"
    world.saleor.fulfill(order["id"])
    await world.settle()
    [row] = await rows(order)
    assert (row.held, there.captures) == ("link_refused", [])


async def test_a_shopper_who_writes_another_id_into_the_metadata_changes_nothing(world):
    checkout, there = filled(world)
    await pay(world, checkout, there.order_id)
    order = world.saleor.complete(checkout["id"])
    victim = world.kustom.add_order(ANOTHER, 349_00)
    world.saleor.update_metadata(order["id"], {"kustom_order_id": victim.order_id})
    world.saleor.fulfill(order["id"])
    await world.settle()
    assert [c.amount for c in there.captures] == [349_00]
    assert victim.captures == []


async def test_the_data_may_be_json_in_a_text(world):
    checkout, there = filled(world)
    data = f'{{"kustomOrderId": "{there.order_id.upper()}"}}'
    transaction, _, _ = await pay(world, checkout, "", data=data)
    assert shown(transaction) == (there.order_id, 349.0)


async def test_beside_a_gift_card_and_another_payment_the_rest_is_authorized(world):
    checkout = world.saleor.add_checkout([MUGS], gift_card="49.00")
    there = world.kustom.add_order(str(uuid.uuid4()), 200_00)
    other = world.saleor.add_order([MUGS], psp_reference="voucher", owner="other")
    [voucher] = other["transactions"]
    voucher["authorizedAmount"] = {"amount": 100.0, "currency": "SEK"}
    checkout["transactions"].append(voucher)
    transaction, _, _ = await pay(world, checkout, there.order_id)
    assert shown(transaction) == (there.order_id, 200.0)


# ---- refused, in words that tell a shopper nothing about others


async def refused(world, source, kustom_id, **more):
    transaction, event, data = await pay(world, source, kustom_id, **more)
    assert event["type"] == "AUTHORIZATION_FAILURE"
    assert shown(transaction) == ("", 0.0)  # it names no Kustom order
    assert (data["status"], data["message"]) == ("refused", event["message"])
    return data["code"]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"currency": "EUR"}, "CURRENCY"),
        ({"amount": 348_99}, "AMOUNT"),
        ({"amount": 349_01}, "AMOUNT"),
        ({"merchant_reference1": "4711"}, "REFERENCE"),
        ({"cancelled": True}, "STATUS"),
        ({"fraud_status": "REJECTED"}, "REVIEW"),
        ({"fraud_status": "NEW_AT_KUSTOM"}, "REVIEW"),
        ({"merchant_id": "PM2"}, "KUSTOM_ORDER_UNKNOWN"),
    ],
)
async def test_what_does_not_fit_is_refused(world, caplog, more, code):
    checkout = world.saleor.add_checkout([MUGS])
    there = world.kustom.add_order(ANOTHER, **{"amount": 349_00, "currency": "SEK"} | more)
    assert await refused(world, checkout, there.order_id) == code
    assert await holder(world, there.order_id) is None
    event = checkout["transactions"][0]["events"][-1]
    for secret in ("4711", "348.99", "PM1", "playground"):
        assert secret not in event["message"]
    assert ANOTHER in caplog.text


async def test_one_that_kustom_does_not_know(world):
    checkout, _ = filled(world)
    assert await refused(world, checkout, UNKNOWN) == "KUSTOM_ORDER_UNKNOWN"


@pytest.mark.parametrize(
    "data",
    [None, "", "K4MADNY", "[1]", "{", [], 7, {}, {"kustomOrderId": None},
     {"kustomOrderId": "K4MADNY"}, {"kustomOrderId": [ANOTHER]}, {"id": ANOTHER},
     {"kustomOrderId": ANOTHER + "x" * 1000}],
)  # fmt: skip
async def test_data_without_a_kustom_order_says_what_to_send(world, data):
    checkout, _ = filled(world)
    world.kustom.requests.clear()
    assert await refused(world, checkout, "", data=data) == "MALFORMED"
    assert world.kustom.requests == []


async def test_a_channel_without_credentials(world):
    checkout, there = filled(world)
    await world.app.store._db(("delete from channel_account", {}))
    assert await refused(world, checkout, there.order_id) == "NO_CREDENTIALS"


async def test_a_copy_of_the_shop_is_answered_nothing(world):
    """A staging copy signs with the same key and asks about a checkout that only it has."""
    staging = SimulatedSaleor(world.saleor.api_url)
    staging.signer, staging.installed = world.saleor.signer, world.saleor.installed
    staging.reach(Routed({APP_URL: world.app.web}))
    checkout, there = staging.add_checkout([MUGS]), world.kustom.add_order(ANOTHER, 349_00)
    _, event, data = await staging.initialize_transaction(
        checkout["id"], OURS, {"kustomOrderId": there.order_id}
    )
    assert (event["type"], data["code"]) == ("AUTHORIZATION_FAILURE", "SOURCE_UNKNOWN")
    assert await holder(world, there.order_id) is None


# ---- one Kustom order pays one purchase, once


async def test_a_kustom_order_pays_one_checkout(world):
    first, there = filled(world)
    await pay(world, first, there.order_id)
    second, _ = filled(world)
    assert await refused(world, second, there.order_id) == "BELONGS_TO_ANOTHER"


async def test_a_kustom_order_that_an_order_has_pays_no_checkout(world):
    order, there = world.order([MUGS])
    world.saleor.fulfill(order["id"], {order["lines"][0]["id"]: 1})
    await world.settle()
    there.merchant_reference1 = ""
    checkout, _ = filled(world)
    assert await refused(world, checkout, there.order_id) == "BELONGS_TO_ANOTHER"


async def test_a_kustom_order_that_pays_a_checkout_is_no_other_orders(world, rows):
    checkout, there = filled(world)
    await pay(world, checkout, there.order_id)
    order = world.saleor.add_order([MUGS])
    world.saleor.update_metadata(order["id"], {"kustom_order_id": there.order_id})
    world.saleor.fulfill(order["id"])
    await world.settle()
    [row] = await rows(order)
    assert (row.held, there.captures) == ("link_refused", [])


async def test_the_same_request_again_gets_the_same_answer_and_authorizes_once(world):
    checkout, there = filled(world)
    for _ in range(3):
        transaction, event, _ = await pay(
            world, checkout, there.order_id, idempotency_key="once", amount="349.00"
        )  # fmt: skip
        assert event["type"] == "AUTHORIZATION_SUCCESS"
    assert [t["id"] for t in checkout["transactions"]] == [transaction["id"]]
    assert shown(transaction) == (there.order_id, 349.0)
    # Without the amount Saleor takes what is left, which is another request under the same key.
    with pytest.raises(UserError, match="idempotency key already exists"):
        await pay(world, checkout, there.order_id, idempotency_key="once")


async def test_a_review_is_the_request_itself_whose_key_saleor_then_refuses(world):
    checkout, there = filled(world)
    there.fraud_status = "PENDING"
    again = {"idempotency_key": "once", "amount": "349.00"}
    transaction, event, data = await pay(world, checkout, there.order_id, **again)
    assert ([e["type"] for e in transaction["events"]], data["status"]) == (
        ["AUTHORIZATION_REQUEST"],
        "pending",
    )
    assert event["pspReference"] == there.order_id
    with pytest.raises(UserError, match="idempotency key already exists"):
        await pay(world, checkout, there.order_id, **again)


async def test_another_request_for_what_is_authorized_authorizes_nothing_more(world, clock):
    checkout, there = filled(world)
    await pay(world, checkout, there.order_id)
    for _ in range(2):
        assert await refused(world, checkout, there.order_id) == "ALREADY_AUTHORIZED"
        clock.pass_s(3600)
    assert [t["authorizedAmount"]["amount"] for t in checkout["transactions"]] == [349.0, 0.0, 0.0]


async def test_of_many_requests_at_once_one_authorizes(world):
    checkout, there = filled(world)
    done = await asyncio.gather(*(pay(world, checkout, there.order_id) for _ in range(6)))
    types = sorted(event["type"] for _, event, _ in done)
    assert types == ["AUTHORIZATION_FAILURE"] * 5 + ["AUTHORIZATION_SUCCESS"]


async def test_of_many_checkouts_at_once_one_gets_the_kustom_order(world):
    _, there = filled(world)
    checkouts = [world.saleor.add_checkout([MUGS]) for _ in range(6)]
    done = await asyncio.gather(*(pay(world, c, there.order_id) for c in checkouts))
    assert [event["type"] for _, event, _ in done].count("AUTHORIZATION_SUCCESS") == 1


class Losing(httpx.AsyncBaseTransport):
    """Leads to the app; the answer to the next request is lost."""

    def __init__(self, app, times=1):
        self.inner, self.times = Routed({APP_URL: app}), times

    async def handle_async_request(self, request):
        response = await self.inner.handle_async_request(request)
        if self.times:
            self.times -= 1
            raise httpx.ReadTimeout("lost", request=request)
        return response


async def test_after_a_lost_answer_the_next_request_waits_until_the_first_is_over(world, clock):
    checkout, there = filled(world)
    world.saleor.reach(Losing(world.app.web))
    transaction, event, _ = await pay(world, checkout, there.order_id)
    assert (event["type"], shown(transaction)) == ("CHARGE_FAILURE", ("", 0.0))
    assert await refused(world, checkout, there.order_id) == "TRY_AGAIN"
    clock.pass_s(31)
    transaction, event, _ = await pay(world, checkout, there.order_id)
    assert (event["type"], shown(transaction)) == (
        "AUTHORIZATION_SUCCESS", (there.order_id, 349.0),
    )  # fmt: skip
    assert sum(t["authorizedAmount"]["amount"] for t in checkout["transactions"]) == 349.0


async def test_a_checkout_whose_payment_failed_is_paid_with_another_kustom_order(world, clock):
    checkout, there = filled(world)
    world.saleor.reach(Losing(world.app.web))
    await pay(world, checkout, there.order_id)
    second = world.kustom.add_order(ANOTHER, 349_00)
    assert await refused(world, checkout, second.order_id) == "TRY_AGAIN"
    clock.pass_s(31)
    transaction, _, _ = await pay(world, checkout, second.order_id)
    assert shown(transaction) == (ANOTHER, 349.0)
    order = world.saleor.complete(checkout["id"])
    world.saleor.fulfill(order["id"])
    await world.settle()
    assert ([c.amount for c in second.captures], there.captures) == ([349_00], [])


async def test_a_paid_checkout_is_not_paid_twice_with_two_kustom_orders(world, clock):
    checkout, there = filled(world)
    await pay(world, checkout, there.order_id)
    world.kustom.add_order(ANOTHER, 349_00)
    clock.pass_s(31)
    assert await refused(world, checkout, ANOTHER) == "AMOUNT"  # nothing more is to be paid


@pytest.mark.parametrize("fault", ["503", "lost request", "401", "html 403"])
async def test_with_kustom_away_it_is_to_be_tried_again(world, fault):
    checkout, there = filled(world)
    world.kustom.fail_next(fault)
    assert await refused(world, checkout, there.order_id) == "TRY_AGAIN"
    transaction, _, _ = await pay(world, checkout, there.order_id)
    assert shown(transaction) == (there.order_id, 349.0)


async def test_with_saleors_api_away_too(world):
    checkout, there = filled(world)
    world.saleor.fail_next("500")
    assert await refused(world, checkout, there.order_id) == "TRY_AGAIN"


async def test_a_paused_account_is_not_asked(world):
    checkout, there = filled(world)
    await world.app.store.accounts.pause("playground", "PM1", "401")
    world.kustom.requests.clear()
    assert await refused(world, checkout, there.order_id) == "TRY_AGAIN"
    assert world.kustom.requests == []


async def test_a_database_that_does_not_answer_authorizes_nothing(world):
    from saleor_kustom.errors import StoreUnavailable

    async def away(*_args, **_more):
        raise StoreUnavailable("away")

    checkout, there = filled(world)
    world.app.store.links.reserve, reserve = away, world.app.store.links.reserve
    transaction, event, _ = await pay(world, checkout, there.order_id)
    assert (event["type"], shown(transaction)) == ("CHARGE_FAILURE", ("", 0.0))
    world.app.store.links.reserve = reserve


# ---- a person, or a server, links meanwhile


async def link(world, order, kustom_id, how):
    shop = await world.app.store.shops.get(world.saleor.api_url)
    return await world.app.linker.now(shop, order["id"], kustom_id, how=how, who="anna")


async def test_a_person_takes_a_kustom_order_from_a_checkout_and_a_server_does_not(world, rows):
    checkout, there = filled(world)
    await pay(world, checkout, there.order_id)
    order = world.saleor.add_order([MUGS])
    denied = await link(world, order, there.order_id, How.API)
    assert (denied.state, denied.code) == (LinkState.REFUSED, "kustom_order_in_use")
    assert checkout["id"] in denied.detail["message"]
    done = await link(world, order, there.order_id, How.COMMAND)
    assert done.state is LinkState.LINKED
    became = world.saleor.complete(checkout["id"])
    world.saleor.fulfill(became["id"])
    await world.settle()
    [row] = await rows(became)
    assert (row.held, there.captures) == ("link_refused", [])


async def test_a_server_links_the_order_that_its_own_checkout_became(world):
    checkout, there = filled(world)
    await pay(world, checkout, there.order_id)
    order = world.saleor.complete(checkout["id"])
    done = await link(world, order, there.order_id, How.API)
    assert done.state is LinkState.LINKED
    assert len(order["transactions"]) == 1


# ---- an order is paid


async def test_an_order_is_paid_bound_and_captured(world, clock, rows):
    order = world.saleor.add_order([MUGS])
    there = world.kustom.add_order(str(uuid.uuid4()), 349_00)
    world.saleor.fulfill(order["id"])
    await world.settle()
    transaction, event, _ = await pay(world, order, there.order_id)
    assert event["type"] == "AUTHORIZATION_SUCCESS"
    await world.settle()
    assert [str(row.state) for row in await rows(order)] == ["reported"]
    assert there.merchant_reference1 == ""
    clock.pass_s(31)
    await world.settle()
    assert there.merchant_reference1 == order["number"]
    assert [t["id"] for t in order["transactions"]] == [transaction["id"]]


async def test_an_order_whose_answer_was_lost_gets_its_transaction_all_the_same(world, clock):
    order = world.saleor.add_order([MUGS])
    there = world.kustom.add_order(str(uuid.uuid4()), 349_00)
    world.saleor.reach(Losing(world.app.web))
    await pay(world, order, there.order_id)
    clock.pass_s(31)
    await world.settle()
    assert [shown(t) for t in order["transactions"]] == [("", 0.0), (there.order_id, 349.0)]
    assert await refused(world, order, there.order_id) == "ALREADY_AUTHORIZED"


async def test_an_order_that_has_another_kustom_order_keeps_it(world):
    order = world.saleor.add_order([MUGS])
    there = world.kustom.add_order(str(uuid.uuid4()), 349_00)
    world.saleor.update_metadata(order["id"], {"kustom_order_id": there.order_id})
    world.saleor.fulfill(order["id"], {order["lines"][0]["id"]: 1})
    await world.settle()
    world.kustom.add_order(ANOTHER, 349_00)
    assert await refused(world, order, ANOTHER) == "PAID_WITH_ANOTHER"


async def test_an_order_that_is_being_linked_is_not_paid_at_the_same_time(world):
    order = world.saleor.add_order([MUGS])
    there = world.kustom.add_order(str(uuid.uuid4()), 349_00)
    await world.app.store.links.ask(
        world.saleor.api_url, order["id"], there.order_id, how=How.API, who="x"
    )
    assert await refused(world, order, there.order_id) == "TRY_AGAIN"


# ---- Kustom reviews it


async def reviewed(world, later, source, there, became, status):
    there.fraud_status = "PENDING"
    transaction, event, data = await pay(world, source, there.order_id)
    assert (event["type"], data["status"]) == ("AUTHORIZATION_REQUEST", "pending")
    assert transaction["authorizePendingAmount"]["amount"] == 349.0
    assert transaction["authorizedAmount"]["amount"] == 0.0
    became(source)
    await later(1000.0)
    assert transaction["authorizePendingAmount"]["amount"] == 349.0
    there.fraud_status = status
    await later(4000.0)
    assert transaction["authorizePendingAmount"]["amount"] == 0.0
    return transaction


@pytest.mark.parametrize("completed", [True, False])
async def test_a_review_that_ends_well_authorizes(world, later, completed):
    checkout, there = filled(world)
    became = (lambda c: world.saleor.complete(c["id"])) if completed else (lambda _c: None)
    transaction = await reviewed(world, later, checkout, there, became, "ACCEPTED")
    assert shown(transaction) == (there.order_id, 349.0)
    kept = await world.app.store.links.get(world.saleor.api_url, checkout["id"])
    assert (kept.state, kept.under_review, kept.open) == (LinkState.LINKED, False, False)


async def test_a_review_that_ends_badly_fails_it(world, later):
    checkout, there = filled(world)
    transaction = await reviewed(world, later, checkout, there, lambda _c: None, "REJECTED")
    assert transaction["authorizedAmount"]["amount"] == 0.0
    assert transaction["events"][-1]["type"] == "AUTHORIZATION_FAILURE"


async def test_an_orders_review_ends_well_and_its_reference_is_set(world, later):
    order = world.saleor.add_order([MUGS])
    there = world.kustom.add_order(str(uuid.uuid4()), 349_00)
    transaction = await reviewed(world, later, order, there, lambda _o: None, "ACCEPTED")
    assert shown(transaction) == (there.order_id, 349.0)
    assert there.merchant_reference1 == order["number"]
    assert len(order["transactions"]) == 1


async def test_a_checkout_that_is_gone_before_its_review_ends_needs_nobody(world, later):
    checkout, there = filled(world)
    there.fraud_status = "PENDING"
    await pay(world, checkout, there.order_id)
    del world.saleor.checkouts[checkout["id"]]
    there.fraud_status = "ACCEPTED"
    await later(1000.0)
    kept = await world.app.store.links.get(world.saleor.api_url, checkout["id"])
    assert (kept.state, kept.open) == (LinkState.LINKED, False)


async def test_a_review_waits_while_kustom_or_saleor_is_away(world, later):
    checkout, there = filled(world)
    there.fraud_status = "PENDING"
    transaction, _, _ = await pay(world, checkout, there.order_id)
    there.fraud_status = "ACCEPTED"
    world.kustom.fail_next("503", times=2)
    world.saleor.fail_next("500", times=2)
    await later(4000.0)
    assert shown(transaction) == (there.order_id, 349.0)


async def test_a_restored_database_knows_no_holder_and_waits(world, later):
    checkout, there = filled(world)
    there.fraud_status = "PENDING"
    await pay(world, checkout, there.order_id)
    await world.app.store._db(("delete from binding", {}))
    await later(400.0)
    kept = await world.app.store.links.get(world.saleor.api_url, checkout["id"])
    assert (kept.code, kept.open) == ("no_binding", False)


# ---- what a storefront needs to begin


async def test_a_storefront_is_told_where_the_channel_is_paid(world):
    checkout, _ = filled(world)
    begin = world.saleor.initialize_gateway
    assert await begin(checkout["id"], OURS) == ({"ready": True, "environment": "playground"}, None)
    await world.app.store.accounts.set(
        world.saleor.api_url, "se", Account("live", "PM9", "PM9-x", "secret")
    )
    assert (await begin(checkout["id"], OURS))[0] == {"ready": True, "environment": "live"}
    order = world.saleor.add_order([MUGS])
    assert (await begin(order["id"], OURS))[0]["environment"] == "live"


async def test_a_storefront_is_told_when_it_is_not_set_up_or_cant_be_said(world):
    checkout, _ = filled(world)
    world.saleor.fail_next("500")
    not_ready = {"ready": False, "message": "Kustom is not set up for this channel."}
    assert (await world.saleor.initialize_gateway(checkout["id"], OURS))[0] == not_ready
    await world.app.store._db(("delete from channel_account", {}))
    assert (await world.saleor.initialize_gateway(checkout["id"], OURS))[0] == not_ready


# ---- it dies meanwhile


@pytest.mark.parametrize("source", ["checkout", "order"])
async def test_a_death_at_every_point_authorizes_and_captures_once(tmp_path, source):
    from tests.walks.death import Died, Fuse, TappedTransport, tap_store
    from tests.walks.test_link_death import LinkStory

    for dies_at in range(1, 100):
        story, fuse = LinkStory(), Fuse(dies_at)
        url = f"sqlite:///{tmp_path}/{dies_at}.db"
        with contextlib.suppress(Died):
            async with story.world(url, tap=lambda t, f=fuse: TappedTransport(t, f)) as world:
                await world.install()
                there = world.kustom.add_order(str(uuid.uuid4()), 349_00)
                add = world.saleor.add_checkout if source == "checkout" else story.saleor.add_order
                paid = add([MUGS])
                tap_store(world.app.store, fuse)
                fuse.lit = True
                await pay(world, paid, there.order_id)
        fuse.lit = False
        async with story.world(url) as world:
            story.clock.pass_s(61)
            await world.app.store.captures.start()
            await world.app.store.links.start()
            await world.settle()
            _, _, data = await pay(world, paid, there.order_id)
            assert data.get("code") in (None, "ALREADY_AUTHORIZED"), fuse.names[-1]
            order = world.saleor.complete(paid["id"]) if source == "checkout" else paid
            world.saleor.fulfill(order["id"])
            await world.settle()
            await story.hours_pass(world)
        amounts = [t["authorizedAmount"]["amount"] for t in order["transactions"]]
        charged = [t["chargedAmount"]["amount"] for t in order["transactions"]]
        assert (sum(amounts), sum(charged)) == (0.0, 349.0), fuse.names[-1]
        assert [c.amount for c in there.captures] == [349_00], fuse.names[-1]
        if fuse.points < dies_at:
            return
    raise AssertionError("the story has more points than were tried")
