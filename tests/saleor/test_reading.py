"""Saleor's order is read exactly, tolerantly where nothing depends on it, strictly with money."""

import json
import uuid
from copy import deepcopy
from decimal import Decimal

import pytest

from saleor_kustom.errors import Refused
from saleor_kustom.saleor.reading import read_fulfillment, read_order
from tests.conftest import RECORDINGS

MINIMAL = {
    "id": "T3JkZXI6MQ==",
    "number": "1001",
    "channel": {"slug": "se", "currencyCode": "SEK"},
    "total": {"gross": {"amount": "149.00"}},
    "shippingPrice": {"gross": {"amount": "49.00"}},
    "lines": [
        {"id": "line-1", "quantity": 3, "totalPrice": {"gross": {"amount": "100.00"}}},
    ],
}

PAYMENT = {
    "id": "T-1",
    "pspReference": "PSP",
    "name": "Kustom",
    "authorizedAmount": {"amount": Decimal("100.10")},
    "chargedAmount": {"amount": Decimal("49.90")},
    "refundedAmount": {"amount": Decimal("1.00")},
    "canceledAmount": {"amount": Decimal("2.00")},
}
PARCEL = {
    "id": "F-1",
    "fulfillmentOrder": 2,
    "status": "FULFILLED",
    "created": "2026-11-23T13:11:34.424195+01:00",
}


def wire(**fields):
    return {**deepcopy(MINIMAL), **fields}


def line(**fields):
    return read_order(wire(lines=[{**MINIMAL["lines"][0], **fields}])).lines[0]


def amount(text):
    return {"gross": {"amount": Decimal(text)}}


def recorded(name):
    text = (RECORDINGS / f"{name}.json").read_text(encoding="utf-8")
    return json.loads(json.loads(text)["body"], parse_float=Decimal)


class TestAnOrder:
    def test_what_is_missing_is_unknown_or_empty(self):
        order = read_order(MINIMAL)
        assert (order.total_minor, order.subtotal_minor, order.shipping_minor) == (
            149_00,
            100_00,
            49_00,
        )
        assert order.undiscounted_shipping_minor == 49_00
        assert order.gift_cards_used is None
        assert (order.fulfillments, order.transactions, order.metadata) == ((), (), {})
        [only] = order.lines
        assert (only.sku, only.image_url, only.product_slug, only.tax_rate) == (None, None, None, 0)
        assert only.undiscounted_total_minor == 100_00
        assert only.requires_shipping

    @pytest.mark.parametrize("name", ["metadata", "fulfillments", "transactions", "giftCards"])
    def test_a_list_that_is_null_is_none(self, name):
        assert read_order(wire(**{name: None})).metadata == {}

    def test_the_orders_own_currency_stands_above_the_channels(self):
        total = {"gross": {"amount": Decimal("149.000"), "currency": "kwd"}}
        order = read_order(wire(total=total))
        assert (order.currency, order.total_minor) == ("KWD", 149_000)

    def test_a_fees_discount_is_read_where_prices_include_tax(self):
        order = read_order(wire(undiscountedShippingPrice={"amount": Decimal("60.00")}))
        assert order.undiscounted_shipping_minor == 60_00

    def test_a_fees_discount_gets_its_tax_where_prices_are_net(self):
        channel = {
            "slug": "se",
            "currencyCode": "SEK",
            "taxConfiguration": {"pricesEnteredWithTax": False},
        }
        order = read_order(
            wire(
                channel=channel,
                shippingPrice=amount("30.63"),
                shippingTaxRate=Decimal("0.25"),
                undiscountedShippingPrice={"amount": Decimal("49.01")},
            )
        )
        assert (order.shipping_minor, order.undiscounted_shipping_minor) == (30_63, 61_26)
        untaxed = read_order(
            wire(channel=channel, undiscountedShippingPrice={"amount": Decimal("55.00")})
        )
        assert untaxed.undiscounted_shipping_minor == 55_00

    def test_a_fee_is_never_above_its_undiscounted_price(self):
        order = read_order(wire(undiscountedShippingPrice={"amount": Decimal("39.20")}))
        assert order.undiscounted_shipping_minor == 49_00

    def test_gift_cards_are_counted(self):
        assert read_order(wire(giftCards=[])).gift_cards_used == 0
        assert read_order(wire(giftCards=[{"id": "a"}, {"id": "b"}])).gift_cards_used == 2

    def test_metadata_is_read_as_pairs(self):
        order = read_order(
            wire(
                metadata=[{"key": "a", "value": "1"}], privateMetadata=[{"key": "b", "value": "2"}]
            )
        )
        assert (order.metadata, order.private_metadata) == ({"a": "1"}, {"b": "2"})


