"""A shopper gains nothing by another shopper's Kustom order, wherever its id is written (rule 4).

The victim's Kustom order is over the same amount in the same currency, since that is what the
thief would choose. Each attack ends with the victim's parcel, which must be captured in full.
"""

import copy
import uuid

import pytest

from saleor_kustom.capture.parties import Account
from tests.walks.conftest import MUGS

AMOUNT = 349_00


def public(world, order, kustom_order_id):
    world.saleor.update_metadata(order["id"], {"kustom_order_id": kustom_order_id})


def public_in_capitals(world, order, kustom_order_id):
    public(world, order, f"  {kustom_order_id.upper()} ")


def from_the_checkout(world, order, kustom_order_id):
    """Saleor copies a checkout's public metadata into the order as it is."""
    order["metadata"].append({"key": "kustom_order_id", "value": kustom_order_id})


def payment(world, order, kustom_order_id):
    """A payment app, or a storefront, that believes what the browser says."""
    world.saleor.add_transaction(order, kustom_order_id, owner="other")


def payment_without_amount(world, order, kustom_order_id):
    world.saleor.add_transaction(order, kustom_order_id, owner="other", amount="0")


def payment_of_ours(world, order, kustom_order_id):
    world.saleor.add_transaction(order, kustom_order_id)


def payment_and_public(world, order, kustom_order_id):
    public(world, order, kustom_order_id)
    payment(world, order, kustom_order_id)


def beside_a_real_payment(world, order, kustom_order_id):
    """The thief pays with a Kustom order of their own, and claims the victim's."""
    own = world.kustom.add_order(str(uuid.uuid4()), AMOUNT, merchant_reference1=order["number"])
    world.saleor.add_transaction(order, own.order_id, owner="other")
    public(world, order, kustom_order_id)


def our_own_keys(world, order, kustom_order_id):
    """What we write we never read as input (domain rule 23)."""
    world.saleor.update_metadata(order["id"], {"kustom.order_id": kustom_order_id})


def name_and_note(world, order, kustom_order_id):
    order["shippingMethodName"] = kustom_order_id
    order["lines"][0]["productName"] = kustom_order_id


PLACES = [
    public,
    public_in_capitals,
    from_the_checkout,
    payment,
    payment_without_amount,
    payment_of_ours,
    payment_and_public,
    beside_a_real_payment,
    our_own_keys,
    name_and_note,
]


def captured_for_its_own(world, order, there):
    world.saleor.fulfill(order["id"])


def partly_captured(world, order, there):
    world.saleor.fulfill(order["id"], {order["lines"][0]["id"]: 1})


def not_shipped_yet(world, order, there):
    """Its reference names the victim's order."""


def without_reference(world, order, there):
    there.merchant_reference1 = ""


VICTIMS = [captured_for_its_own, partly_captured, not_shipped_yet, without_reference]


@pytest.fixture
def victim(world):
    return world.order([MUGS], email="victim@example.com")


@pytest.mark.parametrize("state", VICTIMS, ids=lambda state: state.__name__)
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
async def test_a_claim_gains_nothing(world, rows, victim, place, state):
    order, there = victim
    there.email = "victim@example.com"
    state(world, order, there)
    await world.settle()
    before = list(there.captures)
    thief = world.saleor.add_order([MUGS], email="thief@example.com")
    place(world, thief, there.order_id)
    world.saleor.fulfill(thief["id"])
    await world.settle()
    assert there.captures == before
    [row] = await rows(thief)
    assert row.capture_id is None
    assert row.account == ""  # bound to nothing
    await ships_the_rest(world, order)
    assert there.captured == AMOUNT
    assert {c.reference.split("/")[0] for c in there.captures} == {order["number"]}


async def ships_the_rest(world, order):
    line = order["lines"][0]["id"]
    shipped = sum(f["lines"][0]["quantity"] for f in order["fulfillments"])
    if shipped < 3:
        world.saleor.fulfill(order["id"], {line: 3 - shipped})
    await world.settle()


async def test_what_the_same_shopper_paid_without_a_reference_is_captured(world):
    order, there = world.order([MUGS], email="Shopper@Example.com ")
    there.merchant_reference1, there.email = "", "shopper@example.com"
    world.saleor.fulfill(order["id"])
    await world.settle()
    assert there.captured == AMOUNT


@pytest.mark.parametrize("lacking", ["saleor", "kustom"])
async def test_without_an_address_to_compare_the_other_checks_decide(world, lacking):
    order, there = world.order([MUGS])
    there.merchant_reference1 = ""
    if lacking == "saleor":
        order["userEmail"] = None
    else:
        there.email = ""
    world.saleor.fulfill(order["id"])
    await world.settle()
    assert there.captured == AMOUNT


