"""What Saleor is told beside the captures' own writes."""

import pytest

from saleor_kustom.capture.mirror import Changes, Held, changes, knows_problems, note, problems


@pytest.mark.parametrize(
    ("version", "knows"),
    [
        ("3.22.36", True), ("3.22.67", True), ("3.23.0", True), ("4.0.0", True),
        ("3.22.35", False), ("3.21.69", False), ("3.22", False), ("", False), ("3.23.0a1", False),
    ],
)  # fmt: skip
def test_problems_are_told_where_saleor_knows_them(version, knows):
    assert knows_problems(version) is knows


def test_problems_are_summed_up_by_reason_and_currency():
    held = [
        Held("gift_card", "SEK", 2, 300_00),
        Held("gift_card", "EUR", 1, 5_00),
        Held("brand_new", "", 1, 0),
    ]
    found = problems(held, 3, [("live/PM1", "HTTP 401")])
    assert set(found) == {"held:gift_card", "held:brand_new", "expiring", "account:live/PM1"}
    assert found["held:gift_card"].startswith("3 held, gift card (300.00 SEK, 5.00 EUR). ")
    assert found["held:brand_new"] == "1 held, brand new."
    assert found["expiring"].startswith("3 authorization(s)")
    assert "HTTP 401" in found["account:live/PM1"]
    assert problems([], 0, []) == {}


def test_only_what_differs_is_told():
    told = {"same": "1", "changed": "1", "solved": "1"}
    wanted = {"same": "1", "changed": "2", "new": "1"}
    assert changes(wanted, told) == Changes({"changed": "2", "new": "1"}, ("solved",))


def test_a_note_says_which_parcel_and_what():
    assert note("kustom_confirmed", 2, "9.00 SEK", "") == "Kustom: parcel 2 captured, 9.00 SEK."
    assert note("held", None, "", "Why. What to do.") == (
        "Kustom: a parcel needs a person. Why. What to do."
    )
