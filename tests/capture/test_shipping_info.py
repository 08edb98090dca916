"""Tracking reaches Kustom as it is known: cut to fit, never guessed, never sent twice."""

import pytest
from making import order, order_line, parcel

from saleor_kustom.capture.shipping_info import METHODS, difference, entries

ORDER = order(order_line(100))


def of(tracking="", metadata=None, private_metadata=None):
    return entries(ORDER, parcel(1, tracking, metadata, private_metadata, a=1))


def test_without_tracking_there_is_no_entry():
    assert of("") == ()
    assert of(" , ;\n") == ()


@pytest.mark.parametrize(
    ("tracking", "numbers"),
    [
        ("SE111222333", ["SE111222333"]),
        ("SE1,SE2;SE3|SE4\nSE5", ["SE1", "SE2", "SE3", "SE4", "SE5"]),
        ("1Z 999 AA1 01 2345 6784", ["1Z 999 AA1 01 2345 6784"]),
        ("SE111222333 SE444555666", ["SE111222333", "SE444555666"]),
        ("12345678 ABCDEFGH", ["12345678 ABCDEFGH"]),
        ("1234567 12345678", ["1234567 12345678"]),
    ],
)
def test_one_string_holds_one_number_or_several(tracking, numbers):
    assert of(tracking) == tuple({"tracking_number": n} for n in numbers)


def test_a_link_is_a_link_and_not_a_number():
    link = "https://track.example/?id=SE1"
    assert of(link) == ({"tracking_uri": link},)
    assert of(f"SE1 {link}") == ({"tracking_number": "SE1", "tracking_uri": link},)


def test_a_link_goes_with_the_number_that_it_names():
    link, other = "https://track.example/?id=SE2", "https://track.example/?id=SE9"
    assert of(f"SE1, SE2 {link}, {other}.") == (
        {"tracking_number": "SE1"},
        {"tracking_number": "SE2", "tracking_uri": link},
        {"tracking_uri": other},
    )


def test_a_number_over_100_letters_is_cut_to_100():
    assert of("å" * 300) == ({"tracking_number": "å" * 100},)


def test_merchant_input_is_cut_to_what_kustom_takes():
    given = {
        "shipping_company": "ö" * 101,
        "tracking_number": "n" * 101,
        "return_shipping_company": "r" * 101,
        "return_tracking_number": "t" * 101,
        "tracking_uri": "https://a.example/" + "x" * 1024,
        "return_tracking_uri": "https://a.example/r",
        "shipping_method": "Home",
    }
    assert of("", given) == (
        {
            "shipping_company": "ö" * 100,
            "tracking_number": "n" * 100,
            "return_shipping_company": "r" * 100,
            "return_tracking_number": "t" * 100,
            "return_tracking_uri": "https://a.example/r",
            "shipping_method": "Home",
        },
    )


def test_merchant_input_goes_with_every_number_of_the_parcel():
    assert of("SE1,SE2", {"shipping_company": "DHL SE"}) == (
        {"tracking_number": "SE1", "shipping_company": "DHL SE"},
        {"tracking_number": "SE2", "shipping_company": "DHL SE"},
    )


def test_the_merchants_own_number_stands_above_saleors_field():
    assert of("SE1", {"tracking_number": "SE9"}) == ({"tracking_number": "SE9"},)


def test_private_metadata_stands_above_public():
    made = of("", {"tracking_number": "public"}, {"tracking_number": "private"})
    assert made == ({"tracking_number": "private"},)


def test_our_own_keys_are_never_read_as_input():
    assert of("", {"kustom.tracking": "[]"}, {"kustom.capture_id": "c"}) == ()


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_method_that_kustom_knows_is_sent(method):
    assert of("", {"shipping_method": f" {method} "}) == ({"shipping_method": method},)


@pytest.mark.parametrize("method", ["home", "Courier", ""])
def test_a_method_that_kustom_does_not_know_is_left_out(method):
    assert of("SE1", {"shipping_method": method}) == ({"tracking_number": "SE1"},)


def test_a_collection_point_is_a_pick_up_in_the_store():
    collected = order(order_line(100), collection_point_name="Main street")
    assert entries(collected, parcel(1, "SE1", a=1)) == ({"shipping_method": "PickUpStore"},)


def test_what_was_sent_is_not_sent_again():
    sent = ({"tracking_number": "se1", "shipping_company": "DHL"},)
    wanted = ({"tracking_number": "SE1"}, {"tracking_number": "SE2"}, {"tracking_number": "SE2"})
    assert difference(wanted, sent) == ({"tracking_number": "SE2"},)
    assert difference(wanted[:1], sent) == ()


def test_a_link_or_a_method_alone_is_compared_too():
    link, method = {"tracking_uri": "https://a.example/1"}, {"shipping_method": "Home"}
    assert difference((link, method), ()) == (link, method)
    assert difference((link, method), (link,)) == (method,)
    assert difference((link, method), (link, method)) == ()
    assert difference(({"shipping_method": "Own"},), (method,)) == ({"shipping_method": "Own"},)
