"""The list of captures: found, filtered, summed up, paged, exported."""

import csv
import io
import re
import time

import pytest

from saleor_kustom.store import OpenAuthorization
from tests.web.dashboard.pages import MUG


async def listed(pages, query="", **more):
    """Return the orders and parcels that the list shows."""
    html = await pages.html(f"captures{query}", **more)
    return re.findall(r">(Order \d+, parcel \d+)</a>", html)


async def test_captures_are_listed_newest_first_with_their_status(pages):
    await pages.shipped()
    await pages.held()
    assert await listed(pages) == ["Order 2, parcel 1", "Order 1, parcel 1"]
    html = await pages.html("captures")
    assert "Needs you" in html
    assert "Captured" in html


async def test_a_list_is_filtered_by_everything_that_a_person_knows(pages):
    _, there, row = await pages.shipped()
    await pages.held()
    for query in (
        "?search=1", "?search=%231", f"?search={row.capture_id}", f"?search={there.order_id}",
        "?status=captured", "?channel=se&status=captured", "?until=9999999999&status=captured",
    ):  # fmt: skip
        assert await listed(pages, query) == ["Order 1, parcel 1"], query
    for query in ("?channel=no", "?since=9999999999", "?until=1", "?search=999", "?status=waiting"):
        assert await listed(pages, query) == [], query
    assert "Nothing fits" in await pages.html("captures?search=999")


@pytest.mark.parametrize(
    "query",
    ["?status=x", "?before=x", "?since=-1", "?until=1e9", "?before=99999999999999999999", "?x=1"],
)
async def test_filters_that_make_no_sense_are_left_out(pages, query):
    await pages.shipped()
    assert await listed(pages, query) == ["Order 1, parcel 1"]


async def test_an_empty_shop_is_told_what_to_do(pages):
    assert "No captures yet. Fulfil an order" in await pages.html("captures")


async def test_pages_follow_each_other_without_a_gap(pages):
    from saleor_kustom.web.dashboard import captures

    pages.monkeypatch.setattr(captures, "_PAGE", 2)
    for _ in range(5):
        await pages.shipped(settle=False)
    await pages.world.settle()
    seen, query = [], "?status=captured"
    while True:
        html = await pages.html(f"captures{query}")
        seen += re.findall(r">Order (\d+), parcel 1</a>", html)
        older = re.search(r'#captures(\?[^"]*before=\d+[^"]*)"', html)
        if not older:
            break
        query = older[1].replace("&amp;", "&")
        assert "status=captured" in query
        assert 'class="tiles"' not in await pages.html(f"captures{query}")
    assert seen == ["5", "4", "3", "2", "1"]


async def test_numbers_at_a_glance(pages):
    await pages.shipped()
    await pages.shipped(currency="EUR")
    await pages.held()
    now = pages.world.app.worker.parts.clock()
    api_url = pages.saleor.api_url
    await pages.store.authorizations.put(
        OpenAuthorization(api_url, "O9", "9", "K", "SEK", 500_00, now + 86_400)
    )
    html = await pages.html("captures")
    tiles = re.findall(r'<li class="tile[^"]*">\s*(.*?)</li>', html, re.DOTALL)
    today, month, waiting, held, risk = (re.sub(r"<[^>]+>|\s", " ", tile) for tile in tiles)
    assert "349.00 SEK" in today
    assert "349.00 EUR" in today
    assert "2 captures" in month
    assert " 0 " in waiting
    assert "349.00 SEK" in held
    assert "500.00 SEK" in risk
    assert "1 order" in risk


def midnights(today_hour, month_hour):
    starts = [today_hour - 24 * back for back in range(29, -1, -1)]
    return f"{month_hour};{','.join(map(str, starts))}"


async def put_captured(pages, hour, minor):
    await pages.sql(
        """insert into captured_hour (api_url, hour, currency, captures, amount_minor)
           values (:shop, :hour, 'SEK', 1, :minor)""",
        shop=pages.saleor.api_url, hour=hour, minor=minor,
    )  # fmt: skip


async def test_days_begin_when_the_merchants_do(pages):
    hour = int(time.time() // 3600)
    today = hour - 3  # a midnight that is not UTC's
    for at, minor in ((today, 100), (today - 1, 2_00), (today - 24 * 29, 40_00), (today - 800, 9)):
        await put_captured(pages, at, minor)
    told = {"x-midnights": midnights(today, today - 24)}
    html = await pages.html("captures", **told)
    assert "1.00\u00a0SEK" in html  # today
    assert "3.00\u00a0SEK" in html  # the month
    assert "43.00\u00a0SEK in the last 30 days" in html
    assert html.count("<rect") == 30


@pytest.mark.parametrize(
    "told", ["", "x", "1;2,3", ";" + ",".join(["9"] * 30), midnights(5, 5), "9" * 5000]
)
async def test_midnights_that_make_no_sense_are_utcs(pages, told):
    hour = int(time.time() // 86_400) * 24
    await put_captured(pages, hour, 7_00)
    html = await pages.html("captures", **{"x-midnights": told})
    assert "7.00\u00a0SEK" in html


async def test_the_export_has_what_settlement_files_name(pages):
    order, there, row = await pages.shipped()
    await pages.held()
    answer = await pages.get("/app/export.csv?status=captured")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="kustom-')
    [line] = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert line | {"captured_at": ""} == {
        "order": "1", "parcel": "1", "status": "reported", "amount": "349.00", "currency": "SEK",
        "captured_at": "", "capture_id": row.capture_id,
        "reference": there.captures[0].reference, "kustom_order_id": there.order_id,
        "merchant_id": "PM1", "environment": "playground", "channel": "se", "held": "",
        "tracking": "SE1", "saleor_order_id": order["id"], "fulfillment_id": row.fulfillment_id,
    }  # fmt: skip


async def test_the_export_goes_on_over_its_pages(pages):
    from saleor_kustom.web.dashboard import captures

    pages.monkeypatch.setattr(captures, "_EXPORT_PAGE", 2)
    for _ in range(5):
        await pages.shipped(settle=False)
    answer = await pages.get("/app/export.csv")
    assert len(answer.text.splitlines()) == 6


async def test_no_cell_of_the_export_is_a_formula(pages):
    order, _ = pages.world.order([MUG])
    pages.saleor.fulfill(order["id"], tracking="=1+1")
    await pages.world.settle()
    text = (await pages.get("/app/export.csv")).text
    assert ",'=1+1," in text