class TestALine:
    @pytest.mark.parametrize(
        ("fields", "name"),
        [
            ({"productName": "Mugg", "variantName": "Blå"}, "Mugg (Blå)"),
            ({"productName": "Mugg", "variantName": ""}, "Mugg"),
            ({"productName": "Mugg", "variantName": "Mugg"}, "Mugg"),
            ({"productName": "Mugg", "variantName": "M-1", "productSku": "M-1"}, "Mugg"),
            ({"productName": "", "variantName": "Blå"}, "Blå"),
            (
                {
                    "productName": "Mug",
                    "variantName": "Blue",
                    "translatedProductName": "Mugg",
                    "translatedVariantName": "Blå",
                },
                "Mugg (Blå)",
            ),
            ({"productName": "Mug", "translatedProductName": None, "variantName": ""}, "Mug"),
        ],
    )
    def test_it_is_named_in_the_orders_language_where_saleor_has_it(self, fields, name):
        assert line(**fields).name == name

    def test_a_deleted_variant_leaves_the_stored_name_and_sku(self):
        made = line(variant=None, productName="Mugg", productSku="M-1")
        assert (made.name, made.sku, made.product_slug) == ("Mugg", "M-1", None)

    def test_a_product_gives_slug_and_kind(self):
        product = {"slug": "mugg", "productType": {"kind": "GIFT_CARD"}}
        made = line(variant={"product": product})
        assert (made.product_slug, made.is_gift_card) == ("mugg", True)
        assert not line(
            variant={"product": {"slug": "x", "productType": {"kind": "NORMAL"}}}
        ).is_gift_card
        assert not line(variant={"product": None}).is_gift_card

    @pytest.mark.parametrize(
        ("rate", "kustoms"), [("0.25", 2500), ("0.055", 550), ("0.081", 810), ("0.255", 2550)]
    )
    def test_its_stored_rate_is_exact(self, rate, kustoms):
        assert line(taxRate=Decimal(rate)).tax_rate == kustoms

    def test_its_stored_total_counts_and_not_unit_price_times_quantity(self):
        made = line(
            totalPrice=amount("84.99"),
            undiscountedTotalPrice=amount("99.99"),
            unitPrice=amount("28.33"),
        )
        assert (made.total_minor, made.undiscounted_total_minor) == (84_99, 99_99)

    def test_a_gift_and_a_download_are_known(self):
        made = line(isGift=True, isShippingRequired=False)
        assert (made.is_gift, made.requires_shipping) == (True, False)
        assert not line(isGift=None).is_gift

    def test_an_image_is_known(self):
        assert (
            line(thumbnail={"url": "https://shop.example/i"}).image_url == "https://shop.example/i"
        )
        assert line(thumbnail=None).image_url is None


class TestMoney:
    @pytest.mark.parametrize(
        "broken",
        [
            19.99,  # a float has lost the öre
            "abc",
            None,
            Decimal("-1.00"),
            Decimal("0.001"),
            float("nan"),
        ],
    )
    @pytest.mark.parametrize("where", ["total", "shippingPrice"])
    def test_what_is_no_exact_price_is_not_understood(self, where, broken):
        with pytest.raises(Refused) as refused:
            read_order(wire(**{where: {"gross": {"amount": broken}}}))
        assert refused.value.code == "NOT_UNDERSTOOD"

    def test_the_fault_names_the_field_and_no_value(self):
        with pytest.raises(Refused) as refused:
            read_order(wire(number=5, id=None, lines=None))
        assert refused.value.messages == ("the order's id, number, lines",)

    def test_an_unknown_currency_is_not_understood(self):
        with pytest.raises(Refused):
            read_order(wire(channel={"slug": "se", "currencyCode": "QQQ"}))
        with pytest.raises(Refused):
            read_order(wire(channel={"slug": "se"}))

    @pytest.mark.parametrize("quantity", [-1, None, "x"])
    def test_a_quantity_is_a_count(self, quantity):
        with pytest.raises(Refused):
            line(quantity=quantity)

    def test_integers_and_whole_decimals_are_exact_too(self):
        assert read_order(wire(total={"gross": {"amount": 149}})).total_minor == 149_00
        assert read_order(wire(total=amount("1348.0"))).total_minor == 1348_00


class TestATransaction:
    def read(self, **fields):
        [only] = read_order(wire(transactions=[{**PAYMENT, **fields}])).transactions
        return only

    def test_its_amounts_are_exact(self):
        made = self.read()
        assert (made.authorized_minor, made.charged_minor) == (100_10, 49_90)
        assert (made.refunded_minor, made.canceled_minor) == (1_00, 2_00)
        assert (made.id, made.psp_reference, made.name) == ("T-1", "PSP", "Kustom")

    def test_amounts_may_be_missing_or_below_zero(self):
        made = self.read(refundedAmount=None, canceledAmount=None)
        assert (made.refunded_minor, made.canceled_minor) == (0, 0)
        assert self.read(chargedAmount={"amount": Decimal("-1.00")}).charged_minor == -1_00

    def test_its_owner_is_an_app_a_user_or_nobody(self):
        made = self.read(createdBy={"__typename": "App", "id": "A", "identifier": "app"})
        assert (made.owner_app_id, made.owner_app_identifier, made.owned_by_user) == (
            "A",
            "app",
            False,
        )
        made = self.read(createdBy={"__typename": "User", "id": "U"})
        assert (made.owner_app_id, made.owner_app_identifier, made.owned_by_user) == (
            None,
            None,
            True,
        )
        made = self.read(createdBy=None)
        assert (made.owner_app_id, made.owned_by_user) == (None, False)

    def test_a_gift_card_of_saleors_own_is_known_by_its_mark(self):
        nameless = {"name": "", "createdBy": None, "pspReference": str(uuid.UUID(int=8))}
        assert self.read(**nameless, paymentMethodDetails={"isSaleorGiftcard": True}).is_gift_card
        assert not self.read(**nameless).is_gift_card

    @pytest.mark.parametrize(
        "method",
        [None, {}, {"isSaleorGiftcard": False}, {"isSaleorGiftcard": None}, {"name": "Gift card"}],
    )
    def test_every_other_payment_is_none(self, method):
        assert not self.read(paymentMethodDetails=method).is_gift_card

    def test_names_may_be_null(self):
        made = self.read(pspReference=None, name=None)
        assert (made.psp_reference, made.name) == ("", "")


