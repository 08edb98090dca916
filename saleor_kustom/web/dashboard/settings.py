"""Settings: accounts, what is captured how, mode, pauses, and a check of the shop."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from saleor_kustom.capture.parties import Mode
from saleor_kustom.capture.policy import Choice, as_json, choices, merged, typed
from saleor_kustom.errors import CallError
from saleor_kustom.store import Kept, Scope, Store
from saleor_kustom.web.dashboard.asked import text
from saleor_kustom.web.dashboard.captures import needing
from saleor_kustom.web.dashboard.desk import Desk
from saleor_kustom.web.dashboard.door import Visitor
from saleor_kustom.web.dashboard.render import page
from saleor_kustom.web.texts import Texts


@dataclass(frozen=True, slots=True)
class Field:
    """A choice as a form shows it. `chosen` is empty where it is inherited."""

    key: str
    label: str
    options: tuple[tuple[str, str], ...]  # value and text; none: free text
    chosen: str
    inherited: str  # what counts where nothing is chosen


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the set-up."""

    name: str
    done: bool


class SettingsPages:
    """The page and the parts of it that ask the other sides."""

    def __init__(self, store: Store, desk: Desk, clock: Callable[[], float]) -> None:
        self._store = store
        self._desk = desk
        self._clock = clock

    async def settings(self, request: Request, visitor: Visitor) -> Response:
        """Return everything that a shop can choose; `channel`: whose policy is edited."""
        api_url, texts = visitor.shop.api_url, visitor.texts
        channel = text(request.query_params, "channel")
        accounts = await self._store.accounts.kept(api_url)
        pauses = await self._store.pauses.list(api_url)
        sums = await self._store.overview.held(api_url)
        channels = await self._channels(api_url, accounts)
        used = [one for one in accounts if one.channels]
        live = any(one.environment == "live" for one in used)
        mode = visitor.shop.mode or (Mode.OBSERVE if live else Mode.CAPTURE)
        linked = await self._store.captures.any_binding(api_url)
        return page(
            "settings.html",
            visitor,
            tab="settings",
            need=await needing(self._store, api_url, self._clock()),
            steps=(
                Step("account", bool(used)),
                Step("linked", linked),
                Step("mode", bool(used) and mode is Mode.CAPTURE),
            ),
            accounts=accounts,
            channels=channels,
            channel=channel,
            fields=await self._fields(api_url, channel, texts),
            chosen_mode=visitor.shop.mode,
            mode=mode,
            observed=[one for one in sums if one.what == "observed"],
            pauses=[one for one in pauses if one.scope is not Scope.ACCOUNT],
            paused_accounts={one.key: one for one in pauses if one.scope is Scope.ACCOUNT},
            shop_paused=any(one.scope is Scope.SHOP for one in pauses),
        )

    async def check(self, _request: Request, visitor: Visitor) -> Response:
        """Return what may block merchants in this Saleor, and where to change it."""
        try:
            facts, failed = await self._desk.shop_facts(visitor.shop), ""
        except CallError as error:
            facts, failed = None, str(error)
        return page("shop_check.html", visitor, facts=facts, failed=failed)

    async def _channels(self, api_url: str, accounts: Sequence[Kept]) -> list[str]:
        known = set(await self._store.overview.channels(api_url))
        known |= {name for account in accounts for name in account.channels}
        known |= {one.channel for one in await self._store.policies.list(api_url)}
        return sorted(known - {""})

    async def _fields(self, api_url: str, channel: str, texts: Texts) -> list[Field]:
        documents = {one.channel: one.document for one in await self._store.policies.list(api_url)}
        above = [documents.get("", {})] if channel else []
        inherited, _ = merged(self._desk.base, above)
        return fields_of(documents.get(channel, {}), as_json(inherited), texts)


def fields_of(
    document: Mapping[str, Any], inherited: Mapping[str, Any], texts: Texts
) -> list[Field]:
    """Return every choice there is: a new field of Policy needs nothing here."""
    return [
        Field(
            key,
            texts.known("policy", key) if texts.has("policy", key) else choice.description,
            _options(choice, texts),
            typed(document[key]) if key in document else "",
            _value(key, typed(inherited[key]), texts),
        )
        for key, choice in choices().items()
    ]


def _options(choice: Choice, texts: Texts) -> tuple[tuple[str, str], ...]:
    schema = choice.adapter.json_schema()
    named = next(iter(schema.get("$defs", {}).values()), schema)  # an enumeration is a definition
    values = ["true", "false"] if schema.get("type") == "boolean" else named.get("enum", [])
    return tuple((str(value), _value(choice.key, str(value), texts)) for value in values)


def _value(key: str, value: str, texts: Texts) -> str:
    if value in ("true", "false"):
        return texts(f"policyvalue.{value}")
    name = f"{key}_{value}"
    return texts.known("policyvalue", name) if texts.has("policyvalue", name) else value
