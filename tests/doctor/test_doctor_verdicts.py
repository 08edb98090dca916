"""Each verdict of a check-up: how bad it is, what is said, and how to mend it."""

from dataclasses import replace

import pytest

from saleor_kustom.capture.checkup import AccountVerdict
from saleor_kustom.capture.parties import Account, Mode, Shop
from saleor_kustom.doctor import of_app, of_shop
from saleor_kustom.doctor.findings import EXIT, Finding, Level, ok, worst
from saleor_kustom.errors import Refused, Unavailable
from saleor_kustom.saleor.seen_as import SeenAs, SeenWebhook
from saleor_kustom.settings import Settings
from saleor_kustom.store import Numbers, OpenAuthorization, Pause, Scope

SHOP = Shop("https://shop.example/graphql/", "APP1", "secret-token", "3.22.67")
ACCOUNT = Account("live", "PM1", "PM1-user", "secret-password")
APP_URL = "https://kustom.shop.example"
GOOD = Settings(
    secret_key="x" * 32, app_url=APP_URL, allowed_saleor_urls=("https://shop.example/graphql/",)
)
OURS = {"id": "saleor-kustom", "version": "1.0"}
HOOKS_AT = f"{APP_URL}/api/webhooks/saleor"
HOOK = {
    "name": "Created",
    "targetUrl": f"{HOOKS_AT}/created",
    "query": "subscription {\n  event }",
    "asyncEvents": ["CREATED"],
}


def seen(**changed):
    values = {
        "app_id": "APP1", "active": True, "webhooks": (), "saleor_version": "3.22.67",
        "permissions": frozenset({"MANAGE_ORDERS", "HANDLE_PAYMENTS"}),
        "allows_unpaid": True, "approves_by_itself": True,
    }  # fmt: skip
    return SeenAs(**(values | changed))


def numbers(**changed):
    values = {
        "waiting": 3, "due": 1, "running": 1, "oldest_due_s": 0.5, "held": {}, "paused": {},
        "authorized": [], "expiring": [], "waiting_money": [],
    }  # fmt: skip
    return Numbers(**(values | changed))


def levels(found):
    return [one.level.value for one in ([found] if isinstance(found, Finding) else found)]


SETTINGS = [
    ({}, ["ok"]),
    ({"app_url": "http://kustom.shop.example"}, ["warn"]),
    ({"app_url": "https://127.0.0.1:8080"}, ["warn"]),
    ({"allowed_saleor_urls": ()}, ["warn"]),
    ({"allow_private_hosts": True}, ["warn"]),
]


@pytest.mark.parametrize(("changed", "found"), SETTINGS)
def test_settings(changed, found):
    assert levels(of_app.on_settings(replace(GOOD, **changed))) == found


@pytest.mark.parametrize(
    ("skew_s", "level"),
    [(None, "ok"), (0, "ok"), (-10, "ok"), (11, "warn"), (-120, "warn"), (121, "fail")],
)
def test_a_clock(skew_s, level):
    assert levels(of_app.on_clock("Saleor", skew_s)) == [level]


def test_a_clock_says_which_way():
    assert "30 s behind this machine" in of_app.on_clock("Saleor", -30).what
    assert "30 s ahead of this machine" in of_app.on_clock("Saleor", 30).what


SERVED = [
    (of_app.Served("3.22", 200, OURS), "ok"),
    (of_app.Served("3.22", problem="no route"), "fail"),
    (of_app.Served("3.22", 502, None), "fail"),
    (of_app.Served("3.22", 200, None), "fail"),
    (of_app.Served("3.22", 200, {"id": "another"}), "fail"),
    (of_app.Served("3.22", 200, {**OURS, "version": "0.9"}), "warn"),
]


@pytest.mark.parametrize(("served", "level"), SERVED)
def test_a_manifest(served, level):
    assert levels(of_app.on_manifest(APP_URL, served, OURS)) == [level]


QUEUES = [
    ({}, ["ok"]),
    ({"oldest_due_s": 121.0}, ["warn"]),
    ({"oldest_due_s": 901.0}, ["fail"]),
    ({"held": {"observed": 7}}, ["ok"]),
    ({"held": {"not_linked": 2, "observed": 7}}, ["ok", "warn"]),
]


@pytest.mark.parametrize(("changed", "found"), QUEUES)
def test_a_queue(changed, found):
    assert levels(of_app.on_queue(numbers(**changed))) == found


def test_a_pause_is_told_with_who_and_why():
    [found] = of_app.on_pauses([Pause(Scope.SHOP, SHOP.api_url, "", "eva", "stocktaking", 0.0)])
    assert (found.level, "eva: stocktaking" in found.what) == (Level.WARN, True)


def test_a_slow_disk():
    assert levels(of_app.on_write(0.02, "sqlite:///a.db")) == ["ok"]
    assert levels(of_app.on_write(1.5, "sqlite:///a.db")) == ["warn"]
    assert "password" not in of_app.on_write(1.5, "postgresql://me:password@host/db").what


TOKENS = [({}, "ok"), ({"app_id": "APP2"}, "fail"), ({"active": False}, "fail")]


@pytest.mark.parametrize(("changed", "level"), TOKENS)
def test_a_token(changed, level):
    assert levels(of_shop.on_token(SHOP, seen(**changed))) == [level]


