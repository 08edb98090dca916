"""What Saleor says to a manifest, version by version, before it installs an app.

Sources: saleor-core-observed, section 4; saleor-app-protocol, sections 1 to 8; and the enums of
the real schemas, which a test compares.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from graphql import GraphQLEnumType

from saleor_kustom.sandbox.saleor_schema import checked, load_schema, release

_THREE = ("OVERVIEW_CREATE", "OVERVIEW_MORE_ACTIONS", "DETAILS_MORE_ACTIONS")
_MOUNTS_3_21 = frozenset(
    [f"{place}_{what}" for place in ("CUSTOMER", "PRODUCT", "ORDER") for what in _THREE]
    + [
        f"NAVIGATION_{what}"
        for what in ("CATALOG", "ORDERS", "CUSTOMERS", "DISCOUNTS", "TRANSLATIONS", "PAGES")
    ]
)
_NEW_IN_3_22 = "CATEGORY COLLECTION GIFT_CARD DRAFT_ORDER DISCOUNT VOUCHER PAGE PAGE_TYPE MENU"
_WIDGET_PLACES = "COLLECTION GIFT_CARD CUSTOMER PRODUCT ORDER DRAFT_ORDER VOUCHER"
_MOUNTS_3_22 = _MOUNTS_3_21 | frozenset(
    [f"{place}_{what}" for place in _NEW_IN_3_22.split() for what in _THREE]
    + [f"{place}_DETAILS_WIDGETS" for place in _WIDGET_PLACES.split()]
    + ["TRANSLATIONS_MORE_ACTIONS"]
)
#: Version → mounts and targets that it knows. 3.23 stores any string; its Dashboard checks.
MOUNTS: Mapping[str, frozenset[str]] = {"3.21": _MOUNTS_3_21, "3.22": _MOUNTS_3_22}
TARGETS: Mapping[str, frozenset[str]] = {
    "3.21": frozenset({"POPUP", "APP_PAGE"}),
    "3.22": frozenset({"POPUP", "APP_PAGE", "NEW_TAB", "WIDGET"}),
}
_REQUIRED = ("id", "version", "name", "tokenTargetUrl")
_URLS = ("appUrl", "tokenTargetUrl", "homepageUrl", "supportUrl", "dataPrivacyUrl")
_COMPARATOR = re.compile(r"(>=|<=|>|<|=|\^|~)?v?(\d+)(?:\.(\d+))?(?:\.(\d+))?")


def problems(manifest: Mapping[str, Any], version: str) -> list[str]:
    """Return why a Saleor of that version would not install the app; empty when it would."""
    minor = ".".join(version.split(".")[:2])
    missing = [f"{name}: Field required." for name in _REQUIRED if not manifest.get(name)]
    if missing:
        return missing
    return [
        *_app(manifest, version),
        *(
            f"{extension.get('label')}: {problem}"
            for extension in _list(manifest, "extensions")
            for problem in (*_extension(extension, manifest), *_placing(extension, minor))
        ),
        *(p for webhook in _list(manifest, "webhooks") for p in _webhook(webhook, version)),
    ]


def satisfied(range_: str, version: str) -> bool:
    """Tell whether a version is in an npm range of comparators: ">=3.21 <4", "^3.21.0"."""
    at = release(version)
    found = _COMPARATOR.findall(range_)
    return bool(found) and all(_compare(how or "=", parts, at) for how, *parts in found)


def _compare(how: str, parts: Sequence[str], at: tuple[int, int, int]) -> bool:
    edge = release(".".join(part for part in parts if part))
    precision = len([part for part in parts if part])
    if how == "=":
        return at[:precision] == edge[:precision]
    if how in ("^", "~"):
        same = 1 if how == "^" else 2
        return at >= edge and at[:same] == edge[:same]
    return {">=": at >= edge, "<=": at <= edge, ">": at > edge, "<": at < edge}[how]


def _app(manifest: Mapping[str, Any], version: str) -> Iterator[str]:
    if not set(manifest.get("permissions", ())) <= names_of("PermissionEnum", version):
        yield "permissions: Given permissions don't exist."
    if "MANAGE_APPS" in manifest.get("permissions", ()):
        yield "permissions: MANAGE_APPS permission cannot be granted to an app."
    for name in _URLS:
        if manifest.get(name) is not None and not _absolute(manifest[name]):
            yield f"{name}: Incorrect format."
    range_ = manifest.get("requiredSaleorVersion")
    if range_ is not None and not satisfied(range_, version):
        yield f"requiredSaleorVersion: Saleor version {version} is not supported by the app."
    if not str(manifest.get("author", "someone")).strip():
        yield "author: Incorrect value for field: author"
    logo = manifest.get("brand", {}).get("logo", {}).get("default")
    if logo is not None and not urlsplit(logo).path.endswith(".png"):
        yield "brand: Invalid file type for field: logo.default."


def _extension(extension: Mapping[str, Any], manifest: Mapping[str, Any]) -> Iterator[str]:
    lacking = [name for name in ("label", "mount", "url") if not extension.get(name)]
    if lacking:
        yield f"{', '.join(lacking)} required."
        return
    if not set(extension.get("permissions", ())) <= set(manifest.get("permissions", ())):
        yield "Extension permission must be listed in App's permissions."
    target, url = extension.get("target", "POPUP"), extension["url"]
    relative = url.startswith("/")
    if target == "APP_PAGE" and not relative:
        yield "Url cannot start with protocol when target == APP_PAGE"
    if not (relative and manifest.get("appUrl")) and not _absolute(url):
        yield "Incorrect value for field: url."
    widget = extension.get("options", {}).get("widgetTarget", {})
    host = urlsplit(manifest["tokenTargetUrl"]).hostname
    if widget.get("method") == "POST" and urlsplit(url).hostname != host:
        yield "a POST widget must be on the host of tokenTargetUrl."


def _placing(extension: Mapping[str, Any], version: str) -> Iterator[str]:
    mount, target = extension.get("mount", ""), extension.get("target", "POPUP")
    if mount not in MOUNTS.get(version, {mount}):
        yield f"{mount} is not known to {version}."
    if target not in TARGETS.get(version, {target}):
        yield f"{target} is not known to {version}."
    if target == "WIDGET" and not mount.endswith("_WIDGETS"):
        yield "a WIDGET needs a mount for widgets."


def _webhook(webhook: Mapping[str, Any], version: str) -> Iterator[str]:
    lacking = [name for name in ("name", "targetUrl", "query") if not webhook.get(name)]
    if lacking:
        yield f"webhooks: {', '.join(lacking)} required."
        return
    if not _absolute(webhook["targetUrl"]):
        yield "webhooks: Invalid target url."
    if not set(webhook.get("asyncEvents", ())) <= names_of("WebhookEventTypeAsyncEnum", version):
        yield "webhooks: Invalid asynchronous event."
    if not set(webhook.get("syncEvents", ())) <= names_of("WebhookEventTypeSyncEnum", version):
        yield "webhooks: Invalid synchronous event."
    for name in webhook.get("customHeaders") or {}:
        if not name.lower().startswith(("x-", "authorization")) and name != "BrokerProperties":
            yield f"webhooks: the header {name} is not allowed."
    _, errors = checked(version, webhook["query"])
    for error in errors:
        yield f"webhooks: Subscription query is not valid: {error.message}"


def names_of(enum: str, version: str) -> set[str]:
    """Return the values of an enum of that Saleor's schema."""
    found = load_schema(version).type_map[enum]
    return set(found.values) if isinstance(found, GraphQLEnumType) else set()


def _list(manifest: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    return manifest.get(name) or ()


def _absolute(url: Any) -> bool:
    parts = urlsplit(url if isinstance(url, str) else "")
    return parts.scheme in ("http", "https") and bool(parts.hostname)
