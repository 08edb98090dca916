"""Every setting: its name, what it is for, a right example, and how it is read."""

from collections.abc import Callable
from dataclasses import dataclass

from saleor_kustom.settings import read


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table in the README."""

    name: str  # without the prefix
    meaning: str
    example: str
    read: Callable[[str], object] = str


_portal_template = read.template("order_id", "merchant_id")

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "SECRET_KEY",
        "encrypts tokens and passwords at rest; 32 characters or more; keep it with your backups",
        "the output of: openssl rand -hex 32",
        read.secret,
    ),
    Setting(
        "SECRET_KEY_PREVIOUS",
        "the key before, while `saleor-kustom secrets rotate` has not run yet",
        "the SECRET_KEY that was set until now",
        read.secret,
    ),
    Setting(
        "APP_URL",
        "where Saleor and the Dashboard reach the app",
        "https://kustom.shop.example",
        read.base_url,
    ),
    Setting(
        "DATABASE_URL",
        "where everything is kept; SQLite for one process",
        "sqlite:////var/lib/saleor-kustom/app.db",
        read.database,
    ),
    Setting(
        "ALLOWED_SALEOR_URLS",
        "shops that may install the app, comma-separated; `*`: any; empty: none",
        "https://shop.example/graphql/",
        read.urls,
    ),
    Setting(
        "ALLOW_PRIVATE_HOSTS",
        "whether a shop may be on http or a private address (development)",
        "false",
        read.boolean,
    ),
    Setting(
        "DASHBOARD_ORIGINS",
        "where the Dashboard is served, if not at the shop's API origin",
        "https://dashboard.shop.example",
        read.origins,
    ),
    Setting(
        "TRUSTED_PROXIES",
        "addresses or networks of your own proxies, whose X-Forwarded-For is believed",
        "127.0.0.1, 10.0.0.0/8",
        read.networks,
    ),
    Setting("KUSTOM_LIVE_URL", "Kustom's live API", "https://api.kustom.co", read.base_url),
    Setting(
        "KUSTOM_PLAYGROUND_URL",
        "Kustom's playground API",
        "https://api.playground.kustom.co",
        read.base_url,
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
        read.printable,
    ),
    Setting(
        "EXTRA_CURRENCIES",
        "currencies to allow beside those that Kustom lists",
        "CZK,HUF",
        read.currencies,
    ),
    Setting(
        "EXTEND_AUTHORIZATIONS",
        "ask Kustom for more time three days before an authorization expires",
        "true",
        read.boolean,
    ),
    Setting(
        "PRODUCT_URL",
        "storefront link of a product, shown to the shopper by Kustom",
        "https://shop.example/products/{slug}",
        read.template("slug"),
    ),
    Setting("CONCURRENCY", "captures that run at the same time", "20", read.count),
    Setting(
        "RATE_PER_SECOND", "calls a second to Kustom for each merchant account", "5", read.rate
    ),
    Setting(
        "RETENTION_DAYS",
        "days after which raw deliveries are emptied; 0 keeps them",
        "30",
        read.days,
    ),
    Setting("LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR", "INFO", read.level),
    Setting(
        "LOG_FORMAT",
        "json or console; empty: console at a terminal, json elsewhere",
        "json",
        read.one_of("json", "console"),
    ),
    Setting(
        "METRICS_ADDRESS",
        "where /metrics and /health are served beside the app, for your own network alone; "
        "empty: nowhere",
        "127.0.0.1:9464",
        read.address,
    ),
    Setting(
        "CONTACT",
        "sent to Kustom with every request, so that they can reach you",
        "https://shop.example/contact",
        read.printable,
    ),
)
