"""A body fits within Kustom's limits, and its amount is whole whatever is left out."""

import json

from making import order_line

from saleor_kustom.capture.body import NO_LINES, NO_URLS, TOO_MANY_BYTES, build
from saleor_kustom.capture.order_lines import product_line
from saleor_kustom.capture.policy import Policy

POLICY = Policy(product_url="https://shop.example/{slug}")
TRACKING = ({"tracking_number": "SE1"},)


def made(how_many, *, name="Mug", total=100, link=""):
    line = order_line(
        total,
        name=name,
        image_url=f"https://img.example/{link}" if link else None,
        product_slug=link or None,
    )
    return [product_line(line, ((0, 1),), POLICY) for _ in range(how_many)]


def test_a_body_is_written_out_in_this_order_and_without_spaces():
    body, notes = build(100, "1/1/F1", made(1, name="Å"), TRACKING)
    assert notes == ()
    assert body == (
        '{"captured_amount":100,"reference":"1/1/F1","order_lines":[{"type":"physical",'
        '"reference":"MUG-1","name":"Å","quantity":1,"unit_price":100,"tax_rate":2500,'
        '"total_amount":100,"total_tax_amount":20}],"shipping_info":[{"tracking_number":"SE1"}]}'
    )


def test_empty_lists_are_absent():
    assert build(100, "r", (), ()) == ('{"captured_amount":100,"reference":"r"}', ())


def test_a_thousand_entries_are_sent_and_one_more_leaves_the_lines_out():
    body, notes = build(100_000, "r", made(1000), TRACKING)
    assert len(json.loads(body)["order_lines"]) == 1000
    assert notes == ()
    body, notes = build(100_100, "r", made(1001), TRACKING)
    assert json.loads(body) == {
        "captured_amount": 100_100,
        "reference": "r",
        "shipping_info": [{"tracking_number": "SE1"}],
    }
    assert notes == (NO_LINES,)


def test_links_go_first_from_900_kilobytes_on():
    body, notes = build(100_000, "r", made(1000, link="x" * 900), TRACKING)
    lines = json.loads(body)["order_lines"]
    assert notes == (NO_URLS,)
    assert len(lines) == 1000
    assert not {"image_url", "product_url"} & set(lines[0])
    assert lines[0]["name"] == "Mug"
    assert json.loads(body)["shipping_info"] == [{"tracking_number": "SE1"}]


def test_the_lines_go_when_leaving_links_out_does_not_do():
    lines = [{**line, "reference": "😀" * 255} for line in made(1000, name="😀" * 255, link="x")]
    body, notes = build(100_000, "r", lines, ())
    assert json.loads(body) == {"captured_amount": 100_000, "reference": "r"}
    assert notes == (NO_LINES,)


def test_bytes_are_counted_and_not_letters():
    lines = made(1000)
    empty = len(build(1, "r", [{**line, "name": ""} for line in lines], ())[0])
    room = (TOO_MANY_BYTES - empty) // 1000
    fits = [{**line, "name": "x" * room} for line in lines]
    rest = TOO_MANY_BYTES - len(build(1, "r", fits, ())[0])
    body, notes = build(1, "r" * rest, fits, ())
    assert (len(body.encode()), notes) == (TOO_MANY_BYTES - 1, ())
    assert build(1, "r" * (1 + rest), fits, ())[1] == (NO_LINES,)
    assert build(1, "å" + "r" * (rest - 1), fits, ())[1] == (NO_LINES,)


def test_a_line_beyond_what_kustom_takes_leaves_the_lines_out():
    assert build(1, "r", made(1, total=200_000_000), ())[1] == ()
    assert build(1, "r", made(1, total=200_000_001), ())[1] == (NO_LINES,)
    discounted = order_line(100, 2000, undiscounted_total_minor=200_000_101)
    line = product_line(discounted, ((0, 2000),), POLICY)
    assert line["unit_price"] < 200_000_000 < line["total_discount_amount"]
    assert build(100, "r", [line], ())[1] == (NO_LINES,)


def test_no_more_than_500_tracking_entries_are_sent():
    many = [{"tracking_number": f"SE{i}"} for i in range(501)]
    assert len(json.loads(build(1, "r", (), many)[0])["shipping_info"]) == 500
