"""Settings: a wrong one stops the start with one line that says how to make it right."""

import pytest
from typer.testing import CliRunner

from saleor_kustom import settings as module
from saleor_kustom.cli import app as command_line
from saleor_kustom.errors import SettingsError
from saleor_kustom.settings import PREFIX, SETTINGS, Settings, load, table

SECRET = "correct-horse-battery-staple-0123456789"


def given(**values):
    return {PREFIX + name: value for name, value in {"SECRET_KEY": SECRET, **values}.items()}


def fault(environ):
    with pytest.raises(SettingsError) as caught:
        load(environ)
    return str(caught.value)


def test_a_secret_key_is_enough():
    assert load(given()) == Settings(secret_key=SECRET)


def test_every_example_in_the_table_is_right():
    load(given(**{s.name: s.example for s in SETTINGS if s.name != "SECRET_KEY"}))


def test_every_field_can_be_set():
    assert {s.name.lower() for s in SETTINGS} == set(Settings.__dataclass_fields__)


def test_the_environment_is_read_when_nothing_is_given(monkeypatch):
    for name, value in given(CONCURRENCY="7").items():
        monkeypatch.setenv(name, value)
    assert load().concurrency == 7


def test_an_empty_value_leaves_the_default():
    assert load(given(APP_URL=" ", CONCURRENCY="")) == load(given())


def test_lists_are_comma_separated():
    listed = load(given(ALLOWED_SALEOR_URLS="https://a.example/graphql/, https://b.example,"))
    assert listed.allowed_saleor_urls == ("https://a.example/graphql/", "https://b.example")


def test_a_base_url_loses_its_last_slash():
    assert load(given(APP_URL="https://kustom.shop.example/")).app_url.endswith(".example")


WRONG = {
    "SECRET_KEY": (
        "",
        "short",
        "x" * 40,
        "abcdefgh" * 5,
        "0123456789abcdef0123456789abcdef",
    ),
    "SECRET_KEY_PREVIOUS": ("short",),
    "RETENTION_DAYS": ("-1", "1.5", "many", "99999999"),
    "APP_URL": (
        "kustom.example",
        "ftp://a.example",
        "https://a.example/?b",
        "https://",
        "http://a b",
    ),
    "DATABASE_URL": ("sqlite://relative.db", "mysql://a/b", "sqlite:///", "app.db"),
    "ALLOWED_SALEOR_URLS": ("https://*.shop.example/", "shop.example", "https://a.example,b"),
    "ALLOW_PRIVATE_HOSTS": ("yes", "1", "True"),
    "EXTEND_AUTHORIZATIONS": ("yes", "1", "True"),
    "TRUSTED_PROXIES": ("proxy.example", "10.0.0.1/8", "10.0.0.0/33", "*"),
    "DASHBOARD_ORIGINS": ("https://a.example/dashboard", "https://a;script-src *", "'none'"),
    "KUSTOM_LIVE_URL": ("api.kustom.co", "https://[::1"),
    "KUSTOM_PLAYGROUND_URL": ("https://user:pass@api.example",),
    "KUSTOM_PORTAL_LIVE_URL": ("https://p.example/{order_id}", "https://p.example/{", "{order_id}"),
    "KUSTOM_PORTAL_PLAYGROUND_URL": ("https://p.example/{order_id}/{merchant_id}/{x}",),
    "KUSTOM_ORDER_ID_KEY": ("kustom\norder",),
    "EXTRA_CURRENCIES": ("CZKK", "CZ1", "12"),
    "PRODUCT_URL": ("https://shop.example/products", "{slug}", "https://s.example/{slug}/{id}"),
    "CONCURRENCY": ("0", "-1", "1001", "many", "2.5"),
    "RATE_PER_SECOND": ("0", "-5", "nan", "inf", "fast", "201"),
    "LOG_LEVEL": ("LOUD",),
    "LOG_FORMAT": ("xml",),
    "METRICS_ADDRESS": ("9464", ":9464", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "a:b"),
    "CONTACT": ("https://sköt.example", "a\r\nX-Injected: 1"),
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in WRONG.items() for v in values])
def test_a_wrong_value_is_told_in_one_line_with_a_right_one(name, value):
    line = fault(given(**{name: value}))
    [setting] = [s for s in SETTINGS if s.name == name]
    assert line.startswith(f"{PREFIX}{name}: ")
    assert line.endswith(f"; right would be, for example: {setting.example}")
    assert "\n" not in line


@pytest.mark.parametrize(
    "key",
    [
        "a-secret-for-the-sandbox-only-0123456789",
        "please-CHANGEME-before-you-go-to-production",
        "0123456789abcdefghijklmnopqrstuvwxyz",
    ],
)
@pytest.mark.parametrize("command", ["serve", "work"])
def test_a_key_that_everybody_knows_serves_no_shop(key, command, monkeypatch):
    monkeypatch.setenv(f"{PREFIX}SECRET_KEY", key)
    monkeypatch.setenv(f"{PREFIX}DATABASE_URL", "postgresql://nobody@127.0.0.1:9/nowhere")
    result = CliRunner().invoke(command_line, [command])
    assert isinstance(result.exception, SettingsError)
    assert "was published as an example" in str(result.exception)


def test_every_setting_that_can_be_wrong_is_tried():
    assert set(WRONG) == {s.name for s in SETTINGS}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "hunter2hunter2"),
        ("DATABASE_URL", "postgres://me:hunter2@db/app"),
        ("KUSTOM_LIVE_URL", "https://me:hunter2@api.kustom.co"),
        ("APP_URL", "https://me:hunter2@app.example?x"),
    ],
)
def test_a_fault_never_repeats_a_secret(name, value):
    assert "hunter2" not in fault(given(**{name: value}))


def test_the_settings_do_not_show_the_secret_key():
    assert SECRET not in repr(load(given()))


def test_a_missing_secret_key_is_told():
    assert fault({}).startswith("SALEOR_KUSTOM_SECRET_KEY: is not set; right would be")


def test_a_mistyped_name_is_told_with_the_right_one():
    line = fault(given(ALLOWED_SALEOR_URL="https://a.example/graphql/"))
    assert line.startswith("SALEOR_KUSTOM_ALLOWED_SALEOR_URL: there is no such setting")
    assert line.endswith("SALEOR_KUSTOM_ALLOWED_SALEOR_URLS")


def test_others_variables_are_none_of_ours():
    assert load({**given(), "PATH": "/bin", "SALEOR_TOKEN": "x"}) == load(given())


def test_the_table_has_a_row_for_every_setting_and_its_default():
    rows = table().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == [PREFIX + s.name for s in SETTINGS]
    assert "`sqlite:///saleor-kustom.db`" in rows[3]
    assert "none; must be set" in rows[0]


def test_the_user_agent_carries_the_contact():
    assert load(given(CONTACT="https://shop.example")).user_agent.endswith(
        "(Saleor; +https://shop.example)"
    )
    assert module.__version__ in load(given()).user_agent
