"""The wheel alone, in a new environment, plays the demo; and it installs only our package."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
         "--wheel-dir", folder, TOP],
        check=True, capture_output=True,
    )  # fmt: skip
    [built] = folder.glob("*.whl")
    return built


def test_only_our_package_lands_in_site_packages(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {
        "saleor_kustom", f"saleor_kustom-{version()}.dist-info"
    }  # fmt: skip
    for needed in ("_contract/manifest.json",
                   "_contract/webhooks/fulfillment_created/delivery.json",
                   "store/migrations/0001_first.sql", "capture/carriers.toml",
                   "sandbox/schema.graphql", "py.typed",
                   "web/static/logo.png", "saleor/queries/order.graphql"):  # fmt: skip
        assert f"saleor_kustom/{needed}" in names


def test_the_wheel_alone_plays_the_demo(wheel, tmp_path):
    env = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", env], check=True)
    # What it depends on comes from this environment; ours comes from the wheel alone.
    site = next(env.glob("lib/python*/site-packages"))
    zipfile.ZipFile(wheel).extractall(site)
    (site / "dependencies.pth").write_text(_site_packages() + "\n")
    done = subprocess.run(
        [env / "bin/python", "-I", "-m", "saleor_kustom", "demo", "--once"],
        check=False, capture_output=True, text=True, cwd=tmp_path, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every amount and id is right" in done.stdout


def _site_packages():
    import hatchling

    return str(Path(hatchling.__file__).parent.parent)


def version():
    from saleor_kustom import __version__

    return __version__
