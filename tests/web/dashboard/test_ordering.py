"""An order is linked, a cancelled parcel refunded, and an order that ships no more closed."""

import uuid
from urllib.parse import quote

import pytest

from saleor_kustom.capture.operation import Kind
from saleor_kustom.capture.state import State
from tests.web.dashboard.pages import MUG


async def widget(pages, order):
    return await pages.html(f"order?orderId={quote(order['id'])}")


async def unlinked(pages):
    """Return an order whose Kustom order nothing names, and that Kustom order."""
    order = pages.saleor.add_order([MUG])
    there = pages.kustom.add_order(
        str(uuid.uuid4()), 349_00, "SEK", merchant_reference1=order["number"]
    )
    pages.saleor.fulfill(order["id"])
    await pages.world.settle()
    return order, there


async def test_an_order_is_linked_and_what_waited_is_captured(pages):
    order, there = await unlinked(pages)
    assert 'data-act="link"' in await widget(pages, order)
    body = {"order": order["id"], "kustom_order_id": f" {there.order_id.upper()} "}
    assert await pages.did("link", body) == "Linked"
    await pages.world.settle()
    assert [capture.amount for capture in there.captures] == [349_00]
    html = await widget(pages, order)
    assert 'data-act="link"' not in html
    link = await pages.store.links.get(pages.saleor.api_url, order["id"])
    assert (link.how, link.who) == ("page", "admin@example.com")


async def test_a_kustom_order_that_does_not_fit_is_refused_in_words(pages):
    order, _ = await unlinked(pages)
    other = pages.kustom.add_order(str(uuid.uuid4()), 5_00, "SEK")
    body = {"order": order["id"], "kustom_order_id": other.order_id}
    answer = await pages.post("link", body)
    told = answer.json()["said"]
    assert (told["status"], told["title"]) == ("error", "Not linked")
    assert "5.00 SEK" in told["text"]


async def test_without_kustom_a_link_is_kept(pages):
    order, there = await unlinked(pages)
    pages.kustom.reachable = False
    body = {"order": order["id"], "kustom_order_id": there.order_id}
    assert await pages.did("link", body) == "Kept"


async def test_an_order_that_saleor_does_not_know_leaves_nothing(pages):
    body = {"order": "T3JkZXI6OTk5", "kustom_order_id": str(uuid.uuid4())}
    answer = await pages.post("link", body)
    assert "Saleor knows no order" in answer.json()["said"]["text"]
    pages.saleor.fail_next("500")
    assert (await pages.did("link", body)) == "Not linked"
    assert await pages.store.links.get(pages.saleor.api_url, body["order"]) is None


@pytest.mark.parametrize("wanted", ["", "x", "1234", None])
async def test_what_is_no_kustom_order_id_is_said_to_be_none(pages, wanted):
    order, _ = await unlinked(pages)
    answer = await pages.post("link", {"order": order["id"], "kustom_order_id": wanted})
    assert (answer.status_code, answer.json()["said"]["title"]) == (400, "No Kustom order id")


async def cancelled(pages):
    order, there, row = await pages.shipped()
    pages.saleor.cancel_fulfillment(order["fulfillments"][0]["id"])
    await pages.world.settle()
    return order, there, row


async def test_a_cancelled_parcel_is_refunded_once(pages):
    order, there, row = await cancelled(pages)
    html = await widget(pages, order)
    assert "349.00\u00a0SEK goes back to the shopper" in html
    for _ in range(2):
        await pages.post("refund", {"capture": row.id})
    await pages.world.settle()
    assert [refund["refunded_amount"] for refund in there.refunds] == [349_00]
    html = await widget(pages, order)
    assert "Refunded" in html
    assert 'data-act="refund"' not in html
    rows = await pages.store.captures.of_order(row.api_url, order["id"])
    [made] = [each for each in rows if each.kind is Kind.REFUND]
    assert made.request.who == "admin@example.com"
    html = await pages.html(f"capture/{made.id}")
    assert "Asked for by admin@example.com: refunded in the Dashboard" in html
    assert "Order 1, refund" in html
    answer = await pages.post("refund", {"capture": row.id})
    assert answer.status_code == 409


