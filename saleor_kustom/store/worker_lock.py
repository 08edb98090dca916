"""The worker's role on SQLite: one process at a time (domain rule 30)."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from saleor_kustom.errors import StoreUnavailable


@contextlib.contextmanager
def worker_lock(path: str) -> Iterator[None]:
    """Hold the lock beside a SQLite file.

    It is the operating system's, so it is free at once when its holder dies. The file stays:
    removing it would let two processes lock two files. Raises StoreUnavailable.
    """
    try:
        lock = Path(f"{path}.worker-lock").open("a")  # noqa: SIM115 - closed below
    except OSError as error:
        raise StoreUnavailable(f"the worker's lock can't be made: {error}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StoreUnavailable(
                f"another process works on {path}; SQLite serves one worker "
                "(for several use PostgreSQL, see docs/databases.md)"
            ) from error
        yield
