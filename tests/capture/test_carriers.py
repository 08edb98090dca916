"""The data file of carriers: it names one only where that is certain."""

import pytest
from pydantic import ValidationError

from saleor_kustom.capture import carriers as module
from saleor_kustom.capture.carriers import (
    Carrier,
    Carriers,
    carriers,
    compact,
    filled,
    number_in,
    template_problem,
)
from saleor_kustom.capture.check_digits import CHECKS

of_number, of_company, of_link = carriers().of_number, carriers().of_company, carriers().of_link
named_at_the_start, certain = carriers().named_at_the_start, carriers().certain


def called(carrier):
    return carrier and carrier.company


class TestCheckDigits:
    #: Published examples: carriers.toml says where.
    VALID = (
        ("s10", "UJ338439355SE"), ("s10", "UE954142770SE"), ("s10", "RB123456785GB"),
        ("s10", "CC548936341EE"), ("s10", "CW541676386FR"), ("s10", "CT797294851NO"),
        ("sscc", "00573132901588003506"), ("sscc", "387193364964690280"),
        ("ups", "1Z5R89390357567127"), ("ups", "1Z410E7W0392751591"), ("ups", "1Z999AA10123456784"),
        ("mod7", "3318810025"), ("mod7", "73891051146"), ("mod7", "1099255990"),
        ("fedex", "986578788855"), ("fedex", "477179081230"), ("fedex", "974367662710"),
    )  # fmt: skip

    @pytest.mark.parametrize(("check", "number"), VALID)
    def test_published_numbers_have_theirs(self, check, number):
        assert CHECKS[check](number)

    @pytest.mark.parametrize(("check", "number"), VALID)
    def test_another_digit_in_its_place_is_found(self, check, number):
        at = 10 if check == "s10" else len(number) - 1
        others = {f"{number[:at]}{d}{number[at + 1 :]}" for d in range(10)} - {number}
        assert not any(CHECKS[check](other) for other in others)

    def test_the_rests_10_and_11_of_s10_are_0_and_5(self):
        assert CHECKS["s10"]("UE954142770SE")
        zeros = "RR000000005SE"  # the weights of zeros sum to 0: 11 - 0 is 11
        assert CHECKS["s10"](zeros)


class TestTheFile:
    def test_it_is_read_once(self):
        assert carriers() is carriers()

    def test_the_carriers_that_the_nordics_use_are_there(self):
        known = {carrier.company for carrier in carriers().known}
        assert known >= {
            "PostNord SE", "PostNord DK", "PostNord NO", "PostNord FI", "Bring", "DHL SE",
            "DHL Freight", "DHL Express", "DB Schenker", "GLS", "DPD", "UPS", "FedEx", "Budbee",
            "Instabee", "Early Bird", "Airmee", "Posti", "Matkahuolto", "Helthjem", "Porterbuddy",
            "CityMail", "dao", "InPost", "Omniva", "Itella", "Colissimo", "Royal Mail", "TNT",
            "Hermes", "Evri",
        }  # fmt: skip

    def test_companies_differ_and_names_are_in_lower_case(self):
        companies = [carrier.company for carrier in carriers().known]
        assert len(companies) == len(set(companies))
        for carrier in carriers().known:
            assert all(name == name.casefold() == " ".join(name.split()) for name in carrier.names)

    def test_a_link_is_recognised_as_what_made_it(self):
        for carrier in carriers().known:
            for link in carrier.link:
                page = filled(link.uri, "RR 123 456 785 SE")
                assert number_in(page, link.uri) == "RR123456785SE"
                assert of_link(page).carrier in (carrier, None)

    def test_no_link_was_opened_by_anybody(self):
        """Whoever opens one says so in the file, and changes docs/tracking.md and this."""
        assert not any(link.verified for carrier in carriers().known for link in carrier.link)

    @pytest.mark.parametrize(
        "change",
        [
            {"company": ""},
            {"names": ()},
            {"unknown": 1},
            {"link": [{"uri": "https://t.example/", "source": "x", "verified": False}]},
            {"link": [{"uri": "https://t.example/{number}", "source": "", "verified": False}]},
            {"link": [{"uri": "https://t.example/{number}", "source": "x"}]},
            {"number": [{"form": "(", "source": "x", "verified": False}]},
            {"number": [{"form": "x", "check": "none", "source": "x", "verified": False}]},
        ],
    )
    def test_a_wrong_file_is_refused(self, change):
        with pytest.raises(ValidationError):
            Carrier.model_validate({"company": "A", "names": ("a",), **change})

    def test_a_file_without_carriers_is_refused(self):
        with pytest.raises(ValidationError):
            module._File.model_validate({"carrier": []})


