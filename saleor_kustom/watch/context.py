"""What is under way here, so that each log line and each call to Saleor can say so.

Bound to the running task (contextvars): two captures that run at the same time never mix.
"""

import contextlib
import os
import socket
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from structlog.contextvars import bound_contextvars

from saleor_kustom.watch.trace import HEADER, Trace

_trace: ContextVar[Trace | None] = ContextVar("trace", default=None)


def instance() -> str:
    """Return this process's name among the instances; asked each time, since a fork has its own."""
    return f"{socket.gethostname()}-{os.getpid()}"


@contextlib.contextmanager
def bound(*, trace: Trace | None = None, **fields: Any) -> Iterator[None]:
    """Put fields into every log line of the block; `trace` also into its calls to Saleor.

    A field that is None stays as it is. Fields are ids, names and codes: never what a person
    wrote or is called.
    """
    known = {name: value for name, value in fields.items() if value is not None}
    if trace is None:
        with bound_contextvars(**known):
            yield
        return
    token = _trace.set(trace)
    try:
        with bound_contextvars(trace_id=trace.trace_id, **known):
            yield
    finally:
        _trace.reset(token)


def trace_headers() -> Mapping[str, str]:
    """Return the headers that continue the trace; for calls to Saleor alone."""
    trace = _trace.get()
    return {HEADER: trace.traceparent()} if trace else {}
