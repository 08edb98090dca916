"""`saleor-kustom plan` and money: every recorded order, rates, currencies, net prices."""

import json
from collections import Counter
from decimal import Decimal

import pytest

from tests.conftest import RECORDINGS
from tests.test_plan_command import WHOLE, amounts, bare, body_of, created, planned
from tests.test_plan_shapes import changed, gross, lines_of, plan_one


def recorded_orders():
    """Every order in the recordings, as the last of them shows it."""
    found = {}
    for path in sorted(RECORDINGS.glob("*__*_*__*.json")):
        text = json.loads(path.read_text(encoding="utf-8")).get("body") or ""
        order = json.loads(text).get("order") if text.startswith("{") else None
        if order:
            found[order["number"]] = order
    return found


class TestRecordedOrders:
    def test_those_that_shipped_in_full_are_those_that_add_up_to_their_total(self):
        whole = set()
        for scenario in {path.name.split("__")[0] for path in created("*")}:
            shipped, seen = Counter(), set()
            for path in created(scenario):
                body = body_of(path)
                if body["fulfillment"]["id"] not in seen:
                    seen.add(body["fulfillment"]["id"])
                    for each in body["fulfillment"]["lines"]:
                        shipped[each["orderLine"]["id"]] += each["quantity"]
            if all(shipped[line["id"]] == line["quantity"] for line in body["order"]["lines"]):
                whole.add(scenario)
        assert whole == WHOLE.keys()

    @pytest.mark.parametrize("options", [(), ("--shipping-fee", "last", "--gift-card", "last")])
    @pytest.mark.parametrize("number", sorted(recorded_orders()))
    def test_each_adds_up_to_its_total_when_it_ships_unit_by_unit(self, number, options, tmp_path):
        order = recorded_orders()[number]
        units = [line["id"] for line in order["lines"] for _ in range(line["quantity"])]
        parcels = [
            bare(
                tmp_path,
                f"{i}",
                {
                    "fulfillment": {
                        "id": f"F-{i}",
                        "lines": [{"quantity": 1, "orderLine": {"id": unit}}],
                    },
                    "order": order,
                },
            )
            for i, unit in enumerate(units)
        ]
        total = Decimal(str(order["total"]["gross"]["amount"]))
        assert sum(amounts(planned(*parcels, options=options))) == total * 100

    def test_there_are_21_of_them(self):
        assert len(recorded_orders()) == 21


class TestMoney:
    @pytest.mark.parametrize(
        ("rate", "kustoms", "tax"),
        [(0.055, 550, 52), (0.081, 810, 75), (0.255, 2550, 203), (0.25, 2500, 200), (0, 0, 0)],
    )
    def test_rates_are_exact(self, tmp_path, rate, kustoms, tax):
        [line] = lines_of(plan_one(tmp_path, changed(line={"taxRate": rate})))
        assert (line["tax_rate"], line["total_tax_amount"]) == (kustoms, tax)

    @pytest.mark.parametrize(
        ("currency", "amount", "minor"),
        [("JPY", 1000.0, 1000), ("ISK", 1000, 1000), ("KWD", 10.005, 10_005), ("TND", 0.001, 1)],
    )
    def test_a_currency_has_its_own_decimals_once_it_is_allowed(
        self, tmp_path, currency, amount, minor
    ):
        total = {"gross": {"amount": amount, "currency": currency}}
        body = changed({"total": total}, {"totalPrice": gross(amount), "quantity": 3})
        assert plan_one(tmp_path, body)["held"] == (
            f"currency_untested: Kustom does not list the currency {currency}."
        )
        allowed = plan_one(tmp_path, body, "--allow-currency", currency.lower())
        assert allowed["body"]["captured_amount"] == minor

    def test_half_a_yen_is_held(self, tmp_path):
        total = {"gross": {"amount": 10.5, "currency": "JPY"}}
        body = changed({"total": total}, {"totalPrice": gross(10.5)})
        held = plan_one(tmp_path, body, "--allow-currency", "JPY")["held"]
        assert held.endswith("10.5 JPY is finer than the currency")

    def net_channel(self, *, included, fee):
        taxes = {"pricesEnteredWithTax": included}
        return changed(
            {
                "channel": {"slug": "b2b", "currencyCode": "SEK", "taxConfiguration": taxes},
                "total": {"gross": {"amount": round(10 + fee, 2), "currency": "SEK"}},
                "shippingPrice": gross(fee),
                "shippingTaxRate": 0.25,
                "undiscountedShippingPrice": {"amount": 49.0},
            },
            {"undiscountedTotalPrice": gross(8.0), "taxRate": 0.25},
        )

    def test_net_prices_are_captured_gross_and_their_discount_is_shown_gross(self, tmp_path):
        body = self.net_channel(included=False, fee=30.63)
        product, fee = lines_of(plan_one(tmp_path, body))
        assert (fee["unit_price"], fee["total_discount_amount"], fee["total_amount"]) == (
            61_25, 30_62, 30_63,
        )  # fmt: skip
        # An undiscounted price below the price is no discount, and no negative one either.
        assert (product["unit_price"], product["total_discount_amount"]) == (334, 2)

    def test_where_prices_have_tax_the_fee_is_as_it_was_entered(self, tmp_path):
        _, fee = lines_of(plan_one(tmp_path, self.net_channel(included=True, fee=30.63)))
        assert (fee["unit_price"], fee["total_discount_amount"]) == (49_00, 18_37)

    def test_a_free_fee_in_a_net_channel_is_shown_as_a_discount_of_its_gross(self, tmp_path):
        _, fee = lines_of(plan_one(tmp_path, self.net_channel(included=False, fee=0.0)))
        assert (fee["unit_price"], fee["total_amount"], fee["total_discount_amount"]) == (
            61_25, 0, 61_25,
        )  # fmt: skip

    def test_a_gift_card_of_3_23_is_a_gift_card_line(self, tmp_path):
        def paid(reference, kind, amount, **more):
            return {"pspReference": reference, kind: {"amount": amount}} | more

        mark = {"name": "Gift card", "isSaleorGiftcard": True}
        card = paid("GC", "chargedAmount", 4.0, name="", paymentMethodDetails=mark)
        kustom = paid("K-1", "authorizedAmount", 6.0, name="Kustom")
        body = changed({"transactions": [card, kustom], "giftCards": [{"id": "GC"}]})
        line = plan_one(tmp_path, body)
        assert lines_of(line)[1]["type"] == "gift_card"
        assert (line["body"]["captured_amount"], lines_of(line)[1]["total_amount"]) == (600, -400)
