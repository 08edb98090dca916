"""What it ran on, and what a process took of it (Linux: /proc)."""

import os
import platform
import re
import sqlite3
from importlib.metadata import version
from pathlib import Path
from typing import Any

from saleor_kustom import __version__

_TICKS = os.sysconf("SC_CLK_TCK")
_SHOWN = ("uvicorn", "httptools", "uvloop", "starlette", "joserfc", "cryptography", "httpx", "gql")


def cpu_s(pid: int) -> float:
    """Return the CPU-seconds that a process has taken, all its threads, in user and kernel."""
    # The name in front may hold anything, so the fields are counted from behind it.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory_mb(pid: int, *, peak: bool = False) -> float:
    """Return the resident memory of a process in MB (10^6 bytes): now, or at most so far."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = re.search(rf"^{'VmHWM' if peak else 'VmRSS'}:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def described() -> dict[str, Any]:
    """Return the machine, the versions, and how busy it was when the benchmark began."""
    cpus = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = re.search(r"^model name\s*: (.+)$", cpus, re.MULTILINE)
    return {
        "processor": model[1].strip() if model else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": round(os.getloadavg()[0], 1),
        "system": f"{platform.system()} {platform.release()}",
        "saleor_kustom": __version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{name: version(name) for name in _SHOWN},
    }
