"""Everything a merchant does, clicked through: from shipping an order to solving what is held."""

import asyncio
import re
import time
import uuid

import pytest
from playwright.async_api import expect

from saleor_kustom.capture.parties import Mode
from saleor_kustom.capture.state import State
from saleor_kustom.store import OpenAuthorization
from tests.browser.host import MUG

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_order_is_shipped_and_its_capture_appears_beside_it(host):
    order, there = host.order()
    frame = await host.widget(order)
    await expect(frame.get_by_text("Nothing has been fulfilled yet")).to_be_visible()
    await host.page.get_by_label("Tracking number").fill("SE42")
    await host.page.get_by_role("button", name="Fulfil", exact=True).click()
    await expect(frame.locator(".pill.success")).to_have_text("Captured")
    await expect(frame.get_by_text("SE42")).to_be_visible()
    assert [capture.amount for capture in there.captures] == [349_00]


async def test_a_parcel_waits_for_approval_and_is_captured_when_it_comes(host):
    order, there = host.order()
    host.world.saleor.fulfill(order["id"], auto_approve=False)
    await host.open(f"orders/{order['id']}")
    await host.page.get_by_role("button", name="Approve").click()
    frame = host.page.frame_locator("#widget iframe")
    await expect(frame.locator(".pill.success")).to_be_visible()
    await host.page.get_by_label("Tracking number of fulfillment 1").fill("SE7")
    await host.page.get_by_role("button", name="Save tracking").click()
    await expect(frame.get_by_text("SE7")).to_be_visible()
    assert len(there.captures) == 1


async def test_retry_by_keyboard_says_what_it_did_to_everybody(host):
    order, row = await host.held()
    frame = await host.widget(order)
    await expect(frame.locator(".pill.error")).to_be_visible()
    await frame.get_by_role("button", name="Retry").focus()
    await host.page.keyboard.press("Enter")
    await host.said(frame, "The capture goes on from where it stood.")
    await host.toast("Retrying")
    await expect(frame.locator(".pill.success")).to_be_visible()
    [row] = await host.rows(order)
    assert row.state is State.REPORTED


async def test_a_parcel_that_waits_is_captured_now(host):
    order, there = host.order()
    host.world.kustom.fail_next("html 403", 1)  # slow retries
    await host.ship(order)
    frame = await host.widget(order)
    await expect(frame.get_by_text("Next try")).to_be_visible()
    await frame.get_by_role("button", name="Capture now").click()
    await expect(frame.locator(".pill.success")).to_be_visible()
    assert len(there.captures) == 1


async def test_an_order_is_paused_with_a_reason_and_goes_on(host):
    order, there = host.order()
    frame = await host.widget(order)
    await frame.get_by_text("Pause…").click()
    await frame.get_by_label("Why?").fill("address in doubt")
    await frame.get_by_role("button", name="Pause").click()
    await expect(frame.get_by_text("Paused by admin@example.com: address in doubt")).to_be_visible()
    host.world.saleor.fulfill(order["id"])
    await host.world.saleor.deliver()
    await (
        frame.get_by_role("button", name="Look again")
        .or_(frame.get_by_text("Nothing has been fulfilled yet"))
        .first.wait_for()
    )
    assert there.captures == []
    await frame.get_by_role("button", name="Go on").click()
    await expect(frame.locator(".pill.success")).to_be_visible()


async def test_a_capture_id_is_copied(host):
    order, _ = host.order()
    row = await host.ship(order)
    frame = await host.widget(order)
    await frame.get_by_role("button", name="Copy the capture id").click()
    await host.said(frame, row.capture_id)
    await expect(frame.get_by_role("button", name="Copy the capture id")).to_be_focused()


async def test_a_preview_opens_within_the_widget_and_leads_back(host):
    order, _row = await host.held()
    frame = await host.widget(order)
    await frame.get_by_role("link", name="Preview").click()
    await expect(frame.get_by_text("Nothing was sent or stored.")).to_be_visible()
    await frame.get_by_role("link", name=re.compile("Order")).click()
    await frame.get_by_role("link", name="Back").click()
    await expect(frame.get_by_role("button", name="Retry")).to_be_visible()


