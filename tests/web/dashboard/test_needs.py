"""What needs a person: in plain words, the most money first, gone when it is solved."""

import re

from saleor_kustom.store import OpenAuthorization, Scope
from tests.web.dashboard.pages import MUG


def titles(html):
    return [re.sub(r"<[^>]+>", "", h2) for h2 in re.findall(r"<h2>(.*?)</h2>", html)]


async def test_nothing_needs_anybody(pages):
    await pages.shipped()
    assert "Nothing needs you." in await pages.html("needs")


async def test_held_parcels_are_sorted_by_money_and_vanish_when_solved(pages):
    await pages.held()
    _, _, dear = await pages.held(lines=[pages.dear])
    html = await pages.html("needs")
    assert titles(html) == ["Order 2, parcel 1", "Order 1, parcel 1"]
    assert "Kustom refused 12394.50 SEK" in html
    assert "CAPTURE_NOT_ALLOWED" in html
    assert f"capture_id: {dear.capture_id}" not in html
    assert f"fulfillment_id: {dear.fulfillment_id}" in html  # copied for support
    await pages.did("retry", {"capture": dear.id, "act": "retry"})
    await pages.world.settle()
    assert titles(await pages.html("needs")) == ["Order 1, parcel 1"]


async def test_everything_else_that_needs_a_person_is_there_too(pages):
    api_url = pages.saleor.api_url
    now = pages.world.app.worker.parts.clock()
    await pages.store.authorizations.put(
        OpenAuthorization(api_url, "O7", "7", "K-7", "SEK", 99_00, now + 3600, "too old")
    )
    await pages.store.authorizations.put(
        OpenAuthorization(api_url, "O8", "8", "K-8", "SEK", 99_00, now - 3600)
    )
    await pages.store.pauses.set(Scope.CHANNEL, api_url, "no", who="anna", why="new rates")
    await pages.store.accounts.pause("playground", "PM9", "HTTP 401", api_url=api_url)
    _, _, row = await pages.shipped()
    await pages.sql("update capture set tracking_problem = '422' where id = :id", id=row.id)
    html = await pages.html("needs")
    assert set(titles(html)) == {
        "Order 7", "Channel no", "Kustom account playground/PM9", "Order 1, parcel 1"
    }  # fmt: skip
    for wanted in ("99.00\u00a0SEK", "too old", "anna: new rates", "HTTP 401",
                   "Kustom refused the tracking: 422"):  # fmt: skip
        assert wanted in html
    assert html.count('data-act="unpause"') == 1  # an account goes on with its credentials
    assert "retry" not in await pages.html("needs", permissions=("MANAGE_ORDERS",))


async def test_deliveries_that_were_not_understood_are_told(pages):
    event = await pages.edge.delivery(fulfillment=None)
    await pages.edge.deliver(event)
    html = await pages.html("needs")
    assert "A genuine delivery could not be understood." in html


async def test_observed_parcels_are_one_thing_with_their_sum(pages):
    await pages.did("mode", {"mode": "observe"})
    await pages.shipped()
    await pages.shipped()
    html = await pages.html("needs")
    assert titles(html) == ["2 observed parcels"]
    assert "2 parcels, 698.00\u00a0SEK" in html
    assert "data-bulk" not in html  # it observes still
    await pages.did("mode", {"mode": "capture"})
    html = await pages.html("needs")
    assert "&#34;SEK&#34;: 69800" in html
    assert 'data-total="2"' in html


async def test_many_of_one_reason_are_retried_together_and_paged(pages):
    from saleor_kustom.web.dashboard import needs

    for _ in range(3):
        await pages.held()
    html = await pages.html("needs")
    assert "Retry all 3" in html
    assert "Refused by Kustom" in html
    pages.monkeypatch.setattr(needs, "_PAGE", 2)
    html = await pages.html("needs?reason=refused_by_kustom")
    assert len(titles(html)) == 2
    [more] = re.findall(r'#needs\?([^"]*)"[^>]*>More', html)
    html = await pages.html(f"needs?{more.replace('&amp;', '&')}")
    assert len(titles(html)) == 1
    assert len(titles(await pages.html("needs?reason=gift_card"))) == 0


async def test_an_order_that_was_never_linked_says_so(pages):
    order = pages.saleor.add_order([MUG])
    pages.saleor.fulfill(order["id"])
    await pages.world.settle()
    await pages.sql("update capture set held = 'not_linked', due_at = null")
    html = await pages.html("needs")
    assert "No Kustom order is known for this order." in html
    assert "300.00\u00a0SEK" in html


async def test_a_reason_of_a_newer_version_is_shown_as_it_is(pages):
    _, _, row = await pages.held()
    await pages.sql("update capture set held = 'brand_new' where id = :id", id=row.id)
    html = await pages.html("needs")
    assert "brand_new" in html


async def test_what_needs_a_person_is_counted_in_the_tab(pages):
    await pages.held()
    assert '<span class="badge">1</span>' in await pages.html("captures")


async def test_news_about_what_is_held_leaves_its_money_at_risk(pages):
    order, _, row = await pages.held()
    await pages.did("look-again", {"order": order["id"]})
    await pages.world.settle()
    row = await pages.store.captures.get(row.api_url, row.id)
    assert (row.held, row.worth_minor) == ("refused_by_kustom", 349_00)
