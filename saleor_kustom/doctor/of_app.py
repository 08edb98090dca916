"""Verdicts on the app itself: settings, database, clock, address, manifest, queue. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from saleor_kustom.doctor.findings import Finding, fail, ok, warn
from saleor_kustom.settings import Settings
from saleor_kustom.store import Numbers, Pause


def on_wrong_settings(error: str) -> Finding:
    """Judge a setting that stops the start; the error says what would be right."""
    return fail("settings", error, "Correct the variable and start again.")


def on_closed_database(error: str) -> Finding:
    """Judge a database that could not be opened: nothing else can be looked at then."""
    return fail(
        "database", error, "See docs/databases.md. Deliveries are answered 503 until it opens."
    )


def on_no_shop(app_url: str) -> Finding:
    """Judge an app that no shop has installed."""
    return warn(
        "shops",
        "No shop has installed the app.",
        f"In the Dashboard open /extensions/app/install?manifestUrl={app_url}/api/manifest",
    )


def on_settings(settings: Settings) -> list[Finding]:
    """Judge settings that are valid, but not what a live installation has."""
    found = []
    parts = urlsplit(settings.app_url)
    local = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if parts.scheme != "https" or local:
        found.append(
            warn(
                "settings",
                f"SALEOR_KUSTOM_APP_URL is {settings.app_url}: only this machine or plain http.",
                "Set it to the https address at which Saleor reaches the app.",
            )
        )
    if not settings.allowed_saleor_urls:
        found.append(
            warn(
                "settings",
                "SALEOR_KUSTOM_ALLOWED_SALEOR_URLS is empty: any Saleor may install the app.",
                "Set it to your shops' GraphQL URLs.",
            )
        )
    if settings.allow_private_hosts and not local:
        found.append(
            warn(
                "settings",
                "SALEOR_KUSTOM_ALLOW_PRIVATE_HOSTS is on: a shop may name an inner address.",
                "Set it to false unless a Saleor of yours is on a private network.",
            )
        )
    return found or [ok("settings", "All settings are right.")]


def on_write(seconds: float, database_url: str) -> Finding:
    """Judge how long one durable write took."""
    kind = database_url.partition(":")[0]
    what = f"{kind}: the schema is up to date, a write takes {seconds * 1000:.0f} ms."
    if seconds > 1.0:
        return warn(
            "database", what, "Give it a faster disk: each delivery waits for one such write."
        )
    return ok("database", what)


#: Dashboard tokens live five minutes, and a Date header has whole seconds.
_SKEW_WARN_S, _SKEW_FAIL_S = 10.0, 120.0


def on_clock(whose: str, skew_s: float | None) -> Finding:
    """Judge how far another clock is from ours. None: it was not told."""
    if skew_s is None:
        return ok("clock", f"{whose} did not tell its time.")
    what = f"{whose} is {abs(skew_s):.0f} s {'ahead of' if skew_s > 0 else 'behind'} this machine."
    if abs(skew_s) > _SKEW_FAIL_S:
        return fail("clock", what, "Set this machine's clock by NTP: tokens are refused by time.")
    if abs(skew_s) > _SKEW_WARN_S:
        return warn("clock", what, "Set this machine's clock by NTP.")
    return ok("clock", f"{whose} and this machine agree on the time.")


@dataclass(frozen=True, slots=True)
class Served:
    """What APP_URL/api/manifest answered to one Saleor version. `problem`: not reached, and why."""

    version: str  # as in the header: "3.22"
    status: int = 0
    document: Mapping[str, Any] | None = None
    problem: str = ""


def on_manifest(app_url: str, served: Served, ours: Mapping[str, Any]) -> Finding:
    """Judge the manifest that Saleor would read at APP_URL."""
    name = f"manifest for Saleor {served.version}"
    where = f"{app_url}/api/manifest"
    if served.problem:
        return fail(
            name,
            f"{where} was not reached from here: {served.problem}",
            "Start `serve`, and check DNS, TLS and the proxy. If only this machine can't reach "
            "its own public address, try from another.",
        )
    if served.status != 200 or served.document is None:  # noqa: PLR2004 - HTTP's own number
        return fail(
            name,
            f"{where} answers HTTP {served.status} and no manifest.",
            "Let the proxy pass every path below SALEOR_KUSTOM_APP_URL on to `serve`.",
        )
    if served.document.get("id") != ours["id"]:
        return fail(
            name,
            f"{where} is another app's: {served.document.get('id')!r}.",
            "Correct SALEOR_KUSTOM_APP_URL, or the proxy.",
        )
    if served.document != ours:
        return warn(
            name,
            f"{where} differs from this version's: it says "
            f"version {served.document.get('version')}, here is {ours['version']}.",
            "Deploy the same version and settings everywhere, and restart.",
        )
    return ok(name, "Saleor reads the manifest of this version.")


def on_extensions(names: Sequence[str], broken: Mapping[str, str]) -> list[Finding]:
    """Name the extensions that may change plans, and those that could not be loaded."""
    found = [
        warn("extensions", f"{name} can't be loaded: {why}", "Mend or remove its package.")
        for name, why in sorted(broken.items())
    ]
    if names:
        found.append(ok("extensions", f"May change plans: {', '.join(names)}."))
    return found


#: An alert (docs/alerts.yml) comes at 15 minutes.
_OLD_WARN_S, _OLD_FAIL_S = 120.0, 900.0


def on_queue(numbers: Numbers) -> list[Finding]:
    """Judge what waits and what is held, over all shops."""
    age_s = numbers.oldest_due_s
    what = f"{numbers.due} captures are due, the oldest for {age_s:.0f} s; {numbers.running} run."
    cure = "See the pauses here, whether `serve` or `work` runs, and its log."
    if age_s > _OLD_FAIL_S:
        found = [fail("queue", what, cure)]
    elif age_s > _OLD_WARN_S:
        found = [warn("queue", what, cure)]
    else:
        found = [ok("queue", what)]
    held = {reason: n for reason, n in numbers.held.items() if reason != "observed"}
    if held:
        listed = ", ".join(f"{n} {reason}" for reason, n in sorted(held.items()))
        found.append(
            warn(
                "held",
                f"{sum(held.values())} captures need a person: {listed}.",
                "saleor-kustom status lists them; docs/errors.md has each cure.",
            )
        )
    return found


def on_pauses(pauses: list[Pause]) -> list[Finding]:
    """Name each pause, with who and why."""
    return [
        warn(
            "pause",
            f"{one.scope} {one.key or one.api_url} is paused by {one.who}: {one.why}",
            "saleor-kustom credentials test, after mending them."
            if one.scope == "account"
            else "saleor-kustom unpause, when the reason is gone.",
        )
        for one in pauses
    ]
