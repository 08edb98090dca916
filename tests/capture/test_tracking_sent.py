"""Only the difference is sent, since Kustom appends and never replaces."""

from hypothesis import given
from hypothesis import strategies as st

from saleor_kustom.capture.tracking_sent import difference, once


def number(of, **more):
    return {"tracking_number": of, **more}


def link(of, **more):
    return {"tracking_uri": of, **more}


def back(of, **more):
    return {"return_tracking_number": of, **more}


def test_only_what_was_not_sent_is_missing():
    assert difference([number("ua1"), number("UB2")], [number("UA 1")]) == (number("UB2"),)


def test_the_same_is_missing_once():
    assert difference([number("UA1"), number("ua-1")], ()) == (number("UA1"),)


def test_a_number_is_not_sent_again_when_more_is_known_of_it():
    more = number("UA1", shipping_company="PostNord SE", tracking_uri="https://t.example/UA1")
    assert difference([more], [number("UA1")]) == ()
    assert difference([number("UA1")], [more]) == ()


class TestLinks:
    def test_without_number_the_link_tells(self):
        one = link("https://t.example/1")
        assert difference([one], [link("https://t.example/1", shipping_company="A")]) == ()
        assert difference([one], [number("1", tracking_uri="https://t.example/1")]) == ()
        assert difference([one], [link("https://t.example/2")]) == (one,)

    def test_one_page_for_several_numbers_hides_none_of_them(self):
        page = "https://t.example/all"
        wanted = [number("UA1", tracking_uri=page), number("UB2", tracking_uri=page)]
        assert difference(wanted, ()) == tuple(wanted)
        assert difference(wanted, [link(page)]) == tuple(wanted)

    def test_a_number_that_is_read_out_of_a_link_since_is_that_parcel(self):
        sent = [link("https://t.example/?id=UA1")]
        assert difference([number("UA1", tracking_uri=sent[0]["tracking_uri"])], sent) == ()
        assert difference([number("UA12")], sent) == (number("UA12"),)


class TestReturns:
    def test_a_return_that_comes_later_goes_alone(self):
        sent = [number("UA1", shipping_company="A")]
        wanted = number("UA1", shipping_company="A", **back("R1", return_shipping_company="B"))
        [missing] = difference([wanted], sent)
        assert missing == back("R1", return_shipping_company="B")
        assert difference([wanted], [*sent, missing]) == ()

    def test_one_return_for_several_parcels_is_told_once(self):
        wanted = [number("UA1", **back("R1")), number("UB2", **back("R1"))]
        assert difference(wanted, ()) == (wanted[0], number("UB2"))

    def test_a_number_that_comes_after_its_return_is_told(self):
        assert difference([number("UA1", **back("R1"))], [back("R1")]) == (number("UA1"),)

    def test_a_return_keeps_what_stands_beside_it(self):
        alone = back("R1", shipping_company="A")
        assert difference([alone], ()) == (alone,)
        assert difference([alone], [alone]) == ()

    def test_a_returns_link_tells_where_it_has_no_number(self):
        one = {"return_tracking_uri": "https://t.example/r"}
        assert difference([one, one], ()) == (one,)


def test_without_numbers_and_links_all_fields_tell():
    method, company = {"shipping_method": "Home"}, {"shipping_company": "A"}
    assert difference([method, company, company], [method]) == (company,)
    assert difference([{**method, **company}], [method]) == ({**method, **company},)


def test_no_more_than_500_go_to_a_capture():
    wanted = [number(f"N{n:04}") for n in range(600)]
    assert len(difference(wanted, ())) == 500
    assert len(difference(wanted, wanted[:499])) == 1
    assert difference(wanted, wanted[:500]) == ()


def test_once_drops_what_is_empty():
    assert once([{}, number("A1"), {}, number("a 1")]) == [number("A1")]


_texts = st.sampled_from(["", "A1", "a 1", "B2", "https://t.example/A1", "https://t.example/x"])
_entries = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "tracking_number": _texts, "tracking_uri": _texts, "shipping_company": _texts,
            "return_tracking_number": _texts, "return_tracking_uri": _texts,
        },
    ).map(lambda one: {name: value for name, value in one.items() if value}),
    max_size=6,
)  # fmt: skip


@given(_entries, _entries)
def test_what_was_sent_is_never_missing_again(wanted, sent):
    missing = difference(wanted, sent)
    assert difference(wanted, [*sent, *missing]) == ()
    assert difference(missing, ()) == missing
