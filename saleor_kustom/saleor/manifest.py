"""The manifest as the asking Saleor can read it.

3.21 and 3.22 reject the whole manifest for one unknown mount or target, so what a version does
not know is left out. The version comes in a header, as two integers (never a float: 3.9 is not
3.90). Every Saleor that installs sends it; to whoever does not, or says nothing that can be read,
we answer as for 3.22, whose manifest 3.23 takes too.
"""

import json
import re
from typing import Any

from saleor_kustom import __version__
from saleor_kustom.contract import read_text

Version = tuple[int, int]
_ASSUMED: Version = (3, 22)


def schema_version(header: str | None) -> Version:
    """Return the version that `Saleor-Schema-Version` names."""
    found = re.match(r"(\d{1,4})\.(\d{1,4})", header or "")
    return (int(found[1]), int(found[2])) if found else _ASSUMED


def manifest(app_url: str, version: Version) -> dict[str, Any]:
    """Return manifest.json with addresses and queries filled in, for that Saleor version."""
    text = read_text("manifest.json").replace("{app_url}", app_url.rstrip("/"))
    made: dict[str, Any] = json.loads(text.replace("{version}", __version__))
    made["extensions"] = [
        _extension(extension, version)
        for extension in made["extensions"]
        if _mounts(extension, version)
    ]
    made["webhooks"] = [
        _webhook(webhook, version) for webhook in made["webhooks"] if _fires(webhook, version)
    ]
    return made


def _mounts(extension: dict[str, Any], version: Version) -> bool:
    """Widgets came with 3.22; the popup stands in for the widget before."""
    is_widget: bool = extension["target"] == "WIDGET"
    return is_widget == (version >= (3, 22))


def _fires(webhook: dict[str, Any], version: Version) -> bool:
    """APP_DELETED reaches the app itself only from 3.23 on (saleor-app-protocol, 23)."""
    is_removal: bool = webhook.get("asyncEvents") == ["APP_DELETED"]
    return version >= (3, 23) or not is_removal


def _extension(extension: dict[str, Any], version: Version) -> dict[str, Any]:
    return _without_identifier(extension, version)


def _webhook(webhook: dict[str, Any], version: Version) -> dict[str, Any]:
    filled = webhook | {"query": read_text(webhook["query"]), "isActive": True}
    return _without_identifier(filled, version)


def _without_identifier(entry: dict[str, Any], version: Version) -> dict[str, Any]:
    """Identifiers of extensions and webhooks came with 3.23 (saleor-app-protocol, 5 and 6)."""
    known = version >= (3, 23)
    return {key: value for key, value in entry.items() if known or key != "identifier"}
