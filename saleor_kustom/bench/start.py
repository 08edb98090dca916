"""From the start of the process to the first acknowledgement, and what it takes when idle.

`saleor-kustom serve` as an operator starts it, on a database that is there, beside the peer.
"""

import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from importlib.metadata import PackageNotFoundError, requires
from io import BytesIO
from pathlib import Path
from socket import create_server
from typing import Any
from urllib.parse import urlsplit

import saleor_kustom
from saleor_kustom.bench import shop
from saleor_kustom.bench.child import BenchmarkError, child
from saleor_kustom.bench.machine import memory_mb
from saleor_kustom.bench.stage import Stage, median

_WITHIN_S = 120.0
_IDLE_S = 1.0


def measure(stage: Stage) -> dict[str, Any]:
    """Return seconds to the first acknowledgement, memory, size and dependencies."""
    rounds = [_round(stage) for _ in range(stage.rounds)]
    row = {
        "first_ack_s": median([one["first_ack_s"] for one in rounds]),
        "peer_first_ack_s": median([one["peer_first_ack_s"] for one in rounds]),
        "of_peer": median([one["first_ack_s"] / one["peer_first_ack_s"] for one in rounds]),
        "idle_mb": median([one["idle_mb"] for one in rounds]),
        "wheel_kb": round(_packed_bytes() / 1000),
        "dependencies": len(_needed("saleor-kustom")),
    }
    stage.tell(f"start: {row['first_ack_s']:.2f} s, {row['idle_mb']:.0f} MB when idle")
    return row


def _round(stage: Stage) -> dict[str, float]:
    with child("stubs", jwks=stage.signer.jwks(), saleor_s=0.0, kustom_s=0.0) as stubs:
        api_url = f"{stubs.told['saleor']}/graphql/"
        posting = shop.Posting(api_url, stage.signer)
        with stage.database("sqlite", api_url, stubs.told["kustom"]) as settings:
            first_s, idle_mb = _served(stage, settings, posting)
        return {
            "first_ack_s": first_s,
            "idle_mb": idle_mb,
            "peer_first_ack_s": _peer_s(stage, posting),
        }


def _served(stage: Stage, settings: dict[str, Any], posting: shop.Posting) -> tuple[float, float]:
    """Start the server; return seconds to its first acknowledgement, and its memory after it."""
    port = _free_port()
    environment = {f"SALEOR_KUSTOM_{name.upper()}": str(value) for name, value in settings.items()}
    environment["SALEOR_KUSTOM_ALLOW_PRIVATE_HOSTS"] = "true"
    command = [sys.executable, "-m", "saleor_kustom", "serve", "--port", str(port)]
    with (stage.folder / "serve.log").open("a") as log:
        began = time.monotonic()
        served = subprocess.Popen(command, env=environment, stderr=log)
        try:
            _acknowledged(port, posting, lambda: served.poll() is None)
            spent_s = time.monotonic() - began
            time.sleep(_IDLE_S)
            return spent_s, memory_mb(served.pid)
        finally:
            served.terminate()
            served.wait()


def _peer_s(stage: Stage, posting: shop.Posting) -> float:
    began = time.monotonic()
    with child("peer", api_url=posting.api_url, jwks=stage.signer.jwks()) as peer:
        _acknowledged(urlsplit(peer.told["address"]).port or 0, posting, lambda: True)
        return time.monotonic() - began


def _acknowledged(port: int, posting: shop.Posting, alive: Callable[[], bool]) -> None:
    """Post until an answer comes, which must be a 200. Raises BenchmarkError."""
    head, _, contents = posting.request(shop.body(1, 1)).partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    until = time.monotonic() + _WITHIN_S
    while time.monotonic() < until and alive():
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        with suppress(OSError, HTTPException):
            connection.request("POST", shop.PATH, contents, headers)
            status = connection.getresponse().status
            connection.close()
            if status != 200:  # noqa: PLR2004 - HTTP's own number
                raise BenchmarkError(f"the first delivery was answered {status}")
            return
        time.sleep(0.005)
    raise BenchmarkError("the server did not answer; its log: serve.log")


def _free_port() -> int:
    with create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


def _packed_bytes() -> int:
    """Return how large the package is, packed as a wheel is."""
    folder, packed = Path(saleor_kustom.__file__).parent, BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as wheel:
        for file in folder.rglob("*"):
            if file.is_file() and file.suffix != ".pyc":
                wheel.write(file, file.relative_to(folder))
    return len(packed.getvalue())


def _needed(package: str, known: set[str] | None = None) -> set[str]:
    """Return what a package needs installed, whatever depth, without extras."""
    known = set() if known is None else known
    try:
        wanted = requires(package) or []
    except PackageNotFoundError:
        return known
    for line in wanted:
        name = re.split(r"[\s;<>=!~\[(]", line, maxsplit=1)[0].lower().replace("_", "-")
        optional = "extra ==" in line or "sys_platform ==" in line or "python_version <" in line
        if not optional and name not in known:
            known.add(name)
            _needed(name, known)
    return known
