"""Our contract with Saleor: manifest, documents and deliveries, against the real schemas."""

import functools
import json
import re
from pathlib import Path

import pytest
from graphql import (
    build_schema,
    is_enum_type,
    is_input_object_type,
    is_interface_type,
    is_object_type,
    is_union_type,
    parse,
    validate,
)

from saleor_kustom.capture.delivery import VerifiedBody
from saleor_kustom.contract import read_text
from saleor_kustom.intake.delivery import EVENTS, read_delivery
from saleor_kustom.intake.signature import verify
from saleor_kustom.saleor.keys import parse_keys
from saleor_kustom.saleor.manifest import manifest, schema_version
from saleor_kustom.sandbox.saleor_manifest import MOUNTS, TARGETS, problems
from saleor_kustom.sandbox.saleor_schema import checked, load_schema
from tests.conftest import RECORDINGS, SHARED

TOP = Path(__file__).parent.parent
QUERIES = TOP / "saleor_kustom/saleor/queries"
VERSIONS = ("3.21", "3.22", "3.23")
#: Documents for newer versions only; an older Saleor is never sent them.
SINCE = {
    "orders_where.graphql": "3.22",
    "problem_create.graphql": "3.22",
    "problem_dismiss.graphql": "3.22",
}
RELEASES = {"3.21": "3.21.69", "3.22": "3.22.67", "3.23": "3.23.28"}


@functools.cache
def schema_of(version):
    path = SHARED / f"schema-{version}.graphql"
    if not path.exists():
        pytest.skip(f"NOT CHECKED against Saleor {version}: its schema is not at {path}")
    return build_schema(path.read_text(encoding="utf-8"), assume_valid=True)


def manifest_for(version):
    major, minor = version.split(".")
    return manifest("https://app.example", (int(major), int(minor)))


@pytest.mark.parametrize("version", VERSIONS)
class TestAgainstTheRealSchema:
    """One class, so that each schema is built once per process."""

    def test_every_subscription_of_the_manifest_is_valid_and_handles_its_event(self, version):
        schema = schema_of(version)
        for webhook in manifest_for(version)["webhooks"]:
            document = parse(webhook["query"])
            assert validate(schema, document) == [], webhook["name"]
            assert len(document.definitions) == 1, "Saleor takes one operation"
            [event] = events_of(webhook)
            kind = "Sync" if "syncEvents" in webhook else "Async"
            assert event in schema.type_map[f"WebhookEventType{kind}Enum"].values
            assert f"... on {EVENTS[event.lower()]}" in webhook["query"]

    def test_the_sandbox_declares_nothing_that_saleor_does_not_have(self, version):
        real, ours = schema_of(version), load_schema(version)
        for name, kind in own_types(ours).items():
            assert name in real.type_map, name
            compare(kind, real.type_map[name])

    def test_the_sandbox_lacks_only_what_that_saleor_lacks_too(self, version):
        real, ours = schema_of(version), load_schema(version)
        for path in members(load_schema()) - members(ours):
            assert path not in members(real), f"{path} is in {version} already"

    def test_extensions_and_permissions_are_known_to_that_version(self, version):
        real, made = schema_of(version), manifest_for(version)
        assert set(made["permissions"]) <= set(real.type_map["PermissionEnum"].values)
        for extension in made["extensions"]:
            assert set(extension["permissions"]) <= set(made["permissions"])
        if version in MOUNTS:  # 3.23 takes any string, and its Dashboard knows all of 3.22's
            assert MOUNTS[version] == set(real.type_map["AppExtensionMountEnum"].values)
            assert TARGETS[version] == set(real.type_map["AppExtensionTargetEnum"].values)


def events_of(webhook):
    return [*webhook.get("asyncEvents", ()), *webhook.get("syncEvents", ())]


def own_types(schema):
    return {name: kind for name, kind in schema.type_map.items() if not name.startswith("__")}


def members(schema):
    """Return every type, field and argument as a path."""
    paths = set()
    for name, kind in own_types(schema).items():
        paths.add(name)
        for field_name, field in getattr(kind, "fields", {}).items():
            paths.add(f"{name}.{field_name}")
            paths |= {f"{name}.{field_name}({a})" for a in getattr(field, "args", {})}
    return paths


def compare(ours, real):
    """Every field and argument exists there with the same type; unions and enums are parts."""
    if is_enum_type(ours):
        assert set(ours.values) <= set(real.values), ours.name
    elif is_union_type(ours):
        assert {t.name for t in ours.types} <= {t.name for t in real.types}, ours.name
    elif is_object_type(ours) or is_interface_type(ours) or is_input_object_type(ours):
        for name, field in ours.fields.items():
            assert name in real.fields, f"{ours.name}.{name}"
            assert str(field.type) == str(real.fields[name].type), f"{ours.name}.{name}"
            for argument, declared in getattr(field, "args", {}).items():
                there = real.fields[name].args
                assert argument in there, f"{ours.name}.{name}({argument})"
                # We may insist on what a newer Saleor made optional (webhookUpdate's id).
                real_type = str(there[argument].type)
                assert str(declared.type) in (real_type, f"{real_type}!"), f"{name}({argument})"


