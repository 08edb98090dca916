"""One capture: history, the exact request, checks; and the preview before it is sent."""

import json
import re

from saleor_kustom.capture.plan import Plan


async def test_a_capture_shows_its_request_checks_and_history(pages):
    _, there, row = await pages.shipped()
    html = await pages.html(f"capture/{row.id}")
    plan = Plan.model_validate_json(row.plan)
    body = re.search(r"<pre[^>]*>(.*?)</pre>", html, re.DOTALL)[1]
    assert json.loads(body.replace("&#34;", '"')) == json.loads(plan.body)
    for wanted in ("Kaffemugg Ö", row.capture_id, plan.reference, there.order_id, "SE1",
                   "Lines sum to the amount: 349.00\u00a0SEK and 349.00\u00a0SEK",
                   "Saleor told: fulfillment created",
                   "Kustom confirmed the capture", "Saleor was told"):  # fmt: skip
        assert wanted in html
    assert 'class="wrong"' not in html


async def test_a_held_capture_has_kustoms_answer_folded_away(pages):
    _, _, row = await pages.held()
    html = await pages.html(f"capture/{row.id}")
    assert "Mend the cause and retry" in html
    folded = re.search(r"<details>.*?CAPTURE_NOT_ALLOWED.*?</details>", html, re.DOTALL)
    assert folded
    assert f"order: 1\nfulfillment_id: {row.fulfillment_id}" in html


async def test_there_is_no_such_capture(pages):
    for path in ("capture/99", "preview/99", "capture/99999999999999999999999"):
        answer = await pages.get(path)
        assert answer.status_code == 404
        assert answer.json()["success"] is False


async def test_a_preview_shows_what_would_be_sent_and_sends_nothing(pages):
    _order, there, row = await pages.shipped(settle=False)
    asked = len(pages.kustom.requests)
    html = await pages.html(f"preview/{row.id}")
    assert "Nothing was sent or stored" in html
    assert "349.00\u00a0SEK of 349.00\u00a0SEK" in html  # within what remains
    assert "captured_amount" in html
    assert {method for method, _ in pages.kustom.requests[asked:]} == {"GET"}
    assert there.captures == []
    assert await pages.store.captures.get(row.api_url, row.id) == row
    await pages.world.settle()
    plan = Plan.model_validate_json((await pages.store.captures.get(row.api_url, row.id)).plan)
    sent = re.search(r"<pre[^>]*>(.*?)</pre>", html, re.DOTALL)[1].replace("&#34;", '"')
    assert json.loads(sent) == json.loads(plan.body)


async def test_a_preview_says_why_there_would_be_no_capture(pages):
    _, there, row = await pages.shipped(settle=False)
    pages.kustom.ledger.cancel(there)
    assert "does not know the order" in await pages.html(f"preview/{row.id}")  # it does not fit
    _, there, row = await pages.held()
    pages.kustom.ledger.authorize(there, {"order_amount": 100})
    html = await pages.html(f"preview/{row.id}")
    assert "349.00 SEK is to be captured, but only 1.00 SEK remains authorized." in html


async def test_a_parcel_worth_nothing_says_so(pages):
    order, _ = pages.world.order([pages.mug, pages.free])
    free = order["lines"][1]["id"]
    pages.saleor.fulfill(order["id"], {order["lines"][0]["id"]: 3})
    await pages.world.settle()
    pages.saleor.fulfill(order["id"], {free: 1})
    await pages.saleor.deliver()
    row = (await pages.store.captures.of_order(pages.saleor.api_url, order["id"]))[-1]
    assert "Worth nothing" in await pages.html(f"preview/{row.id}")


async def test_a_preview_without_kustom_says_that_it_cannot_be_planned(pages):
    _, _, row = await pages.held()
    pages.kustom.reachable = False
    assert "It can&#39;t be planned now: NOT_SENT" in await pages.html(f"preview/{row.id}")


async def test_what_is_captured_has_no_preview(pages):
    _, _, row = await pages.shipped()
    asked = len(pages.kustom.requests)
    assert "It is decided already" in await pages.html(f"preview/{row.id}")
    assert len(pages.kustom.requests) == asked