async def test_many_are_retried_with_a_bar_and_vanish(host):
    rows = [(await host.held())[1] for _ in range(2)]
    frame = await host.app("needs?reason=refused_by_kustom")
    await frame.get_by_role("button", name=re.compile("Retry all")).click()
    await host.toast("parcels go on")
    await host.settle()
    await host.show("needs")
    for row in rows:
        now = await host.world.app.store.captures.get(row.api_url, row.id)
        assert now.state is State.REPORTED


async def test_what_is_held_has_kustoms_answer_folded_away_and_copied(host):
    order, _row = await host.held()
    frame = await host.app("needs")
    need = frame.locator("article", has_text=f"Order {order['number']},")
    await expect(need.get_by_text("CAPTURE_NOT_ALLOWED", exact=True)).not_to_be_visible()
    await need.get_by_text("Details").click()
    await expect(need.get_by_text("CAPTURE_NOT_ALLOWED", exact=True)).to_be_visible()
    await need.get_by_role("button", name="Copy for support").click()
    await host.said(frame, f"order: {order['number']}")
    await need.get_by_role("button", name="Retry").click()
    await expect(need).to_have_count(0)


async def test_captures_are_exported(host):
    order, _ = host.order()
    row = await host.ship(order)
    frame = await host.app(f"captures?search={order['number']}")
    async with host.page.expect_download() as download:
        await frame.get_by_role("button", name="Export CSV").click()
    file = await download.value
    assert re.fullmatch(r"kustom-captures-\d{4}-\d\d-\d\d\.csv", file.suggested_filename)
    assert row.capture_id in (await file.path()).read_text()
    await host.said(frame, "Exported")


async def test_a_shop_observes_then_captures_what_it_saw_after_the_sum(host):
    store, shop = host.world.app.store, host.world.saleor.api_url
    frame = await host.app("settings")
    await frame.get_by_role("radio", name="Observe").check()
    await frame.locator("form[data-act=mode]").get_by_role("button", name="Save").click()
    await host.toast("Observing")
    order, there = host.order()
    await host.ship(order)
    assert there.captures == []
    try:
        await frame.get_by_role("radio", name=re.compile("^Capture ")).check()
        await frame.locator("form[data-act=mode]").get_by_role("button", name="Save").click()
        await host.toast("Capturing")
        await host.show("needs")
        need = frame.locator("article.observed")
        await need.get_by_text("Capture what was observed…").click()
        await expect(need.locator("details strong.sum")).to_have_text("349.00\u00a0SEK")
        await need.get_by_role("button", name="Capture this sum").click()
        await expect(need).to_have_count(0)
        await host.settle()
        assert [capture.amount for capture in there.captures] == [349_00]
    finally:
        await store.shops.set_mode(shop, Mode.CAPTURE)


async def test_an_account_is_given_and_its_password_leaves_the_page(host):
    frame = await host.app("settings")
    await frame.get_by_text("Add or replace…").click()
    form = frame.locator("form[data-act=account]")
    await form.get_by_label("Channel").fill("no")
    await form.get_by_label("User name").fill("PM1-sandbox")
    await form.get_by_label("Password").fill("wrong-one")
    await form.get_by_role("button", name="Save and test").click()
    await host.toast("Kustom refuses it")
    await form.get_by_label("Password").fill("sandbox-password")
    await form.get_by_label("User name").fill("PM1-sandbox")
    await form.get_by_label("Channel").fill("no")
    await form.get_by_role("button", name="Save and test").click()
    await host.toast("Kustom accepts it")
    await expect(frame.locator("td", has_text="no").first).to_be_visible()
    assert "sandbox-password" not in await host.inner.content()


async def test_choices_are_tried_on_an_order_and_saved(host):
    order, _ = host.order((MUG,))
    mugs = order["lines"][0]["id"]
    for units in (1, 1, 1):
        await host.ship(order, {mugs: units})
    frame = await host.app("settings")
    form = frame.locator("form[data-act=policy]")
    await form.get_by_label("Shipping fee goes").select_option("last")
    await form.get_by_role("button", name="Try on a recent order").click()
    await expect(form.locator(".tried tr.changed")).to_have_count(2)
    await form.get_by_role("button", name="Save").click()
    await host.toast("Saved")
    await expect(form.get_by_label("Shipping fee goes")).to_have_value("last")
    await form.get_by_label("Shipping fee goes").select_option("")
    await form.get_by_role("button", name="Save").click()
    await expect(form.get_by_label("Shipping fee goes")).to_have_value("")


