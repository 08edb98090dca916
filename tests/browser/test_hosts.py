"""Dashboards of every supported version, foreign hosts, tokens, and permissions."""

import pytest
from playwright.async_api import expect

from saleor_kustom.sandbox.dashboard import StandIn
from saleor_kustom.web.listen import listening
from tests.browser.host import opened

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def shipped(host):
    order, _ = host.order()
    return order, await host.ship(order)


async def height(host):
    return await host.page.evaluate("document.querySelector('#widget iframe').clientHeight")


async def test_on_3_23_the_widget_grows_to_its_contents(host):
    order, _ = await shipped(host)
    frame = await host.widget(order, v="3.23.27")
    await expect(frame.locator(".legend")).to_be_visible()
    await host.page.wait_for_function("document.querySelector('#widget iframe').clientHeight > 220")
    scrolls = await host.inner.evaluate(
        "document.documentElement.scrollHeight - document.documentElement.clientHeight"
    )
    assert scrolls <= 1


async def test_on_3_22_the_widget_has_200_pixels_and_scrolls_within(host):
    order, _ = await shipped(host)
    frame = await host.widget(order, v="3.22.44")
    await expect(frame.locator(".legend")).to_be_visible()
    await expect(frame.get_by_text("Captured", exact=True).last).to_be_visible()
    assert await height(host) == 200
    assert await host.log("<-", "widgetResize") == []
    await frame.get_by_role("button", name="Look again").click()  # below, and reached
    await host.toast("Looking again")
    assert await host.log("<-", "refreshEntity") == []


async def test_on_3_21_the_order_has_a_popup_and_no_action_that_it_does_not_know(host):
    order, row = await shipped(host)
    await host.open(f"orders/{order['id']}", v="3.21.17")
    await host.page.get_by_role("button", name="Kustom captures").click()
    frame = host.page.frame_locator("dialog iframe")
    await expect(frame.get_by_text(row.capture_id)).to_be_visible()
    await frame.get_by_role("button", name="Look again").click()
    await host.toast("Looking again")


async def test_a_foreign_host_gets_no_frame_and_the_page_alone_says_why(browser, served_world):
    world, addresses = served_world
    app = addresses["App"]
    query = f"saleorApiUrl={world.saleor.api_url}"

    async def evil(scope, receive, send):
        body = f'<iframe src="{app}/app?{query}"></iframe>'.encode()
        headers = [(b"content-type", b"text/html")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async with listening(evil, "127.0.0.1", 0) as at, opened(browser, world, addresses) as host:
        await host.page.goto(at)
        await host.page.wait_for_timeout(300)
        assert host.inner.url.startswith("chrome-error:")
        assert "frame-ancestors" in host.problems.pop()
        host.problems.clear()
        await host.page.goto(f"{app}/app?{query}")
        alone = host.page.locator("#alone")
        await expect(alone).to_contain_text("Open this page from the Saleor Dashboard")
        await expect(alone).to_contain_text("SALEOR_KUSTOM_DASHBOARD_ORIGINS")


async def test_a_message_from_anybody_but_the_dashboard_is_ignored(host):
    await host.app()
    before = await host.inner.evaluate("saleor.state.token")
    await host.inner.evaluate(
        """window.postMessage({ type: "handshake", payload: { version: 1, token: "stolen" } })"""
    )
    await host.page.wait_for_timeout(100)
    assert await host.inner.evaluate("saleor.state.token") == before


async def test_a_token_that_expired_is_replaced_without_anybody_noticing(host):
    frame = await host.app(ttl="2")
    await host.page.wait_for_timeout(2100)
    await frame.get_by_role("link", name="Health").click()
    await expect(frame.locator("main h1")).to_have_text("Health")
    host.problems.clear()  # the browser notes the one 401


async def test_a_refreshed_token_is_used(host):
    await host.app()
    before = await host.inner.evaluate("saleor.state.token")
    await host.page.evaluate("frames_.refresh()")
    await host.inner.wait_for_function("before => saleor.state.token !== before", arg=before)


async def test_who_may_not_look_is_told_what_is_missing(host):
    await host.open("app", permissions="MANAGE_PRODUCTS")
    frame = host.page.frame_locator("main iframe")
    await expect(frame.get_by_text("You need the permission")).to_be_visible()


async def test_who_may_only_look_has_no_buttons_and_no_settings(host):
    order, _ = await host.held()
    frame = await host.widget(order, permissions="MANAGE_ORDERS")
    await expect(frame.get_by_text("Kustom refused")).to_be_visible()
    await expect(frame.get_by_role("button")).to_have_count(0)
    frame = await host.app(permissions="MANAGE_ORDERS")
    await expect(frame.get_by_role("link", name="Settings")).to_have_count(0)


async def test_the_stand_in_refuses_what_saleor_would(host):
    assert {route.path for route in StandIn(host.world).routes()} >= {"/dashboard/"}
    order, _ = await shipped(host)
    answer = await host.page.request.post(
        f"{host.at['Dashboard']}api/fulfill", data={"order": order["id"], "units": {"x": 0}}
    )
    assert answer.status == 400
    for path in ("api/nothing", "files/routes.py"):
        answer = await host.page.request.post(f"{host.at['Dashboard']}{path}", data={})
        assert answer.status in (404, 405)
