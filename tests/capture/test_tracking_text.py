"""Saleor's one string for tracking: the numbers and links in it, and nothing glued or torn."""

import itertools

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from saleor_kustom.capture.tracking_text import Piece, key, names, numbers_in, pieces


def numbers(text):
    return [piece.number for piece in pieces(text)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("UA123456785SE", ["UA123456785SE"]),
        (" UA123456785SE ", ["UA123456785SE"]),
        ("373 5001 2345 6789", ["373 5001 2345 6789"]),
        ("0034 0434 1234 5678 9012", ["0034 0434 1234 5678 9012"]),
        ("UA 123 456 785 SE", ["UA 123 456 785 SE"]),
        ("1Z 999 AA1 01 2345 6784", ["1Z 999 AA1 01 2345 6784"]),
        ("UA123456785SE, UB123456785SE", ["UA123456785SE", "UB123456785SE"]),
        ("UA123456785SE;UB123456785SE|UC1", ["UA123456785SE", "UB123456785SE", "UC1"]),
        ("UA123456785SE\nUB123456785SE", ["UA123456785SE", "UB123456785SE"]),
        ("UA123456785SE\u2028UB123456785SE", ["UA123456785SE", "UB123456785SE"]),
        ("UA123456785SE UB123456785SE", ["UA123456785SE", "UB123456785SE"]),
        ("12345678 87654321", ["12345678", "87654321"]),
        ("X1X (XY-2)", ["X1X (XY-2"]),
        ("12345678 parcel", ["12345678 parcel"]),
        ("1234567 12345678", ["1234567 12345678"]),
        ("0034 0434 1234  0034 0434 1299", ["0034 0434 1234", "0034 0434 1299"]),
        ("0034 0434  12", ["0034 0434 12"]),
        ("# 12345678.", ["12345678"]),
    ],
)  # fmt: skip
def test_each_number_stands_alone(text, wanted):
    assert numbers(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("A12345678/B12345678", ["A12345678", "B12345678"]),
        ("A12345678 / B12345678", ["A12345678", "B12345678"]),
        ("1234 5678/2234 5678", ["1234 5678", "2234 5678"]),
        ("SE1234567/20240115", ["SE1234567/20240115"]),
        ("123456/1", ["123456/1"]),
        ("12345678/123456789", ["12345678/123456789"]),
        ("abcdefgh/12345678", ["abcdefgh/12345678"]),
    ],
)  # fmt: skip
def test_a_stroke_separates_only_numbers_of_one_shape(text, wanted):
    assert numbers(text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1Z999AA1 0123456784", ["1Z999AA1 0123456784"]),
        ("1Z999AA1 0123456785", ["1Z999AA1", "0123456785"]),  # another check digit
        ("00387193 364964690280", ["00387193 364964690280"]),  # a container code with its 00
        ("387193364 964690280", ["387193364", "964690280"]),  # without: as likely two numbers
        ("00387193364964690280 00573132901588003506",
         ["00387193364964690280", "00573132901588003506"]),
    ],
)  # fmt: skip
def test_a_number_that_its_check_digit_proves_is_not_taken_apart(text, wanted):
    assert numbers(text) == wanted


@pytest.mark.parametrize("text", ["", " ", ",;|", "\n", "-", "( )"])
def test_without_tracking_there_is_nothing(text):
    assert pieces(text) == ()


def test_a_number_that_stands_there_twice_is_one():
    assert numbers("ua123456785se, UA123456785SE, UB1") == ["ua123456785se", "UB1"]


def test_a_carriers_name_before_a_number_is_no_part_of_it():
    assert pieces("PostNord: UA123456785SE, dhl  express 3318810025") == (
        Piece("UA123456785SE", company="PostNord"),
        Piece("3318810025", company="dhl  express"),
    )
    assert pieces("DHL 12345678 87654321") == (
        Piece("12345678", company="DHL"),
        Piece("87654321", company="DHL"),
    )
    for no_name in ("Pigeon 12345678", "DHLX 12345678", "DHL Express", "UPS1234567"):
        assert pieces(no_name) == (Piece(no_name),)


