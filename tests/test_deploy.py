"""What is shipped for running it: files that are copied exist, names are right, nothing is root."""

import re
import secrets
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from saleor_kustom.cli import app
from saleor_kustom.settings import PREFIX, SETTINGS, load

TOP = Path(__file__).parent.parent
DOCKERFILE = (TOP / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((TOP / "compose.yaml").read_text())
NAMES = {PREFIX + setting.name for setting in SETTINGS}
DOCS = ["docs/deploy-single.md", "docs/deploy-many.md", "docs/backup.md"]


def copied():
    """Return what the Dockerfile takes from the build context."""
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    return [source for line in lines for source in line.split()]


def test_everything_that_is_copied_exists_and_is_let_through():
    allowed = (TOP / ".dockerignore").read_text().splitlines()
    assert "*" in allowed
    for source in copied():
        assert (TOP / source).exists(), source
        assert f"!{source}" in allowed, source
    assert {"saleor_kustom", "webhooks", "manifest.json", "pyproject.toml"} <= set(copied())


def test_the_wheel_is_made_of_what_is_copied():
    project = (TOP / "pyproject.toml").read_text()
    forced = re.search(r"force-include\]\n(.*?)\n\n", project, re.DOTALL)[1]
    for source in re.findall(r'^"([^"]+)" =', forced, re.MULTILINE):
        assert source in copied()
    for name in ("README.md", "LICENSE"):
        assert name in copied()


def test_what_is_installed_is_checked_against_its_hash():
    installs = re.findall(r"pip (?:--python \S+ )?install.*?(?=&&|\n\S|\Z)", DOCKERFILE, re.DOTALL)
    installs += re.findall(r"bin/pip install.*?(?=&&|\n\S|\Z)", DOCKERFILE, re.DOTALL)
    assert len(installs) >= 3
    for install in installs:
        assert "--require-hashes" in install or "/wheel/*.whl" in install


def test_the_image_is_not_root_and_pinned():
    assert re.search(r"^ARG BASE=python:3\.\d+\.\d+-slim-\w+$", DOCKERFILE, re.MULTILINE)
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert "USER 10001:10001" in last
    assert last.index("USER ") < last.index("ENTRYPOINT")
    assert 'CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]' in last


def test_its_variables_are_settings():
    used = set(re.findall(rf"\b{PREFIX}\w+", DOCKERFILE))
    for service in COMPOSE["services"].values():
        used |= {name for name in service["environment"] if name.startswith(PREFIX)}
    for name in [*DOCS, "compose.env.example"]:
        used |= set(re.findall(rf"\b({PREFIX}\w+)=", (TOP / name).read_text()))
    assert used
    assert used <= NAMES


def test_the_example_of_the_environment_starts_once_it_is_filled_in():
    lines = (TOP / "compose.env.example").read_text().splitlines()
    pairs = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert [name for name, value in pairs.items() if not value] == [
        "POSTGRES_PASSWORD", "SALEOR_KUSTOM_SECRET_KEY",
    ]  # fmt: skip
    pairs["SALEOR_KUSTOM_SECRET_KEY"] = secrets.token_hex(32)
    url = COMPOSE["services"]["serve"]["environment"]["SALEOR_KUSTOM_DATABASE_URL"]
    pairs["SALEOR_KUSTOM_DATABASE_URL"] = re.sub(r"\$\{[^}]+\}", "secret", url)
    del pairs["POSTGRES_PASSWORD"]
    assert load(pairs).database_url == "postgresql://kustom:secret@db/kustom"


@pytest.mark.parametrize("name", ["serve", "work"])
def test_a_container_can_do_no_more_than_it_must(name):
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["depends_on"]["db"]["condition"] == "service_healthy"
    assert service["env_file"] == ".env"
    command = service["command"]
    assert command[0] in get_command(app).commands
    get_command(app).commands[command[0]].make_context(command[0], command[1:])


def test_the_database_is_healthy_before_anything_starts_and_keeps_its_data():
    database = COMPOSE["services"]["db"]
    assert "pg_isready" in database["healthcheck"]["test"][1]
    assert database["volumes"][0].split(":")[0] in COMPOSE["volumes"]
    assert re.fullmatch(r"postgres:\d+\.\d+-\w+", database["image"])
    assert "ports" not in database


def test_no_secret_stands_in_a_file_that_is_shipped():
    assert ".env" in (TOP / ".gitignore").read_text().splitlines()
    for service in COMPOSE["services"].values():
        for name, value in service["environment"].items():
            assert "PASSWORD" not in name or value.startswith("${")


@pytest.mark.parametrize("name", DOCS)
def test_the_commands_in_the_pages_exist(name):
    commands = get_command(app).commands
    text = (TOP / name).read_text()
    found = re.findall(r"(?:[`/]|\$ |serve )saleor-kustom ([a-z][a-z-]*)\b", text)
    assert set(found) <= set(commands)


def test_the_health_check_asks_for_a_path_that_there_is():
    from saleor_kustom.web.operations import Health

    paths = [route.path for route in Health(None, lambda: False).routes()]
    [asked] = set(re.findall(r"127\.0\.0\.1:9464(/[a-z/]+)", DOCKERFILE))
    assert asked in paths


def test_migrations_only_add_so_that_an_older_instance_goes_on():
    folder = TOP / "saleor_kustom/store/migrations"
    for path in folder.glob("*.sql"):
        text = re.sub(r"--.*", "", path.read_text()).lower()
        assert not re.search(r"\b(drop|rename|delete|truncate)\b", text), path.name