class TestAFulfillment:
    def test_its_time_is_utc_to_the_microsecond(self):
        made = read_fulfillment(PARCEL)
        assert made.created == "2026-11-23T12:11:34.424195+00:00"
        assert (made.id, made.number, made.status, made.tracking_number) == (
            "F-1",
            2,
            "FULFILLED",
            "",
        )

    def test_a_line_without_order_line_is_kept_and_an_empty_one_is_not(self):
        lines = [
            {"quantity": 2, "orderLine": {"id": "line-1"}},
            {"quantity": 1, "orderLine": None},
            {"quantity": 0, "orderLine": {"id": "line-2"}},
        ]
        made = read_fulfillment({**PARCEL, "lines": lines})
        assert [(each.order_line_id, each.quantity) for each in made.lines] == [
            ("line-1", 2),
            ("", 1),
        ]

    def test_the_rest_is_read_and_may_be_null(self):
        made = read_fulfillment(
            {
                **PARCEL,
                "trackingNumber": "UA1",
                "warehouse": {"slug": "stockholm"},
                "metadata": [{"key": "a", "value": "1"}],
                "privateMetadata": [{"key": "b", "value": "2"}],
            }
        )
        assert (made.tracking_number, made.warehouse_slug) == ("UA1", "stockholm")
        assert (made.metadata, made.private_metadata) == ({"a": "1"}, {"b": "2"})
        bare = read_fulfillment(
            {**PARCEL, "trackingNumber": None, "warehouse": None, "lines": None}
        )
        assert (bare.tracking_number, bare.warehouse_slug, bare.lines) == ("", None, ())

    @pytest.mark.parametrize(
        "fields", [{"created": "yesterday"}, {"created": "2026-11-23T12:00:00"}, {"id": None}]
    )
    def test_nonsense_is_refused(self, fields):
        with pytest.raises(Refused) as refused:
            read_fulfillment({**PARCEL, **fields})
        assert (refused.value.code, refused.value.messages) == (
            "NOT_UNDERSTOOD",
            ("the fulfillment",),
        )
        with pytest.raises(Refused):
            read_order(wire(fulfillments=[{**PARCEL, **fields}]))


class TestRecordings:
    def test_a_discounted_order_is_read_to_the_ore(self):
        order = read_order(recorded("b-three-parcels__fulfillment_created__1")["order"])
        assert (order.number, order.channel, order.currency) == ("24", "se", "SEK")
        assert (order.total_minor, order.shipping_minor) == (1397_79, 49_00)
        assert [(each.sku, each.quantity, each.total_minor) for each in order.lines] == [
            ("JACKA-M", 1, 1209_34),
            ("MUGG-1", 3, 93_09),
            ("BROD-1", 2, 46_36),
        ]
        assert order.lines[0].undiscounted_total_minor == 1299_00
        assert order.lines[0].image_url.startswith("http://127.0.0.1:8000/thumbnail/")

    def test_the_three_parcels_of_an_order_are_listed_as_they_come(self):
        names = [f"b-three-parcels__fulfillment_created__{n}" for n in (1, 2, 3)]
        orders = [read_order(recorded(name)["order"]) for name in names]
        numbers = [[each.number for each in order.fulfillments] for order in orders]
        assert numbers == [[1], [1, 2], [1, 2, 3]]

    def test_every_recorded_order_adds_up_but_for_its_gift_card(self):
        read = 0
        for path in sorted(RECORDINGS.glob("*__*_*__*.json")):
            body = json.loads(path.read_text(encoding="utf-8")).get("body") or "{}"
            if not body.startswith("{"):
                continue
            wired = json.loads(body, parse_float=Decimal).get("order")
            if not wired:
                continue
            order = read_order(wired)
            gift = 300_00 if path.name.startswith("e1-gift-card-part") else 0
            parts = sum(each.total_minor for each in order.lines) + order.shipping_minor
            assert parts - gift == order.total_minor
            read += 1
        assert read == 35
