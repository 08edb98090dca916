"""What a check found, and what it means for a monitor."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is, worst last."""

    OK = "ok"
    WARN = "warn"  # it works, and somebody should look
    FAIL = "fail"  # captures, or the pages, do not work


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's result: what is, and how to mend what is not right."""

    check: str
    level: Level
    what: str
    cure: str = ""
    shop: str = ""  # empty: the app as a whole


def ok(check: str, what: str) -> Finding:
    """Return that a check found nothing wrong."""
    return Finding(check, Level.OK, what)


def warn(check: str, what: str, cure: str) -> Finding:
    """Return that somebody should look."""
    return Finding(check, Level.WARN, what, cure)


def fail(check: str, what: str, cure: str) -> Finding:
    """Return that something does not work."""
    return Finding(check, Level.FAIL, what, cure)


def worst(findings: Sequence[Finding]) -> Level:
    """Return the worst level that was found."""
    order = list(Level)
    return max((one.level for one in findings), key=order.index, default=Level.OK)


#: What a monitor sees, as Nagios and its kin read it.
EXIT = {Level.OK: 0, Level.WARN: 1, Level.FAIL: 2}
