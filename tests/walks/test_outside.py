"""Captured, refunded, cancelled in Kustom's portal: found, never a parcel's, shown in Saleor."""

import pytest

from saleor_kustom.capture.parties import Mode
from saleor_kustom.sandbox.saleor_orders import amount_of
from tests.walks.conftest import MUGS

HOUR_S = 3600.0


@pytest.fixture
async def hints(world):
    """Kustom's webhooks are entered in its portal."""
    await world.listen_to_kustom()


@pytest.fixture
def soon(world, clock):
    """Let hints fall due."""

    async def run(seconds=40.0):
        await world.settle()
        clock.pass_s(seconds)
        await world.settle()

    return run


@pytest.fixture
def night(world, clock):
    async def run(nights=1):
        for _ in range(nights):
            clock.pass_s(25 * HOUR_S)
            await world.app.reconciler.tick(clock.now)
            await world.settle()

    return run


@pytest.fixture
def shipped(world):
    """Place an order over 349.00 and ship one mug of three: 149.00 with the fee."""

    async def run(units=1, **more):
        order, there = world.order([MUGS], **more)
        world.saleor.fulfill(order["id"], {order["lines"][0]["id"]: units})
        await world.settle()
        return order, there

    return run


def by_hand(world, there, amount):
    return world.kustom.ledger.capture(there, {"captured_amount": amount, "reference": "by hand"})


def refunded_by_hand(world, there, amount):
    return world.kustom.ledger.refund(there, {"refunded_amount": amount})["refund_id"]


def amounts(order):
    """Return authorized, charged, refunded, canceled as Saleor shows them, in minor units."""
    [transaction] = order["transactions"]
    names = ("authorized", "charged", "refunded", "canceled")
    return tuple(round(amount_of(transaction[f"{name}Amount"]) * 100) for name in names)


def events(order):
    [transaction] = order["transactions"]
    return [(e["type"], e["pspReference"]) for e in transaction["events"]]


async def seen(world, order):
    rows = await world.app.store.outside.of_order(world.saleor.api_url, order["id"])
    return [(r.what.kind.value, r.what.amount_minor, r.what.told, r.problem) for r in rows]


@pytest.mark.usefixtures("hints")
async def test_a_capture_by_hand_is_shown_and_is_no_parcels(world, shipped, soon, rows):
    order, there = await shipped()
    made = by_hand(world, there, 50_00)
    await soon()
    assert events(order)[-1] == ("CHARGE_SUCCESS", made.capture_id)
    assert amounts(order) == (150_00, 199_00, 0, 0)
    assert await seen(world, order) == [("capture", 50_00, True, None)]
    [row] = await rows(order)
    assert row.capture_id != made.capture_id


@pytest.mark.usefixtures("hints")
async def test_a_parcel_that_would_exceed_the_rest_is_held_with_both_numbers(
    world, shipped, soon, rows
):
    order, there = await shipped()
    by_hand(world, there, 200_00)
    await soon()
    world.saleor.fulfill(order["id"])
    await soon()
    _, row = await rows(order)
    assert (row.held, row.held_detail["outside"], row.held_detail["remaining"]) == (
        "captured_outside", "200.00 SEK", "0.00 SEK",
    )  # fmt: skip
    assert amounts(order) == (0, 349_00, 0, 0)


@pytest.mark.usefixtures("hints")
async def test_a_refund_by_hand_is_shown(world, shipped, soon):
    order, there = await shipped()
    refund_id = refunded_by_hand(world, there, 20_00)
    await soon()
    assert events(order)[-1] == ("REFUND_SUCCESS", refund_id)
    assert amounts(order) == (200_00, 129_00, 20_00, 0)


@pytest.mark.usefixtures("hints")
async def test_our_own_captures_are_none_of_these_and_cost_no_look(world, shipped, soon):
    order, there = await shipped()
    world.kustom.requests.clear()
    await soon()
    assert await seen(world, order) == []
    assert world.kustom.requests == []
    assert len(events(order)) == len(there.captures) == 1


@pytest.mark.parametrize("fault", ["lost answer", "500", "hang"])
@pytest.mark.usefixtures("hints")
async def test_a_lost_answer_tells_it_once(world, shipped, soon, later, fault):
    world.saleor.hang_s = 0.0
    order, there = await shipped()
    by_hand(world, there, 50_00)
    world.saleor.fail_next("")  # the read
    world.saleor.fail_next(fault)
    await soon()
    await later(2 * HOUR_S, step=600.0)
    assert amounts(order) == (150_00, 199_00, 0, 0)
    assert await seen(world, order) == [("capture", 50_00, True, None)]


async def test_without_a_hint_the_night_finds_it_and_is_silent_afterwards(world, shipped, night):
    order, there = await shipped()
    by_hand(world, there, 50_00)
    refunded_by_hand(world, there, 20_00)
    await night()
    assert amounts(order) == (150_00, 179_00, 20_00, 0)
    told = len(events(order))
    world.saleor.requests.clear()
    await night()
    assert len(events(order)) == told
    assert not [r for r in world.saleor.requests if "ReportEvent" in r["query"]]


async def test_a_refund_after_weeks_is_found_without_a_hint(world, shipped, night):
    order, there = await shipped()
    await night(10)
    refunded_by_hand(world, there, 20_00)
    await night(5)
    assert amounts(order) == (200_00, 129_00, 20_00, 0)


async def test_what_is_released_is_no_longer_authorized_in_saleor(world, shipped, night):
    order, there = await shipped()
    world.kustom.ledger.release(there)
    await night()
    assert events(order)[-1] == ("CANCEL_SUCCESS", f"{there.order_id}/release")
    assert amounts(order) == (0, 149_00, 0, 200_00)


