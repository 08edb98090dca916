"""What must change in a Saleor so that its webhooks are those of our manifest. Pure.

Saleor reads a manifest once, when it installs the app. Ours is what posts to our path, wherever
that was reached by (APP_URL may have changed); whatever else a merchant added to the app is theirs
and stays.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from saleor_kustom.saleor.seen_as import SeenWebhook

#: Where deliveries are posted to, below APP_URL (manifest.json).
_PATH = "/api/webhooks/saleor/"


class Kind(StrEnum):
    """What is done to a webhook."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Change:
    """One webhook to create, update or delete. `input`: Saleor's field → its new value."""

    kind: Kind
    name: str  # of the event, as in the path
    webhook_id: str = ""  # empty: there is none yet
    input: Mapping[str, Any] = field(default_factory=dict)
    why: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return it for a person."""
        return f"{self.kind} {self.name}" + (f": {'; '.join(self.why)}" if self.why else "")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs. `inactive`: switched off by somebody; `others`: not ours, left alone."""

    changes: tuple[Change, ...] = ()
    inactive: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()  # permissions that this version needs


def compare(
    manifest: Mapping[str, Any],
    seen: Sequence[SeenWebhook],
    permissions: frozenset[str],
    *,
    activate: bool = False,
) -> Comparison:
    """Return what brings Saleor's webhooks up to date with the manifest for its version.

    `activate`: switch on what somebody switched off, which only a person asks for.
    """
    ours = {name: one for one in manifest["webhooks"] if (name := event_of(one["targetUrl"]))}
    there: dict[str, list[SeenWebhook]] = {}
    others = []
    for webhook in seen:
        name = event_of(webhook.target_url)
        if name:
            there.setdefault(name, []).append(webhook)
        else:
            others.append(webhook.target_url)
    changes, inactive = [], []
    for name, wanted in ours.items():
        known = sorted(there.pop(name, ()), key=lambda one: _rank(one, wanted))
        changes += _changes(name, wanted, known, activate=activate)
        if known and not known[0].active and not activate:
            inactive.append(name)
    # Of an event that this version does not serve: deliveries would be refused for good.
    changes += [_deleted(n, one, "not served") for n, all_ in there.items() for one in all_]
    lacking = sorted(set(manifest["permissions"]) - permissions)
    # What is deleted goes last: nothing is missed meanwhile.
    changes.sort(key=lambda change: change.kind is Kind.DELETE)
    return Comparison(tuple(changes), tuple(inactive), tuple(others), tuple(lacking))


def event_of(target_url: str) -> str:
    """Return the event that an address of ours is for ("fulfillment_created"), or an empty text."""
    _, found, event = urlsplit(target_url).path.rpartition(_PATH)
    return event if found and "/" not in event else ""


def _rank(one: SeenWebhook, wanted: Mapping[str, Any]) -> tuple[bool, bool, str]:
    """Of several for one event the first stays: an active one, at our address, the oldest."""
    return not one.active, one.target_url != wanted["targetUrl"], one.id


def _changes(
    name: str, wanted: Mapping[str, Any], known: Sequence[SeenWebhook], *, activate: bool
) -> list[Change]:
    given = {
        "name": wanted["name"],
        "targetUrl": wanted["targetUrl"],
        "query": wanted["query"],
        "asyncEvents": list(wanted.get("asyncEvents", ())),
        "syncEvents": list(wanted.get("syncEvents", ())),
    }
    if not known:
        why = (f"posts to {wanted['targetUrl']}",)
        return [Change(Kind.CREATE, name, input=given | {"isActive": True}, why=why)]
    first, *doubles = known
    found = _update(name, given, first, activate=activate)
    return [*([found] if found else ()), *(_deleted(name, one, "a double") for one in doubles)]


def _update(
    name: str, given: Mapping[str, Any], there: SeenWebhook, *, activate: bool
) -> Change | None:
    changed: dict[str, Any] = {}
    why = []
    if there.target_url != given["targetUrl"]:
        changed["targetUrl"] = given["targetUrl"]
        why.append(f"address {there.target_url} becomes {given['targetUrl']}")
    events = {*given["asyncEvents"], *given["syncEvents"]}
    other_query = there.query.split() != given["query"].split()
    if other_query:
        changed["query"] = given["query"]
        why.append("its document asks for other fields")
    if there.events != events:
        why.append(f"events {_listed(there.events)} become {_listed(events)}")
    if there.events != events or other_query:
        # With a query alone Saleor would take the events from it.
        changed |= {kind: given[kind] for kind in ("asyncEvents", "syncEvents")}
    if activate and not there.active:
        changed["isActive"] = True
        why.append("is switched on again")
    return Change(Kind.UPDATE, name, there.id, changed, tuple(why)) if changed else None


def _listed(events: Iterable[str]) -> str:
    return ", ".join(sorted(events)) or "none"


def _deleted(name: str, there: SeenWebhook, why: str) -> Change:
    return Change(Kind.DELETE, name, there.id, why=(f"{why}: {there.target_url}",))
