"""The simulated Kustom refuses every body that the contract does not allow."""

import pytest

LINE = {"name": "Mug", "quantity": 3, "unit_price": 34, "total_amount": 100,
        "total_discount_amount": 2, "tax_rate": 2500, "total_tax_amount": 20}  # fmt: skip
GIFT_CARD = {"type": "gift_card", "name": "Gift card", "quantity": 1, "unit_price": -20,
             "total_amount": -20, "tax_rate": 0, "total_tax_amount": 0}  # fmt: skip
IDENTIFIERS = {"brand": 70, "category_path": 750, "color": 64, "size": 64,
               "global_trade_item_number": 50, "manufacturer_part_number": 70}  # fmt: skip
SUBSCRIPTION = {"name": "Coffee", "interval": "MONTH", "interval_count": 1}


def body(line=None, **changed):
    lines = {} if line is None else {"order_lines": [line]}
    return {"captured_amount": 100, **lines, **changed}


async def status(http, sent):
    return (await http("POST", "/captures", sent)).status_code


ACCEPTED = {
    "nothing but the amount": body(),
    "all of a line": body(
        LINE | {"type": "physical", "reference": "SKU", "quantity_unit": "pcs",
                "image_url": "https://x.test/i", "product_url": "https://x.test/p",
                "merchant_data": "m", "product_identifiers": {"brand": "B"},
                "subscription": SUBSCRIPTION}
    ),
    "a line without tax": body({"name": "Mug", "quantity": 1, "unit_price": 100,
                                "total_amount": 100}),
    "tax one below": body(LINE | {"total_tax_amount": 19}),
    "tax one above": body(LINE | {"total_tax_amount": 21}),
    "a gift card": {"captured_amount": 80, "order_lines": [LINE, GIFT_CARD]},
    "a negative discount line": {
        "captured_amount": 90,
        "order_lines": [LINE, {"type": "discount", "name": "d", "quantity": 1, "unit_price": -10,
                               "total_amount": -10, "tax_rate": 2500, "total_tax_amount": -2}],
    },
    "texts at their limits, counted in code points": body(
        LINE | {"name": "😀" * 255, "reference": "å" * 255, "quantity_unit": "x" * 10},
        description="ü" * 255, reference="r" * 255,
    ),
    "identifiers at their limits": body(
        LINE | {"product_identifiers": {name: "å" * most for name, most in IDENTIFIERS.items()}}
    ),
    "500 parcels": body(shipping_info=[{"tracking_number": "å" * 100}] * 500),
    "all of a parcel": body(shipping_info=[
        {"shipping_company": "c" * 100, "shipping_method": "Home", "tracking_uri": "u" * 1024,
         "return_shipping_company": "c", "return_tracking_number": "n",
         "return_tracking_uri": "u"}
    ]),
    "a delay": body(shipping_delay=0),
}  # fmt: skip


@pytest.mark.parametrize("sent", ACCEPTED.values(), ids=ACCEPTED)
async def test_what_the_contract_allows_is_captured(http, there, sent):
    assert await status(http, sent) == 201
    assert there.captured == sent["captured_amount"]