async def test_money_that_goes_back_is_not_counted_as_captured(pages):
    _, _, row = await cancelled(pages)
    await pages.did("refund", {"capture": row.id})
    await pages.world.settle()
    [hour] = await pages.store.overview.captured(pages.saleor.api_url, 0)
    assert (hour.captures, hour.amount_minor) == (1, 349_00)


async def test_a_parcel_that_was_not_cancelled_is_not_refunded(pages):
    _, there, row = await pages.shipped()
    assert (await pages.post("refund", {"capture": row.id})).status_code == 409
    assert (await pages.post("refund", {"capture": 99})).status_code == 404
    assert there.refunds == []


async def half_shipped(pages):
    order, there = pages.world.order([MUG])
    pages.saleor.fulfill(order["id"], {order["lines"][0]["id"]: 1})
    await pages.world.settle()
    return order, there


async def test_closing_an_order_is_shown_first_and_then_gives_back_what_remains(pages):
    order, there = await half_shipped(pages)
    assert "#close?orderId=" in await widget(pages, order)
    html = await pages.html(f"close?orderId={quote(order['id'])}")
    assert "149.00\u00a0SEK" in html
    assert "Give back 200.00\u00a0SEK" in html
    assert await pages.did("close", {"order": order["id"], "why": "sold out"}) == "Closing"
    await pages.world.settle()
    assert pages.kustom.ledger.remaining(there) == 0
    html = await pages.html(f"close?orderId={quote(order['id'])}")
    assert "nothing to close" in html
    rows = await pages.store.captures.of_order(pages.saleor.api_url, order["id"])
    [made] = [each for each in rows if each.kind is Kind.RELEASE]
    assert made.state in (State.CAPTURED, State.REPORTED)
    assert (made.request.who, made.request.why) == ("admin@example.com", "sold out")


async def test_closing_needs_a_reason_and_a_linked_order(pages):
    order, _ = await half_shipped(pages)
    assert (await pages.post("close", {"order": order["id"]})).status_code == 400
    body = {"order": "T3JkZXI6OTk5", "why": "x"}
    assert (await pages.post("close", body)).status_code == 409
    assert "does not know the order" in await pages.html("close?orderId=T3JkZXI6OTk5")
    pages.saleor.fail_next("500", 9)
    html = await pages.html(f"close?orderId={quote(order['id'])}")
    assert "It can&#39;t be planned now" in html


async def test_the_fee_that_was_not_charged_can_be_charged_first(pages):
    await pages.did("policy", {"shipping_fee": "last"})
    order, there = await half_shipped(pages)
    html = await pages.html(f"close?orderId={quote(order['id'])}")
    assert "Charge the shipping fee of 49.00\u00a0SEK first" in html
    body = {"order": order["id"], "why": "sold out", "charge_fee": True}
    await pages.did("close", body)
    await pages.world.settle()
    assert [capture.amount for capture in there.captures] == [100_00, 49_00]


async def test_an_order_near_its_end_gets_more_time(pages):
    order, there = pages.world.order([MUG])
    before = there.expires_at
    answer = await pages.post("extend", {"order": order["id"]})
    assert answer.json()["said"]["title"] == "Extended"
    assert there.expires_at > before
    assert f"{there.expires_at:%Y-%m-%d}" in answer.json()["said"]["text"]


async def test_what_gets_no_more_time_says_why(pages):
    order, there = pages.world.order([MUG])
    there.country = "FR"
    answer = await pages.post("extend", {"order": order["id"]})
    assert answer.json()["said"]["status"] == "error"
    assert "cannot be extended" in answer.json()["said"]["text"]
    pages.saleor.fail_next("500")
    assert await pages.did("extend", {"order": order["id"]}) == "Not extended"
