"""Beside an order: parcels, what became of the money, and what can be done."""

import uuid
from urllib.parse import quote

import pytest

from saleor_kustom.store import Scope


async def widget(pages, order, **more):
    return await pages.html(f"order?orderId={quote(order['id'])}", **more)


async def amounts(pages, order, **more):
    return await pages.html(f"amounts?orderId={quote(order['id'])}", **more)


async def test_a_captured_parcel_shows_amount_id_tracking_and_portal(pages):
    order, there, row = await pages.shipped()
    html = await widget(pages, order)
    for wanted in ("Captured", "349.00\u00a0SEK", row.capture_id, "SE1", there.order_id):
        assert wanted in html
    assert 'data-act="retry"' not in html
    assert "data-again" not in html


async def test_tracking_that_can_t_be_used_is_told(pages):
    order, _ = pages.world.order([pages.mug])
    fulfillment = pages.saleor.fulfill(order["id"])
    said = {"shipping_method": "home", "shipping_company": "Bring", "return_tracking_number": "R1"}
    pages.saleor.update_metadata(fulfillment["id"], said)
    await pages.world.settle()
    html = await widget(pages, order)
    assert "Left out of the tracking: shipping_method: must be one of BoxReg" in html
    assert "Tracking Bring" in html


async def test_a_tracking_link_is_one_and_anything_else_is_text(pages):
    order, _ = pages.world.order([pages.mug])
    fulfillment = pages.saleor.fulfill(order["id"], tracking="https://post.test/a?b=1&c=2")
    await pages.world.settle()
    html = await widget(pages, order)
    assert 'href="https://post.test/a?b=1&amp;c=2" target="_blank" rel="noopener' in html
    assert fulfillment["id"]
    row = (await pages.store.captures.of_order(pages.saleor.api_url, order["id"]))[0]
    bad = '[{"tracking_uri": "javascript:alert(1)", "tracking_number": "<x>"}]'
    await pages.sql("update capture set tracking_sent = :bad where id = :id", bad=bad, id=row.id)
    html = await widget(pages, order)
    assert "javascript:" not in html
    assert "&lt;x&gt;" in html


async def test_a_held_parcel_says_why_and_what_to_do_and_offers_it(pages):
    order, _, row = await pages.held()
    html = await widget(pages, order)
    assert "Kustom refused 349.00 SEK" in html
    assert "Mend the cause and retry" in html
    assert 'data-act="retry"' in html
    assert f'href="#preview/{row.id}"' in html
    assert 'data-act="retry"' not in await widget(pages, order, permissions=("MANAGE_ORDERS",))


async def test_a_parcel_that_waits_says_for_what_and_when_it_is_tried(pages):
    pages.kustom.fail_next("503", 50)
    order, _, row = await pages.shipped(settle=False)
    await pages.world.app.worker.drain()
    html = await widget(pages, order)
    assert "Kustom is busy" in html
    assert "Waiting" in html
    assert "Next try" in html
    assert 'data-act="retry"' in html  # capture now
    row = await pages.store.captures.get(pages.saleor.api_url, row.id)
    assert row.due_at is not None


async def test_a_parcel_that_is_about_to_change_is_looked_at_again(pages):
    order, _, _ = await pages.shipped(settle=False)
    assert "data-again" in await widget(pages, order)


async def test_a_parcel_that_waited_for_its_link_is_looked_at_again_once_it_is_linked(pages):
    order = pages.saleor.add_order([pages.mug])
    there = pages.kustom.add_order(
        str(uuid.uuid4()), 349_00, "SEK", merchant_reference1=order["number"]
    )
    pages.saleor.fulfill(order["id"])
    await pages.world.settle()
    assert "data-again" not in await widget(pages, order)
    body = {"order": order["id"], "kustom_order_id": there.order_id}
    assert await pages.did("link", body) == "Linked"
    assert "data-again" in await widget(pages, order)
    await pages.world.settle()
    html = await widget(pages, order)
    assert "Captured" in html
    assert "data-again" not in html


async def test_an_order_without_parcels_says_so(pages):
    order, _ = pages.world.order([pages.mug])
    html = await widget(pages, order)
    assert "Nothing has been fulfilled yet" in html
    assert "look-again" not in html


async def test_a_paused_order_says_who_and_why_and_goes_on(pages):
    order, _, _ = await pages.shipped()
    body = {"scope": "order", "key": order["id"], "why": "<ask first>"}
    assert await pages.did("pause", body) == "Paused"
    html = await widget(pages, order)
    assert "Paused by admin@example.com: &lt;ask first&gt;" in html
    assert await pages.did("unpause", body) == "Goes on"
    assert "Paused by" not in await widget(pages, order)


async def test_the_bar_shows_what_kustom_has(pages):
    order, there, _ = await pages.shipped()
    pages.kustom.ledger.refund(there, {"refunded_amount": 49_00})
    html = await amounts(pages, order)
    for wanted in ("349.00", "49.00", "Refunded", "349.00\u00a0SEK of 349.00\u00a0SEK captured"):
        assert wanted in html
    assert 'class="refunded" x="860" width="140"' in html


async def test_the_bar_asks_kustom_once_for_a_page_that_is_opened_twice(pages):
    order, _, _ = await pages.shipped()
    before = len(pages.kustom.requests)
    await amounts(pages, order)
    await amounts(pages, order)
    assert len(pages.kustom.requests) == before + 1


async def test_without_kustom_the_bar_shows_what_was_seen_last(pages):
    order, there, row = await pages.shipped()
    from saleor_kustom.store import OpenAuthorization

    await pages.store.authorizations.put(
        OpenAuthorization(row.api_url, order["id"], "1", there.order_id, "SEK", 7_00, 2e9)
    )
    pages.kustom.reachable = False
    html = await amounts(pages, order)
    assert "Kustom can" in html
    assert "7.00\u00a0SEK remained" in html


async def test_an_order_that_is_not_linked_has_no_bar(pages):
    order = pages.saleor.add_order([pages.mug])
    assert "No Kustom order is linked" in await amounts(pages, order)


async def test_amounts_and_words_are_the_askers_languages(pages):
    order, _, _ = await pages.shipped([pages.dear])
    html = await widget(pages, order, language="sv-SE")
    assert "Debiterad" in html
    assert "12\u00a0394,50\u00a0SEK" in html
    assert "12.394,50\u00a0SEK" in await widget(pages, order, language="de")


@pytest.mark.parametrize("order_id", ["", "T3JkZXI6OTk5", "x" * 5000, "' or 1=1 --"])
async def test_an_order_that_is_not_there_is_empty(pages, order_id):
    html = await pages.html(f"order?orderId={quote(order_id)}")
    assert "Nothing has been fulfilled yet" in html


async def test_a_pause_of_the_channel_or_account_is_shown_with_its_parcel(pages):
    order, _, _ = await pages.held()
    for scope, key in ((Scope.CHANNEL, "se"), (Scope.SHOP, ""), (Scope.ACCOUNT, "playground/PM1")):
        await pages.store.pauses.set(scope, pages.saleor.api_url, key, who="anna", why=str(scope))
    assert "Kustom refused" in await widget(pages, order)  # held goes before paused
    waiting, _, _ = await pages.shipped(settle=False)
    assert "Paused by anna: " in await widget(pages, waiting)
