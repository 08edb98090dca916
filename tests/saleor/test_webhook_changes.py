"""What must change in a Saleor so that its webhooks are ours."""

from dataclasses import replace

import pytest

from saleor_kustom.saleor.manifest import manifest
from saleor_kustom.saleor.seen_as import SeenWebhook
from saleor_kustom.saleor.webhook_changes import Comparison, Kind, compare, event_of

URL = "https://kustom.example"
MANIFEST = manifest(URL, (3, 22))
ALL = frozenset(MANIFEST["permissions"])


def installed(manifest_=MANIFEST):
    """Return the webhooks as Saleor has them after an installation with that manifest."""
    return [
        SeenWebhook(
            name=one["name"],
            target_url=one["targetUrl"],
            active=True,
            query=one["query"],
            id=f"W{n}",
            events=frozenset((*one.get("asyncEvents", ()), *one.get("syncEvents", ()))),
        )
        for n, one in enumerate(manifest_["webhooks"])
    ]


def found(seen, **more):
    return compare(MANIFEST, seen, ALL, **more)


def changed(index, **values):
    seen = installed()
    seen[index] = replace(seen[index], **values)
    return seen


@pytest.mark.parametrize("version", [(3, 21), (3, 22), (3, 23)])
def test_what_was_installed_just_now_needs_nothing(version):
    made = manifest(URL, version)
    assert compare(made, installed(made), ALL) == Comparison()


def test_one_that_is_missing_is_created_whole():
    wanted = MANIFEST["webhooks"][0]
    [change] = found(installed()[1:]).changes
    assert (change.kind, change.name, change.webhook_id) == (
        Kind.CREATE, "fulfillment_created", "",
    )  # fmt: skip
    assert change.input == {
        "name": wanted["name"], "targetUrl": wanted["targetUrl"], "query": wanted["query"],
        "asyncEvents": ["FULFILLMENT_CREATED"], "syncEvents": [], "isActive": True,
    }  # fmt: skip


def test_a_synchronous_one_is_created_as_such():
    seen = [one for one in installed() if event_of(one.target_url) != _SESSION]
    [change] = found(seen).changes
    assert (change.input["asyncEvents"], change.input["syncEvents"]) == ([], [_SESSION.upper()])


_SESSION = "transaction_initialize_session"


def test_a_new_address_is_the_only_thing_that_changes():
    before = manifest("http://old.example:8080/app", (3, 22))
    changes = found(installed(before)).changes
    assert {change.kind for change in changes} == {Kind.UPDATE}
    assert len(changes) == len(MANIFEST["webhooks"])
    for change in changes:
        assert set(change.input) == {"targetUrl"}
        assert change.input["targetUrl"].startswith(f"{URL}/api/webhooks/saleor/")
        assert "old.example:8080/app" in str(change)


def test_an_older_document_is_replaced_with_its_events():
    [change] = found(changed(0, query="subscription { event { __typename } }")).changes
    assert set(change.input) == {"query", "asyncEvents", "syncEvents"}
    assert str(change) == "update fulfillment_created: its document asks for other fields"


def test_white_space_is_no_difference():
    query = "\n\n" + MANIFEST["webhooks"][0]["query"].replace("  ", "\t")
    assert found(changed(0, query=query)).changes == ()


def test_a_name_that_somebody_chose_is_theirs():
    assert found(changed(0, name="Ours, do not touch")) == Comparison()


def test_other_events_are_replaced():
    [change] = found(changed(0, events=frozenset({"ORDER_UPDATED"}))).changes
    assert change.input == {"asyncEvents": ["FULFILLMENT_CREATED"], "syncEvents": []}
    assert "events ORDER_UPDATED become FULFILLMENT_CREATED" in str(change)


def test_one_that_was_switched_off_is_told_and_switched_on_only_when_asked_for():
    seen = changed(0, active=False)
    assert found(seen) == Comparison(inactive=("fulfillment_created",))
    comparison = found(seen, activate=True)
    [change] = comparison.changes
    assert (change.input, comparison.inactive) == ({"isActive": True}, ())


def test_one_that_was_switched_off_is_brought_up_to_date_all_the_same():
    comparison = found(changed(0, active=False, target_url=f"http://x{_path(0)}"))
    [change] = comparison.changes
    assert set(change.input) == {"targetUrl"}
    assert comparison.inactive == ("fulfillment_created",)


def _path(index):
    return MANIFEST["webhooks"][index]["targetUrl"].removeprefix(URL)


def test_what_no_version_of_ours_serves_is_deleted_last():
    old = replace(installed()[0], id="OLD", target_url=f"{URL}/api/webhooks/saleor/order_paid")
    changes = found([*installed()[1:], old]).changes
    assert [(c.kind, c.webhook_id) for c in changes] == [(Kind.CREATE, ""), (Kind.DELETE, "OLD")]


def test_of_doubles_the_active_one_at_our_address_stays():
    first = installed()[0]
    doubles = [
        replace(first, id="A", active=False),
        replace(first, id="B", target_url=f"http://x{_path(0)}"),
        replace(first, id="C"),
    ]
    changes = found([*installed()[1:], *doubles]).changes
    assert sorted((c.kind, c.webhook_id) for c in changes) == [
        (Kind.DELETE, "A"), (Kind.DELETE, "B"),
    ]  # fmt: skip


def test_what_a_merchant_added_is_left_alone():
    theirs = replace(installed()[0], id="T", target_url="https://hooks.example/orders")
    assert found([*installed(), theirs]) == Comparison(others=("https://hooks.example/orders",))


def test_permissions_that_are_lacking_are_told():
    comparison = compare(MANIFEST, installed(), frozenset({"MANAGE_ORDERS"}))
    assert comparison.lacking == ("HANDLE_PAYMENTS",)


@pytest.mark.parametrize(
    ("url", "event"),
    [
        ("https://x/api/webhooks/saleor/fulfillment_created", "fulfillment_created"),
        ("https://x/below/api/webhooks/saleor/a?b=c#d", "a"),
        ("https://x/api/webhooks/saleor/", ""),
        ("https://x/api/webhooks/saleor/a/b", ""),
        ("https://x/api/webhooks/other/a", ""),
        ("https://x/?u=/api/webhooks/saleor/a", ""),
        ("", ""),
    ],
)
def test_our_addresses_are_known_by_their_path(url, event):
    assert event_of(url) == event
