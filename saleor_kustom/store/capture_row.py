"""One capture as the database has it, and how its columns are written."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel

from saleor_kustom.capture.operation import Kind, Request, Source, operation_id
from saleor_kustom.capture.standing import Standing
from saleor_kustom.capture.state import State
from saleor_kustom.store.database import Row

Model = TypeVar("Model", bound=BaseModel)

#: What a capture waits for after a person let it go on: nothing.
RESUMED = "resumed"


@dataclass(frozen=True, slots=True)
class Capture:
    """One row. Times are unix seconds of the database, amounts minor units of `currency`.

    `fulfillment_id` and `fulfillment_created` identify a parcel; of an operation they hold what
    makes it one (capture/operation.py).
    """

    id: int
    api_url: str
    order_id: str
    fulfillment_id: str
    fulfillment_created: str
    order_number: str | None
    fulfillment_number: int | None
    channel: str | None
    currency: str | None
    line: str  # captures of one line run one after another (domain rule 16)
    account: str  # environment/merchant id, once bound; before that empty
    state: State
    held: str | None  # why a person must look
    held_detail: Mapping[str, Any]
    waiting: str | None  # why it waits, or why there is nothing
    waiting_detail: Mapping[str, Any]
    canceled: bool  # the tombstone: Saleor cancelled the fulfillment (domain rule 20)
    due_at: float | None  # next try, or the lease's end while running; None: when news comes
    worker: str | None  # who runs it
    attempts: int  # the fence: one more with each claim
    failures: int  # in a row, for the backoff
    wakes: int  # news so far; in a run: as it was when the run began
    plan: str | None
    idempotency_key: str | None
    amount_minor: int | None
    sent_first_at: float | None
    sent_last_at: float | None
    capture_id: str | None
    captured_at: float | None
    reported_at: float | None
    report_problem: str | None
    without_tracking: bool
    tracking_sent: tuple[Mapping[str, str], ...]
    tracking_pending: str | None
    tracking_problem: str | None
    tracking_notes: tuple[str, ...]  # merchant input that can't be used, and why
    tracking_refused: tuple[Mapping[str, Any], ...]  # {"capture_id": …, "entry": {…}}
    tracking_elsewhere: Mapping[str, Any]  # capture id taken over → entries sent there
    traceparent: str | None  # the trace of the latest delivery about it (W3C)
    worth_minor: int | None  # what its units cost, the fee aside; None: not read yet
    created_at: float
    updated_at: float
    # What is no parcel's capture is an operation (capture/operation.py), kept in the same row.
    kind: Kind
    request: Request | None  # what was asked; None: a fulfillment
    answer: str | None  # what Saleor's request was answered with: "result" | "later"
    answered_at: float | None
    standing: Standing | None  # of the Kustom order, after Kustom had confirmed this row
    canceled_at: float | None  # when we first saw that a captured parcel was cancelled

    @property
    def is_parcel(self) -> bool:
        """Tell whether the row is a fulfillment's capture, and no operation beside these."""
        return self.kind is Kind.FULFILLMENT

    @property
    def captures(self) -> bool:
        """Tell whether money comes in by it: a parcel's capture, or a charge."""
        return self.kind in (Kind.FULFILLMENT, Kind.CHARGE)

    @property
    def by_button(self) -> bool:
        """Tell whether Saleor asked and is to be told how it ended, well or not."""
        return self.request is not None and self.request.source is Source.BUTTON

    @property
    def key(self) -> tuple[str, str]:
        """Return what makes the fulfillment, or the operation, the one that it is."""
        return self.fulfillment_id, self.fulfillment_created

    @property
    def operation_id(self) -> str:
        """Return an operation's own id: what Saleor may know it by."""
        return operation_id(self.api_url, self.order_id, self.key)

    @property
    def tracking(self) -> tuple[Mapping[str, str], ...]:
        """Return what Kustom has of this parcel's tracking, at whichever capture pays for it."""
        elsewhere = (entry for sent in self.tracking_elsewhere.values() for entry in sent)
        told = [*self.tracking_sent, *elsewhere]
        return tuple(entry for index, entry in enumerate(told) if entry not in told[:index])


_FLAGS = frozenset({"canceled", "without_tracking"})
_MAPPINGS = frozenset({"held_detail", "waiting_detail", "tracking_elsewhere"})
_LISTS = frozenset({"tracking_sent", "tracking_notes", "tracking_refused"})
_KEPT_BY_THE_QUEUE = frozenset(
    (
        *("id", "api_url", "order_id", "fulfillment_id", "fulfillment_created", "line", "account"),
        *("due_at", "worker", "attempts", "wakes", "created_at", "updated_at"),
        *("kind", "request", "answer", "answered_at", "traceparent"),
    )
)
_WRITABLE = frozenset(Capture.__dataclass_fields__) - _KEPT_BY_THE_QUEUE


def capture_of(row: Row) -> Capture:
    """Return the capture that a row of `capture` holds."""
    values = {name: row[name] for name in Capture.__dataclass_fields__}
    values["state"] = State(row["state"])
    values |= {name: tuple(json.loads(row[name])) for name in _LISTS}
    values |= {name: bool(row[name]) for name in _FLAGS}
    values |= {name: json.loads(row[name]) for name in _MAPPINGS}
    values["kind"] = Kind(row["kind"])
    values["request"] = _model(Request, row["request"])
    values["standing"] = _model(Standing, row["standing"])
    return Capture(**values)


def written(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return columns as they are stored.

    Raises ValueError for a column that a run may not write: what identifies the capture, and
    what the queue itself keeps.
    """
    if unknown := columns.keys() - _WRITABLE:
        raise ValueError(f"not columns that a run may write: {sorted(unknown)}")
    stored = dict(columns)
    for name in stored.keys() & _FLAGS:
        stored[name] = int(stored[name])
    for name in stored.keys() & _MAPPINGS:
        stored[name] = as_json(dict(stored[name]))
    for name in stored.keys() & _LISTS:
        stored[name] = as_json(list(stored[name]))
    if stored.get("standing") is not None:
        stored["standing"] = stored["standing"].model_dump_json()
    if "state" in stored:
        stored["state"] = State(stored["state"]).value
    return stored


def _model(model: type[Model], text: str | None) -> Model | None:
    return model.model_validate_json(text) if text else None


def as_json(value: object) -> str:
    """Return JSON text; what JSON does not know is written as its text."""
    return json.dumps(value, ensure_ascii=False, default=str)
