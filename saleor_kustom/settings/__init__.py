"""Every setting: the one file that reads the environment (domain rule 31).

A wrong value stops the start with one line: the variable's name, what is wrong, a right example.
"""

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from saleor_kustom import __version__
from saleor_kustom.errors import SettingsError
from saleor_kustom.settings.rows import SETTINGS, Setting

PREFIX = "SALEOR_KUSTOM_"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says, checked."""

    secret_key: str = field(repr=False)
    secret_key_previous: str = field(default="", repr=False)
    app_url: str = "http://127.0.0.1:8080"
    database_url: str = "sqlite:///saleor-kustom.db"
    allowed_saleor_urls: tuple[str, ...] = ()
    allow_private_hosts: bool = False
    dashboard_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    kustom_live_url: str = "https://api.kustom.co"
    kustom_playground_url: str = "https://api.playground.kustom.co"
    kustom_portal_live_url: str = (
        "https://portal.kustom.co/orders/list/{order_id}?merchantId={merchant_id}"
    )
    kustom_portal_playground_url: str = (
        "https://portal.playground.kustom.co/orders/list/{order_id}?merchantId={merchant_id}"
    )
    kustom_order_id_key: str = "kustom_order_id"
    extra_currencies: tuple[str, ...] = ()
    extend_authorizations: bool = False
    product_url: str = ""
    concurrency: int = 20
    rate_per_second: float = 5.0
    retention_days: int = 90
    log_level: str = "INFO"
    log_format: str = ""
    metrics_address: str = ""
    contact: str = ""

    @property
    def kustom_hosts(self) -> Mapping[str, str]:
        """Return Kustom's base URL by environment."""
        return {"live": self.kustom_live_url, "playground": self.kustom_playground_url}

    @property
    def kustom_portals(self) -> Mapping[str, str]:
        """Return the portal's link template by environment."""
        return {
            "live": self.kustom_portal_live_url,
            "playground": self.kustom_portal_playground_url,
        }

    @property
    def metrics_at(self) -> tuple[str, int] | None:
        """Return host and port of METRICS_ADDRESS, or None."""
        host, _, port = self.metrics_address.rpartition(":")
        return (host.strip("[]"), int(port)) if port else None

    @property
    def user_agent(self) -> str:
        """Return how we introduce ourselves; Kustom's firewall may block library defaults."""
        contact = f"; +{self.contact}" if self.contact else ""
        return f"saleor-kustom/{__version__} (Saleor{contact})"


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings. Raises SettingsError for the first that is missing or wrong."""
    given = os.environ if environ is None else environ
    _refuse_unknown(given)
    values = {}
    for setting in SETTINGS:
        text = given.get(PREFIX + setting.name, "").strip()
        if text:
            values[setting.name.lower()] = _read(setting, text)
        elif setting.name == "SECRET_KEY":
            raise SettingsError(_line(setting, "is not set"))
    return Settings(**values)  # type: ignore[arg-type]


def refuse_published(settings: Settings) -> None:
    """Raise SettingsError for a SECRET_KEY that everybody knows; only the sandbox may have one.

    For what serves a shop: commands may look at a sandbox's database with its key.
    """
    if any(known in settings.secret_key.lower() for known in _PUBLISHED):
        [setting] = [s for s in SETTINGS if s.name == "SECRET_KEY"]
        raise SettingsError(_line(setting, "was published as an example"))


def table() -> str:
    """Return the settings as the Markdown table that README.md shows."""
    rows = ["| setting | what it is for | default | example |", "|---|---|---|---|"]
    for setting in SETTINGS:
        name = f"`{PREFIX}{setting.name}`"
        rows.append(f"| {name} | {setting.meaning} | {_default(setting)} | `{setting.example}` |")
    return "\n".join(rows)


def _default(setting: Setting) -> str:
    if setting.name == "SECRET_KEY":
        return "none; must be set"
    value = Settings.__dataclass_fields__[setting.name.lower()].default
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, int | float) else f"`{value}`" if value else "empty"


#: Read by the tests and by the benchmark alone.
_ELSEWHERE = {PREFIX + "TEST_DATABASE_URL", PREFIX + "BENCH_DATABASE_URL"}


def _refuse_unknown(given: Mapping[str, str]) -> None:
    """A mistyped name would silently leave its setting at the default."""
    known = [PREFIX + setting.name for setting in SETTINGS]
    unknown = sorted(n for n in given if n.startswith(PREFIX) and n not in (*known, *_ELSEWHERE))
    if unknown:
        close = difflib.get_close_matches(unknown[0], known, n=1, cutoff=0.0)
        raise SettingsError(
            f"{unknown[0]}: there is no such setting; right would be, for example: {close[0]}"
        )


def _read(setting: Setting, text: str) -> object:
    try:
        return setting.read(text)
    except ValueError as error:
        raise SettingsError(_line(setting, str(error))) from None


def _line(setting: Setting, fault: str) -> str:
    return f"{PREFIX}{setting.name}: {fault}; right would be, for example: {setting.example}"


#: What stands in documents, ours and others', is nobody's secret.
_PUBLISHED = (
    "sandbox-only",
    "changeme",
    "change-me",
    "change_me",
    "0123456789abcdef0123456789",
    "abcdefghijklmnopqrstuvwxyz",
)
