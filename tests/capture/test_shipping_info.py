"""What is known of a parcel's tracking: merchant input, the mapping, the carriers' file."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saleor_kustom.capture.policy import Policy
from saleor_kustom.capture.shipping_fields import FIELDS, METHODS
from saleor_kustom.capture.shipping_info import entries, tracking
from saleor_kustom.capture.shipping_rules import ShippingRule
from saleor_kustom.capture.tracking_sent import difference
from tests.capture.examples import line, order, parcel

ALONE = Policy(carrier_file=False)
PAGE = "https://track.example/?id={number}"


def read(tracking="", policy=ALONE, of=None, **fields):
    of = of or order(line("mug", 1, 10_00))
    return list(entries(of, parcel(1, {"mug": 1}, tracking_number=tracking, **fields), policy))


def problems(**metadata):
    of = order(line("mug", 1, 10_00))
    return tracking(of, parcel(1, {"mug": 1}, metadata=metadata), ALONE).problems


def number(of, **more):
    return {"tracking_number": of, **more}


def test_each_number_and_link_of_saleors_string_is_an_entry():
    assert read("UA1, UB2 https://track.example/UB2, https://track.example/x") == [
        number("UA1"),
        number("UB2", tracking_uri="https://track.example/UB2"),
        {"tracking_uri": "https://track.example/x"},
    ]
    assert read("") == []


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
        assert read("UA1", metadata=metadata) == [number("UA1", **given)]
        assert read("", metadata=metadata) == [given]

    def test_an_entry_shows_its_fields_in_their_order(self):
        metadata = {name: "https://t.example/1" if "uri" in name else "1" for name in FIELDS}
        metadata["shipping_method"] = "Home"
        [made] = read(metadata=metadata)
        assert tuple(made) == FIELDS

    def test_private_metadata_stands_above_public(self):
        made = read(
            "UA1", metadata={"shipping_company": "A"}, private_metadata={"shipping_company": "B"}
        )
        assert made == [number("UA1", shipping_company="B")]

    def test_a_number_in_metadata_stands_above_saleors_string(self):
        assert read("UA1,UA2", metadata={"tracking_number": "UB2"}) == [number("UB2")]

    def test_it_goes_with_every_number(self):
        made = read("UA1,UB2", metadata={"shipping_company": "PostNord SE"})
        assert [entry["shipping_company"] for entry in made] == ["PostNord SE", "PostNord SE"]

    def test_a_company_before_a_number_is_the_merchants_word_too(self):
        assert read("PostNord UA1") == [number("UA1", shipping_company="PostNord")]
        made = read("PostNord UA1", metadata={"shipping_company": "Bring"})
        assert made == [number("UA1", shipping_company="Bring")]

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
        assert read("", metadata={name: "ftp://t.example/x"}) == []
        assert read("", metadata={name: "  https://t.example "}) == [{name: "https://t.example"}]


class TestSeveralParcels:
    def test_lists_go_with_each_other_in_their_order(self):
        metadata = {
            "tracking_number": '["UA1", "UB2"]',
            "tracking_uri": '["https://t.example/1", "https://t.example/2"]',
            "shipping_company": '["PostNord SE", "Bring"]',
            "shipping_method": "Home; PickUpPoint",
            "return_tracking_number": "RA1, RB2",
            "return_shipping_company": "DHL; GLS",
        }
        assert read(metadata=metadata) == [
            number(
                f"U{letter}{n}", tracking_uri=f"https://t.example/{n}", shipping_company=company,
                shipping_method=method, return_tracking_number=f"R{letter}{n}",
                return_shipping_company=back,
            )
            for letter, n, company, method, back in (
                ("A", 1, "PostNord SE", "Home", "DHL"), ("B", 2, "Bring", "PickUpPoint", "GLS")
            )
        ]  # fmt: skip

    def test_numbers_may_be_separated_as_in_saleors_string(self):
        made = read(metadata={"tracking_number": "UA123456785SE UB123456785SE, UC1"})
        assert made == [number("UA123456785SE"), number("UB123456785SE"), number("UC1")]

    def test_a_list_may_leave_places_empty_and_hold_whole_numbers(self):
        metadata = {"tracking_number": "[12345678, 23456789]", "shipping_company": '[null, "A"]'}
        assert read(metadata=metadata) == [
            number("12345678"),
            number("23456789", shipping_company="A"),
        ]

    def test_lists_go_with_the_numbers_of_saleors_string(self):
        made = read("UA1, UB2", metadata={"shipping_company": "A; B"})
        assert [entry["shipping_company"] for entry in made] == ["A", "B"]

    def test_links_go_to_the_numbers_that_they_name_or_one_to_all(self):
        links = "https://t.example/UB2 https://t.example/z https://t.example/UA1"
        assert read("UA1, UB2", metadata={"tracking_uri": links}) == [
            number("UA1", tracking_uri="https://t.example/UA1"),
            number("UB2", tracking_uri="https://t.example/UB2"),
            {"tracking_uri": "https://t.example/z"},
        ]
        crossed = "https://t.example/UB2 https://t.example/UA1"
        made = read("UA1, UB2", metadata={"tracking_uri": crossed})
        assert [entry["tracking_uri"][-3:] for entry in made] == ["UA1", "UB2"]
        one = "https://t.example/all"
        made = read("UA1, UB2 https://t.example/UB2", metadata={"tracking_uri": one})
        assert made == [number("UA1", tracking_uri=one), number("UB2", tracking_uri=one)]

    def test_links_of_the_string_stay_where_metadata_has_none(self):
        made = read("UA1 https://t.example/UA1, UB2", metadata={"shipping_company": "A"})
        assert [entry.get("tracking_uri") for entry in made] == ["https://t.example/UA1", None]

    def test_one_return_goes_with_the_first_parcel_and_others_alone(self):
        assert read("UA1, UB2", metadata={"return_tracking_number": "R1"}) == [
            number("UA1", return_tracking_number="R1"),
            number("UB2"),
        ]
        made = read("UA1", metadata={"return_tracking_number": "R1, R2"})
        returns = [{"return_tracking_number": f"R{n}"} for n in (1, 2)]
        assert made == [number("UA1"), *returns]

    def test_a_list_of_objects_says_it_all(self):
        whole = [
            {"tracking_number": 12345678, "shipping_company": "A", "tracking_uri": ""},
            {"tracking_number": "UB2", "return_tracking_number": "R2"},
            {},
        ]
        metadata = {"shipping_info": json.dumps(whole), "shipping_company": "B"}
        assert read("UA1", metadata=metadata) == [
            number("12345678", shipping_company="A"),
            number("UB2", return_tracking_number="R2"),
        ]
        one = json.dumps({"tracking_number": "UC3"})
        assert read("UA1", metadata={"shipping_info": one}) == [number("UC3")]

    def test_no_more_than_kustom_takes(self):
        listed = json.dumps([f"N{n:03}" for n in range(501)])
        of, shipped = order(line("mug", 1, 10_00)), parcel(1, {"mug": 1})
        found = tracking(of, parcel(1, {"mug": 1}, metadata={"tracking_number": listed}), ALONE)
        assert len(found.entries) == 500
        assert found.problems == ("501 parcels: Kustom takes 500 at most",)
        assert tracking(of, shipped, ALONE).problems == ()


class TestWhatCantBeUsedIsTold:
    def test_a_method(self):
        [problem] = problems(shipping_method="home")
        assert problem.startswith("shipping_method: must be one of BoxReg, ")

    def test_a_link(self):
        [problem] = problems(tracking_uri="track.example")
        assert "tracking_uri: must be a whole http or https address" in problem
        [problem] = problems(tracking_uri='["ftp://t.example"]')
        assert "tracking_uri: must be a whole" in problem

    def test_a_text(self):
        [problem] = problems(tracking_number='[{"a": 1}]')
        assert problem == "tracking_number: must be a text"

    def test_lists_of_different_lengths(self):
        assert problems(tracking_number="UA1", shipping_company="A; B") == (
            "shipping_company: has 2 values for 1 parcel(s); give one",
        )
        assert problems(return_tracking_number="R1", return_shipping_company="A; B") == (
            "return_shipping_company: has 2 values for 1 return(s)",
        )

    @pytest.mark.parametrize("bad", ["[", "1", '"x"', "[1]", "{", "[" * 100_000])
    def test_a_list_of_objects_that_is_none(self, bad):
        assert problems(shipping_info=bad) == (
            'shipping_info: must be a JSON list, as [{"tracking_number": "UA123456785SE"}]',
        )

    def test_a_list_of_objects_with_other_names(self):
        [problem] = problems(shipping_info='[{"number": "UA1"}]')
        assert problem.startswith("shipping_info: number is no field; known are shipping_company, ")

    def test_more_values_than_any_parcel_has(self):
        many = json.dumps([f"N{n:05}" for n in range(2000)])
        told = problems(tracking_number=many)
        assert told == (
            "tracking_number: has 2000 values; the first 1000 are looked at",
            "1000 parcels: Kustom takes 500 at most",
        )

    def test_each_once_and_shortly(self):
        bad = json.dumps([{f"x{n}{'y' * 400}": 1, "shipping_method": "?"} for n in range(50)])
        told = problems(shipping_info=bad)
        assert len(told) == len(set(told)) == 10
        assert max(map(len, told)) == 300

    def test_and_the_rest_is_used(self):
        metadata = {"shipping_info": "[", "shipping_method": "?", "shipping_company": "A"}
        assert read("UA1", metadata=metadata) == [number("UA1", shipping_company="A")]
        assert read("UA1", metadata={"tracking_number": "[broken"}) == [number("broken")]


class TestCollectedAndDigital:
    SHOP = order(line("mug", 1, 10_00), collection_point_name="Butik Stockholm")
    FILE = order(line("mug", 1, 10_00, requires_shipping=False))

    def test_click_and_collect_has_no_tracking(self):
        assert read("UA1", of=self.SHOP) == [{"shipping_method": "PickUpStore"}]
        metadata = {"shipping_method": "ClickCollect", "tracking_number": "UA1"}
        assert read(of=self.SHOP, metadata=metadata) == [{"shipping_method": "ClickCollect"}]

    def test_a_digital_parcel_has_none_unless_the_merchant_says_so(self):
        assert read(of=self.FILE) == []
        rules = (ShippingRule("PostNord", shipping_company="PostNord SE", tracked=False),)
        assert read(of=self.FILE, policy=Policy(shipping_methods=rules)) == []
        digital = {"shipping_method": "Digital"}
        assert read(of=self.FILE, metadata=digital) == [digital]
        assert read("UA1", of=self.FILE) == [number("UA1")]

    def test_of_two_lines_one_that_is_shipped_suffices(self):
        of = order(line("mug", 1, 10_00), line("file", 1, 10_00, requires_shipping=False))
        rules = (ShippingRule("PostNord", shipping_company="A", tracked=False),)
        policy = Policy(shipping_methods=rules)
        assert entries(of, parcel(1, {"mug": 1, "file": 1}), policy) == ({"shipping_company": "A"},)
        assert entries(of, parcel(1, {"file": 1}), policy) == ()
        assert entries(of, parcel(1, {"gone": 1}), policy) == ({"shipping_company": "A"},)


class TestTheMapping:
    """Orders of these tests are shipped with "PostNord", from the warehouse "oslo"."""

    def by(self, method=None, warehouse=None, tracking="UA1", *, carrier_file=False, **metadata):
        policy = Policy(
            shipping_methods=(ShippingRule(" postNORD ", **method),) if method else (),
            warehouses=(ShippingRule("oslo", **warehouse),) if warehouse else (),
            carrier_file=carrier_file,
        )
        return read(tracking, policy, warehouse_slug="oslo", metadata=metadata)

    def test_it_gives_company_method_and_link(self):
        rule = {
            "shipping_company": "PostNord SE", "shipping_method": "PickUpPoint",
            "tracking_uri": PAGE, "return_shipping_company": "DHL SE", "return_tracking_uri": PAGE,
        }  # fmt: skip
        wanted = number(
            "UA 1", shipping_company="PostNord SE", shipping_method="PickUpPoint",
            tracking_uri="https://track.example/?id=UA1",
        )  # fmt: skip
        assert self.by(rule, tracking="UA 1") == [wanted]
        assert self.by(rule, tracking="UA 1", return_tracking_number="R1") == [
            {
                **wanted, "return_shipping_company": "DHL SE", "return_tracking_number": "R1",
                "return_tracking_uri": "https://track.example/?id=R1",
            }
        ]  # fmt: skip

    def test_merchant_input_stands_above_it(self):
        rule = {"shipping_company": "A", "shipping_method": "Home", "tracking_uri": PAGE}
        said = {"shipping_method": "Own", "tracking_uri": "https://t.example/x"}
        assert self.by(rule, **said) == [number("UA1", shipping_company="A", **said)]

    def test_another_company_of_the_merchant_gets_no_link_of_it(self):
        rule = {"shipping_company": "A", "tracking_uri": PAGE}
        assert self.by(rule, shipping_company="B") == [number("UA1", shipping_company="B")]
        [made] = self.by(rule, shipping_company=" a ")
        assert made["tracking_uri"] == "https://track.example/?id=UA1"

    def test_the_shipping_method_stands_above_the_warehouse(self):
        made = self.by({"shipping_company": "A"}, {"shipping_company": "B"})
        assert made == [number("UA1", shipping_company="A")]
        assert self.by(warehouse={"shipping_company": "B"}) == [number("UA1", shipping_company="B")]

    def test_the_two_complete_each_other_but_for_company_and_link(self):
        method = {"shipping_method": "Home"}
        warehouse = {"shipping_company": "B", "tracking_uri": PAGE}
        both = number(
            "UA1", **method, shipping_company="B", tracking_uri="https://track.example/?id=UA1"
        )
        assert self.by(method, warehouse) == [both]
        [made] = self.by({"shipping_company": "A"}, warehouse)
        assert made == number("UA1", shipping_company="A")  # not with B's link

    def test_other_names_have_no_rule(self):
        rule = ShippingRule("PostNord MyPack", shipping_company="A")
        assert read("UA1", Policy(shipping_methods=(rule,), carrier_file=False)) == [number("UA1")]
        nameless = order(line("mug", 1, 10_00), shipping_method_name=None)
        rules = Policy(shipping_methods=(ShippingRule("x", shipping_company="A"),))
        assert read("UA1", rules, of=nameless) == [number("UA1")]

    def test_parcels_that_never_get_a_number_are_told_without_one(self):
        rule = {"shipping_company": "A", "tracking_uri": PAGE}
        assert self.by(rule, tracking="") == []
        assert self.by({**rule, "tracked": False}, tracking="") == [{"shipping_company": "A"}]
        assert self.by({"tracked": False}, tracking="") == []
        [made] = self.by({**rule, "tracked": False})
        assert made["tracking_number"] == "UA1"

    def test_a_number_is_read_out_of_a_link_of_its_template(self):
        rule = {"shipping_company": "A", "tracking_uri": PAGE}
        link = "https://track.example/?id=UA7"
        assert self.by(rule, tracking=link) == [
            number("UA7", shipping_company="A", tracking_uri=link)
        ]
        other = "https://track.example/?id=UA7&x=1"
        assert self.by(rule, tracking=other) == [{"shipping_company": "A", "tracking_uri": other}]

    def test_a_link_that_would_be_too_long_is_left_out(self):
        template = f"https://t.example/{'a' * 850}/{{number}}"
        assert self.by({"tracking_uri": template}, tracking="ö" * 50) == [number("ö" * 50)]


class TestTheCarriersFile:
    """It comes last; the order's shipping method is "PostNord"."""

    def test_it_names_the_carrier_and_its_page(self):
        assert read("RR123456785SE", Policy()) == [
            number(
                "RR123456785SE", shipping_company="PostNord SE",
                tracking_uri="https://tracking.postnord.com/se/?id=RR123456785SE",
            )
        ]  # fmt: skip
        assert read("RR123456785SE", ALONE) == [number("RR123456785SE")]

    def test_the_shipping_methods_name_decides(self):
        [made] = read("UJ338439355SE", Policy())
        assert made["shipping_company"] == "PostNord SE"
        other = order(line("mug", 1, 10_00), shipping_method_name="Hemleverans")
        assert read("UJ338439355SE", Policy(), of=other) == [number("UJ338439355SE")]

    def test_unknown_stays_unknown(self):
        assert read("ABC-1", Policy()) == [number("ABC-1")]

    def test_no_method_is_made_up(self):
        for text in ("RR123456785SE", "1Z999AA10123456784"):
            assert "shipping_method" not in read(text, Policy())[0]

    def test_a_merchants_company_gets_its_page(self):
        metadata = {"shipping_company": "budbee"}
        assert read("X1", Policy(), metadata=metadata) == [
            number("X1", shipping_company="budbee", tracking_uri="https://track.budbee.com/X1")
        ]
        metadata = {"shipping_company": "Porterbuddy"}  # known, without a page
        assert read("X1", Policy(), metadata=metadata) == [
            number("X1", shipping_company="Porterbuddy")
        ]

    def test_the_mapping_stands_above_it(self):
        rules = (ShippingRule("PostNord", shipping_company="Bring"),)
        [made] = read("RR123456785SE", Policy(shipping_methods=rules))
        assert made["shipping_company"] == "Bring"
        assert made["tracking_uri"] == "https://tracking.bring.com/tracking/RR123456785SE"

    def test_a_link_of_a_known_carrier_tells_number_and_company(self):
        link = "https://www.ups.com/track?tracknum=1Z999AA10123456784"
        made = [number("1Z999AA10123456784", shipping_company="UPS", tracking_uri=link)]
        assert read(link, Policy()) == made
        rules = (ShippingRule("PostNord", shipping_company="PostNord SE"),)
        assert read(link, Policy(shipping_methods=rules)) == made
        preferred = (ShippingRule("PostNord", shipping_company="ups"),)
        [named] = read(link, Policy(shipping_methods=preferred))
        assert named["shipping_company"] == "ups"
        assert read(link, ALONE) == [{"tracking_uri": link}]

    def test_returns_are_named_only_where_their_number_is_certain(self):
        metadata = {"return_tracking_number": "1Z999AA10123456784"}
        [made] = read("ABC", Policy(), metadata=metadata)
        assert made["return_shipping_company"] == "UPS"
        assert made["return_tracking_uri"].startswith("https://www.ups.com/")
        metadata = {"return_tracking_number": "UJ338439355SE"}
        [made] = read("ABC", Policy(), metadata=metadata)
        assert "return_shipping_company" not in made


