"""Settings: accounts, mode, choices, pauses, and a check of the shop."""

import re

import pytest

from saleor_kustom.capture.parties import Mode
from saleor_kustom.capture.policy import choices
from saleor_kustom.store import Scope
from tests.web.dashboard.pages import ALL

GOOD = {"environment": "playground", "username": "PM1-sandbox", "password": "sandbox-password"}


async def test_an_account_is_kept_tested_and_its_password_never_shown(pages):
    body = GOOD | {"channel": "no"}
    assert await pages.did("account", body) == "Kustom accepts it"
    account = await pages.store.accounts.get(pages.saleor.api_url, "no")
    assert (account.merchant_id, account.password) == ("PM1", "sandbox-password")
    html = await pages.html("settings")
    assert "PM1-sandbox" in html
    assert "sandbox-password" not in html
    lines = await pages.store.history.of_shop(pages.saleor.api_url)
    [told] = [line for line in lines if line["detail"].get("channel") == "no"]
    assert told["detail"]["who"] == "admin@example.com"
    assert "sandbox-password" not in str(told)


async def test_what_may_be_wrong_with_credentials_is_told_apart(pages):
    async def said(**changed):
        answer = await pages.post("account", GOOD | changed)
        return answer.json()["said"]["title"]

    assert await said(password="x") == "Kustom refuses it"
    pages.kustom.fail_next("401")  # on the asked environment only
    assert await said() == "The other environment"
    pages.kustom.fail_next("html 403")
    assert await said() == "Blocked on the way"
    pages.kustom.fail_next("503")
    assert await said() == "Kustom gave no answer"
    pages.kustom.reachable = False
    assert await said() == "Kustom was not reached"


async def test_credentials_of_another_merchant_are_told_by_an_order_of_this_one(pages):
    await pages.shipped()
    pages.kustom.add_merchant("PM2-x", "other", "PM2")
    body = GOOD | {"username": "PM2-x", "password": "other", "merchant_id": "PM1"}
    assert (await pages.did("account", body)) == "Another merchant's"
    assert (await pages.did("account", GOOD)) == "Kustom accepts it"


@pytest.mark.parametrize("missing", ["environment", "username", "password"])
async def test_an_account_needs_all_its_parts(pages, missing):
    answer = await pages.post("account", GOOD | {missing: ""})
    assert (answer.status_code, answer.json()["said"]["title"]) == (400, "Not kept")


async def test_an_older_account_is_kept_for_its_orders(pages):
    pages.kustom.add_merchant("PM2-x", "other", "PM2")
    await pages.did("account", GOOD | {"username": "PM2-x", "password": "other"})
    html = await pages.html("settings")
    assert "older, kept for its orders" in html
    asked = {"environment": "playground", "merchant_id": "PM1"}
    assert await pages.did("account-test", asked) == "Kustom accepts it"
    answer = await pages.post("account-test", {"environment": "live", "merchant_id": "PM1"})
    assert answer.status_code == 404


async def test_credentials_that_test_well_end_the_accounts_pause(pages):
    api_url = pages.saleor.api_url
    await pages.store.accounts.pause("playground", "PM1", "HTTP 401", api_url=api_url)
    assert "Paused" in await pages.html("settings")
    asked = {"environment": "playground", "merchant_id": "PM1"}
    await pages.did("account-test", asked)
    assert await pages.store.pauses.list(api_url) == []


@pytest.mark.parametrize(
    ("mode", "title", "stored"),
    [
        ("observe", "Observing", Mode.OBSERVE),
        ("capture", "Capturing", Mode.CAPTURE),
        ("", "By account", None),
    ],
)
async def test_the_mode_is_chosen_and_told(pages, mode, title, stored):
    assert await pages.did("mode", {"mode": mode}) == title
    assert (await pages.store.shops.get(pages.saleor.api_url)).mode is stored
    assert (await pages.post("mode", {"mode": "x"})).status_code == 400


async def test_the_page_says_what_was_observed(pages):
    await pages.did("mode", {"mode": "observe"})
    await pages.shipped()
    assert "1 parcel was observed, 349.00\u00a0SEK." in await pages.html("settings")


async def test_every_choice_that_there_is_stands_in_the_form_with_a_label(pages):
    html = await pages.html("settings", language="sv")
    for key in choices():
        assert f'name="{key}"' in html
    assert "Frakten debiteras" in html
    assert "ärvt: med det första paketet" in html
    assert html.count("<option") > 10


async def test_a_choice_is_kept_for_its_channel_and_left_to_what_it_inherits(pages):
    body = {"channel": "se", "shipping_fee": "last", "extend_authorizations": "true"}
    assert await pages.did("policy", body) == "Saved"
    [chosen] = await pages.store.policies.list(pages.saleor.api_url)
    assert chosen.document == {"shipping_fee": "last", "extend_authorizations": True}
    assert (chosen.channel, chosen.who) == ("se", "admin@example.com")
    html = await pages.html("settings?channel=se")
    assert '<option value="last" selected>' in html
    await pages.did("policy", {"channel": "se", "shipping_fee": ""})
    [chosen] = await pages.store.policies.list(pages.saleor.api_url)
    assert chosen.document == {"extend_authorizations": True}


