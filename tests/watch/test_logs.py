"""Logs: one event per line, whoever wrote it, and nothing secret with a traceback."""

import io
import json
import logging

import pytest

from saleor_kustom.watch import logs
from saleor_kustom.watch.context import bound, bound_fields, instance
from saleor_kustom.watch.trace import Trace


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def logged():
    """Log to a stream; afterwards everything is as it was."""
    root = logging.getLogger()
    kept = root.handlers[:], root.level

    def start(level="INFO", form="", stream=None):
        stream = stream if stream is not None else io.StringIO()
        logs.log_to_stderr(level, form, stream)
        return stream

    yield start
    root.handlers[:], root.level = kept


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_has_what_is_under_way_in_it(logged):
    stream = logged()
    with bound(trace=Trace("ab" * 16), shop="https://shop.example/graphql/", order=None, attempt=3):
        logging.getLogger("saleor_kustom.worker").warning(
            "Kustom said %s", "no", extra={"correlation_id": "c-1"}
        )
    [line] = lines(stream)
    assert list(line)[:4] == ["time", "level", "logger", "message"]
    assert line | {"time": ""} == {
        "time": "", "level": "warning", "logger": "saleor_kustom.worker",
        "message": "Kustom said no", "correlation_id": "c-1", "trace_id": "ab" * 16,
        "shop": "https://shop.example/graphql/", "attempt": 3, "instance": instance(),
    }  # fmt: skip
    assert line["time"].endswith("Z")
    assert bound_fields() == {}


def test_a_worker_is_named_by_itself(logged):
    stream = logged()
    with bound(instance="worker-2"):
        logging.getLogger("x").info("hello")
    assert lines(stream)[0]["instance"] == "worker-2"


def test_a_library_and_a_traceback_are_one_line_each(logged):
    stream = logged()
    logging.getLogger("uvicorn.error").error("odd\nrequest")
    secret = "hunter2"
    try:
        raise ValueError("no " + "way")
    except ValueError:
        logging.getLogger("saleor_kustom").exception("a bug")
    first, second = lines(stream)
    assert first["message"] == "odd\nrequest"
    assert "ValueError: no way" in second["exception"]
    assert secret not in stream.getvalue()


def test_at_a_terminal_a_person_reads_it_without_local_variables(logged):
    stream = logged(stream=Terminal())
    secret = "hun" + "ter2"
    try:
        raise ValueError("no way")
    except ValueError:
        logging.getLogger("saleor_kustom").exception("a bug")
    assert "a bug" in stream.getvalue()
    assert "ValueError: no way" in stream.getvalue()
    assert secret not in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_the_form_can_be_asked_for(logged):
    stream = logged(form="json", stream=Terminal())
    logging.getLogger("x").info("hello")
    assert lines(stream)[0]["message"] == "hello"


def test_libraries_do_not_tell_of_every_request(logged):
    stream = logged("DEBUG")
    logging.getLogger("httpx").info("POST https://shop.example/?token=1")
    logging.getLogger("saleor_kustom").debug("fine")
    assert [line["message"] for line in lines(stream)] == ["fine"]