class TestNumbers:
    @pytest.mark.parametrize(
        ("number", "company"),
        [
            ("1Z999AA10123456784", "UPS"),
            ("1z 999 aa1 01 2345 6784", "UPS"),
            ("RR123456785SE", "PostNord SE"),
            ("CT797294851NO", "Bring"),
            ("RR123456785FI", "Posti"),
            ("CC548936341EE", "Omniva"),
            ("RR123456786SE", None),  # a wrong check digit
            ("1Z999AA10123456785", None),
            ("UJ338439355SE", None),  # Early Bird and CityMail deliver such items too
            ("RR123456785GB", None),  # Royal Mail or Parcelforce
            ("00573132901588003506", None),
            ("3318810025", None),
            ("ABC", None),
            ("", None),
        ],
    )  # fmt: skip
    def test_a_number_names_its_carrier_only_where_that_is_certain(self, number, company):
        assert called(of_number(number)) == company

    @pytest.mark.parametrize(
        ("number", "words", "company"),
        [
            ("UJ338439355SE", "PostNord Varubrev", "PostNord SE"),
            ("UE954142770SE", "Early Bird (brevlåda)", "Early Bird"),
            ("00573132901588003506", "Postnord MyPack Collect", "PostNord"),
            ("00573132901588003506", "Bring Hentested", "Bring"),
            ("3318810025", "DHL-Express", "DHL Express"),
            ("3318810025", "DHL", "DHL"),
            ("6106283101", "DHL Freight", "DHL Freight"),
            ("RR123456785DK", "PostNord", "PostNord DK"),
            ("RR123456785GB", "Royal  Mail Tracked", "Royal Mail"),
            ("JJFI12345600001234", "Posti", "Posti"),
            ("123456789012345678901234", "InPost", "InPost"),
            ("UJ338439355SE", "PostNord eller Early Bird", None),  # names both
            ("UJ338439355SE", "Budbee", None),  # the number is not known as Budbee's
            ("ABC123", "PostNord", None),  # nor this as PostNord's
            ("3318810025", "Hemleverans", None),
            ("1Z999AA10123456784", "PostNord", "UPS"),  # certain by itself
        ],
    )
    def test_the_shipping_methods_name_decides_between_those_that_fit(self, number, words, company):
        assert called(of_number(number, words)) == company

    def test_a_name_within_a_word_names_nothing(self):
        assert of_number("RR123456785GB", "Royal Mailing") is None
        assert of_number("00573132901588003506", "Postnordic") is None

    def test_only_what_a_check_digit_proves_is_one_number_for_certain(self):
        assert certain("1Z 999 AA1 01 2345 6784")
        assert not certain("123456789012345678901234")

    def test_numbers_are_compared_without_blanks_and_punctuation(self):
        assert compact(" ab-12.3 ") == "AB123"


class TestCompanies:
    @pytest.mark.parametrize(
        ("company", "number", "found"),
        [
            ("PostNord SE", "", "PostNord SE"),
            ("postnord  se", "", "PostNord SE"),
            ("PostNord", "", "PostNord"),
            ("Postnord Sverige", "", "PostNord SE"),
            ("Schenker", "", "DB Schenker"),
            ("Pigeon", "", None),
            ("", "", None),
        ],
    )  # fmt: skip
    def test_a_merchants_own_word_is_looked_up(self, company, number, found):
        assert called(of_company(company, number)) == found

    def test_of_several_with_one_name_the_number_decides(self):
        form = {"form": r"\d+", "source": "x", "verified": False}
        one = Carrier.model_validate({"company": "A 1", "names": ("a",), "number": [form]})
        two = Carrier.model_validate({"company": "A 2", "names": ("a",)})
        of_company = Carriers([one, two]).of_company
        assert of_company("A") is None
        assert of_company("A", "123") is one
        assert of_company("A", "X") is None

    def test_a_name_needs_a_number_after_it(self):
        assert named_at_the_start("DHL: 12") == module.Named("DHL", "12")
        assert named_at_the_start("DHL") is None
        assert named_at_the_start("DHL parcel") is None


class TestLinks:
    def test_a_number_is_taken_only_out_of_an_exact_link(self):
        page = "https://tracking.postnord.com/se/?id=UJ338439355SE"
        assert called(of_link(page).carrier) == "PostNord SE"
        assert of_link(page).number == "UJ338439355SE"
        assert of_link(page.replace("tracking.postnord.com", "Tracking.PostNord.com"))
        for other in (
            page.replace("/se/", "/SE/"),
            f"{page}&lang=sv",
            f"{page}/x",
            page.replace("https", "http"),
            "https://tracking.postnord.com/se/?id=",
            "https://tracking.postnord.com/se/?id=track",
            "https://track.example/UJ338439355SE",
        ):
            assert of_link(other) is None, other

    def test_a_page_that_two_carriers_share_names_neither(self):
        link = {"uri": "https://t.example/{number}", "source": "x", "verified": False}
        shared = [
            Carrier.model_validate({"company": name, "names": (name,), "link": [link]})
            for name in "ab"
        ]
        assert Carriers(shared).of_link("https://t.example/1") == module.Linked("1", None)

    def test_what_stands_in_a_link_is_decoded(self):
        assert number_in("https://t.example/A%2F1", "https://t.example/{number}") == "A/1"

    def test_a_number_can_lead_nowhere_else(self):
        template = "https://t.example/?id={number}"
        assert filled(template, "1&x=2#y/../z") == "https://t.example/?id=1%26x%3D2%23y%2F..%2Fz"
        assert filled(template, "ö 1") == "https://t.example/?id=%C3%B61"
        assert filled(template, "ö" * 1000) is None

    @pytest.mark.parametrize(
        ("template", "problem"),
        [
            ("https://t.example/{number}", None),
            ("http://t.example/#/{number}/x", None),
            ("https://t.example/", "exactly once"),
            ("https://t.example/{number}{number}", "exactly once"),
            ("https://t.example/{number}/{lang}", "exactly once"),
            ("https://{number}.example/", "an address"),
            ("ftp://t.example/{number}", "an address"),
            ("t.example/{number}", "an address"),
            (f"https://t.example/{'a' * 1000}{{number}}", "too long"),
        ],
    )  # fmt: skip
    def test_templates_are_checked(self, template, problem):
        found = template_problem(template)
        assert found is None if problem is None else problem in found
