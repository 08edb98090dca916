"""Text for Kustom is cut by code points, stays valid JSON, and is never empty."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saleor_kustom.capture.text import cut, url

anything = st.text(st.characters(exclude_categories=()), max_size=60)


@given(anything, st.integers(1, 40))
def test_whatever_comes_in_is_sendable_or_absent(text, limit):
    made = cut(text, limit)
    if made is not None:
        assert 1 <= len(made) <= limit
        assert made == made.strip()
        assert json.loads(json.dumps(made).encode()) == made
        assert made.encode().decode() == made


def test_300_letters_are_cut_by_code_points():
    assert cut("å" * 300, 255) == "å" * 255


@pytest.mark.parametrize(
    "text", ["SKU  with two spaces", "👩‍👩‍👧 family", "soft\u00adhyphen", "5\u00a0kg"]
)
def test_what_a_shopper_can_read_stays_as_it_is(text):
    assert cut(text, 255) == text


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("two\nlines", "two lines"),
        ("\x00null\x07", "null"),
        ("half \ud83d pair", "half  pair"),
        (" edges ", "edges"),
        ("cut here", "cut"),
    ],
)
def test_what_a_receiver_may_refuse_goes(text, made):
    assert cut(text, 4 if text == "cut here" else 255) == made


@pytest.mark.parametrize("text", [None, "", "  ", "\n\t", "\ud83d"])
def test_nothing_is_absent_and_not_empty(text):
    assert cut(text, 255) is None


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("https://shop.example/a?b=c&d=%20e#f", "https://shop.example/a?b=c&d=%20e#f"),
        ("HTTP://shop.example", "HTTP://shop.example"),
        (" https://shop.example/a ", "https://shop.example/a"),
        ("https://shop.example/blå mugg", "https://shop.example/bl%C3%A5%20mugg"),
        ("https://shop.example/[1](2)*;,'!$+@~=:", "https://shop.example/[1](2)*;,'!$+@~=:"),
    ],
)
def test_a_url_is_ascii(text, made):
    assert url(text) == made


@pytest.mark.parametrize(
    "text",
    [
        None, "", "/media/a.png", "ftp://shop.example/a", "javascript://x", "https://",
        "https:///a", "https://blå.example/a", "https://two words.example/a",
        "https://shop.example/a\nb", "shop.example",
    ],
)  # fmt: skip
def test_what_is_no_link_is_absent(text):
    assert url(text) is None


def test_a_url_that_holds_another_is_one():
    asked = "https://shop.example/image?of=https://cdn.example/1.png"
    assert url(asked) == asked


def test_a_url_is_whole_or_absent():
    longest = "https://shop.example/" + "a" * 1003
    assert url(longest) == longest
    assert len(longest) == 1024
    assert url(longest + "a") is None
    assert url(longest[:-1] + "å") is None  # too long once it is encoded