REFUSED = {
    "no amount": {"reference": "r"},
    "amount 0": body(captured_amount=0),
    "amount below 0": body(captured_amount=-1),
    "amount as text": body(captured_amount="100"),
    "amount as float": body(captured_amount=100.0),
    "amount as boolean": body(captured_amount=True),
    "amount null": body(captured_amount=None),
    "amount above the limit": body(captured_amount=200_000_001),
    "an unknown field": body(amount=100),
    "an unknown field of a line": body(LINE | {"sku": "x"}),
    "reference too long": body(reference="r" * 256),
    "description too long": body(description="d" * 256),
    "reference no text": body(reference=7),
    "lines as an object": body(order_lines={"0": LINE}),
    "1001 lines": body(order_lines=[LINE] * 1001),
    "a line that is none": body(order_lines=["Mug"]),
    "lines that do not sum": body(LINE, captured_amount=99),
    "total not what it is made of": body(LINE | {"total_discount_amount": 1}),
    "tax two above": body(LINE | {"total_tax_amount": 22}),
    "tax two below": body(LINE | {"total_tax_amount": 18}),
    "tax on top instead of contained": body(LINE | {"total_tax_amount": 25}),
    "tax without a rate": body({k: v for k, v in LINE.items() if k != "tax_rate"}),
    "a rate below 0": body(LINE | {"tax_rate": -1}),
    "a rate as float": body(LINE | {"tax_rate": 25.0}),
    "a negative discount": body(LINE | {"total_discount_amount": -2}),
    "an unknown type": body(LINE | {"type": "Physical"}),
    "an empty name": body(LINE | {"name": ""}),
    "a name too long": body(LINE | {"name": "å" * 256}),
    "a unit too long": body(LINE | {"quantity_unit": "x" * 11}),
    "an empty url": body(LINE | {"product_url": ""}),
    "a url too long": body(LINE | {"image_url": "u" * 1025}),
    "a quantity as float": body(LINE | {"quantity": 1.5}),
    "parcels as an object": body(shipping_info={"tracking_number": "1"}),
    "501 parcels": body(shipping_info=[{"tracking_number": "1"}] * 501),
    "an unknown method": body(shipping_info=[{"shipping_method": "home"}]),
    "a number as number": body(shipping_info=[{"tracking_number": 123}]),
    "a delay below 0": body(shipping_delay=-1),
    "a subscription without its interval": body(LINE | {"subscription": {"name": "x"}}),
    "identifiers as text": body(LINE | {"product_identifiers": "x"}),
    **{
        f"without {name}": body({k: v for k, v in LINE.items() if k != name})
        for name in ("name", "quantity", "unit_price", "total_amount")
    },
    **{
        f"{name} too long": body(LINE | {"product_identifiers": {name: "x" * (most + 1)}})
        for name, most in IDENTIFIERS.items()
    },
}


@pytest.mark.parametrize("sent", REFUSED.values(), ids=REFUSED)
async def test_what_the_contract_does_not_allow_is_refused(http, there, kustom, sent):
    answer = await http("POST", "/captures", sent)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "BAD_VALUE")
    kustom.switches.validation_status = 422
    answer = await http("POST", "/captures", sent)
    assert (answer.status_code, answer.json()["error_code"]) == (422, "UNPROCESSABLE_ENTITY")
    assert there.captures == []


async def test_the_refusal_names_the_field(http):
    answer = await http("POST", "/captures", body(LINE | {"total_tax_amount": 25}))
    assert answer.json()["error_messages"] == ["Bad value: order_lines[0].total_tax_amount"]


@pytest.mark.parametrize(
    ("name", "most"),
    [("shipping_company", 100), ("tracking_number", 100), ("tracking_uri", 1024),
     ("return_shipping_company", 100), ("return_tracking_number", 100),
     ("return_tracking_uri", 1024)],
)  # fmt: skip
async def test_tracking_that_is_too_long_is_refused_in_klarnas_words(http, name, most):
    assert await status(http, body(shipping_info=[{name: "å" * most}])) == 201
    answer = await http("POST", "/captures", body(shipping_info=[{name: "å" * (most + 1)}]))
    assert (answer.status_code, answer.json()["error_code"]) == (422, "UNPROCESSABLE_ENTITY")
    text = f"The size of the shipping_info/{name} value must be between 0 and {most}"
    assert answer.json()["error_messages"] == [text]


@pytest.mark.parametrize("sent", [{}, {"shipping_info": []}, {"shipping_info": None}])
async def test_tracking_needs_an_entry(http, sent):
    made = await http("POST", "/captures", body())
    path = f"/captures/{made.headers['capture-id']}/shipping-info"
    assert (await http("POST", path, sent)).status_code == 400


@pytest.mark.parametrize(
    ("switch", "other", "sent"),
    [
        ("checks_sums", False, body(LINE, captured_amount=99)),
        ("checks_taxes", False, body(LINE | {"total_tax_amount": 25})),
        ("takes_zero_captures", True, body(captured_amount=0)),
        ("refuses_unknown_fields", False, body(unknown=1)),
    ],
)
async def test_a_switch_allows_what_is_only_assumed_to_be_refused(
    http, kustom, switch, other, sent
):
    assert await status(http, sent) == 400
    setattr(kustom.switches, switch, other)
    assert await status(http, sent) == 201


@pytest.mark.parametrize(
    ("switch", "other", "sent"),
    [
        ("takes_gift_card_lines", False, ACCEPTED["a gift card"]),
        ("refuses_tracking", True, ACCEPTED["500 parcels"]),
    ],
)
async def test_a_switch_refuses_what_is_only_assumed_to_be_allowed(
    http, kustom, switch, other, sent
):
    setattr(kustom.switches, switch, other)
    assert await status(http, sent) in (400, 422)
    setattr(kustom.switches, switch, not other)
    assert await status(http, sent) == 201