async def test_a_changed_authorization_is_shown_and_frees_what_was_held(
    world, shipped, night, rows
):
    order, there = await shipped()
    world.kustom.ledger.authorize(there, {"order_amount": 249_00})
    await night()
    assert amounts(order) == (100_00, 149_00, 0, 0)
    world.saleor.fulfill(order["id"])
    await world.settle()
    assert (await rows(order))[1].held == "above_remaining"
    world.kustom.ledger.authorize(there, {"order_amount": 349_00})
    await night(2)
    assert (await rows(order))[1].held is None
    assert amounts(order) == (0, 349_00, 0, 0)
    assert [e[1].rpartition("/")[2] for e in events(order) if "ADJUST" in e[0]] == ["1", "2"]


async def test_a_cancelled_order_is_cancelled_in_saleor(world, rows, night):
    order, there = world.order([MUGS])
    there.fraud_status = "PENDING"
    world.saleor.fulfill(order["id"])
    await world.settle()
    there.fraud_status = "ACCEPTED"
    there.cancelled = True
    await night(2)
    assert (await rows(order))[0].held == "order_not_capturable"
    assert amounts(order) == (0, 0, 0, 349_00)


async def test_an_expired_authorization_is_no_longer_shown(world, shipped, night, clock):
    order, there = await shipped()
    clock.pass_s(29 * 24 * HOUR_S)
    await night(4)
    assert (there.captured, amounts(order)) == (149_00, (0, 149_00, 0, 200_00))


async def test_the_amounts_come_also_without_a_list_of_refunds(world, shipped, night, monkeypatch):
    order, there = await shipped()
    monkeypatch.setattr("saleor_kustom.sandbox.kustom_shown.shown_refund", lambda *_: {
        "refunded_amount": 0,
    })  # fmt: skip
    refunded_by_hand(world, there, 20_00)
    await night()
    refunded_by_hand(world, there, 5_00)
    await night(3)
    assert amounts(order) == (200_00, 124_00, 25_00, 0)


@pytest.mark.usefixtures("hints")
async def test_on_anothers_transaction_nothing_is_told_unless_the_merchant_chose_one_of_ours(
    world, shipped, soon, night
):
    order, there = await shipped(owner="other")
    by_hand(world, there, 50_00)
    await soon()
    assert await seen(world, order) == [("capture", 50_00, False, "foreign_transaction")]
    chosen = {"foreign_transaction": "own"}
    await world.app.store.policies.set(world.saleor.api_url, "", chosen, who="test")
    await night()
    foreign, own = order["transactions"]
    assert foreign["events"] == []
    # Our parcel was reported before the choice; what happened outside was not.
    assert [amount_of(e["amount"]) for e in own["events"]] == [50]
    assert amount_of(own["authorizedAmount"]) == 0


@pytest.mark.usefixtures("hints")
async def test_in_observe_mode_it_is_seen_and_saleor_is_told_when_the_shop_captures(
    world, shipped, soon, night
):
    order, there = await shipped()
    await world.app.store.shops.set_mode(world.saleor.api_url, Mode.OBSERVE)
    by_hand(world, there, 50_00)
    await soon()
    assert await seen(world, order) == [("capture", 50_00, False, None)]
    assert len(events(order)) == 1
    await world.app.store.shops.set_mode(world.saleor.api_url, Mode.CAPTURE)
    await night()
    assert amounts(order) == (150_00, 199_00, 0, 0)


async def test_what_saleor_refuses_is_kept_with_its_cause_and_not_asked_for_ever(
    world, shipped, night
):
    order, there = await shipped()
    made = by_hand(world, there, 50_00)
    [transaction] = order["transactions"]
    other = {"type": "CHARGE_SUCCESS", "pspReference": made.capture_id, "amount": {"amount": 1.0}}
    transaction["events"].append(transaction["events"][0] | other | {"counts": False})
    await night()
    failures = [e for e in events(order) if e[0] == "CHARGE_FAILURE"]
    [(_, _, told, problem)] = await seen(world, order)
    assert (len(failures), told) == (1, False)
    assert problem.startswith("refused: SALEOR_INCORRECT_DETAILS")
    await night()
    assert [e for e in events(order) if e[0] == "CHARGE_FAILURE"] == failures


@pytest.mark.usefixtures("hints")
async def test_a_dispute_becomes_one_note(world, shipped, soon):
    order, there = await shipped()
    world.kustom.ledger.dispute(there, "disp_1")
    world.saleor.fail_next("", times=2)  # the order, its notes
    world.saleor.fail_next("lost answer")
    await soon()
    world.kustom.ledger.dispute(there, "disp_1", "updated")
    for _ in range(10):
        await soon(600.0)
    [note] = order["notes"]
    assert note.startswith("Kustom told of a dispute about this order (disp_1).")
    assert there.order_id in note
    assert await seen(world, order) == [("dispute", None, True, None)]


@pytest.mark.usefixtures("hints")
async def test_a_hint_that_can_not_be_followed_now_is_followed_later(world, shipped, soon):
    order, there = await shipped()
    await soon()
    world.kustom.reachable = False
    by_hand(world, there, 50_00)
    await soon()
    world.kustom.reachable = True
    for _ in range(10):
        await soon(600.0)
    assert amounts(order) == (150_00, 199_00, 0, 0)


async def test_a_dry_run_tells_and_changes_nothing(world, shipped, clock):
    order, there = await shipped()
    by_hand(world, there, 50_00)
    shop = await world.app.store.shops.get(world.saleor.api_url)
    found = await world.app.reconciler.run(shop, since=None, now=clock.now, dry_run=True)
    assert [(one.kind.value, one.amount_minor) for one in found.outside] == [("capture", 50_00)]
    assert (await seen(world, order), len(events(order))) == ([], 1)
