"""Go and look: everything that the verdicts need, from the database, the shops and Kustom."""

import json
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from saleor_kustom.app import App
from saleor_kustom.capture.parties import Account, Shop
from saleor_kustom.doctor import of_app, of_shop
from saleor_kustom.doctor.findings import Finding
from saleor_kustom.errors import CallError
from saleor_kustom.outbound import Answer, NoAnswer, NotSent, Outbound
from saleor_kustom.saleor.manifest import manifest, schema_version
from saleor_kustom.saleor.seen_as import SeenAs, seen_as
from saleor_kustom.worker.checking import check_account

#: Every release whose manifest differs.
VERSIONS = ("3.21", "3.22", "3.23")
_WEEK_S = 7 * 86400.0
_PATIENCE_S = 10.0


class Doctor:
    """One check-up. `outbound` is for plain requests to our own address and for clocks."""

    def __init__(
        self, app: App, outbound: Outbound, clock: Callable[[], float] = time.time
    ) -> None:
        self._app = app
        self._outbound = outbound
        self._clock = clock

    async def examine(self, api_url: str | None = None) -> AsyncIterator[Finding]:
        """Yield what was found, of the app first, then of each shop or of one."""
        shops = list(await self._app.store.shops.all())
        async for finding in self._of_app(shops):
            yield finding
        for shop in shops:
            if api_url in (None, shop.api_url):
                async for finding in self._of_shop(shop, shops):
                    yield replace(finding, shop=shop.api_url)

    async def _of_app(self, shops: list[Shop]) -> AsyncIterator[Finding]:
        settings, store = self._app.settings, self._app.store
        for finding in of_app.on_settings(settings):
            yield finding
        began = time.perf_counter()
        await store.meta.put("doctor", "")
        yield of_app.on_write(time.perf_counter() - began, settings.database_url)
        for version in VERSIONS:
            ours = manifest(settings.app_url, schema_version(version))
            yield of_app.on_manifest(settings.app_url, await self._served(version), ours)
        hooks = self._app.worker.parts.hooks
        for finding in of_app.on_extensions([hook.name for hook in hooks.hooks], hooks.broken):
            yield finding
        if not shops:
            yield of_app.on_no_shop(settings.app_url)
        for finding in of_app.on_queue(await store.numbers()):
            yield finding
        for environment in sorted(await self._environments(shops)):
            skew = await self._skew(f"{settings.kustom_hosts[environment]}/")
            yield of_app.on_clock(f"Kustom ({environment})", skew)

    async def _of_shop(self, shop: Shop, shops: list[Shop]) -> AsyncIterator[Finding]:
        for finding in await self._at_saleor(shop):
            yield finding
        origin = _origin(shop.api_url)
        yield of_app.on_clock("Saleor", await self._skew(f"{origin}/.well-known/jwks.json"))
        configured = self._app.settings.dashboard_origins
        there = None if configured else await self._has_dashboard(origin)
        yield of_shop.on_dashboard(origin, configured, there=there)
        for finding in await self._accounts(shop, shops):
            yield finding
        store, now = self._app.store, self._clock()
        for finding in of_app.on_pauses(list(await store.pauses.list(shop.api_url))):
            yield finding
        soon = await store.authorizations.expiring(shop.api_url, now + _WEEK_S)
        alive = [one for one in soon if one.expires_at > now]
        yield of_shop.on_expiring(alive, now, shop.api_url)
        odd = await store.deliveries.not_understood(shop.api_url)
        for finding in of_shop.on_not_understood(len(odd)):
            yield finding

    async def _at_saleor(self, shop: Shop) -> list[Finding]:
        try:
            seen = await seen_as(self._app.saleor, shop)
        except CallError as error:
            return [of_shop.on_unknown_token(error)]
        return [
            of_shop.on_token(shop, seen),
            *self._in_saleor(shop, seen),
            *of_shop.on_shipping(seen),
        ]

    def _in_saleor(self, shop: Shop, seen: SeenAs) -> list[Finding]:
        app_url = self._app.settings.app_url
        ours = manifest(app_url, schema_version(seen.saleor_version))
        return [
            of_shop.on_permissions(seen, ours["permissions"]),
            *of_shop.on_webhooks(ours, seen.webhooks, shop.api_url),
        ]

    async def _accounts(self, shop: Shop, shops: Iterable[Shop]) -> list[Finding]:
        store = self._app.store
        accounts = await store.accounts.list(shop.api_url)
        if not accounts:
            return [of_shop.on_no_account()]
        found = [of_shop.on_mode(shop, {account.environment for _, account in accounts})]
        for channel, account in accounts:
            known = await store.accounts.an_order_of(
                shop.api_url, account.environment, account.merchant_id
            )
            verdict = await check_account(self._app.kustom, account, known)
            found.append(of_shop.on_account(channel, account, verdict))
        others = [one for one in shops if one.api_url != shop.api_url]
        return found + await self._shared({account for _, account in accounts}, others)

    async def _shared(self, accounts: Iterable[Account], others: list[Shop]) -> list[Finding]:
        users: dict[tuple[str, str], list[str]] = {}
        for other in others:
            for _, account in await self._app.store.accounts.list(other.api_url):
                name = (account.environment, account.merchant_id)
                users.setdefault(name, [])
                if other.api_url not in users[name]:
                    users[name].append(other.api_url)
        return [
            of_shop.on_shared_account(account, users[name])
            for account in accounts
            if (name := (account.environment, account.merchant_id)) in users
        ]

    async def _environments(self, shops: Iterable[Shop]) -> set[str]:
        accounts = [await self._app.store.accounts.list(shop.api_url) for shop in shops]
        return {account.environment for listed in accounts for _, account in listed}

    async def _served(self, version: str) -> of_app.Served:
        url = f"{self._app.settings.app_url}/api/manifest"
        try:
            answer = await self._get(url, {"Saleor-Schema-Version": version})
        except (NotSent, NoAnswer) as error:
            return of_app.Served(version, problem=str(error))
        return of_app.Served(version, answer.status, _document(answer.body))

    async def _skew(self, url: str) -> float | None:
        """Return how many seconds the other side's clock is ahead of ours, if it says so."""
        began = self._clock()
        try:
            answer = await self._get(url, {})
            told = parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
        except (NotSent, NoAnswer, ValueError, TypeError):
            return None
        now = self._clock()
        if began - 1.0 <= told <= now + 1.0:  # a Date header has whole seconds
            return 0.0
        return float(told - now if told > now else told - began)

    async def _has_dashboard(self, origin: str) -> bool:
        try:
            answer = await self._get(f"{origin}/dashboard/", {})
        except (NotSent, NoAnswer):
            return False
        kind = answer.headers.get("content-type", "")
        return answer.status == 200 and kind.startswith("text/html")  # noqa: PLR2004 - HTTP's own

    async def _get(self, url: str, headers: dict[str, str]) -> Answer:
        return await self._outbound.request("GET", url, headers=headers, deadline_s=_PATIENCE_S)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _document(body: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
