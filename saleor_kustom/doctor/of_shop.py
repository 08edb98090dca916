"""Verdicts on one shop: its token, webhooks, settings, accounts, authorizations. Pure."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from saleor_kustom.capture.checkup import AccountVerdict
from saleor_kustom.capture.money import shown
from saleor_kustom.capture.parties import Account, Mode, Shop
from saleor_kustom.doctor.findings import Finding, fail, ok, warn
from saleor_kustom.errors import CallError
from saleor_kustom.saleor.seen_as import SeenAs, SeenWebhook
from saleor_kustom.saleor.webhook_changes import Kind, compare
from saleor_kustom.store import OpenAuthorization

_REINSTALL = "Install the app again in the Saleor Dashboard; history and settings stay."
#: Saleor refuses the token of an app that is switched off just as one that it does not know.
_SWITCH_ON = "Switch it on in the Dashboard (Extensions, Installed), if it is off there. Else: "


def on_unknown_token(error: CallError) -> Finding:
    """Judge a Saleor that did not tell who we are."""
    if error.code in ("UNKNOWN_APP", "TOKEN_REFUSED"):
        cure = _SWITCH_ON + _REINSTALL
        return fail("token", f"Saleor does not accept the app's token ({error}).", cure)
    return fail(
        "token",
        f"Saleor could not be asked: {error}",
        "Check that the shop runs and that this machine reaches it.",
    )


def on_token(shop: Shop, seen: SeenAs) -> Finding:
    """Judge who we are there."""
    if seen.app_id != shop.app_id:
        return fail("token", f"The token is of the app {seen.app_id}, not ours.", _REINSTALL)
    if not seen.active:
        return fail(
            "token",
            "The app is switched off in Saleor: no webhooks come.",
            "Switch it on in the Dashboard: Extensions, Installed, Kustom captures.",
        )
    return ok("token", f"Saleor {seen.saleor_version} knows the app.")


def on_permissions(seen: SeenAs, needed: Collection[str]) -> Finding:
    """Judge what we may do there."""
    missing = sorted(set(needed) - seen.permissions)
    if missing:
        return fail(
            "permissions",
            f"The app lacks {', '.join(missing)}.",
            "Grant it in the Dashboard: Extensions, Installed, Kustom captures, Permissions.",
        )
    return ok("permissions", f"The app has {', '.join(sorted(needed))}.")


def on_webhooks(
    ours: Mapping[str, Any], theirs: Sequence[SeenWebhook], api_url: str
) -> list[Finding]:
    """Compare the manifest's webhooks with Saleor's."""
    found = compare(ours, theirs, frozenset(ours["permissions"]))
    cure = (
        f"saleor-kustom webhooks sync {api_url}; a running `serve` does it by itself. Meanwhile "
        "reconciliation finds what was not delivered."
    )
    judged = [
        (fail if change.kind is Kind.CREATE else warn)(
            "webhooks", f"Not up to date: {change}.", cure
        )
        for change in found.changes
    ]
    judged += [
        fail(
            "webhooks",
            f"{name} is switched off in Saleor.",
            f"saleor-kustom webhooks sync {api_url}",
        )
        for name in found.inactive
    ]
    count = len(ours["webhooks"])
    return judged or [ok("webhooks", f"All {count} are there, active and up to date.")]


def on_shipping(seen: SeenAs) -> list[Finding]:
    """Judge the two settings that decide whether merchants can ship what is authorized only."""
    found = []
    if not seen.allows_unpaid:
        found.append(
            warn(
                "shop settings",
                "fulfillmentAllowUnpaid is off: Saleor refuses to fulfil what is authorized and "
                "not charged, so nothing is shipped and nothing captured.",
                "Dashboard: Configuration, Site settings or Fulfillment settings, allow "
                "fulfillment without payment.",
            )
        )
    if not seen.approves_by_itself:
        found.append(
            ok("shop settings", "Fulfillments are approved by hand; each is captured then.")
        )
    return found or [ok("shop settings", "Merchants can ship what is authorized.")]


def on_mode(shop: Shop, environments: Collection[str]) -> Finding:
    """Judge whether fulfillments move money."""
    observes = shop.mode is Mode.OBSERVE or (shop.mode is None and "live" in environments)
    if observes:
        return warn(
            "mode",
            "The shop observes: it lists what it would capture and captures nothing.",
            f"saleor-kustom mode {shop.api_url} capture",
        )
    return ok("mode", "Fulfillments are captured.")


#: What is wrong with credentials, and how to mend it.
ACCOUNT_WORDS: Mapping[AccountVerdict, tuple[str, str]] = {
    AccountVerdict.WRONG_PASSWORD: (
        "Kustom does not accept username and password (401).",
        "Make new credentials in Kustom's portal, then: saleor-kustom credentials set",
    ),
    AccountVerdict.WRONG_ENVIRONMENT: (
        "The credentials are right, but in the other environment.",
        "saleor-kustom credentials set with the other --environment",
    ),
    AccountVerdict.FOREIGN_MERCHANT: (
        "The credentials are another merchant's: they do not show this one's orders.",
        "saleor-kustom credentials set with this merchant's own",
    ),
    AccountVerdict.BLOCKED: (
        "A firewall in front of Kustom refuses this machine (403, not Kustom's own).",
        "Ask Kustom's support whether calls from this machine's country are allowed.",
    ),
    AccountVerdict.NO_NETWORK: (
        "Kustom was not reached.",
        "Check this machine's network and DNS, and that it may call out over https.",
    ),
    AccountVerdict.NO_ANSWER: (
        "Kustom gave no sensible answer.",
        "Try again; look at Kustom's status page.",
    ),
}


def on_account(channel: str | None, account: Account, verdict: AccountVerdict) -> Finding:
    """Judge one channel's credentials after a test."""
    whose = f"{account.environment} merchant {account.merchant_id} ({channel or 'every channel'})"
    if verdict is AccountVerdict.RIGHT:
        return ok("credentials", f"{whose}: Kustom accepts them.")
    problem, cure = ACCOUNT_WORDS[verdict]
    return fail("credentials", f"{whose}: {problem}", cure)