@pytest.mark.parametrize("act", ["policy", "policy-preview"])
async def test_a_wrong_choice_changes_nothing_and_tells_what_is_right(pages, act):
    answer = await pages.post(act, {"shipping_fee": "never", "extra_currencies": "kronor"})
    told = answer.json()["said"]
    assert (answer.status_code, told["title"]) == (400, "Not saved")
    assert "shipping_fee" in told["text"]
    assert "CZK,HUF" in told["text"]
    assert await pages.store.policies.list(pages.saleor.api_url) == []


async def test_choices_are_tried_on_the_recent_order_with_the_most_parcels(pages):
    order, _ = pages.world.order([pages.mug])
    mugs = order["lines"][0]["id"]
    for units in (2, 1):
        pages.saleor.fulfill(order["id"], {mugs: units})
        await pages.world.settle()
    await pages.shipped()
    answer = await pages.post("policy-preview", {"channel": "se", "shipping_fee": "last"})
    cells = re.findall(r'<td class="n">(.*?)</td>', answer.text)
    assert "Order 1" in answer.text
    assert cells == [f"{amount}\u00a0SEK" for amount in ("249.00", "200.00", "100.00", "149.00")]
    answer = await pages.post("policy-preview", {"gift_card": "last"})
    assert "No difference for this order." in answer.text
    assert await pages.store.policies.list(pages.saleor.api_url) == []


async def test_without_an_order_or_saleor_choices_can_not_be_tried(pages):
    answer = await pages.post("policy-preview", {})
    assert "There is no order yet" in answer.text
    await pages.shipped()
    pages.saleor.fail_next("500")
    answer = await pages.post("policy-preview", {})
    assert "It can&#39;t be planned now" in answer.text


async def test_the_shop_is_checked_for_what_blocks_merchants(pages):
    assert "Saleor lets you fulfil" in await pages.html("shop-check")
    pages.saleor.allow_unpaid = pages.saleor.auto_approve = False
    html = await pages.html("shop-check")
    assert "Allow fulfillment without payment" in html
    assert "wait for approval" in html
    pages.saleor.fail_next("500")
    assert "Saleor can&#39;t be asked now" in await pages.html("shop-check")


async def test_a_new_shop_is_led_through_its_set_up(pages):
    html = await pages.html("settings")
    assert "Let an order find its Kustom order" in html
    await pages.shipped()
    assert "Set up" not in await pages.html("settings")


async def test_pauses_are_listed_with_who_and_why(pages):
    for scope, key in ((Scope.SHOP, ""), (Scope.CHANNEL, "se"), (Scope.ORDER, "T3I=")):
        await pages.store.pauses.set(scope, pages.saleor.api_url, key, who="anna", why="because")
    html = await pages.html("settings")
    for wanted in ("The whole shop", "Channel se", "Order T3I=", "Paused by anna: because"):
        assert wanted in html
    assert html.count('data-act="unpause"') == 3


async def test_health_shows_the_queue_the_calls_and_the_versions(pages):
    await pages.shipped()
    html = await pages.html("health", permissions=("MANAGE_ORDERS",))
    for wanted in ("Kustom", "Saleor", "3.23.28", " %", " ms", "Nothing is due."):
        assert wanted in html
    assert "#settings" not in html
    assert "#settings" in await pages.html("health", permissions=ALL)


async def test_health_of_an_untouched_shop_has_no_numbers_that_are_made_up(pages):
    html = await pages.html("health")
    assert "Nothing is due." in html


async def test_a_parcel_that_is_late_alarms(pages):
    _, _, row = await pages.shipped(settle=False)
    await pages.sql("update capture set due_at = due_at - 301 where id = :id", id=row.id)
    html = await pages.html("health")
    assert "tile alarming" in html
    assert "Due since" in html


async def test_webhooks_that_differ_are_shown_and_brought_up_to_date(pages):
    assert "as this version wants them" in await pages.html("webhooks")
    webhook = pages.saleor.installed.webhooks[0]
    webhook["subscriptionQuery"] = "subscription { event { __typename } }"
    webhook["isActive"] = False
    html = await pages.html("webhooks")
    assert 'class="wrong"' in html
    assert 'data-act="sync-webhooks"' in html
    looking = ("MANAGE_ORDERS",)
    assert "sync-webhooks" not in await pages.html("webhooks", permissions=looking)
    assert await pages.did("sync-webhooks", {}) == "Up to date"
    assert "as this version wants them" in await pages.html("webhooks")


async def test_without_saleor_nothing_is_said_of_webhooks(pages):
    pages.saleor.fail_next("500", 2)
    assert "Saleor can&#39;t be asked now" in await pages.html("webhooks")
    assert await pages.did("sync-webhooks", {}) == "Not done"
