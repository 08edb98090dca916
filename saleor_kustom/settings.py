"""Every setting: the one file that reads the environment (domain rule 31).

A wrong value stops the start with one line: the variable's name, what is wrong, a right example.
"""

import difflib
import ipaddress
import os
import re
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from saleor_kustom import __version__
from saleor_kustom.errors import SettingsError

PREFIX = "SALEOR_KUSTOM_"
_SHORTEST_SECRET = 32


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


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table in the README."""

    name: str  # without the prefix
    meaning: str
    example: str
    read: Callable[[str], object] = str


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


#: Read by the tests alone.
_TESTS = {PREFIX + "TEST_DATABASE_URL"}


def _refuse_unknown(given: Mapping[str, str]) -> None:
    """A mistyped name would silently leave its setting at the default."""
    known = [PREFIX + setting.name for setting in SETTINGS]
    unknown = sorted(n for n in given if n.startswith(PREFIX) and n not in (*known, *_TESTS))
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


def _secret(text: str) -> str:
    if len(text) < _SHORTEST_SECRET:
        raise ValueError(f"is shorter than {_SHORTEST_SECRET} characters")
    if len(set(text)) < 8:  # noqa: PLR2004 - "xxxx…" is no secret
        raise ValueError("repeats too few characters to be a secret")
    if text in (text + text)[1:-1]:
        raise ValueError("repeats a shorter text")
    return text


#: A host name or bracketed IPv6 address and a port: what a URL's authority may be.
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?", re.ASCII)


def _url(text: str) -> str:
    parts = urlsplit(text)
    plain = text.isascii() and text.isprintable() and " " not in text
    if not plain or parts.scheme not in ("http", "https") or not _HOST.fullmatch(parts.netloc):
        raise ValueError("is no plain http(s) URL")  # not quoted: it may have a password in it
    return text.rstrip("/")


def _base_url(text: str) -> str:
    """Read a URL that paths are put behind."""
    if set(text) & set("?#"):
        raise ValueError("has a query or fragment")
    return _url(text)


def _origin(text: str) -> str:
    url = _base_url(text)
    if urlsplit(url).path:
        raise ValueError("has a path; an origin has none")
    return url


def _urls(text: str) -> tuple[str, ...]:
    return tuple(_listed_url(entry) for entry in _list(text))


def _listed_url(text: str) -> str:
    if text != "*":
        _base_url(text)
    return text  # API URLs are compared with their slash


def _origins(text: str) -> tuple[str, ...]:
    return tuple(_origin(entry) for entry in _list(text))


def _networks(text: str) -> tuple[str, ...]:
    found = _list(text)
    for entry in found:
        try:
            ipaddress.ip_network(entry)
        except ValueError:
            raise ValueError(f"{entry!r} is neither an address nor a network") from None
    return found


def _list(text: str) -> tuple[str, ...]:
    return tuple(entry.strip() for entry in text.split(",") if entry.strip())


def _currencies(text: str) -> tuple[str, ...]:
    found = tuple(entry.upper() for entry in _list(text))
    for entry in found:
        if len(entry) != 3 or not entry.isalpha():  # noqa: PLR2004 - ISO 4217
            raise ValueError(f"{entry!r} is no currency code")
    return found


def _database(text: str) -> str:
    if text.startswith("sqlite:///") and len(text) > len("sqlite:///"):
        return text
    if text.startswith("postgresql://"):
        return text
    raise ValueError("is neither sqlite:///path nor postgresql://…")


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"{text!r} is neither true nor false")
    return text == "true"


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1000:  # noqa: PLR2004 - sane
        raise ValueError(f"{text!r} is no whole number from 1 to 1000")
    return int(text)


def _days(text: str) -> int:
    if not text.isdecimal() or int(text) > 36_500:  # noqa: PLR2004 - a hundred years
        raise ValueError(f"{text!r} is no whole number of days")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 < rate <= 200:  # noqa: PLR2004 - Klarna's published limit
        raise ValueError(f"{text!r} is no number above 0, at most 200")
    return rate


def _level(text: str) -> str:
    if text.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise ValueError(f"{text!r} is no log level")
    return text.upper()


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"{text!r} is none of {', '.join(words)}")
        return text.lower()

    return read


def _address(text: str) -> str:
    """Read host:port; the host is an address or a name, an IPv6 address in brackets."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:  # noqa: PLR2004 - TCP's
        raise ValueError(f"{text!r} is no host:port")
    return text


