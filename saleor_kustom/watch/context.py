"""What is under way here, so that each log line and each call to Saleor can say so.

Bound to the running task (contextvars): two captures that run at the same time never mix.
"""

import contextlib
import functools
import os
import socket
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

from saleor_kustom.watch.trace import HEADER, Trace

_trace: ContextVar[Trace | None] = ContextVar("trace", default=None)
_fields: ContextVar[Mapping[str, Any]] = ContextVar("fields", default=MappingProxyType({}))


def instance() -> str:
    """Return this process's name among the instances; asked each time, since a fork has its own."""
    return _named(os.getpid())


@functools.lru_cache(maxsize=1)
def _named(pid: int) -> str:
    return f"{socket.gethostname()}-{pid}"


def bound_fields() -> Mapping[str, Any]:
    """Return what every log line says now."""
    return _fields.get()


@contextlib.contextmanager
def bound(*, trace: Trace | None = None, **fields: Any) -> Iterator[None]:
    """Put fields into every log line of the block; `trace` also into its calls to Saleor.

    A field that is None stays as it is. Fields are ids, names and codes: never what a person
    wrote or is called.
    """
    known = {name: value for name, value in fields.items() if value is not None}
    if trace is not None:
        known["trace_id"] = trace.trace_id
    before = _trace.set(trace or _trace.get())
    fields_before = _fields.set({**_fields.get(), **known})
    try:
        yield
    finally:
        _fields.reset(fields_before)
        _trace.reset(before)


def trace_headers() -> Mapping[str, str]:
    """Return the headers that continue the trace; for calls to Saleor alone."""
    trace = _trace.get()
    return {HEADER: trace.traceparent()} if trace else {}
