"""The request body keeps within Kustom's limits, and says what it left out."""

import json

import pytest

from saleor_kustom.capture.body import (
    MOST_LINES,
    MOST_PARCELS,
    NO_LINES,
    NO_URLS,
    TOO_MANY_BYTES,
    build,
)


def line(**fields):
    return {"name": "Mugg", "quantity": 1, "unit_price": 1, "total_amount": 1, **fields}


def made(lines, shipping_info=()):
    text, notes = build(19_90, "1001/1/F-1", lines, shipping_info)
    return json.loads(text), notes, text


def test_it_is_compact_utf_8_in_a_stable_order():
    _, notes, text = made([line(name="Blå")], [{"tracking_number": "SE1"}])
    assert text == (
        '{"captured_amount":1990,"reference":"1001/1/F-1","order_lines":[{"name":"Blå",'
        '"quantity":1,"unit_price":1,"total_amount":1}],'
        '"shipping_info":[{"tracking_number":"SE1"}]}'
    )
    assert notes == ()


def test_what_there_is_none_of_is_absent():
    assert made([])[0] == {"captured_amount": 19_90, "reference": "1001/1/F-1"}


def test_a_thousand_lines_are_sent_and_one_more_leaves_the_amount_alone():
    assert MOST_LINES == 1000
    body, notes, _ = made([line()] * 1000)
    assert (len(body["order_lines"]), notes) == (1000, ())
    body, notes, _ = made([line()] * 1001)
    assert ("order_lines" in body, notes) == (False, (NO_LINES,))
    assert body["captured_amount"] == 19_90


def test_500_parcels_of_tracking_are_the_most():
    numbers = [{"tracking_number": str(n)} for n in range(501)]
    assert MOST_PARCELS == 500
    assert made([line()], numbers)[0]["shipping_info"] == numbers[:500]


def sized(total_bytes, **fields):
    """Return lines that make a body of exactly so many bytes."""
    first = [line(**fields), line(name="")]
    missing = total_bytes - len(made(first)[2].encode())
    return [first[0], line(name="a" * missing)]


def test_links_go_first_from_900_kb_on():
    assert TOO_MANY_BYTES == 900_000
    link = {"image_url": "https://shop.example/i", "product_url": "https://shop.example/p"}
    body, notes, text = made(sized(899_999, **link))
    assert (len(text.encode()), notes) == (899_999, ())
    assert body["order_lines"][0] == line(**link)
    body, notes, _ = made(sized(900_000, **link), [{"tracking_number": "SE1"}])
    assert notes == (NO_URLS,)
    assert body["captured_amount"] == 19_90
    assert body["shipping_info"] == [{"tracking_number": "SE1"}]
    assert body["order_lines"][0] == line()
    assert len(body["order_lines"]) == 2


def test_then_the_lines_go():
    body, notes, text = made(sized(900_000))
    assert ("order_lines" in body, notes) == (False, (NO_LINES,))
    assert len(text) < 100


def test_size_is_counted_in_bytes_and_not_in_characters():
    assert made([line(name="å" * 449_000)])[1] == ()
    assert made([line(name="å" * 451_000)])[1] == (NO_LINES,)


@pytest.mark.parametrize("field", ["unit_price", "total_amount", "total_discount_amount"])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_number_above_kustoms_largest_leaves_the_lines_out(field, sign):
    assert made([line(**{field: sign * 200_000_000})])[1] == ()
    assert made([line(), line(**{field: sign * 200_000_001})])[1] == (NO_LINES,)


def test_tracking_stays_when_the_lines_go():
    body, _, _ = made([line()] * 1001, [{"tracking_number": "SE1"}])
    assert body["shipping_info"] == [{"tracking_number": "SE1"}]
