"""Amounts, exact in every language."""

import pytest

from saleor_kustom.web.amounts import amount, decimal


@pytest.mark.parametrize(
    ("minor", "currency", "language", "written"),
    [
        (1_379_03, "SEK", "en", "1,379.03 SEK"),
        (1_379_03, "SEK", "sv", "1 379,03 SEK"),
        (1_379_03, "SEK", "de", "1.379,03 SEK"),
        (-5, "EUR", "en", "\u22120.05 EUR"),
        (1_000_000, "JPY", "nb", "1 000 000 JPY"),
        (1_234, "KWD", "en", "1.234 KWD"),
        (1_00, "RSD", "en", "1.00 RSD"),  # CLDR would show none of its para
        (None, "SEK", "en", "\u2013"),
        (5, "", "en", "5"),
        (0, None, "en", "0"),
        (5, "XXX", "en", "5 minor units XXX"),
    ],
)
def test_an_amount_is_written_as_the_language_does(minor, currency, language, written):
    assert amount(minor, currency, language).replace("\u00a0", " ") == written


@pytest.mark.parametrize(
    ("minor", "currency", "written"),
    [(1_379_03, "SEK", "1379.03"), (5, "JPY", "5"), (None, "SEK", ""), (5, "", ""), (5, "XXX", "")],
)
def test_an_amount_for_a_program_is_plain(minor, currency, written):
    assert decimal(minor, currency) == written
