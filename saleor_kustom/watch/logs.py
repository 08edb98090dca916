"""Logs: one event per line in JSON for machines, or columns for a person at a terminal.

Everything goes through the standard library's logging, so that libraries' lines (uvicorn's too)
look like our own; structlog is its formatter.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from saleor_kustom.watch.context import bound_fields, instance

JSON, CONSOLE = "json", "console"

_FIRST = ("time", "level", "logger", "message")

#: Of these only warnings: they tell of every request and byte.
_NOISY = ("httpx", "httpcore", "gql", "asyncio", "psycopg", "psycopg.pool")


def log_to_stderr(level: str, form: str = "", stream: TextIO | None = None) -> None:
    """Log to stderr. `form`: json or console; empty: console at a terminal, json elsewhere."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter(form or (CONSOLE if stream.isatty() else JSON), stream))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def formatter(form: str, stream: TextIO) -> logging.Formatter:
    """Return the formatter of one of the two forms."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            _context,
            structlog.stdlib.ExtraAdder(),
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            _time,
            _instance,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *_rendering(form, stream),
        ],
    )


def _rendering(form: str, stream: TextIO) -> list[Processor]:
    if form == CONSOLE:
        # The default shows local variables with a traceback, also those that hold secrets.
        return [
            structlog.dev.ConsoleRenderer(
                colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    return [
        structlog.processors.format_exc_info,
        structlog.processors.EventRenamer("message"),
        _ordered,
        _as_json,
    ]


#: Made once: `json.dumps` would make one for each line.
_ENCODER = json.JSONEncoder(ensure_ascii=False, default=str)


def _as_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return _ENCODER.encode(event)


def _ordered(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """What a person reads first comes first."""
    return {name: event.pop(name) for name in _FIRST if name in event} | dict(event)


def _context(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """What is under way, said with each line about it."""
    return {**bound_fields(), **event}


def _time(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """When it happened, not when it is written."""
    at = datetime.fromtimestamp(event["_record"].created, UTC)
    event["time"] = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return event


def _instance(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event.setdefault("instance", instance())
    return event