def test_a_refused_token_is_told_apart_from_a_shop_that_is_away():
    refused = of_shop.on_unknown_token(Refused("UNKNOWN_APP"))
    away = of_shop.on_unknown_token(Unavailable("SALEOR_NOT_REACHED"))
    assert (refused.level, away.level) == (Level.FAIL, Level.FAIL)
    assert "Switch it on" in refused.cure
    assert "Install the app again" in refused.cure
    assert "Install" not in away.cure


def test_a_missing_permission():
    needed = ["MANAGE_ORDERS", "HANDLE_PAYMENTS"]
    assert levels(of_shop.on_permissions(seen(), needed)) == ["ok"]
    few = of_shop.on_permissions(seen(permissions=frozenset({"MANAGE_ORDERS"})), needed)
    assert (few.level, "HANDLE_PAYMENTS" in few.what) == (Level.FAIL, True)


def hook(**changed):
    values = {
        "name": "x",
        "target_url": HOOK["targetUrl"],
        "active": True,
        "query": HOOK["query"],
        "events": frozenset(HOOK["asyncEvents"]),
    }
    return SeenWebhook(**(values | changed))


HOOKS = [
    ([hook()], ["ok"]),
    ([hook(query="subscription { event }")], ["ok"]),  # white space is no difference
    ([], ["fail"]),
    ([hook(active=False)], ["fail"]),
    ([hook(query="subscription { event { id } }")], ["warn"]),
    ([hook(), hook(target_url=f"{HOOKS_AT}/old")], ["warn"]),
    ([hook(target_url="https://before.example/api/webhooks/saleor/created")], ["warn"]),
    ([hook(), hook(target_url="https://elsewhere.example/")], ["ok"]),
]


@pytest.mark.parametrize(("theirs", "found"), HOOKS)
def test_webhooks(theirs, found):
    assert (
        levels(of_shop.on_webhooks({"permissions": [], "webhooks": [HOOK]}, theirs, "http://x/"))
        == found
    )


def test_what_keeps_merchants_from_shipping():
    assert levels(of_shop.on_shipping(seen())) == ["ok"]
    assert levels(of_shop.on_shipping(seen(allows_unpaid=False))) == ["warn"]
    assert levels(of_shop.on_shipping(seen(approves_by_itself=False))) == ["ok"]


MODES = [
    (None, {"playground"}, "ok"),
    (None, {"live"}, "warn"),
    (Mode.CAPTURE, {"live"}, "ok"),
    (Mode.OBSERVE, {"playground"}, "warn"),
]


@pytest.mark.parametrize(("mode", "environments", "level"), MODES)
def test_a_mode(mode, environments, level):
    assert levels(of_shop.on_mode(replace(SHOP, mode=mode), environments)) == [level]


@pytest.mark.parametrize("verdict", AccountVerdict)
def test_an_accounts_verdict_has_words_and_shows_no_password(verdict):
    found = of_shop.on_account("se", ACCOUNT, verdict)
    assert found.level is (Level.OK if verdict is AccountVerdict.RIGHT else Level.FAIL)
    assert found.level is Level.OK or found.cure
    assert ACCOUNT.password not in found.what + found.cure


def test_verdicts_on_accounts_differ():
    said = {of_shop.on_account(None, ACCOUNT, verdict).what for verdict in AccountVerdict}
    assert len(said) == len(AccountVerdict)


def authorization(days, left=100_00):
    return OpenAuthorization(SHOP.api_url, "O1", "17", "K1", "SEK", left, days * 86400.0)


EXPIRING = [([], "ok"), ([authorization(6)], "warn"), ([authorization(1)], "fail")]


@pytest.mark.parametrize(("soon", "level"), EXPIRING)
def test_authorizations_that_end(soon, level):
    found = of_shop.on_expiring(soon, 0.0, SHOP.api_url)
    assert levels(found) == [level]
    assert not soon or "100.00 SEK" in found.what


DASHBOARDS = [((), True, "ok"), ((), False, "warn"), (("https://d.example",), None, "ok")]


@pytest.mark.parametrize(("configured", "there", "level"), DASHBOARDS)
def test_a_dashboard(configured, there, level):
    assert levels(of_shop.on_dashboard("https://shop.example", configured, there=there)) == [level]


def test_extensions_are_named():
    assert of_app.on_extensions([], {}) == []
    found = of_app.on_extensions(["brands"], {"odd": "ImportError: no"})
    assert [(one.level.value, "odd" in one.what, "brands" in one.what) for one in found] == [
        ("warn", True, False), ("ok", False, True),
    ]  # fmt: skip


def test_the_worst_decides_what_a_monitor_sees():
    assert EXIT[worst([])] == 0
    assert EXIT[worst([ok("a", "b"), of_app.on_wrong_settings("X: is not set")])] == 2
    assert EXIT[worst([ok("a", "b"), *of_app.on_queue(numbers(oldest_due_s=200.0))])] == 1
    assert levels(of_app.on_closed_database("SQLite can't open")) == ["fail"]
    assert levels(of_app.on_no_shop(APP_URL)) == ["warn"]
    assert levels(of_shop.on_not_understood(0)) == []
    assert levels(of_shop.on_not_understood(2)) == ["warn"]
    assert (
        "https://copy.example" in of_shop.on_shared_account(ACCOUNT, ["https://copy.example"]).what
    )
