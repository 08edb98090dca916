"""What is known of a parcel's tracking, and what of it was not sent yet."""

import pytest

from saleor_kustom.capture.shipping_info import METHODS, difference, entries
from tests.capture.examples import line, order, parcel

ORDER = order(line("mug", 1, 10_00))


def read(tracking="", **fields):
    return list(entries(ORDER, parcel(1, {"mug": 1}, tracking_number=tracking, **fields)))


@pytest.mark.parametrize(
    ("tracking", "numbers"),
    [
        ("UA123456789SE", ["UA123456789SE"]),
        (" UA123456789SE ", ["UA123456789SE"]),
        ("373 5001 2345 6789", ["373 5001 2345 6789"]),
        ("UA123456789SE, UB123456789SE", ["UA123456789SE", "UB123456789SE"]),
        ("UA123456789SE;UB123456789SE|UC1", ["UA123456789SE", "UB123456789SE", "UC1"]),
        ("UA123456789SE\nUB123456789SE", ["UA123456789SE", "UB123456789SE"]),
        ("UA123456789SE UB123456789SE", ["UA123456789SE", "UB123456789SE"]),
        ("12345678 87654321", ["12345678", "87654321"]),
        ("X1X (XY-2)", ["X1X (XY-2"]),
        ("12345678 parcel", ["12345678 parcel"]),
        ("1234567 12345678", ["1234567 12345678"]),
    ],
)  # fmt: skip
def test_each_number_is_an_entry(tracking, numbers):
    assert read(tracking) == [{"tracking_number": number} for number in numbers]


@pytest.mark.parametrize("tracking", ["", " ", ",;|", "\n"])
def test_without_tracking_there_is_no_entry(tracking):
    assert read(tracking) == []


def test_a_link_is_a_link():
    link = "https://track.example/?a=1,2;b|c"
    assert read("https://track.example/?a=1,2") == [
        {"tracking_uri": "https://track.example/?a=1,2"}
    ]
    assert read("https://track.example/X.") == [{"tracking_uri": "https://track.example/X"}]
    assert read(f"UA1 {link}") == [{"tracking_number": "UA1", "tracking_uri": url_of(link)}]


def url_of(link):
    return link.replace("|", "%7C")


def test_a_number_and_a_link_are_one_parcel():
    both = {"tracking_number": "UA1", "tracking_uri": "https://track.example/x"}
    assert read("UA1 https://track.example/x") == [both]
    assert read("UA1 (https://track.example/x)") == [both]
    assert read("https://track.example/x, UA1") == [both]


def test_each_link_goes_to_the_number_that_it_names():
    assert read("UA1, UB2, https://track.example/UB2 https://track.example/other") == [
        {"tracking_number": "UA1"},
        {"tracking_number": "UB2", "tracking_uri": "https://track.example/UB2"},
        {"tracking_uri": "https://track.example/other"},
    ]


def test_a_link_that_is_none_is_left_out():
    assert read("UA1 https://blå.example/x") == [{"tracking_number": "UA1"}]


def test_a_long_number_is_cut_to_100_code_points():
    assert read("ö" * 150) == [{"tracking_number": "ö" * 100}]


def test_click_and_collect_has_no_tracking():
    of = order(line("mug", 1, 10_00), collection_point_name="Butik Stockholm")
    made = entries(of, parcel(1, {"mug": 1}, tracking_number="UA1"))
    assert made == ({"shipping_method": "PickUpStore"},)


class TestMerchantInput:
    def test_it_is_read_from_metadata_by_kustoms_own_names(self):
        metadata = {
            "shipping_company": "PostNord SE",
            "shipping_method": "PickUpPoint",
            "tracking_uri": "https://track.example/1",
            "return_shipping_company": "DHL SE",
            "return_tracking_number": "R1",
            "return_tracking_uri": "https://track.example/r",
            "other": "x",
        }
        given = {name: value for name, value in metadata.items() if name != "other"}
        assert read("UA1", metadata=metadata) == [{"tracking_number": "UA1", **given}]
        assert read("", metadata=metadata) == [given]

    def test_private_metadata_stands_above_public(self):
        made = read(
            "UA1", metadata={"shipping_company": "A"}, private_metadata={"shipping_company": "B"}
        )
        assert made == [{"tracking_number": "UA1", "shipping_company": "B"}]

    def test_a_number_in_metadata_stands_above_saleors_string(self):
        assert read("UA1,UA2", metadata={"tracking_number": "UB2"}) == [{"tracking_number": "UB2"}]

    def test_it_goes_with_every_number(self):
        made = read("UA1,UB2", metadata={"shipping_company": "PostNord SE"})
        assert [entry["shipping_company"] for entry in made] == ["PostNord SE", "PostNord SE"]

    @pytest.mark.parametrize("method", ["", "home", "Pigeon"])
    def test_a_method_that_kustom_does_not_know_is_left_out(self, method):
        assert read("", metadata={"shipping_method": method}) == []

    def test_the_thirteen_methods_are_known(self):
        made = [read("", metadata={"shipping_method": f" {method} "}) for method in METHODS]
        assert made == [[{"shipping_method": method}] for method in METHODS]
        assert len(METHODS) == 13

    @pytest.mark.parametrize(
        "name",
        [
            "shipping_company",
            "tracking_number",
            "return_shipping_company",
            "return_tracking_number",
        ],
    )
    def test_texts_are_cut_to_100(self, name):
        assert read("", metadata={name: "å" * 150}) == [{name: "å" * 100}]

    @pytest.mark.parametrize("name", ["tracking_uri", "return_tracking_uri"])
    def test_links_are_whole_or_absent(self, name):
        assert read("", metadata={name: "https://t.example/" + "a" * 1100}) == []
        assert read("", metadata={name: "  https://t.example "}) == [{name: "https://t.example"}]


class TestDifference:
    def test_only_what_was_not_sent_is_missing(self):
        sent = ({"tracking_number": "UA1"},)
        wanted = ({"tracking_number": "ua1"}, {"tracking_number": "UB2"})
        assert difference(wanted, sent) == ({"tracking_number": "UB2"},)

    def test_the_same_is_missing_once(self):
        twice = ({"tracking_number": "UA1"}, {"tracking_number": "UA1"})
        assert difference(twice, ()) == twice[:1]

    def test_without_number_the_link_tells(self):
        link = {"tracking_uri": "https://t.example/1"}
        assert difference((link,), ({**link, "shipping_company": "A"},)) == ()

    def test_without_either_all_fields_tell(self):
        method, company = {"shipping_method": "Home"}, {"shipping_company": "A"}
        assert difference((method, company), (method,)) == (company,)
        assert difference(({**method, **company},), (method,)) == ({**method, **company},)