class TestLinks:
    def test_a_link_is_a_link(self):
        for link in ("https://track.example/?a=1,2", "HTTP://track.example/x;y"):
            assert pieces(link) == (Piece(uri=link),)
        assert pieces("https://track.example/X.") == (Piece(uri="https://track.example/X"),)
        odd = "https://track.example/?a=1,2;b|c"
        assert pieces(f"UA1 {odd}") == (Piece("UA1", odd.replace("|", "%7C")),)

    def test_links_are_separated_as_numbers_are(self):
        one, two = "https://a.example/x", "https://b.example/?to=https://c.example"
        for between in (",", ";", " ", "\n", ", ", "|"):
            assert pieces(f"{one}{between}{two}") == (Piece(uri=one), Piece(uri=two))

    def test_one_number_and_one_link_are_one_parcel(self):
        both = (Piece("UA1", "https://track.example/x"),)
        assert pieces("UA1 https://track.example/x") == both
        assert pieces("UA1 (https://track.example/x)") == both
        assert pieces("https://track.example/x, UA1") == both

    def test_each_link_goes_to_the_number_that_it_names(self):
        text = "UA1, UB2, https://track.example/UB2 https://track.example/other"
        assert pieces(text) == (
            Piece("UA1"),
            Piece("UB2", "https://track.example/UB2"),
            Piece(uri="https://track.example/other"),
        )

    def test_a_part_of_a_number_names_nothing(self):
        assert pieces("UA1, UA2, https://track.example/UA12") == (
            Piece("UA1"),
            Piece("UA2"),
            Piece(uri="https://track.example/UA12"),
        )
        assert names("https://track.example/?id=ua1&x", "UA 1")
        assert not names("https://track.example/", " ")

    @pytest.mark.parametrize(
        "bad", ["https://blå.example/x", "https://", f"https://t.example/{'a' * 1100}"]
    )
    def test_one_that_can_t_be_sent_is_left_out_and_never_cut(self, bad):
        assert pieces(f"UA1 {bad}") == (Piece("UA1"),)


def test_a_long_number_is_cut_to_100_code_points():
    assert numbers("ö" * 150) == ["ö" * 100]
    assert numbers("👍🏽" * 80) == [("👍🏽" * 80)[:100]]


def test_two_ways_to_write_a_number_are_the_same():
    same = ["00387193364964690280", "387193364964690280", "(00) 387 1933-6496 469 0280"]
    assert len({key(number) for number in same}) == 1
    assert key("00387193364964690281") != key("387193364964690281")  # no container codes
    assert key("---") == "---"


# ---- laws

_HARD = (",", ";", "|", "\n", "\t", "\r\n", ", ", " ; ", " | ", "\n\n")
_ALNUM = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
_number = st.text(_ALNUM, min_size=8, max_size=30).filter(lambda t: any(c.isdigit() for c in t))
_groups = st.lists(st.text(_ALNUM, min_size=1, max_size=7), min_size=1, max_size=8).filter(
    lambda groups: any(c.isdigit() for c in "".join(groups))
)


@given(st.lists(_number, min_size=1, max_size=6, unique_by=key), st.data())
def test_numbers_come_out_as_they_were_joined(wanted, data):
    between = [data.draw(st.sampled_from((*_HARD, " "))) for _ in wanted]
    text = "".join(itertools.chain(*zip(wanted, between, strict=True)))
    joined = "".join(wanted)
    assume(" " not in between or not joined.startswith(("1Z", "00")))
    assert numbers_in(text) == wanted


@given(_groups)
def test_a_number_printed_with_blanks_is_one(groups):
    text = " ".join(groups)
    assume(not text.startswith(("UPS ", "DHL ", "GLS ", "DPD ", "TNT ", "DAO ", "EVRI ", "FEDEX ")))
    assert numbers_in(text) == [text]


@given(st.text())
def test_any_text_gives_numbers_that_can_be_sent(text):
    for piece in pieces(text):
        assert piece.number or piece.uri
        assert len(piece.number or "") <= 100
        assert len(piece.uri or "") <= 1024
        assert piece.number is None or piece.number == piece.number.strip()


@given(st.text(st.characters(codec="ascii"), max_size=90))
def test_nothing_is_lost_of_a_text_without_links(text):
    assume("://" not in text)
    found = pieces(text)
    left = "".join(f"{p.company or ''}{p.number}" for p in found)
    told = [c for c in text if c.isalnum()]
    repeated = len({key(p.number) for p in found}) < len(numbers_of(text))
    assert repeated or [c for c in left if c.isalnum()] == told


def numbers_of(text):
    """Count what hard separators leave, at least; repeated ones may be told once."""
    parts = [text]
    for separator in ",;|\t\n\r\v\f\x1c\x1d\x1e":
        parts = [piece for part in parts for piece in part.split(separator)]
    return [part for part in parts if any(c.isalnum() for c in part)]