async def test_a_merchant_who_is_blocked_by_saleor_is_told_where_to_change_it(host):
    host.world.saleor.allow_unpaid = False
    try:
        frame = await host.app("settings")
        await expect(frame.get_by_text("Allow fulfillment without payment")).to_be_visible()
    finally:
        host.world.saleor.allow_unpaid = True


async def test_an_order_is_linked_to_its_kustom_order(host):
    order = host.world.saleor.add_order([MUG])
    there = host.world.kustom.add_order(
        str(uuid.uuid4()), 349_00, "SEK", merchant_reference1=order["number"]
    )
    await host.ship(order)
    frame = await host.widget(order)
    await frame.get_by_text("Link…").click()
    await frame.get_by_label("Kustom order id").fill(there.order_id)
    # The focus is in another form when the widget is drawn with the capture under way.
    with host.slow_kustom(1.0):
        await frame.get_by_role("button", name="Link", exact=True).click()
        await host.toast("Linked")
        await expect(frame.locator(".pill.success")).to_be_visible()


async def test_what_is_half_typed_stays_while_a_capture_is_under_way(host):
    order, _ = host.order()
    with host.slow_kustom(1.5):
        host.world.saleor.fulfill(order["id"])
        await host.world.saleor.deliver()
        frame = await host.widget(order)
        await frame.get_by_text("Pause…").click()
        why = frame.get_by_label("Why?")
        await why.fill("wrong add")
        await why.blur()
        await host.settle()
        await asyncio.sleep(3.5)  # as long as a page that is typed in waits
        await expect(why).to_have_value("wrong add")
    await why.fill("")
    await why.blur()
    await expect(frame.locator(".pill.success")).to_be_visible()


async def test_a_cancelled_parcel_is_refunded(host):
    order, there = host.order()
    await host.ship(order)
    host.world.saleor.cancel_fulfillment(order["fulfillments"][0]["id"])
    await host.settle()
    frame = await host.widget(order)
    await frame.get_by_text("Refund…").click()
    await expect(frame.get_by_text("349.00\u00a0SEK goes back")).to_be_visible()
    await frame.get_by_role("button", name="Refund now").click()
    await host.toast("Refunding")
    await expect(frame.get_by_text("Refunded", exact=True).first).to_be_visible()
    assert [refund["refunded_amount"] for refund in there.refunds] == [349_00]


async def test_an_order_that_ships_no_more_is_closed(host):
    order, there = host.order()
    await host.ship(order, {order["lines"][0]["id"]: 1})
    frame = await host.widget(order)
    await frame.get_by_role("link", name="Close order…").click()
    await frame.get_by_label("Why?").fill("sold out")
    await frame.get_by_role("button", name="Give back").click()
    await host.toast("Closing")
    await expect(frame.get_by_text("Released")).to_be_visible()
    assert host.world.kustom.ledger.remaining(there) == 0


async def test_a_held_parcel_is_settled_outside_and_captured_after_all(host):
    order, _ = await host.held()
    frame = await host.widget(order)
    await frame.get_by_text("Settled outside…").click()
    form = frame.locator("form[data-act=settle]")
    await form.get_by_label("Why?").fill("paid by invoice")
    await form.get_by_role("button", name="Nothing to capture").click()
    await host.toast("Settled outside")
    await expect(frame.get_by_text("Settled outside, as a person said.")).to_be_visible()
    await frame.get_by_role("button", name="Capture after all").click()
    await host.toast("Capturing")
    await expect(frame.locator(".pill.success")).to_be_visible()


async def test_an_authorization_that_ends_soon_is_extended(host):
    order, there = host.order()
    before, shop = there.expires_at, host.world.saleor.api_url
    soon = time.time() + 2 * 86_400.0
    await host.world.app.store.authorizations.put(
        OpenAuthorization(shop, order["id"], order["number"], there.order_id, "SEK", 349_00, soon)
    )
    frame = await host.app("needs")
    need = frame.locator("article.need.expiring", has_text=order["number"])
    await need.get_by_role("button", name="Extend").click()
    await host.toast("Extended")
    await expect(need).to_have_count(0)
    assert there.expires_at > before