def on_no_account() -> Finding:
    """Judge a shop without credentials."""
    return fail("credentials", "No Kustom credentials are set.", "saleor-kustom credentials set")


def on_shared_account(account: Account, others: Sequence[str]) -> Finding:
    """Judge a merchant account that several shops capture with."""
    name = f"{account.environment} merchant {account.merchant_id}"
    return warn(
        "credentials",
        f"{name} is also used by {', '.join(others)}.",
        "Right for one merchant with several Saleors. Wrong if one is a copy (staging) of the "
        "other: give that one a playground account.",
    )


_DAY_S = 86400.0


def on_expiring(soon: Sequence[OpenAuthorization], now: float, api_url: str) -> Finding:
    """Judge authorizations that end within a week with money left."""
    if not soon:
        return ok("authorizations", "None ends within a week with money left on it.")
    sums: dict[str, int] = {}
    for one in soon:
        sums[one.currency] = sums.get(one.currency, 0) + one.remaining_minor
    total = " + ".join(shown(minor, code) for code, minor in sorted(sums.items()))
    days = max(0.0, (soon[0].expires_at - now) / _DAY_S)
    what = f"{len(soon)} authorizations with {total} left end within a week, the first in "
    what += f"{days:.1f} days (order {soon[0].order_number})."
    cure = f"saleor-kustom expiring {api_url} lists them: ship, capture, or extend them."
    return (fail if days < 2 else warn)("authorizations", what, cure)  # noqa: PLR2004 - days


def on_dashboard(origin: str, configured: Sequence[str], *, there: bool | None) -> Finding:
    """Judge where the pages may be framed. `there`: the API's own origin serves a Dashboard."""
    if configured:
        return ok("dashboard", f"The pages open in {', '.join((origin, *configured))}.")
    if there:
        return ok("dashboard", f"The pages open in the Dashboard at {origin}.")
    return warn(
        "dashboard",
        "SALEOR_KUSTOM_DASHBOARD_ORIGINS is empty, and no Dashboard was found at "
        f"{origin}/dashboard/.",
        "Set it to your Dashboard's origin, or the pages stay blank there.",
    )


def on_not_understood(count: int) -> list[Finding]:
    """Judge genuine deliveries whose contents made no sense."""
    if not count:
        return []
    return [
        warn(
            "deliveries",
            f"{count} genuine deliveries were not understood; they are kept.",
            "Update the app. Their fulfillments are read from Saleor all the same.",
        )
    ]