def _template(*names: str) -> Callable[[str], str]:
    """Return a reader of URLs with exactly these {names} in them."""

    def read(text: str) -> str:
        found = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
        if found != set(names):
            wanted = " and ".join(f"{{{name}}}" for name in names)
            raise ValueError(f"must have {wanted} in it and no other braces")
        _url(text)
        return text

    return read


def _printable(text: str) -> str:
    """Read what goes into a header or is compared with a metadata key."""
    if not text.isascii() or not text.isprintable():
        raise ValueError("has characters that are not printable ASCII")
    return text


_portal_template = _template("order_id", "merchant_id")

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "SECRET_KEY",
        "encrypts tokens and passwords at rest; 32 characters or more; keep it with your backups",
        "the output of: openssl rand -hex 32",
        _secret,
    ),
    Setting(
        "SECRET_KEY_PREVIOUS",
        "the key before, while `saleor-kustom secrets rotate` has not run yet",
        "the SECRET_KEY that was set until now",
        _secret,
    ),
    Setting(
        "APP_URL",
        "where Saleor and the Dashboard reach the app",
        "https://kustom.shop.example",
        _base_url,
    ),
    Setting(
        "DATABASE_URL",
        "where everything is kept; SQLite for one process",
        "sqlite:////var/lib/saleor-kustom/app.db",
        _database,
    ),
    Setting(
        "ALLOWED_SALEOR_URLS",
        "shops that may install the app, comma-separated; `*`: any; empty: none",
        "https://shop.example/graphql/",
        _urls,
    ),
    Setting(
        "ALLOW_PRIVATE_HOSTS",
        "whether a shop may be on http or a private address (development)",
        "false",
        _boolean,
    ),
    Setting(
        "DASHBOARD_ORIGINS",
        "where the Dashboard is served, if not at the shop's API origin",
        "https://dashboard.shop.example",
        _origins,
    ),
    Setting(
        "TRUSTED_PROXIES",
        "addresses or networks of your own proxies, whose X-Forwarded-For is believed",
        "127.0.0.1, 10.0.0.0/8",
        _networks,
    ),
    Setting("KUSTOM_LIVE_URL", "Kustom's live API", "https://api.kustom.co", _base_url),
    Setting(
        "KUSTOM_PLAYGROUND_URL",
        "Kustom's playground API",
        "https://api.playground.kustom.co",
        _base_url,
    ),
    Setting(
        "KUSTOM_PORTAL_LIVE_URL",
        "link to an order in Kustom's portal (unverified)",
        "https://portal.kustom.co/orders/list/{order_id}?merchantId={merchant_id}",
        _portal_template,
    ),
    Setting(
        "KUSTOM_PORTAL_PLAYGROUND_URL",
        "the same for the playground (unverified)",
        "https://portal.playground.kustom.co/orders/list/{order_id}?merchantId={merchant_id}",
        _portal_template,
    ),
    Setting(
        "KUSTOM_ORDER_ID_KEY",
        "metadata key in which the checkout writes the Kustom order id",
        "kustom_order_id",
        _printable,
    ),
    Setting(
        "EXTRA_CURRENCIES",
        "currencies to allow beside those that Kustom lists",
        "CZK,HUF",
        _currencies,
    ),
    Setting(
        "EXTEND_AUTHORIZATIONS",
        "ask Kustom for more time three days before an authorization expires",
        "true",
        _boolean,
    ),
    Setting(
        "PRODUCT_URL",
        "storefront link of a product, shown to the shopper by Kustom",
        "https://shop.example/products/{slug}",
        _template("slug"),
    ),
    Setting("CONCURRENCY", "captures that run at the same time", "20", _count),
    Setting("RATE_PER_SECOND", "calls a second to Kustom for each merchant account", "5", _rate),
    Setting(
        "RETENTION_DAYS",
        "days after which raw deliveries are emptied; 0 keeps them",
        "30",
        _days,
    ),
    Setting("LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR", "INFO", _level),
    Setting(
        "LOG_FORMAT",
        "json or console; empty: console at a terminal, json elsewhere",
        "json",
        _one_of("json", "console"),
    ),
    Setting(
        "METRICS_ADDRESS",
        "where /metrics and /health are served beside the app, for your own network alone; "
        "empty: nowhere",
        "127.0.0.1:9464",
        _address,
    ),
    Setting(
        "CONTACT",
        "sent to Kustom with every request, so that they can reach you",
        "https://shop.example/contact",
        _printable,
    ),
)
