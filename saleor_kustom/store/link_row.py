"""One link as the database has it, and how its columns are written."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from saleor_kustom.capture.linking import How, LinkState, Outcome, outcome
from saleor_kustom.store.capture_row import as_json
from saleor_kustom.store.database import Row


@dataclass(frozen=True, slots=True)
class Link:
    """One row. Times are unix seconds of the database."""

    id: int
    api_url: str
    order_id: str  # Saleor's global id
    kustom_order_id: str
    how: How
    who: str
    state: LinkState
    code: str | None  # why it is refused, or what it waits for
    detail: Mapping[str, Any]
    order_number: str | None
    transaction_id: str | None
    creating_at: float | None  # a transaction was asked for then
    under_review: bool  # Saleor waits to hear how Kustom's review ends
    due_at: float | None
    worker: str | None
    attempts: int
    failures: int
    asked_at: float
    updated_at: float

    def outcome(self, asked: str) -> Outcome:
        """Return how it stands for whoever asked for that Kustom order."""
        return outcome(self.state, self.code, self.detail, self.kustom_order_id, asked)

    @property
    def open(self) -> bool:
        """Tell whether it goes on by itself."""
        return self.due_at is not None


_WRITABLE = frozenset(
    (
        *("state", "code", "detail", "order_number", "transaction_id", "creating_at"),
        *("under_review", "failures"),
    )
)


def link_of(row: Row) -> Link:
    """Return the link that a row of `link` holds."""
    values = {name: row[name] for name in Link.__dataclass_fields__}
    values["how"] = How(row["how"])
    values["state"] = LinkState(row["state"])
    values["detail"] = json.loads(row["detail"])
    values["under_review"] = bool(row["under_review"])
    return Link(**values)


def written(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return columns as they are stored. Raises ValueError for one that a run may not write."""
    if unknown := columns.keys() - _WRITABLE:
        raise ValueError(f"not columns that a run may write: {sorted(unknown)}")
    stored = dict(columns)
    if "detail" in stored:
        stored["detail"] = as_json(dict(stored["detail"]))
    if "under_review" in stored:
        stored["under_review"] = int(stored["under_review"])
    if "state" in stored:
        stored["state"] = LinkState(stored["state"]).value
    return stored
