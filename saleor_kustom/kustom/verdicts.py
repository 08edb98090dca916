"""Which verdict an answer of Kustom's is that is no success: one rule a row (contract, 8).

| answer | verdict |
| --- | --- |
| 401 | Unavailable: credentials are wrong; nothing happened |
| 409, 429 | Unavailable: busy; nothing happened; after Retry-After if it came |
| 400 403 404 413 415 422 with Kustom's error object | Refused |
| 403 without | Unavailable FIREWALL: says nothing about the order |
| any other 4xx without | Unavailable NONSENSE: something in between answered |
| 5xx and above | a read: Unavailable; a write: OutcomeUnknown, it may have happened |
| 3xx | Unavailable: nothing is followed |
"""

from email.utils import parsedate_to_datetime

from saleor_kustom.errors import CallError, OutcomeUnknown, Refused, Unavailable
from saleor_kustom.kustom.wire import read_error
from saleor_kustom.outbound import Answer

#: Statuses with which Kustom says a definite no, when the body is its error object.
_REFUSALS = frozenset({400, 403, 404, 413, 415, 422})
_UNAUTHORIZED, _FORBIDDEN, _TOO_MANY = 401, 403, 429
_DAY_S = 86400.0


def verdict(answer: Answer, *, writes: bool) -> CallError:
    """Return what an answer that is no success says (see the table above)."""
    described = read_error(answer.body)
    code, messages, correlation_id = described or (None, (), None)
    kind, ours = _judged(answer.status, explained=described is not None, writes=writes)
    return kind(
        ours if code is None or answer.status == _UNAUTHORIZED else code,
        messages,
        status=answer.status,
        correlation_id=correlation_id or correlation_id_of(answer),
        retry_after_s=None if kind is Refused else retry_after_s(answer),
    )


def nonsense(answer: Answer, what: str) -> Unavailable:
    """Return the verdict on a read that was answered with a success that makes no sense."""
    return Unavailable(
        "NONSENSE", (what,), status=answer.status, correlation_id=correlation_id_of(answer)
    )


def correlation_id_of(answer: Answer) -> str | None:
    """Return what Kustom's support asks for, if the header came."""
    given: str = answer.headers.get("klarna-correlation-id", "").strip()[:100]
    return given if given and given.isprintable() else None


def retry_after_s(answer: Answer) -> float | None:
    """Return how many seconds to wait at least, if the answer says so and means a day or less."""
    waits_s = [_seconds(answer.headers.get("retry-after", ""), answer.headers.get("date", ""))]
    if answer.status == _TOO_MANY:  # every answer bears the reset; only here it is a reason
        waits_s.append(_seconds(answer.headers.get("x-ratelimit-reset", ""), ""))
    return next((wait_s for wait_s in waits_s if wait_s is not None), None)


def _judged(status: int, *, explained: bool, writes: bool) -> tuple[type[CallError], str]:
    """Return the verdict, and our code for it when Kustom gave none."""
    if status == _UNAUTHORIZED:
        return Unavailable, "UNAUTHORIZED"
    if status in _REFUSALS and explained:
        return Refused, ""
    if status == _FORBIDDEN:
        return Unavailable, "FIREWALL"
    if status >= 500:  # noqa: PLR2004 - HTTP's own numbers
        return (OutcomeUnknown if writes else Unavailable), f"HTTP_{status}"
    if status >= 400 and status not in (409, _TOO_MANY):  # noqa: PLR2004 - HTTP's own numbers
        return Unavailable, "NONSENSE"
    return Unavailable, f"HTTP_{status}"


def _seconds(text: str, date: str) -> float | None:
    """Read seconds, or an HTTP date relative to the answer's own (our clock may differ)."""
    text = text.strip()
    if text.isascii() and text.replace(".", "", 1).isdecimal():
        wait_s = float(text)
    else:
        try:
            until, now = parsedate_to_datetime(text), parsedate_to_datetime(date)
            wait_s = (until - now).total_seconds()
        except (ValueError, TypeError):  # no date; or only one of both has a time zone
            return None
    return wait_s if 0 <= wait_s <= _DAY_S else None
