"""Apps in the simulated Saleor: installed and removed by a person, changed by themselves."""

import itertools
import json
import re
import secrets
import string
from collections.abc import Mapping
from typing import Any

import httpx

from saleor_kustom.sandbox.saleor_manifest import names_of, problems
from saleor_kustom.sandbox.saleor_orders import Wire, global_id, now, pairs
from saleor_kustom.sandbox.saleor_post import Installed, Post, _client_headers
from saleor_kustom.sandbox.saleor_schema import NEWEST, checked, schema_version
from saleor_kustom.sandbox.saleor_transactions import UserError

_TOKEN = string.ascii_letters + string.digits
#: An app may have so many problems; the oldest goes (saleor-app-protocol, 24).
_MOST_PROBLEMS = 100


class Apps(Post):
    """Adds the installation handshake, and what an app may change of itself."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._any_token: Wire | None = None
        self._app_pks = itertools.count(1)
        self._webhook_pks = itertools.count(1)

    # ---- by a person in the Dashboard

    async def install(self, manifest_url: str) -> Installed:
        """Install an app as the Dashboard does it.

        Raises ValueError with what the person is shown; nothing of the app is left then, though
        it may have stored its token.
        """
        schema = ("Saleor-Schema-Version", schema_version(self.version))
        async with self._client() as client:
            manifest = await self._manifest(client, manifest_url, schema)
            made = self.created(manifest)
            made.logo = await _logo(client, manifest)
            self.installed = made  # the token works already while the app is told of it
            problem = await self._hand_over(client, made, schema)
        if problem is not None:
            self.installed = None
            raise ValueError(problem)
        return made

    async def reinstall(self, manifest_url: str) -> Installed:
        """Remove the app and install it again: a new app id and a new token."""
        self.uninstall()
        return await self.install(manifest_url)

    def uninstall(self) -> None:
        """Remove the app: its token is dead at once. It hears of it from 3.23.5 on."""
        removed = self.installed
        if removed is None:
            raise ValueError("no app is installed")
        self._fire("app_deleted", removed.app["id"], {"app": removed.app})
        self.installed = None

    def trust(self, app: Wire) -> None:
        """Take any token for `app`: recordings do not hold the real one."""
        self._any_token = {"__typename": "App", "metadata": [], "privateMetadata": []} | app

    def created(self, manifest: Mapping[str, Any]) -> Installed:
        """Make the app of a manifest, without telling it."""
        app = {
            "__typename": "App",
            "id": global_id("App", next(self._app_pks)),
            "identifier": manifest["id"],
            "name": manifest["name"],
            "version": manifest["version"],
            "isActive": True,
            "permissions": [{"code": code} for code in sorted(manifest.get("permissions", ()))],
            "metadata": pairs({}),
            "privateMetadata": pairs({}),
            "problems": [],
        }
        webhooks = [self._webhook(webhook) for webhook in manifest.get("webhooks") or ()]
        token = "".join(secrets.choice(_TOKEN) for _ in range(30))
        return Installed(app, token, webhooks, dict(manifest))

    async def _manifest(
        self, client: httpx.AsyncClient, url: str, schema: tuple[str, str]
    ) -> dict[str, Any]:
        headers = [*_client_headers(self.version), schema]
        try:
            answer = await client.get(url, headers=headers)
            manifest = answer.json() if answer.is_success else None
        except (httpx.HTTPError, ValueError):
            manifest = None
        if not isinstance(manifest, dict):
            raise ValueError("Can't fetch manifest data. Please try later.")
        found = problems(manifest, self.version)
        if self.installed is not None and self.installed.app["identifier"] == manifest.get("id"):
            found.append("App with the same identifier is already installed")
        if found:
            raise ValueError("; ".join(found))
        return manifest

    async def _hand_over(
        self, client: httpx.AsyncClient, made: Installed, schema: tuple[str, str]
    ) -> str | None:
        """POST the token; return what went wrong. A 3xx counts as success (observed)."""
        headers = [
            *_client_headers(self.version),
            ("Content-Type", "application/json"),
            *self._who(),
            schema,
        ]
        body = json.dumps({"auth_token": made.token}).encode()
        try:
            answer = await client.post(
                made.manifest["tokenTargetUrl"], headers=headers, content=body
            )
        except httpx.HTTPError:
            return "Failed to connect to app. Try later or contact with app support."
        return None if answer.status_code < 400 else _message(answer)  # noqa: PLR2004

    # ---- by the app itself

    def webhook_create(self, given: Mapping[str, Any]) -> Wire:
        """Add a webhook to the app. Raises UserError."""
        webhook = self._webhook(_checked(given, self.version))
        self._own().webhooks.append(webhook)
        return webhook

    def webhook_update(self, webhook_id: str, given: Mapping[str, Any]) -> Wire:
        """Change a webhook of the app; what is not given stays. Raises UserError.

        Events of both kinds are replaced together, by those of the query if none are given.
        """
        webhook = self._own_webhook(webhook_id)
        changed = self._webhook(_checked(given, self.version))
        names = {"query": "subscriptionQuery", "asyncEvents": "events"}
        for name in given:
            if name not in ("asyncEvents", "syncEvents"):
                webhook[names.get(name, name)] = changed[names.get(name, name)]
        if changed["events"] or changed["syncEvents"]:
            webhook |= {name: changed[name] for name in ("events", "syncEvents")}
        return webhook

    def webhook_delete(self, webhook_id: str) -> Wire:
        """Remove a webhook of the app. Raises UserError."""
        webhook = self._own_webhook(webhook_id)
        self._own().webhooks.remove(webhook)
        return webhook

    def problem_create(self, app: Wire, given: Mapping[str, Any]) -> Wire:
        """Add a problem, or count it again. Raises UserError (saleor-app-protocol, 24)."""
        key, message = given["key"], given["message"]
        if not 3 <= len(key) <= 128:  # noqa: PLR2004 - Saleor's limits
            raise UserError("key", "INVALID", "The key must have 3 to 128 characters.")
        if len(message) < 3:  # noqa: PLR2004
            raise UserError("message", "INVALID", "The message must have 3 characters or more.")
        listed = app.setdefault("problems", [])
        problem = next((p for p in listed if p["key"] == key and not p["dismissed"]), None)
        if problem is None or given.get("aggregationPeriod", 60) == 0:
            del listed[: max(0, len(listed) - _MOST_PROBLEMS + 1)]
            problem = {"id": global_id("AppProblem", len(listed) + 1), "key": key, "count": 0}
            problem |= {"createdAt": now(), "dismissed": None}
            listed.append(problem)
        problem |= {"count": problem["count"] + 1, "updatedAt": now()}
        problem["message"] = message if len(message) <= 2048 else f"{message[:2045]}..."  # noqa: PLR2004
        threshold = given.get("criticalThreshold")
        problem["isCritical"] = bool(threshold and problem["count"] >= threshold)
        return problem

    def problem_dismiss(self, app: Wire, given: Mapping[str, Any]) -> None:
        """Dismiss the app's own problems by id or by key. Raises UserError."""
        by_app = given.get("byApp") or {}
        ids, keys = by_app.get("ids") or (), by_app.get("keys") or ()
        if bool(ids) == bool(keys):
            raise UserError("byApp", "REQUIRED", "Must provide either 'ids' or 'keys'.")
        for problem in app.get("problems", ()):
            if problem["id"] in ids or problem["key"] in keys:
                problem["dismissed"] = problem["dismissed"] or {"by": "APP"}

    def _own(self) -> Installed:
        if self.installed is None:
            raise UserError(None, "INVALID", "Missing app id.")
        return self.installed

    def _own_webhook(self, webhook_id: str) -> Wire:
        for webhook in self._own().webhooks:
            if webhook["id"] == webhook_id:
                return webhook
        raise UserError("id", "NOT_FOUND", f"Couldn't resolve to a node: {webhook_id}")

    def _webhook(self, given: Mapping[str, Any]) -> Wire:
        headers = given.get("customHeaders")
        listed = [*(given.get("asyncEvents") or ()), *(given.get("syncEvents") or ())]
        events = listed or _events_of(given.get("query") or "")
        sync = names_of("WebhookEventTypeSyncEnum", self.version)
        return {
            "id": global_id("Webhook", next(self._webhook_pks)),
            "identifier": given.get("identifier"),
            "name": given.get("name"),
            "targetUrl": given.get("targetUrl", ""),
            "subscriptionQuery": given.get("query"),
            "isActive": given.get("isActive", True),
            "events": [event for event in events if event not in sync],
            "syncEvents": [event for event in events if event in sync],
            "customHeaders": json.loads(headers) if isinstance(headers, str) else headers,
        }


def _events_of(query: str) -> list[str]:
    """Return the events that a document handles: Saleor takes them when none are given."""
    found = re.findall(r"\.\.\. on (\w+)", query.partition("event")[2])
    names = [re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper() for name in found]
    known = {*names_of("WebhookEventTypeEnum", NEWEST)}
    return [name for name in names if name in known]


def _checked(given: Mapping[str, Any], version: str) -> Mapping[str, Any]:
    for error in checked(version, given["query"])[1] if given.get("query") else ():
        raise UserError("query", "INVALID", error.message)
    return given


async def _logo(client: httpx.AsyncClient, manifest: Mapping[str, Any]) -> bytes | None:
    """Fetch the logo; Saleor only logs when it can't."""
    url = manifest.get("brand", {}).get("logo", {}).get("default")
    try:
        answer = await client.get(url) if url else None
    except httpx.HTTPError:
        return None
    if answer is None or answer.headers.get("content-type") != "image/png":
        return None
    return answer.content if answer.is_success else None


def _message(answer: httpx.Response) -> str:
    """Return what Saleor shows: the app's own words, if it has any."""
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"App internal error ({answer.status_code}). Try later or contact with app support."