async def test_what_an_app_wrote_into_private_metadata_needs_no_address(world):
    order = world.saleor.add_order([MUGS], email="account@example.com")
    there = world.kustom.add_order(str(uuid.uuid4()), AMOUNT, email="checkout@example.com")
    world.saleor.update_metadata(order["id"], {"kustom_order_id": there.order_id}, private=True)
    world.saleor.fulfill(order["id"])
    await world.settle()
    assert there.captured == AMOUNT


async def test_another_providers_payment_is_no_rival_of_public_metadata(world):
    order = world.saleor.add_order([MUGS])
    there = world.kustom.add_order(str(uuid.uuid4()), AMOUNT, merchant_reference1=order["number"])
    public(world, order, there.order_id)
    world.saleor.add_transaction(order, str(uuid.uuid4()), owner="other", amount="0")
    world.saleor.fulfill(order["id"])
    await world.settle()
    assert there.captured == AMOUNT


async def test_two_claims_that_differ_are_held_with_both(world, rows):
    order, there = world.order([MUGS], owner="other")
    other = world.kustom.add_order(str(uuid.uuid4()), AMOUNT)
    public(world, order, other.order_id)
    world.saleor.fulfill(order["id"])
    await world.settle()
    [row] = await rows(order)
    assert row.held == "link_refused"
    assert row.held_detail["kustom_order"] == other.order_id
    assert there.order_id in row.held_detail["why"]


@pytest.mark.parametrize("field", ["amount", "currency", "merchant", "cancelled", "expired"])
async def test_a_kustom_order_that_does_not_fit_is_not_taken(world, rows, clock, field):
    order = world.saleor.add_order([MUGS])
    there = world.kustom.add_order(str(uuid.uuid4()), AMOUNT, merchant_reference1=order["number"])
    if field == "amount":
        there.original_amount = there.amount = AMOUNT + 1
    elif field == "currency":
        there.currency = "NOK"
    elif field == "merchant":
        there.merchant_id = "PM2"
    elif field == "cancelled":
        there.cancelled = True
    else:
        clock.pass_s(29 * 86400)
    public(world, order, there.order_id)
    world.saleor.fulfill(order["id"])
    await world.settle()
    [row] = await rows(order)
    assert (row.held, there.captures) == ("link_refused", [])


async def test_an_order_of_another_channels_account_is_not_taken(world, rows):
    world.kustom.add_merchant("PM2-x", "other-password", "PM2")
    store = world.app.store
    await store.accounts.set(
        world.saleor.api_url, "no", Account("playground", "PM2", "PM2-x", "other-password")
    )
    there = world.kustom.add_order(str(uuid.uuid4()), AMOUNT)  # of the other channel's PM1
    order = world.saleor.add_order([MUGS], channel="no")
    public(world, order, there.order_id)
    world.saleor.fulfill(order["id"])
    await world.settle()
    [row] = await rows(order)
    assert (row.held, there.captures) == ("link_refused", [])


# --- copies of an order


@pytest.mark.parametrize("bound", [False, True], ids=["not bound", "bound"])
async def test_a_replacement_order_inherits_everything_and_captures_nothing(world, rows, bound):
    order, there = world.order([MUGS])
    public(world, order, there.order_id)
    world.saleor.update_metadata(order["id"], {"kustom_order_id": there.order_id}, private=True)
    if bound:
        world.saleor.fulfill(order["id"], {order["lines"][0]["id"]: 1})
        await world.settle()
    captured = there.captured
    again = world.saleor.add_order([MUGS], origin="REISSUE")
    for name in ("metadata", "privateMetadata", "transactions"):
        again[name] = copy.deepcopy(order[name])
    world.saleor.fulfill(again["id"])
    await world.settle()
    [row] = await rows(again)
    assert (str(row.state), row.waiting, there.captured) == ("nothing", "replacement", captured)


@pytest.mark.parametrize("origin", ["CHECKOUT", "DRAFT", "BULK_CREATE"])
async def test_a_second_order_with_all_that_the_first_has_is_refused(world, rows, origin):
    order, there = world.order([MUGS])
    there.merchant_reference1 = ""
    world.saleor.update_metadata(order["id"], {"kustom_order_id": there.order_id}, private=True)
    world.saleor.fulfill(order["id"], {order["lines"][0]["id"]: 1})
    await world.settle()
    captured = there.captured
    second = world.saleor.add_order([MUGS], origin=origin)
    for name in ("metadata", "privateMetadata", "transactions"):
        second[name] = copy.deepcopy(order[name])
    world.saleor.fulfill(second["id"])
    await world.settle()
    [row] = await rows(second)
    assert (row.held, there.captured) == ("link_refused", captured)


