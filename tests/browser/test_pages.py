"""Every page in a real browser: light and dark, wide and narrow, by screen reader."""

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.asyncio(loop_scope="session")


#: What is wider than a window, and not in a part that scrolls by itself.
WIDER = """width => [...document.querySelectorAll("main *")]
    .filter((one) => one.getBoundingClientRect().right > width)
    .filter((one) => !one.closest(".scroll, .tabs, pre"))
    .map((one) => one.outerHTML.slice(0, 80))"""


async def a_shop(host):
    """Return a captured and a held parcel's rows, and an order that waits to be linked."""
    order, _ = host.order()
    captured = await host.ship(order, tracking="https://post.test/SE1")
    _, held = await host.held()
    lost = host.world.saleor.add_order(())
    host.world.saleor.fulfill(lost["id"])
    await host.settle()
    return order, captured, held


@pytest.mark.parametrize("view", ["captures", "needs", "capture", "preview", "settings", "health"])
async def test_each_page_is_sound_in_both_themes(host, view):
    _, captured, held = await a_shop(host)
    ids = {"capture": f"capture/{captured.id}", "preview": f"preview/{held.id}"}
    frame = await host.app(ids.get(view, view))
    await expect(frame.locator(".skeleton")).to_have_count(0)
    await expect(frame.locator("main h1")).to_have_count(1)
    for theme in ("light", "dark"):
        await host.page.select_option("#theme", theme)
        await expect(frame.locator(f"html[data-theme={theme}]")).to_be_attached()
        assert await host.axe() == []
    await host.page.set_viewport_size({"width": 340, "height": 640})
    assert await host.inner.evaluate(WIDER, 340) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_widget_is_sound_in_both_themes(host, theme):
    order, _, _ = await a_shop(host)
    frame = await host.widget(order, theme=theme)
    await expect(frame.locator(".legend")).to_be_visible()
    assert await host.axe() == []


async def test_a_theme_is_there_before_the_page_is_drawn(host):
    await host.open("app", theme="dark")
    await host.page.frame_locator("main iframe").locator("html[data-theme=dark]").wait_for()


async def test_nothing_moves_once_it_is_drawn(host):
    order, _, _ = await a_shop(host)
    frame = await host.widget(order, v="3.22.44")
    await expect(frame.locator(".legend")).to_be_visible()
    shift = await host.inner.evaluate(
        """new Promise((tell) => new PerformanceObserver((list) => tell(list.getEntries()
            .filter((one) => !one.hadRecentInput).reduce((sum, one) => sum + one.value, 0)))
            .observe({ type: "layout-shift", buffered: true }) || setTimeout(() => tell(0), 300))"""
    )
    assert shift < 0.1


async def test_a_page_speaks_the_dashboards_language_and_follows_it(host):
    _order, _, _ = await a_shop(host)
    frame = await host.app(locale="sv")
    await expect(frame.get_by_role("link", name="Debiteringar")).to_be_visible()
    await expect(frame.locator("td.n").first).to_contain_text(",00")
    await host.page.select_option("#locale", "en")
    await expect(frame.get_by_role("link", name="Captures")).to_be_visible()
    assert await host.inner.evaluate("document.documentElement.lang") == "en"


async def test_times_are_the_merchants(host):
    _order, captured, _ = await a_shop(host)
    frame = await host.app(f"capture/{captured.id}")
    time = frame.locator("time[data-form=full]").first
    shown = await host.inner.evaluate(
        """seconds => new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short",
            timeZone: "Europe/Stockholm" }).format(seconds * 1000)""",
        captured.captured_at,
    )
    await expect(time).to_have_text(shown)


async def test_going_back_shows_the_view_before(host):
    await a_shop(host)
    frame = await host.app()
    await frame.get_by_role("link", name="Health").click()
    await expect(frame.locator("main h1")).to_have_text("Health")
    await host.page.evaluate("history.back()")
    await expect(frame.locator("main h1")).to_have_text("Captures")


async def test_captures_are_found_by_a_form(host):
    order, _captured, _ = await a_shop(host)
    frame = await host.app()
    await frame.get_by_label("Search").fill(order["number"])
    await frame.get_by_label("Status").select_option("captured")
    await frame.get_by_role("button", name="Find").click()
    await expect(frame.locator("tbody tr")).to_have_count(1)
    await expect(frame.get_by_label("Search")).to_have_value(order["number"])
    today = await host.inner.evaluate("new Date().toLocaleDateString('sv-SE')")
    await frame.get_by_label("To", exact=True).fill(today)
    await frame.get_by_role("button", name="Find").click()
    await expect(frame.get_by_label("To", exact=True)).to_have_value(today)
    await expect(frame.locator("tbody tr")).to_have_count(1)
