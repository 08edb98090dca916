"""Beside an order: parcels, what became of the money, and what can be done."""

from urllib.parse import quote


async def widget(pages, order, **more):
    return await pages.html(f"order?orderId={quote(order['id'])}", **more)


async def test_a_captured_parcel_shows_amount_id_tracking_and_portal(pages):
    order, there, row = await pages.shipped()
    html = await widget(pages, order)
    for wanted in ("Captured", "349.00\u00a0SEK", row.capture_id, "SE1", there.order_id):
        assert wanted in html
    assert 'data-act="retry"' not in html
    assert "data-again" not in html