# --- a staging copy: the same orders, keys and app ids, and deliveries that are genuine


async def test_what_only_a_copy_of_the_shop_has_is_refused(world, rows):
    order, there = world.order([MUGS])
    copied = {**copy.deepcopy(order), "id": "T3JkZXI6c3RhZ2luZw=="}
    parcel = {"id": "RnVsZmlsbG1lbnQ6OTk=", "created": "2026-11-23T12:00:00+00:00"}
    world.saleor.happened("fulfillment_created", copied, {**parcel, "status": "FULFILLED"})
    world.saleor.happened("fulfillment_created", order, {**parcel, "status": "FULFILLED"})
    await world.settle()
    assert [row.held for row in [*await rows(copied), *await rows(order)]] == [
        "fulfillment_unknown",
        "fulfillment_unknown",
    ]
    assert there.captures == []


async def test_a_parcel_that_was_cancelled_in_a_copy_alone_is_not_lost(world, rows, later):
    order, there = world.order([MUGS])
    parcel = world.saleor.fulfill(order["id"])
    world.saleor.queue.clear()
    world.saleor.happened("fulfillment_canceled", order, {**parcel, "status": "CANCELED"})
    await world.settle()
    await later(seconds=7200, step=600)
    [row] = await rows(order)
    assert (row.held, there.captures) == ("cancellation_unconfirmed", [])
    assert row.due_at is None  # and it is not looked at for ever
    await world.app.store.captures.resume(world.saleor.api_url, row.id, "a person", "not true")
    await world.settle()
    assert there.captured == AMOUNT


async def test_a_parcel_that_was_captured_and_cancelled_in_a_copy_keeps_its_capture(world, rows):
    order, there = world.order([MUGS])
    parcel = world.saleor.fulfill(order["id"])
    await world.settle()
    world.saleor.happened("fulfillment_canceled", order, {**parcel, "status": "CANCELED"})
    await world.settle()
    [row] = await rows(order)
    assert (row.held, str(row.state)) == ("cancellation_unconfirmed", "reported")
    assert (there.captured, there.refunded) == (AMOUNT, 0)
    await world.app.store.captures.resume(world.saleor.api_url, row.id, "a person", "not true")
    world.saleor.update_tracking(parcel["id"], "SE1")
    await world.settle()
    [row] = await rows(order)
    assert (row.held, row.canceled) == (None, False)
    assert [entry["tracking_number"] for entry in row.tracking_sent] == ["SE1"]


async def test_a_copy_that_installs_us_too_captures_nothing_twice(world, rows):
    """The same orders under another address, with the same merchant's account."""
    order, there = world.order([MUGS])
    world.saleor.fulfill(order["id"])
    await world.settle()
    store, staging = world.app.store, "http://staging.test/graphql/"
    shop = await store.shops.get(world.saleor.api_url)
    keys = (await store.shops.keys(world.saleor.api_url)).jwks
    await store.shops.install(
        staging, shop.app_id, shop.token, saleor_version=shop.saleor_version, jwks=keys
    )
    account = await store.accounts.get(world.saleor.api_url, None)
    await store.accounts.set(staging, None, account)
    parcel = order["fulfillments"][0]
    await store.captures.notice(staging, order["id"], parcel["id"], parcel["created"])
    await world.settle()
    [row] = await store.captures.of_order(staging, order["id"])
    assert (row.held, row.capture_id) == ("link_refused", None)
    assert [c.amount for c in there.captures] == [AMOUNT]


# --- payment data that the browser sends (TRANSACTION_INITIALIZE_SESSION)


@pytest.mark.parametrize("state", VICTIMS, ids=lambda state: state.__name__)
async def test_a_session_with_anothers_kustom_order_authorizes_nothing(world, rows, victim, state):
    order, there = victim
    there.email = "victim@example.com"
    state(world, order, there)
    await world.settle()
    before = list(there.captures)
    checkout = world.saleor.add_checkout([MUGS], email="thief@example.com")
    data = {"kustomOrderId": there.order_id}
    _, event, told = await world.saleor.initialize_transaction(
        checkout["id"], "saleor-kustom", data
    )
    assert event["type"] == "AUTHORIZATION_FAILURE"
    assert told["code"] in ("REFERENCE", "SHOPPER", "BELONGS_TO_ANOTHER")
    assert there.captures == before
    await ships_the_rest(world, order)
    assert there.captured == AMOUNT