@pytest.mark.parametrize("version", VERSIONS)
def test_saleor_of_each_version_would_install_us(version):
    assert problems(manifest_for(version), RELEASES[version]) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_the_sandbox_of_each_version_can_execute_every_document(version):
    for path in QUERIES.glob("*.graphql"):
        if SINCE.get(path.name, version) > version:
            continue
        assert checked(RELEASES[version], path.read_text())[1] == (), path.name


def test_the_manifest_for_a_newer_saleor_would_break_an_older_one():
    # This is why it varies: 3.21 knows no widget.
    assert problems(manifest_for("3.22"), "3.21.69") != []


@pytest.mark.parametrize(
    ("header", "version"),
    [
        ("3.21", (3, 21)),
        ("3.9", (3, 9)),
        ("3.90", (3, 90)),
        ("3.22.67", (3, 22)),
        (None, (3, 22)),
        ("", (3, 22)),
        ("newest", (3, 22)),
        ("99999.99999", (3, 22)),
    ],
)
def test_the_version_is_two_integers(header, version):
    assert schema_version(header) == version


def test_the_manifest_answered_without_a_version_installs_on_3_22_and_3_23():
    made = manifest("https://app.example", schema_version(None))
    assert problems(made, "3.22.67") == problems(made, "3.23.28") == []


def test_every_folder_of_webhooks_is_in_the_manifest_and_in_the_readme():
    folders = {path.name for path in (TOP / "webhooks").iterdir() if path.is_dir()}
    asked = {event.lower() for w in manifest_for("3.23")["webhooks"] for event in events_of(w)}
    readme = read_text("webhooks/README.md")
    assert folders == asked == set(EVENTS)
    for folder in folders:
        assert f"({folder}/subscription.graphql)" in readme


def test_every_file_that_the_readme_of_webhooks_names_is_there():
    for path in re.findall(r"`(\w+/\w+\.py)`", read_text("webhooks/README.md")):
        assert (TOP / "saleor_kustom" / path).is_file(), path


def test_a_kept_delivery_has_the_headers_of_a_recorded_one():
    recorded = json.loads((RECORDINGS / "a-single-full__fulfillment_created__1.json").read_text())
    kept = json.loads(read_text("webhooks/fulfillment_created/delivery.json"))
    assert [name for name, _ in kept["headers"]] == [name for name, _ in recorded["headers"]]


@pytest.mark.parametrize("event", EVENTS)
def test_the_kept_delivery_of_each_event_is_genuine_and_understood(event):
    delivery = json.loads(read_text(f"webhooks/{event}/delivery.json"))
    keys = parse_keys(read_text("webhooks/jwks.json"))
    body = delivery["body"].encode()
    verified = verify(body, dict(delivery["headers"])["Saleor-Signature"], keys)
    read = read_delivery(event, verified)
    assert read.understood
    assert read.recipient_id


@pytest.mark.parametrize("event", EVENTS)
def test_the_kept_delivery_has_exactly_the_shape_of_its_document(event):
    body = json.loads(json.loads(read_text(f"webhooks/{event}/delivery.json"))["body"])
    document = parse(read_text(f"webhooks/{event}/subscription.graphql"))
    [event_field] = document.definitions[0].selection_set.selections
    wanted = selected(event_field, EVENTS[event], "User", "Checkout")
    assert shape(body, wanted) == wanted


def selected(field, *typenames):
    names = {}
    for part in field.selection_set.selections:
        if part.kind == "inline_fragment":
            if part.type_condition.name.value in typenames:
                names |= selected(part, *typenames)
            continue
        names[part.name.value] = selected(part, *typenames) if part.selection_set else None
    return names


def shape(value, wanted):
    """Return the names in a value, as deep as they were asked for; a list has its first's."""
    if isinstance(value, list):
        return shape(value[0], wanted)
    if not isinstance(value, dict) or wanted is None:
        return None
    return {key: shape(inner, wanted.get(key)) for key, inner in value.items()}


def test_each_version_gets_a_manifest_that_it_can_read():
    old, middle, new = (manifest_for(version) for version in VERSIONS)
    assert [e["target"] for e in old["extensions"]] == ["POPUP"]
    assert [e["target"] for e in middle["extensions"]] == ["WIDGET"]
    assert [e["target"] for e in new["extensions"]] == ["WIDGET"]
    for made in (old, middle):
        assert "APP_DELETED" not in [events_of(w)[0] for w in made["webhooks"]]
        assert all("identifier" not in entry for entry in made["webhooks"] + made["extensions"])
    assert "APP_DELETED" in [events_of(w)[0] for w in new["webhooks"]]
    for made in (old, middle, new):
        assert made["id"] == "saleor-kustom"
        assert made["requiredSaleorVersion"] == ">=3.21 <4"


def test_an_unreadable_body_is_kept_for_a_person_and_not_refused():
    read = read_delivery("fulfillment_created", VerifiedBody(b"not json"))
    assert not read.understood
