"""What Saleor itself shows of what the app knows: problems and notes on orders. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from saleor_kustom.capture.held import WORDS, Reason
from saleor_kustom.capture.money import shown

#: Saleor knows app problems from here on (saleor-app-protocol, 24).
PROBLEMS_SINCE = (3, 22, 36)


@dataclass(frozen=True, slots=True)
class Held:
    """Parcels held for one reason in one currency; minor units."""

    reason: str
    currency: str
    count: int
    minor: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What Saleor must be told: problems by key, and keys that are solved."""

    create: Mapping[str, str]
    dismiss: tuple[str, ...]


def knows_problems(saleor_version: str) -> bool:
    """Tell whether a Saleor release has app problems; one that is not known has none."""
    parts = saleor_version.split(".")
    numbers = tuple(int(part) for part in parts if part.isdecimal())
    return len(numbers) == len(PROBLEMS_SINCE) and numbers >= PROBLEMS_SINCE


def problems(
    held: Sequence[Held], expiring: int, paused: Sequence[tuple[str, str]]
) -> Mapping[str, str]:
    """Return each problem's message by its key. `paused`: accounts, and why."""
    found: dict[str, str] = {}
    by_reason: dict[str, list[Held]] = {}
    for one in held:
        by_reason.setdefault(one.reason, []).append(one)
    known = {each.value for each in Reason}
    for reason, listed in by_reason.items():
        count = sum(one.count for one in listed)
        sums = ", ".join(shown(one.minor, one.currency) for one in listed if one.currency)
        cure = WORDS[Reason(reason)].cure if reason in known else ""
        name = reason.replace("_", " ")
        about = f" ({sums})" if sums else ""
        found[f"held:{reason}"] = f"{count} held, {name}{about}. {cure}".strip()
    if expiring:
        found["expiring"] = (
            f"{expiring} authorization(s) end within 7 days with money left on them."
        )
    for account, why in paused:
        found[f"account:{account}"] = f"Kustom does not accept the account {account}: {why}"
    return found


def changes(wanted: Mapping[str, str], told: Mapping[str, str]) -> Changes:
    """Return what differs from what Saleor was told last."""
    create = {key: text for key, text in wanted.items() if told.get(key) != text}
    return Changes(create, tuple(sorted(key for key in told if key not in wanted)))


#: The lines of history of which a note is made.
NOTED = frozenset({"kustom_confirmed", "held"})


def note(what: str, parcel: int | None, amount: str, problem: str) -> str:
    """Return the note on an order for one of the NOTED lines of a parcel's history."""
    name = f"parcel {parcel}" if parcel is not None else "a parcel"
    if what == "held":
        return f"Kustom: {name} needs a person. {problem}"
    return f"Kustom: {name} captured, {amount}."