def test_a_company_that_is_known_later_sends_nothing_again():
    before = read("UA1", ALONE)
    rules = (ShippingRule("PostNord", shipping_company="PostNord SE", tracking_uri=PAGE),)
    after = read("UA1", Policy(shipping_methods=rules))
    assert after != before
    assert difference(after, before) == ()


_texts = st.one_of(
    st.text(),
    st.sampled_from(["UA123456785SE, UB1", "https://t.example/UB1", "[1, null]", "Home;x", "["]),
)


@given(_texts, st.dictionaries(st.sampled_from([*FIELDS, "shipping_info"]), _texts))
def test_whatever_is_written_gives_entries_that_kustom_takes(text, metadata):
    found = tracking(
        order(line("mug", 1, 10_00)),
        parcel(1, {"mug": 1}, tracking_number=text, metadata=metadata),
        Policy(),
    )
    for entry in found.entries:
        assert entry
        assert set(entry) <= set(FIELDS)
        for name, value in entry.items():
            assert 0 < len(value) <= (1024 if name.endswith("uri") else 100)
            json.dumps(value).encode("ascii")
            if name.endswith("uri"):
                assert value.lower().startswith(("https://", "http://"))
        assert entry.get("shipping_method", "Home") in METHODS
    assert difference(found.entries, found.entries) == ()
    assert difference(found.entries, ()) == found.entries
