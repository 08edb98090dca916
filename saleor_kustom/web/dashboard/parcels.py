"""A parcel as the pages show it: plain words, a pill, and what can be done."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from saleor_kustom.capture import actions
from saleor_kustom.capture.actions import Act
from saleor_kustom.capture.held import Reason
from saleor_kustom.capture.plan import NothingWhy
from saleor_kustom.capture.state import State
from saleor_kustom.store import RESUMED, Capture, Pause, Scope, Store
from saleor_kustom.web.texts import Texts, held_of

#: Kustom's answer, folded away and copied for support.
_TECHNICAL = ("code", "message", "correlation_id", "kustom_order", "status", "fulfillment")


@dataclass(frozen=True, slots=True)
class Shown:
    """One parcel. `pill`: text and kind; times in unix seconds."""

    row: Capture
    name: str  # within its order
    title: str  # with its order
    pill: str
    kind: str  # success | warning | error | info | neutral
    why: str  # why it waits, or why there is nothing; empty when all is well
    problem: str  # what it is held for
    cure: str
    acts: tuple[Act, ...]
    next_try: float | None
    under_way: bool

    @property
    def minor(self) -> int | None:
        """Return the amount, planned or captured; what the units cost, where nothing is planned."""
        return self.row.worth_minor if self.row.amount_minor is None else self.row.amount_minor

    @property
    def technical(self) -> Mapping[str, Any]:
        """Return what Kustom's support asks for."""
        detail = self.row.held_detail
        return {name: detail[name] for name in _TECHNICAL if detail.get(name)}

    @property
    def for_support(self) -> str:
        """Return the technical part as text to copy."""
        known = {
            "order": self.row.order_number,
            "fulfillment_id": self.row.fulfillment_id,
            "capture_id": self.row.capture_id,
            "held": self.row.held,
            **self.technical,
        }
        return "\n".join(f"{name}: {value}" for name, value in known.items() if value)


def shown(row: Capture, pauses: Sequence[Pause], texts: Texts) -> Shown:
    """Return how a parcel is shown."""
    paused = covered_by(row, pauses)
    under_way = row.worker is not None
    facts = facts_of(row, pauses)
    pill, kind = _pill(row, paused=paused is not None)
    held = held_of(row.held, row.held_detail) if row.held else None
    problem = texts.problem(held) if held else row.held or ""
    return Shown(
        row=row,
        name=_name(row, texts),
        title=texts("parcel.of", order=row.order_number or "?", name=_name(row, texts).lower()),
        pill=texts(f"pill.{pill}"),
        kind=kind,
        why="" if row.held else _why(row, paused, texts),
        problem=problem,
        cure=texts.cure(held) if held else "",
        acts=actions.of_parcel(facts),
        next_try=None if under_way or paused or row.held else row.due_at,
        under_way=under_way or _soon(row),
    )


def facts_of(row: Capture, pauses: Iterable[Pause]) -> actions.Parcel:
    """Return what decides which acts make sense."""
    return actions.Parcel(
        state=row.state,
        held=row.held,
        waiting=row.waiting,
        under_way=row.worker is not None,
        paused=covered_by(row, pauses) is not None,
        canceled=row.canceled,
        is_parcel=row.is_parcel,
    )


async def possible(store: Store, row: Capture) -> tuple[Act, ...]:
    """Return which acts make sense for a parcel now, as the table says."""
    return actions.of_parcel(facts_of(row, await store.pauses.list(row.api_url)))


def covered_by(row: Capture, pauses: Iterable[Pause]) -> Pause | None:
    """Return the pause that a parcel is under; those of accounts for every shop count too."""
    keys = {
        Scope.SHOP: "",
        Scope.CHANNEL: row.channel,
        Scope.ORDER: row.order_id,
        Scope.ACCOUNT: row.account or None,
    }
    return next((pause for pause in pauses if keys[pause.scope] == pause.key), None)


def _name(row: Capture, texts: Texts) -> str:
    """Return "Parcel 2", or what an operation is."""
    if row.is_parcel:
        return texts("parcel.name", parcel=row.fulfillment_number or "?")
    return texts(f"kind.{row.kind}")


def _pill(row: Capture, *, paused: bool) -> tuple[str, str]:
    if row.held == Reason.OBSERVED:
        return "observed", "info"
    if row.held:
        return "held", "error"
    match row.state:
        case State.CAPTURED | State.REPORTED:
            return ("captured" if row.captures else f"done_{row.kind}"), "success"
        case State.NOTHING:
            return "nothing", "neutral"
        case State.WITHDRAWN:
            return "withdrawn", "neutral"
    if paused:
        return "paused", "warning"
    return ("under_way", "info") if row.worker else ("waiting", "info")


def _why(row: Capture, paused: Pause | None, texts: Texts) -> str:
    if paused is not None and row.state not in (State.CAPTURED, State.REPORTED):
        return texts("why.paused_by", who=paused.who, why=paused.why)
    why = row.waiting or row.report_problem or ""
    if why.startswith("http_"):  # a status without a code of Kustom's own
        why = "unavailable"
    return texts.known("why", why) if why else ""


def _soon(row: Capture) -> bool:
    """Tell whether the row will change by itself within moments.

    What was woken is due at the very time of its last change, whatever it waited or was held for.
    """
    if row.due_at is None:
        return False
    fresh = row.waiting in (None, RESUMED, NothingWhy.SETTLED_OUTSIDE)
    return row.due_at <= row.updated_at or (fresh and row.held is None)


def tracking_of(row: Capture) -> list[tuple[str, str]]:
    """Return text and link of each tracking entry that Kustom has; a link that is none is empty."""
    found = []
    for entry in row.tracking:
        link = entry.get("tracking_uri", "")
        names = ("tracking_number", "tracking_uri", "shipping_method", "shipping_company")
        returns = ("return_tracking_number", "return_tracking_uri")
        text = next((entry[name] for name in (*names, *returns) if name in entry), "")
        company = entry.get("shipping_company", "")
        named = text if text in (link, company) else f"{company} {text}".strip()
        found.append((named, link if link.startswith(("https://", "http://")) else ""))
    return found


def pretty(text: str) -> str:
    """Return JSON as a person reads it; what is no JSON stays as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
